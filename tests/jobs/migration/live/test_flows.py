"""Notes of migrations: which count, when some are gone or cannot be asked. On real Kafka: tests/integration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.migration.live import flows
from kafka_ferry.jobs.migration.live.flows import Flows, forget, noted
from kafka_ferry.jobs.migration.rules.flow import Flow, FlowRecord
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


@pytest.fixture
def there() -> dict[str, bool | None]:
    """Migration to whether anything of its engine is there; None: it does not answer."""
    return {}


@pytest.fixture
def of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: dict[str, bool | None]
) -> Callable[..., tuple[Flows, Any]]:
    """``of("A B", "name")``: flows as a migration of the topic orders from A to B sees them, and that migration."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))

    class Engine:
        def __init__(self, migration: Any) -> None:
            self._name = migration.spec.migration

        def is_there(self) -> bool:
            if (answer := there.get(self._name, False)) is None:
                raise TransientError("its worker is unavailable")
            return answer

        def own_topics(self) -> tuple[str, ...]:
            return ("mm2-offset-syncs.x.internal",)

    monkeypatch.setattr(flows, "engine_of", Engine)
    monkeypatch.setattr(Flows, "_connectors", lambda self: iter(()))
    monkeypatch.setattr(flows, "known_as", lambda cluster: {"id:B"})

    def make(way: str, name: str, **params: Any) -> tuple[Flows, Any]:
        spec = MigrationSpec.from_params({"topics": ["orders"], "migration": name, **params})
        migration: Any = SimpleNamespace(name=f"dag.{name}", spec=spec)
        ends = [[f"id:{cluster}"] for cluster in way.split()]
        seen = Flows(migration, "dag", f"run of {name}", lambda dag_id, run_id: (dag_id, run_id) == ("dag", "working"))
        seen.record = FlowRecord(
            "dag", f"run of {name}", spec.engine, spec.model_dump(mode="json"), ["orders"], ["orders"], [], *ends
        )
        return seen, migration

    return make


def told(seen: Flows) -> list[tuple[Severity, str, bool]]:
    return [(found.severity, found.code, "could not check" in found.what) for found in seen.findings()]


def test_only_what_is_there_counts(of: Any, there: dict[str, bool | None]) -> None:
    (first, migration), (back, _) = of("A B", "first"), of("B A", "back")
    first.note()
    assert told(back) == [], "nothing of it is there any more"
    there["first"] = True
    assert told(back) == [(Severity.REFUSE, "loop", False)]
    assert told(first) == [], "itself is no other"
    there["first"] = None
    assert told(back) == [(Severity.WARN, "loop", True)]
    forget(migration)
    assert noted() == {}
    assert told(back) == []
    forget(migration)  # again: a removal that is cleared


def test_a_run_at_work_counts_before_its_engine_is_there(of: Any) -> None:
    first, _ = of("A B", "first")
    first.record = FlowRecord(**{**vars(first.record), "run_id": "working"})
    first.note()
    assert told(of("B A", "back")[0]) == [(Severity.REFUSE, "loop", False)]


def test_only_what_a_finding_rests_on_is_asked(
    of: Any, there: dict[str, bool | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked may be a dead host, which takes minutes."""
    for way, name in (("A B", "first"), ("C D", "other")):
        of(way, name)[0].note()
    asked: list[str] = []
    monkeypatch.setattr(Flows, "_alive", lambda self, record: asked.append(record.spec.migration))
    told(of("B A", "back")[0])
    assert asked == ["first"]


def test_one_that_is_gone_hides_nobody(of: Any, there: dict[str, bool | None]) -> None:
    for name in ("a", "b", "c", "d"):
        of("A B", name)[0].note()
    there["c"] = True
    (found,) = of("B A", "back")[0].findings()
    assert found.severity is Severity.REFUSE
    assert "migration 'c'" in found.what


def test_what_is_stopped_first_is_not_in_the_way_and_hides_nobody(
    of: Any, there: dict[str, bool | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    there |= {"a": True, "b": True}
    for name in ("a", "b"):
        of("A B", name)[0].note()
    first, second = (f"dag.{name}.MirrorSourceConnector" for name in ("a", "b"))
    back = of("B A", "back")[0]
    (found,) = back.findings(ended=[first])  # on another Kafka Connect: its note is all there is
    assert "migration 'b'" in found.what
    assert back.findings(ended=[first, second]) == []
    flow = Flow(f"connector {first}", frozenset({"id:A"}), frozenset({"id:B"}), lambda topic: topic, ["orders"])
    monkeypatch.setattr(Flows, "_connectors", lambda self: iter([flow]))
    assert [item.severity for item in back.findings(ended=[first, second])] == [Severity.REFUSE], "it runs here"
    (found,) = back.findings(to_end=[first])
    assert "migration 'b'" in found.what
    assert back.findings(to_end=[first], ended=[second]) == []


def test_a_ring_by_way_of_a_third_cluster(of: Any, there: dict[str, bool | None]) -> None:
    there |= {"first": True, "second": True}
    for way, name in (("A B", "first"), ("B C", "second")):
        of(way, name)[0].note()
    (found,) = of("C A", "third")[0].findings()
    assert (found.severity, found.code) == (Severity.REFUSE, "loop")
    assert "migration 'first'" in found.what
    assert "migration 'second'" in found.what
    assert told(of("C D", "third")[0]) == [], "a chain"
    assert told(of("D B", "third")[0]) == [(Severity.WARN, "aggregation", False)]
    assert told(of("D B", "third", naming="prefix")[0]) == []


def test_a_note_that_cannot_be_read_stops_nobody(of: Any) -> None:
    broken, _ = of("A B", "broken")
    broken.record = FlowRecord(**{**vars(broken.record), "params": {"of_another": "version"}})
    broken.note()
    assert told(of("B A", "back")[0]) == []


def test_two_dags_do_not_keep_topics_of_one_name_on_one_cluster(of: Any, there: dict[str, bool | None]) -> None:
    """Also when the other's run has ended and its replication goes on, from another source, of other topics."""
    first, _ = of("A B", "first")
    first.record = FlowRecord(**{**vars(first.record), "topics": ["users"], "patterns": ["users"]})
    first.note()
    seen, _ = of("D B", "second", source_alias="first")
    assert told(seen) == [], "nothing of it is there any more"
    there["first"] = True
    (found,) = seen.findings()
    assert (found.severity, found.code, found.param) == (Severity.REFUSE, "alias", "source_alias")
    assert "migration 'first' of DAG dag" in found.subject
    assert "mm2-offset-syncs.x.internal" in found.what
    there["first"] = None
    assert [found.severity for found in seen.findings()] == [Severity.WARN]
    there["first"] = True
    assert told(of("A C", "second", source_alias="first")[0]) == [], "on another cluster"
    assert told(of("D B", "third")[0]) == [], "under another alias"


def test_topics_stay_on_hold_for_whoever_still_copies_into_them(of: Any) -> None:
    """Not for one that has ended, holds nothing, has other topics, or copies into another cluster."""
    for name, way, change in [
        ("ended", "C B", {}), ("dead", "D B", {"run_id": "killed"}), ("far", "C E", {"run_id": "working"}),
        ("users", "C B", {"run_id": "working", "topics": ["users"], "patterns": ["users"]}),
    ]:  # fmt: skip
        one, _ = of(way, name)
        one.record = FlowRecord(**{**vars(one.record), **change})
        one.note()
    for name in ({"hold_retention": False}, {"keep_replicating": True}, {"naming": "prefix"}):
        one, _ = of("C B", f"not {next(iter(name))}".replace(" ", "-"), **name)
        one.record = FlowRecord(**{**vars(one.record), "run_id": "working"})
        one.note()
    seen, seen_migration = of("A B", "seen")
    seen.note()
    seen_migration.target = None
    assert seen.held_for_others(["orders"]) == {}

    other, _ = of("C B", "other")
    other.record = FlowRecord(**{**vars(other.record), "run_id": "working"})
    other.note()
    ((topic, who),) = seen.held_for_others(["orders", "users2"]).items()
    assert topic == "orders"
    assert "migration 'other' of DAG dag" in who
    assert seen.held_for_others([]) == {}
    other.let_go()
    assert seen.held_for_others(["orders"]) == {}
    other.note()  # it was cleared, and begins again
    assert seen.held_for_others(["orders"]).keys() == {"orders"}


def test_a_note_of_an_earlier_version_needs_its_hold(of: Any) -> None:
    first, _ = of("A B", "first")
    old = first.record.to_json()
    assert old.pop("holds") is True
    assert FlowRecord.from_json(old).holds
    second, _ = of("A B", "second")
    second.let_go()  # it has no note: nothing is made of that
    assert noted() == {}
