"""Client quotas: what the source has, what the target lacks of it, and whom they slow. Pure.

An entity is a user, a client id, both, or an address; where its name is None it is the default of its kind. Quotas are
a cluster's: none names a topic. Each broker keeps them for itself (KIP-13, KIP-219), so that twice the brokers let
through twice as much.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.principals import Principals

USER, CLIENT, IP = "user", "client-id", "ip"
_ORDER = {USER: 0, CLIENT: 1, IP: 2}
# kafka-configs' own words.
_ENTITY_TYPES = {USER: "users", CLIENT: "clients", IP: "ips"}
_NAMED = 200
#: What slows a copy: on the source it reads; on the target it writes, makes topics, and reads to compare.
READING = ("consumer_byte_rate", "request_percentage")
WRITING = ("producer_byte_rate", "consumer_byte_rate", "controller_mutation_rate", "request_percentage")

Entity = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Quota:
    """One limit of one entity.

    :param entity: kinds with their names, users first; None: the default of the kind.
    :param key: ``producer_byte_rate``, ``consumer_byte_rate``, ``request_percentage``, ``controller_mutation_rate`` or
        ``connection_creation_rate``; later ones are carried as well.
    """

    entity: Entity
    key: str
    value: float

    @classmethod
    def of(cls, entity: Mapping[str, str | None], key: str, value: float) -> Quota:
        return cls(tuple(sorted(entity.items(), key=lambda part: (_ORDER.get(part[0], 9), part[0]))), key, value)

    @property
    def place(self) -> tuple[Entity, str]:
        """What there can be one of."""
        return self.entity, self.key

    @property
    def whose(self) -> str:
        """For people: ``user alice, client-id <default>``."""
        return ", ".join(f"{kind} {'<default>' if name is None else name}" for kind, name in self.entity)

    def __str__(self) -> str:
        return f"{self.key}={number(self.value)} of {self.whose}"

    def command(self) -> str:
        """Arguments of Kafka's ``kafka-configs.sh`` that set it."""
        parts = ["--alter", "--add-config", f"{self.key}={number(self.value)}"]
        for kind, name in self.entity:
            parts += ["--entity-type", _ENTITY_TYPES.get(kind, kind)]
            parts += ["--entity-default"] if name is None else ["--entity-name", name]
        return shlex.join(parts)

    def holds(self, principal: str | None) -> bool:
        """Whether it holds clients of this user whose client ids have no quota of their own.

        :param principal: ``User:x``; None: not known, so that only what holds everybody holds this one for sure.
        """
        parts = dict(self.entity)
        if IP in parts or parts.get(CLIENT) is not None:
            return False
        return parts.get(USER) is None or f"User:{parts[USER]}" == principal

    @property
    def _rank(self) -> tuple[bool, bool, bool]:
        """Brokers take the most precise one: of user and client id, of the user, of the client id; names over defaults
        (ClientQuotaManager: a named user first, then the default one, then client ids)."""
        parts = dict(self.entity)
        return USER in parts, parts.get(USER) is not None, CLIENT in parts


def number(value: float) -> str:
    """As people write it, and as Java reads it to the same bits: ``1048576``, ``0.5``."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


@dataclass(frozen=True)
class QuotaDiff:
    """Source against target, sorted by whose they are.

    :param wanted: what the target should have. ``missing``: what of it has no value there.
    :param other: what has another value there, with that value. ``only_there``: what the source does not have.
    :param left: what cannot be carried, and why.
    """

    wanted: Sequence[Quota]
    missing: Sequence[Quota]
    other: Sequence[tuple[Quota, float]]
    only_there: Sequence[Quota]
    left: Sequence[tuple[Quota, str]] = ()

    @property
    def to_set(self) -> list[Quota]:
        return [*self.missing, *(quota for quota, _ in self.other)]

    def changes(self) -> list[Change]:
        """What ``quotas=copy`` does, as lines of the plan."""
        last = "last, when all other checks passed"
        return [
            *(Change(Action.CREATE, "quota", str(quota), last) for quota in self.missing),
            *(Change(Action.UPDATE, "quota", str(quota), f"{number(was)} now; {last}") for quota, was in self.other),
        ]


def compare_quotas(source: Iterable[Quota], target: Iterable[Quota], principals: Principals | None = None) -> QuotaDiff:
    """Whole clusters, as no quota tells what topics its clients use.

    :param principals: what users are called on the target; those of who is left out are not there.
    """
    wanted, left = _on_target(sorted(set(source), key=str), principals or Principals())
    there, places = {quota.place: quota for quota in target}, {quota.place for quota in wanted}
    return QuotaDiff(
        wanted,
        missing=[quota for quota in wanted if quota.place not in there],
        other=[
            (quota, there[quota.place].value)
            for quota in wanted
            if quota.place in there and there[quota.place].value != quota.value
        ],
        only_there=sorted((quota for place, quota in there.items() if place not in places), key=str),
        left=left,
    )


def _on_target(quotas: Sequence[Quota], principals: Principals) -> tuple[list[Quota], list[tuple[Quota, str]]]:
    found: dict[tuple[Entity, str], Quota] = {}
    left = []
    for quota in quotas:
        parts = dict(quota.entity)
        if (name := parts.get(USER)) is not None:
            user = principals.user(name)
            if user is None:
                continue
            parts[USER] = user
        mine = Quota.of(parts, quota.key, quota.value)
        first = found.setdefault(mine.place, mine)
        if first.value != mine.value:
            left.append((quota, f"another user of the source is called {parts[USER]} there too, with {first.key}="
                                f"{number(first.value)}"))  # fmt: skip
    return sorted(found.values(), key=str), left


def check_quotas(
    diff: QuotaDiff,
    *,
    copied: bool,
    brokers: tuple[int, int] | None = None,
    refused: Sequence[str] = (),
    side: str = "on the source",
) -> Check:
    """FAIL when one that should have been set (``copied``) is not as on the source. Else differences are EXPLAINED: a
    quota names no topic, so nobody can say that these topics need it, and another cluster may want another value.

    :param brokers: of source and target. ``refused``: what the target said to some. ``side``: where they are from.
    """
    fix = "" if copied else "quotas=copy, or "
    wrong = [
        *(f"missing on the target: {quota}. Fix: {fix}kafka-configs {quota.command()}" for quota in diff.missing),
        *(
            f"on the target it is {number(there)}: {quota}. Fix: {fix}kafka-configs {quota.command()}"
            for quota, there in diff.other
        ),
    ]
    more = [
        *(f"not carried: {quota}: {why}" for quota, why in diff.left),
        *(f"only on the target, and kept: {quota}" for quota in diff.only_there),
    ]
    different = Status.FAIL if copied else Status.EXPLAINED
    notes = []
    if diff.wanted and brokers and brokers[0] != brokers[1]:
        notes.append(
            f"each broker keeps quotas for itself, and there are {brokers[0]} on the source and {brokers[1]} on the "
            "target: the same value lets another total through"
        )
    if diff.only_there:
        notes.append(f"{len(diff.only_there)} only on the target")
    return Check(
        name="quotas",
        status=different if wrong or refused else Status.EXPLAINED if more else Status.PASS,
        expected=f"{len(diff.wanted)} quotas, as {side}",
        actual=f"{len(diff.wanted) - len(wrong)} there",
        detail="; ".join(notes),
        differences=[*refused, *wrong, *more][:_NAMED],
    )


def holding(quotas: Iterable[Quota], principal: str | None, keys: Sequence[str]) -> list[Quota]:
    """Of each key the quota by which brokers hold this user's clients."""
    found: dict[str, Quota] = {}
    for quota in quotas:
        best = found.get(quota.key)
        if quota.key in keys and quota.holds(principal) and (best is None or quota._rank > best._rank):
            found[quota.key] = quota
    return [found[key] for key in keys if key in found]


def slow_findings(
    conn_id: str, param: str, principal: str | None, quotas: Iterable[Quota], keys: Sequence[str]
) -> list[Finding]:
    """What makes the copy slow that is about to begin."""
    return [
        Finding(
            Severity.ADVISE, "quotas", f"quota {quota.key} on {conn_id}",
            f"{principal or 'the user of this connection'} is held to {number(quota.value)} on each broker "
            f"({quota.whose}): the copy is no faster than that allows",
            f"leave it where the cluster needs it; or kafka-configs {quota.command()} with a higher value", param,
        )
        for quota in holding(quotas, principal, keys)
    ]  # fmt: skip


def stopping_quota_findings(diff: QuotaDiff, principal: str | None) -> list[Finding]:
    """What ``quotas=copy`` would set that also holds a replication which goes on."""
    return [
        Finding(
            Severity.WARN, "quotas", f"quota {quota}",
            "would be copied, and slow the replication that keep_replicating keeps running",
            "quotas: check, and set it at the cutover", "quotas",
        )
        for quota in holding(diff.to_set, principal, WRITING)
    ]  # fmt: skip


def unseen_finding(conn_id: str, why: str) -> Finding:
    """Said in every plan that could not look, so that silence is not taken for "all clear"."""
    return Finding(
        Severity.ADVISE, "quotas", f"client quotas on {conn_id}",
        f"were not read: {why}; a byte-rate quota on the connection's user slows the copy",
        "kafka-configs --describe --entity-type users (and clients) there", "throughput",
    )  # fmt: skip
