"""Quotas of a migration: set last, not at all where another check failed, and never silently left out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.quotas import Quota
from kafka_ferry.exceptions import BadParam, NotAuthorized, NotSupported, TransientError
from kafka_ferry.jobs.common import quotas as common
from kafka_ferry.jobs.migration.live import quotas
from kafka_ferry.jobs.migration.rules.around import Quotas

HELD = Quota.of({"user": "app"}, "producer_byte_rate", 1000.0)
EVERYBODY = Quota.of({"user": None}, "producer_byte_rate", 5.0)


class Cluster:
    """A cluster's quotas and nothing else; ``late``: looks that pass until it shows what was set."""

    def __init__(self, conn_id: str, *there: Quota) -> None:
        self.conn_id, self.there, self.admin, self.extra = conn_id, list(there), self, {"sasl.username": "f"}
        self.refused: list[str] = []
        self.fault: Exception | None = None
        self.late, self.brokers, self.asked = 0, 1, 0

    def describe_cluster(self) -> Cluster:
        return self

    def quotas(self) -> list[Quota]:
        self.asked += 1
        if self.fault:
            raise self.fault
        return self.there[:1] if self.asked <= self.late else list(self.there)

    def set_quotas(self, wanted: list[Quota], *, validate_only: bool = False) -> list[str]:
        if not validate_only and not self.refused:
            places = {quota.place for quota in wanted}
            self.there = [one for one in self.there if one.place not in places] + wanted
        return self.refused


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Any:
    for module in (quotas, common):
        monkeypatch.setattr(module, "KafkaQuotas", SimpleNamespace(of=lambda cluster: cluster))
    monkeypatch.setattr(common.time, "sleep", lambda _: None)
    return SimpleNamespace(
        spec=SimpleNamespace(quotas=Quotas.COPY, keep_replicating=False, principals={}),
        source=Cluster("s", HELD, EVERYBODY),
        target=Cluster("t"),
    )


def check(migration: Any, *failed: str, only_compare: bool = False) -> Any:
    return quotas.quotas_check(migration, failed, only_compare=only_compare)


def test_they_are_set_when_all_else_passed_and_again_without_harm(migration: Any) -> None:
    migration.target.there = [Quota.of({"user": "app"}, "producer_byte_rate", 9.0)]

    assert check(migration).status is check(migration).status is Status.PASS
    assert set(migration.target.there) == {HELD, EVERYBODY}


def test_one_that_the_controller_took_and_the_broker_does_not_show_yet_is_waited_for(migration: Any) -> None:
    migration.target.late = 3
    assert check(migration).status is Status.PASS
    assert migration.target.asked > 3


def test_one_that_never_shows_fails(migration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "_VISIBLE_SECONDS", 0.0)
    monkeypatch.setattr(migration.target, "set_quotas", lambda _: [])
    found = check(migration)
    assert (found.status, found.actual) == (Status.FAIL, "0 there")


def test_one_that_the_target_refuses_fails_with_its_words(migration: Any) -> None:
    migration.target.refused = ["user app: no"]
    found = check(migration)
    assert (found.status, found.differences[0]) == (Status.FAIL, "user app: no")


def test_nothing_of_a_failed_run_is_set(migration: Any) -> None:
    found = check(migration, "content")
    assert (found.status, migration.target.there) == (Status.SKIPPED, [])
    assert "content" in found.detail


@pytest.mark.parametrize("asked", [Quotas.CHECK, Quotas.COPY])
def test_a_comparison_sets_nothing_whatever_the_param_says(migration: Any, asked: Quotas) -> None:
    migration.spec.quotas = asked
    found = check(migration, only_compare=True)
    assert (found.status, migration.target.there) == (Status.EXPLAINED, [])
    assert len(found.differences) == 2


def test_who_skips_asks_nobody(migration: Any) -> None:
    migration.spec.quotas, migration.source.fault = Quotas.SKIP, AssertionError()
    assert (check(migration).status, check(migration).detail) == (Status.SKIPPED, "param quotas is skip")


@pytest.mark.parametrize("fault", [NotSupported("t: too old"), NotAuthorized("t: not allowed. Fix: grant it")])
def test_what_cannot_be_read_is_skipped_with_the_reason_and_fails_where_it_was_to_be_copied(
    migration: Any, fault: Exception
) -> None:
    migration.target.fault = fault
    assert (check(migration).status, check(migration).detail) == (Status.FAIL, str(fault))
    assert check(migration, only_compare=True).status is Status.SKIPPED
    migration.spec.quotas = Quotas.CHECK
    assert (check(migration).status, check(migration).detail) == (Status.SKIPPED, str(fault))
    migration.target.fault = TransientError("t: away")
    with pytest.raises(TransientError):
        check(migration)


def test_the_plan_lists_what_would_be_set_and_refuses_what_cannot_be(migration: Any) -> None:
    migration.target.there = [EVERYBODY]
    assert [change.name for change in quotas.quota_changes(migration)] == [str(HELD)]
    assert migration.target.there == [EVERYBODY]
    migration.target.refused = ["user app: no such rate"]
    with pytest.raises(BadParam, match=r"'quotas' is copy, but the target refuses user app: no such rate.*skip"):
        quotas.quota_changes(migration)
    migration.target.fault = NotSupported("t: its brokers tell no quotas")
    with pytest.raises(BadParam, match="'quotas' is copy, but t: its brokers tell no quotas"):
        quotas.quota_changes(migration)
    migration.spec.quotas = Quotas.CHECK
    assert quotas.quota_changes(migration) == []


def test_what_slows_the_copy_is_told_and_what_could_not_be_read_as_well(migration: Any) -> None:
    migration.spec.quotas = Quotas.CHECK
    migration.target.there, migration.target.extra = [EVERYBODY], {"sasl.username": "f", "sasl.mechanism": "PLAIN"}
    migration.source.fault = NotSupported("s: too old")

    unseen, slow = quotas.quota_findings(migration)

    assert (unseen.subject, "were not read: s: too old" in unseen.what) == ("client quotas on s", True)
    assert (slow.subject, "User:f is held to 5" in slow.what) == ("quota producer_byte_rate on t", True)


def test_a_replication_that_goes_on_would_be_held_too(migration: Any) -> None:
    assert quotas.quota_findings(migration) == []
    migration.spec.keep_replicating = True
    (found,) = quotas.quota_findings(migration)
    assert (str(found.severity), found.param, str(EVERYBODY) in found.subject) == ("warn", "quotas", True)
