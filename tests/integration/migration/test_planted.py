"""Differences planted on real clusters: each must be detected and named, in the report a user gets.

The target is filled by this file's own copy, with one fault in each topic, so that no engine is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, Producer

from group_offsets import commit, committed
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.rules.watch import freeze
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.groups import TranslateGroupsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator
from kafka_ferry.report.artifacts import FROZEN, RunArtifacts

pytestmark = pytest.mark.integration

RECORDS = 200
AT = 57  # where the fault is
Record = dict[str, Any]
Records = list[Record]


def original() -> Records:
    """Records with keys, headers and times of their own; number 57 has an empty value."""
    records = [
        {
            "key": f"k{i % 7}".encode(),
            "value": f"value {i}".encode(),
            "headers": [("source", b"till"), ("n", str(i).encode())],
            "timestamp": 1_700_000_000_000 + i,
            "partition": 0,
        }
        for i in range(RECORDS)
    ]
    return [record | {"value": b""} if i == AT else record for i, record in enumerate(records)]


def changed(**parts: Any) -> Callable[[Records], Records]:
    return lambda records: [*records[:AT], records[AT] | parts, *records[AT + 1 :]]


PLANTED: dict[str, tuple[Callable[[Records], Records], list[str]]] = {
    "lost": (lambda r: r[:AT] + r[AT + 1 :], ["1 lost: source offset 57"]),
    "twice": (lambda r: [*r[: AT + 1], r[AT], *r[AT + 1 :]], ["1 duplicated", "source offset 57"]),
    "swapped": (lambda r: [*r[:AT], r[AT + 1], r[AT], *r[AT + 2 :]], ["1 reordered"]),
    "header": (
        changed(headers=[("source", b"dGlsbA=="), ("n", b"57")]),
        ["1 altered (header", "base64", "source offset 57"],
    ),
    "headers-order": (
        changed(headers=[("n", b"57"), ("source", b"till")]),
        ["1 altered (header: in another order)", "source offset 57"],
    ),
    "timestamp": (changed(timestamp=1_700_000_099_999), ["1 altered (timestamp: +99942 ms)", "source offset 57"]),
    "value": (changed(value=b"something else"), ["1 altered (value)", "source offset 57"]),
    "key": (changed(key=b"k9"), ["1 altered (key)", "source offset 57"]),
    "null": (changed(value=None), ["1 altered (value: empty became null)", "source offset 57"]),
    "three-times": (lambda r: [x for x in r for _ in range(3)], ["3 times"]),
}


@pytest.fixture
def verify(
    connections: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Run the DAG's own tasks from the freeze to the report, and return report.json."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))

    def run(**params: Any) -> dict[str, Any]:
        spec = MigrationSpec.from_params(params)
        artifacts = RunArtifacts("planted", spec.migration)
        migration = Migration("planted", spec)
        topics = migration.topics
        frozen = freeze(
            migration.source.admin,
            migration.target.admin,
            topics.partitions,
            topics.targets(spec),
            spec.isolation_level,
            {},
        )
        artifacts.write_json(FROZEN, frozen.to_json())

        def context(task: str) -> Any:
            ti = SimpleNamespace(task_id=task, map_index=-1, try_number=1, xcom_push=lambda **_: None)
            run = SimpleNamespace(dag_id="planted", run_id=spec.migration, conf=params)
            return {"dag_run": run, "params": params, "ti": ti}

        for shard in ShardsOperator(task_id="shards").execute(context("shards")):
            FingerprintOperator(task_id="fingerprint", shard=shard).execute(context("fingerprint"))
        TranslateGroupsOperator(task_id="translate_groups").execute(context("translate_groups"))
        ValidateOperator(task_id="validate").execute(context("validate"))
        with DAG("planted", schedule=None):
            report_task = ReportOperator(task_id="report", engine="by hand")
        try:
            report_task.execute(context("report"))
            failed = False
        except AirflowFailException:
            failed = True
        report: dict[str, Any] = json.loads(Path(artifacts.path("report.json")).read_text())
        assert failed == (report["verdict"] == "FAIL"), "a FAIL must make the run red, and only a FAIL"
        return report

    return run


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in report["checks"] if entry["name"] == name)


def test_each_planted_difference_is_named(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any, verify: Any
) -> None:
    names = {kind: f"{topic_prefix}{kind}" for kind in [*PLANTED, "right", "empty"]}
    for bootstrap in (source_bootstrap, target_bootstrap):
        make_topics(bootstrap, *names.values())
    records = original()
    for kind, name in names.items():
        if kind != "empty":
            produce(source_bootstrap, name, records)
            produce(target_bootstrap, name, PLANTED[kind][0](records) if kind in PLANTED else records)

    report = verify(topics=[f"{topic_prefix}.*"], migration="content", groups=[])

    assert report["verdict"] == "FAIL"
    differences = check(report, "content")["differences"]
    lines = {line["source"]: line for line in report["topics"]}
    for kind, (_, words) in PLANTED.items():
        topic = names[kind]
        told = " | ".join([d for d in differences if d.startswith(f"{topic}-0")] + [lines[topic]["detail"]])
        assert lines[topic]["status"] == "fail", kind
        for word in words:
            assert word in told, f"{kind}: {told}"
    for kind in ("right", "empty"):
        assert lines[names[kind]]["status"] == "pass", kind
        assert not [d for d in differences if d.startswith(f"{names[kind]}-0")]
    counts = " ".join(check(report, "counts")["differences"])
    assert names["lost"] in counts
    assert names["twice"] in counts


def test_duplicates_can_be_explained_but_are_still_named(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any, verify: Any
) -> None:
    topic = f"{topic_prefix}twice"
    make_topics(source_bootstrap, topic)
    make_topics(target_bootstrap, topic)
    produce(source_bootstrap, topic, original())
    produce(target_bootstrap, topic, PLANTED["twice"][0](original()))

    report = verify(topics=[topic], migration="explain", groups=[], duplicates="explain")

    assert report["verdict"] == "PASS"
    assert check(report, "content")["status"] == "explained"
    assert "1 duplicated" in check(report, "content")["differences"][0]
    assert report["topics"][0]["duplicated"] == 1


def test_a_missing_topic_and_a_changed_config_are_named(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any, verify: Any
) -> None:
    missing, config, fewer = f"{topic_prefix}missing", f"{topic_prefix}config", f"{topic_prefix}fewer"
    make_topics(source_bootstrap, missing)
    make_topics(source_bootstrap, config, config={"max.message.bytes": "2000000"})
    make_topics(source_bootstrap, fewer, partitions=3)
    make_topics(target_bootstrap, config, config={"max.message.bytes": "1000000"})
    make_topics(target_bootstrap, fewer, partitions=2)
    produce(source_bootstrap, missing, original())

    report = verify(topics=[f"{topic_prefix}.*"], migration="configs", groups=[])

    assert report["verdict"] == "FAIL"
    assert check(report, "topics")["differences"] == [f"{missing} is missing"]
    assert check(report, "configs")["differences"] == [
        f"{config}: max.message.bytes is 1000000, source {config} has 2000000"
    ]
    assert f"{fewer}: 2 partitions, source {fewer} has 3" in check(report, "partitions")["differences"]
    lines = {line["source"]: line for line in report["topics"]}
    assert lines[missing]["status"] == "fail"
    assert lines[fewer]["status"] == "fail", "a partition nobody could compare is no pass"


@pytest.fixture
def group_case(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any
) -> tuple[str, dict[str, str]]:
    """A topic that is right on both sides, and groups that are ahead, behind, exact and missing on the target."""
    topic = f"{topic_prefix}orders"
    make_topics(source_bootstrap, topic)
    make_topics(target_bootstrap, topic)
    produce(source_bootstrap, topic, original())
    produce(target_bootstrap, topic, original())
    groups = {kind: f"{topic_prefix}{kind}" for kind in ("ahead", "behind", "exact", "missing")}
    for group in groups.values():
        commit(source_bootstrap, group, {(topic, 0): 100})
    for kind, offset in {"ahead": 130, "behind": 60, "exact": 100}.items():
        commit(target_bootstrap, groups[kind], {(topic, 0): offset})
    return topic, groups


def test_group_offsets_as_mirror_maker_left_them_are_judged(
    group_case: tuple[str, dict[str, str]], topic_prefix: str, target_bootstrap: str, verify: Any
) -> None:
    topic, groups = group_case

    report = verify(
        topics=[topic], groups=[f"{topic_prefix}.*"], migration="mm2", group_offsets="mm2", throughput="lan"
    )

    lines = {line["group"]: line for line in report["groups"]}
    assert {line["expected_offset"] for line in lines.values()} == {100}
    ahead, behind, missing = (lines[groups[kind]] for kind in ("ahead", "behind", "missing"))
    assert (ahead["status"], ahead["detail"]) == ("fail", "ahead: 30 records would never be delivered")
    assert (behind["status"], behind["redelivered"]) == ("explained", 40)
    assert missing["status"] == "fail"
    assert "auto.offset.reset" in missing["detail"]
    assert lines[groups["exact"]]["status"] == "pass"
    assert check(report, "group_offsets")["status"] == "fail"
    assert check(report, "groups")["differences"] == [f"{groups['missing']} has no commit on the target"]
    assert report["verdict"] == "FAIL"
    assert committed(target_bootstrap, groups["missing"]) == {}, "nothing may be written with group_offsets=mm2"


def test_exact_offsets_are_written_but_never_rewound(
    group_case: tuple[str, dict[str, str]], topic_prefix: str, target_bootstrap: str, verify: Any
) -> None:
    topic, groups = group_case

    report = verify(topics=[topic], groups=[f"{topic_prefix}.*"], migration="exact")

    lines = {line["group"]: line for line in report["groups"]}
    for kind in ("behind", "exact", "missing"):
        assert lines[groups[kind]]["status"] == "pass", kind
        assert committed(target_bootstrap, groups[kind]) == {(topic, 0): 100}, kind
    assert lines[groups["ahead"]]["status"] == "fail", "who ran ahead may lose records, and is told"
    assert committed(target_bootstrap, groups["ahead"]) == {(topic, 0): 130}
    assert report["verdict"] == "FAIL"


def test_a_group_at_work_on_the_target_is_named_and_left_alone(
    group_case: tuple[str, dict[str, str]], topic_prefix: str, target_bootstrap: str, verify: Any
) -> None:
    topic, groups = group_case
    settings = {"bootstrap.servers": target_bootstrap, "group.id": groups["behind"], "enable.auto.commit": False}
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    while not consumer.assignment():
        consumer.poll(0.2)

    report = verify(topics=[topic], groups=[groups["behind"]], migration="active")
    consumer.close()

    line = report["groups"][0]
    assert (line["status"], line["redelivered"]) == ("explained", 40)
    assert "active members" in line["detail"]
    assert committed(target_bootstrap, groups["behind"]) == {(topic, 0): 60}


def test_what_an_open_transaction_hides_is_no_pass(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any, verify: Any
) -> None:
    """The last stable offset stands still: all behind it would be left out of copy and comparison in silence."""
    topic = f"{topic_prefix}hanging"
    make_topics(source_bootstrap, topic)
    make_topics(target_bootstrap, topic)
    produce(source_bootstrap, topic, original())
    produce(target_bootstrap, topic, original())
    producer = Producer({"bootstrap.servers": source_bootstrap, "transactional.id": f"{topic}-open"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"never ended", partition=0)
    producer.flush(30)
    produce(source_bootstrap, topic, 5)  # committed, and behind the open one

    report = verify(topics=[topic], migration="hanging", groups=[])

    assert report["verdict"] == "FAIL"
    told = check(report, "counts")["differences"][0]
    assert told.startswith(f"{topic}-0: an open transaction holds back offsets 200 to 205")
    producer.abort_transaction(30)
