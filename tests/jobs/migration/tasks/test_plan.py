"""The plan refuses what cannot work before anything changes, and says what it would do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.plan import Estimate, PlannedEngine, PlannedTopic, Side
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.kafka.capabilities import Capabilities
from kafka_ferry.jobs.migration.live import planning
from kafka_ferry.jobs.migration.live.planning import make_plan
from kafka_ferry.jobs.migration.plan_text import plan_text
from kafka_ferry.jobs.migration.rules.groups_plan import group_lines, groups_in_plan
from kafka_ferry.jobs.migration.rules.plan import MigrationPlan
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.tasks.plan import PlanOperator
from kafka_ferry.report.plan_lines import first_lines
from tasks_by_hand import context_of

LINES = group_lines(
    MigrationSpec.from_params({"topics": ["a"]}),
    {f"g{i:02}": {("a", 0): 40} for i in range(25)},
    {("a", 0): 100},
    {"g07": {("a", 0): 7}},
    {"g07"},
)


NEW = Capabilities()
OLD = Capabilities({1: 8, 3: 6})  # as Kafka 2.0.1 says


def migration(
    source: str = "s", target: str = "t", version: str = "4.3.1", capabilities: Capabilities = NEW, **params: Any
) -> Any:
    def side(cluster_id: str) -> Any:
        cluster = SimpleNamespace(cluster_id=cluster_id, brokers=1, default_replication_factor=1)
        admin = SimpleNamespace(describe_cluster=lambda: cluster, capabilities=capabilities)
        return SimpleNamespace(conn_id=cluster_id, admin=admin)

    connect = SimpleNamespace(
        connect_conn_id="kafka_connect",
        info=lambda: SimpleNamespace(version=version),
        client_settings=lambda conn_id: {},
    )
    spec = MigrationSpec.from_params({"topics": ["a"], **params})
    return SimpleNamespace(name="d.ferry", spec=spec, source=side(source), target=side(target), connect=connect)


@pytest.fixture(autouse=True)
def _all_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_lacks = SimpleNamespace(findings=lambda: [], findings_for=lambda facts, groups: [])
    monkeypatch.setattr(planning, "Permissions", lambda migration: nothing_lacks)


def test_a_cluster_is_not_copied_onto_itself_under_the_same_names() -> None:
    with pytest.raises(BadParam, match="same cluster") as caught:
        make_plan(migration(source="x", target="x"))
    assert caught.value.param == "target_conn_id"
    assert "naming: prefix" in caught.value.fix


def test_within_one_cluster_under_other_names_it_goes_on() -> None:
    with pytest.raises(BadParam) as caught:  # and stops at the next refusal
        make_plan(migration(source="x", target="x", naming="prefix", version="3.0.0"))
    assert caught.value.param == "connect_conn_id"


def test_within_one_cluster_a_format_must_change_the_names() -> None:
    with pytest.raises(BadParam, match="same cluster"):
        make_plan(migration(source="x", target="x", naming="rename", topic_rename_format="${topic}"))
    with pytest.raises(BadParam) as caught:  # the next refusal
        make_plan(migration(source="x", target="x", naming="rename", version="3.0.0"))
    assert caught.value.param == "connect_conn_id"


@pytest.mark.parametrize("version", ["2.8.2", "3.7.1", "3.4.0-IV0"])
def test_a_worker_that_translates_groups_wrongly_is_refused(version: str) -> None:
    with pytest.raises(BadParam, match=version) as caught:
        make_plan(migration(version=version))
    assert "3.8 or newer" in caught.value.fix


@pytest.mark.parametrize("version", ["3.8.0", "3.10.1", "4.3.1", "7.9.0-ccs"])
def test_newer_workers_are_not(version: str) -> None:
    with pytest.raises(AttributeError, match="topics"):  # the fake ends there
        make_plan(migration(version=version))


def test_brokers_that_are_too_old_for_kafka_4_are_refused_with_the_way_out() -> None:
    with pytest.raises(
        BadParam, match=r"cluster s: its brokers are older than Kafka 2\.1.*engine is Kafka 4\.3\.1"
    ) as caught:
        make_plan(migration(capabilities=OLD))
    assert "mirror_maker1" in caught.value.fix
    with pytest.raises(BadParam, match=r"cluster kafka_target: its brokers are older than Kafka 2\.3") as caught:
        make_plan(migration(version="3.9.2", capabilities=OLD))
    assert caught.value.param == "target_conn_id"


def test_missing_rights_are_told_before_anything_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    lack = Finding(Severity.REFUSE, "permissions", "topic a on t", "User:f lacks WRITE", "kafka-acls", "target_conn_id")
    monkeypatch.setattr(planning, "Permissions", lambda migration: SimpleNamespace(findings=lambda: [lack]))
    with pytest.raises(BadParam, match="topic a on t: User:f lacks WRITE") as caught:
        make_plan(SimpleNamespace(spec=migration().spec))  # type: ignore[arg-type]
    assert (caught.value.param, caught.value.fix) == ("target_conn_id", "kafka-acls")


def test_a_key_of_the_trigger_that_no_param_has_is_refused() -> None:
    # Airflow lets unknown conf keys pass: without this a typing error would silently become a default.
    run = SimpleNamespace(dag_id="d", run_id="r", conf={"topcis": ["b"]})
    told: dict[str, Any] = {}
    context: Any = context_of(run, {"topics": ["a"]}, "plan", xcom_push=lambda key, value: told.update({key: value}))
    with pytest.raises(BadParam) as caught:
        PlanOperator(task_id="plan").execute_task(context)
    assert caught.value.param == "topcis"
    # What it is of is known all the same.
    assert (told["kafka_ferry_job"]["kind"], told["kafka_ferry_job"]["name"]) == ("copy", "ferry")


def test_plan_text_says_it_all() -> None:
    line = PlannedTopic(source="a", target="x.a", partitions=3, records=1234, bytes=5_000_000, already_there=0)
    text = plan_text(
        MigrationPlan(
            planned="2026-11-21T08:00:00+00:00",
            spec={},
            source=Side(conn_id="kafka_source"),
            target=Side(conn_id="kafka_target"),
            engine=PlannedEngine(),
            topics=[line],
            records=1234,
            bytes=5_000_000,
            groups={"g": 3},
            groups_without_commits=[],
            group_offsets=groups_in_plan(LINES),
            estimate=Estimate(seconds=70, basis="measured on a laptop"),
            skipped_topics={"heartbeats": "not data"},
            skipped_groups={"connect-x": "by default"},
            findings=[],
            notes=["topics: 'b' matches nothing on the source"],
            changes=[Change(Action.CREATE, "topic", "x.a", "3 partitions")],
        )
    )
    for told in (
        "kafka_source -> kafka_target: 1 topic, at most 1,234 records, about 5.0 MB",
        "estimate: copying takes about 1 minute and 10 seconds, the tasks around it come on top (measured on a laptop)",
        "skipped topic heartbeats: not data",
        "skipped group connect-x: by default",
        "note: topics: 'b' matches nothing on the source",
        "  create topic x.a: 3 partitions",
        "group offsets: 25 lines, 1,500 records behind at most",
        "1 active: active on the target",
        "g07 a-0 40 100 60 7 active",
        "g00 a-0 40 100 60 - compute",
        "... and 5 more lines, see plan.json for the first 25",
        "groups active on the target: g07",
    ):
        assert told.strip() in " ".join(text.split())


def test_long_lists_are_cut_and_say_so() -> None:
    assert first_lines([str(n) for n in range(100)], "changes") == [str(n) for n in range(100)]
    lines = first_lines([str(n) for n in range(2100)], "changes")
    assert lines[:100] == [str(n) for n in range(100)]
    assert lines[100:] == ["... and 2,000 more changes, see plan.json"]
