"""SCRAM users: which the source has, which of them the target lacks, and for which there is a password. Pure.

Kafka tells who there is, by which mechanism and with how many iterations, and nobody's password: what a broker keeps
of it (RFC 5802) cannot be read, and could not be set.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.principals import Principals

_NAMED = 200


@dataclass(frozen=True, order=True)
class ScramUser:
    """A user by one mechanism, ``SCRAM-SHA-256`` or ``SCRAM-SHA-512``."""

    name: str
    mechanism: str
    iterations: int

    def __str__(self) -> str:
        return f"{self.name} ({self.mechanism})"

    def command(self) -> str:
        """Arguments of Kafka's ``kafka-configs.sh`` that make it, with a password for the reader to fill in."""
        config = f"{self.mechanism}=[iterations={self.iterations},password=<its password>]"
        return shlex.join(["--alter", "--add-config", config, "--entity-type", "users", "--entity-name", self.name])


@dataclass(frozen=True)
class ScramDiff:
    """Source against target.

    :param wanted: with the target's names. ``missing``: those of them that are not there.
    """

    wanted: Sequence[ScramUser]
    missing: Sequence[ScramUser]

    def to_create(self, passwords: Collection[str]) -> list[ScramUser]:
        """:param passwords: names, on the target, of users that somebody gave one."""
        return [user for user in self.missing if user.name in passwords]

    def changes(self, passwords: Collection[str]) -> list[Change]:
        """What ``scram_users=create`` does, as lines of the plan."""
        detail = "with its password of scram_conn_id; last, when all other checks passed"
        return [Change(Action.CREATE, "SCRAM user", str(user), detail) for user in self.to_create(passwords)]


def compare_scram_users(source: Iterable[ScramUser], target: Iterable[ScramUser], principals: Principals) -> ScramDiff:
    """One with another number of iterations is the same user: its clients do not notice."""
    there = {(user.name, user.mechanism) for user in target}
    wanted: dict[tuple[str, str], ScramUser] = {}
    for user in sorted(source):
        if name := principals.user(user.name):
            wanted[name, user.mechanism] = replace(user, name=name)
    return ScramDiff(sorted(wanted.values()), [user for place, user in sorted(wanted.items()) if place not in there])


def check_scram_users(diff: ScramDiff, passwords: Collection[str] | None = None, refused: Sequence[str] = ()) -> Check:
    """FAIL when one that had a password is not there. Else those that are missing are EXPLAINED: nobody can copy a
    password, and which users these topics' clients log in as, nobody knows.

    :param passwords: names of users that were to be made; None: none. ``refused``: what the target said to some.
    """
    given = passwords or ()
    lines = []
    for user in diff.missing:
        fix = "" if user.name in given else (
            "a password for it in the connection of scram_conn_id, or " if passwords is not None
            else "scram_users=create with its password, or "
        )  # fmt: skip
        lines.append(f"missing on the target: {user}. Fix: {fix}kafka-configs {user.command()}")
    wrong = refused or diff.to_create(given)
    return Check(
        name="scram_users",
        status=Status.FAIL if wrong else Status.EXPLAINED if diff.missing else Status.PASS,
        expected=f"{len(diff.wanted)} SCRAM users",
        actual=f"{len(diff.wanted) - len(diff.missing)} there",
        detail="Kafka does not reveal their passwords" if diff.missing and not wrong else "",
        differences=[*refused, *lines][:_NAMED],
    )


def needless_findings(passwords: Iterable[str], diff: ScramDiff) -> list[Finding]:
    """Passwords for users that the source does not have, under the names of the target: most likely misspelt."""
    known = {user.name for user in diff.wanted}
    return [
        Finding(
            Severity.WARN, "scram_users", f"user {name}",
            "has a password in the connection of scram_conn_id, and the source has no such SCRAM user: none is made",
            "its name on the target, as principals says", "scram_conn_id",
        )
        for name in sorted(set(passwords) - known)
    ]  # fmt: skip
