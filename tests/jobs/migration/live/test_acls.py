"""ACLs of a migration: made last, and not at all where another check failed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Status
from kafka_ferry.jobs.migration.live import acls
from kafka_ferry.jobs.migration.rules.spec import Acls

FROZEN = Acl("TOPIC", "t", "LITERAL", "User:*", "WRITE", "DENY")


class Cluster:
    """A cluster's ACLs and nothing else."""

    def __init__(self, conn_id: str, there: list[Acl]) -> None:
        self.conn_id, self.there, self.admin, self.extra = conn_id, there, self, {"sasl.username": "f"}

    def acls(self) -> list[Acl]:
        return list(self.there)

    def create_acls(self, wanted: Any) -> None:
        self.there += list(wanted)


@pytest.fixture
def migration() -> Any:
    return SimpleNamespace(
        spec=SimpleNamespace(acls=Acls.COPY, source_conn_id="s", target_conn_id="t", keep_replicating=False),
        source=Cluster("s", [FROZEN]),
        target=Cluster("t", []),
        groups=SimpleNamespace(selection=SimpleNamespace(names=[])),
        topics=SimpleNamespace(targets=lambda _: {"t": "t"}),
    )


def test_a_deny_is_made_when_all_else_passed(migration: Any) -> None:
    check = acls.copied_acls_check(migration, {"t": "t"}, [{"name": "content", "status": "pass"}])
    assert (check.status, migration.target.there) == (Status.PASS, [FROZEN])


def test_an_acl_that_the_controller_took_and_the_broker_does_not_show_yet_is_waited_for(
    migration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CreateAcls is answered by the controller, DescribeAcls from what a broker has read of the metadata log."""
    target = migration.target
    shown = iter([[], [], [FROZEN]])
    monkeypatch.setattr(target, "acls", lambda: next(shown))
    check = acls.copied_acls_check(migration, {"t": "t"}, [])
    assert (check.status, target.there) == (Status.PASS, [FROZEN])


def test_an_acl_that_never_shows_is_missing(migration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acls, "_VISIBLE_SECONDS", 0.0)
    monkeypatch.setattr(migration.target, "create_acls", lambda _: None)
    assert acls.copied_acls_check(migration, {"t": "t"}, []).status is Status.FAIL


def test_nothing_of_a_failed_run_stays(migration: Any) -> None:
    check = acls.copied_acls_check(migration, {"t": "t"}, [{"name": "content", "status": "fail"}])
    assert (check.status, migration.target.there) == (Status.SKIPPED, [])
    assert "content" in check.detail


def test_what_would_stop_a_replication_that_goes_on_is_refused(migration: Any) -> None:
    assert acls.stopping_acls(migration) == []
    migration.spec.keep_replicating = True
    (found,) = acls.stopping_acls(migration)
    assert (found.param, str(FROZEN) in found.subject) == ("acls", True)
    migration.source.there[:] = [Acl("TOPIC", "t", "LITERAL", "User:bob", "WRITE", "DENY")]
    migration.target.extra = {"sasl.username": "f", "sasl.mechanism": "PLAIN"}
    assert acls.stopping_acls(migration) == []
