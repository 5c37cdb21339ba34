"""SCRAM users of a migration: made last, from passwords that nobody ever sees."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.scram_users import ScramUser
from kafka_ferry.exceptions import BadConnection, BadParam, NotAuthorized, NotSupported
from kafka_ferry.jobs.migration.live import scram_users
from kafka_ferry.jobs.migration.rules.around import ScramUsers

APP, OPS = ScramUser("app", "SCRAM-SHA-512", 4096), ScramUser("ops", "SCRAM-SHA-256", 8192)


class Cluster:
    """A cluster's users and nothing else."""

    def __init__(self, *there: ScramUser) -> None:
        self.there, self.fault = list(there), None
        self.passwords: dict[ScramUser, str] = {}

    def users(self) -> list[ScramUser]:
        if self.fault:
            raise self.fault
        return list(self.there)

    def make(self, users: dict[ScramUser, str]) -> None:
        self.passwords |= users
        self.there += users


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(scram_users, "KafkaScramUsers", SimpleNamespace(of=lambda cluster: cluster))
    monkeypatch.setattr(scram_users.time, "sleep", lambda _: None)
    monkeypatch.setenv("AIRFLOW_CONN_NEW_USERS", connection({"app": "hunter2-app", "typo": "x-hunter3"}))
    spec = SimpleNamespace(scram_users=ScramUsers.CREATE, scram_conn_id="new_users", principals={})
    return SimpleNamespace(spec=spec, source=Cluster(APP, OPS), target=Cluster())


def connection(passwords: Any) -> str:
    text = passwords if isinstance(passwords, str) else json.dumps(passwords)
    return json.dumps({"conn_type": "generic", "password": text})


def check(migration: Any, *failed: str, only_compare: bool = False) -> Any:
    return scram_users.scram_users_check(migration, failed, only_compare=only_compare)


def test_who_has_a_password_is_made_and_who_has_none_is_named(migration: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = check(migration)
        again = check(migration)

    assert migration.target.passwords == {APP: "hunter2-app"}
    assert found.status is again.status is Status.EXPLAINED
    assert (found.actual, len(found.differences), "ops" in found.differences[0]) == ("1 there", 1, True)
    assert "made the SCRAM user app (SCRAM-SHA-512)" in caplog.text
    assert "hunter2" not in caplog.text + found.model_dump_json()


def test_one_that_is_there_keeps_its_password(migration: Any) -> None:
    migration.target.there.append(APP)
    check(migration)
    assert migration.target.passwords == {}


def test_one_that_never_shows_fails(migration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scram_users, "_VISIBLE_SECONDS", 0.0)
    monkeypatch.setattr(migration.target, "make", lambda _: None)
    assert check(migration).status is Status.FAIL


def test_nothing_of_a_failed_run_is_made_and_a_comparison_makes_none(migration: Any) -> None:
    assert check(migration, "content").status is Status.SKIPPED
    assert check(migration, only_compare=True).status is Status.EXPLAINED
    assert migration.target.passwords == {}
    migration.spec.scram_users = ScramUsers.SKIP
    assert check(migration).detail == "param scram_users is skip"


@pytest.mark.parametrize("fault", [NotSupported("t: too old"), NotAuthorized("t: not allowed")])
def test_what_cannot_be_listed_is_skipped_with_the_reason_and_fails_where_they_were_to_be_made(
    migration: Any, fault: Exception
) -> None:
    migration.target.fault = fault
    assert (check(migration).status, check(migration).detail) == (Status.FAIL, str(fault))
    with pytest.raises(BadParam, match="'scram_users' is create, but t: "):
        scram_users.scram_changes(migration)
    migration.spec.scram_users = ScramUsers.CHECK
    assert (check(migration).status, check(migration).detail) == (Status.SKIPPED, str(fault))


def test_the_plan_lists_who_would_be_made_and_passwords_of_nobody(migration: Any) -> None:
    changes, findings = scram_users.scram_changes(migration)
    assert [one.name for one in changes] == ["app (SCRAM-SHA-512)"]
    assert [one.subject for one in findings] == ["user typo"]
    assert "hunter" not in f"{changes}{findings}"
    migration.spec.scram_users = ScramUsers.CHECK
    assert scram_users.scram_changes(migration) == ([], [])


@pytest.mark.parametrize(
    "held", ["", "hunter2", "[1]", "{}", {"app": 5}, {"app": ""}, {"app": {"a": "hunter2"}}, "{hunter2"]
)
def test_a_connection_that_holds_no_passwords_is_refused_without_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch, held: Any
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_NEW_USERS", connection(held))
    with pytest.raises(BadConnection) as caught:
        scram_users.passwords_of("new_users")
    assert "password of connection 'new_users' is no object of texts" in str(caught.value)
    assert "Fix: set its password to a JSON object" in str(caught.value)
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__}"
    assert caught.value.__suppress_context__, "the context's text would be in the traceback"


def test_a_connection_that_is_not_there_is_named() -> None:
    with pytest.raises(BadConnection, match="connection 'nobody' does not exist"):
        scram_users.passwords_of("nobody")
