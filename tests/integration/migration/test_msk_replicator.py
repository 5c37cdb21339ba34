"""The DAG ``msk_replicator`` by hand: our gates on real brokers, the service by its double, its copy by the test.

What is shown: that what we ask of the service is what its API takes, and that the gates see a copy for what it is.
What the service itself does only AWS can show.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Message

import msk_lab
from group_offsets import commit
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.jobs.migration.live.tail_progress import TailProgress
from kafka_ferry.jobs.migration.rules.canary import PREFIX
from kafka_ferry.jobs.migration.tasks.converge import ConvergenceSensor
from plain_replicator import PlainReplicator
from run_by_hand import Run
from stack import Stack
from stack.msk.cluster import ARN as TARGET
from stack.msk.cluster import SOURCE_ARN as SOURCE
from stack.msk.server import MskConnectDouble

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("connections")]

RECORDS, PARTITIONS = 600, 2


@pytest.fixture
def aws(connections: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    monkeypatch.setattr(MskReplicatorHook, "deletion_delay", 0.0)
    with msk_lab.connected(monkeypatch) as running:
        yield running


@pytest.fixture
def run(stack: Stack, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))

    def make(**params: Any) -> Run:
        given = {
            "topics": [f"{topic_prefix}.*"],
            "groups": [f"{topic_prefix}.*"],
            "migration": f"{topic_prefix}m",
            "source_cluster_arn": SOURCE,
            "cluster_arn": TARGET,
            "service_execution_role_arn": msk_lab.ROLE,
            "acls": "skip",
            "canary": False,
        }
        return Run("msk_replicator", "msk_replicator", **given | params)

    return make


@pytest.fixture
def topic(stack: Stack, topic_prefix: str, make_topics: Any, produce: Any) -> str:
    """With records in two partitions, and a group in the middle of one."""
    name: str = make_topics(stack.source_bootstrap, f"{topic_prefix}orders", partitions=PARTITIONS)[0]
    records = [
        {"key": f"k{i}", "value": f"v{i}", "partition": i % PARTITIONS, "headers": [("n", str(i))]}
        for i in range(RECORDS)
    ]
    produce(stack.source_bootstrap, name, records)
    commit(stack.source_bootstrap, f"{topic_prefix}group", {(name, 0): 123})
    return name


def replicator(stack: Stack, aws: MskConnectDouble, lets: Any = lambda _: True) -> PlainReplicator:
    return PlainReplicator(msk_lab.client(aws, "kafka"), stack.source_bootstrap, stack.target_bootstrap, lets)


def refused(one: Run) -> str:
    with pytest.raises(AirflowFailException) as refusal:
        one.plan()
    return str(refusal.value)


def test_a_whole_migration_is_proven_and_leaves_nothing(
    stack: Stack, aws: MskConnectDouble, run: Any, topic: str, topic_prefix: str
) -> None:
    one = run(canary=True)
    with replicator(stack, aws):
        plan, report = one.whole()
    assert report["verdict"] == "PASS", report
    assert "not run on AWS" in report["engine"]
    checks = {check["name"]: check for check in report["checks"]}
    for name in ("topics", "content", "new_topics", "new_records", "groups", "group_offsets", "leftovers"):
        assert checks[name]["status"] == "pass", checks[name]
    assert "without headers __mskmr" in checks["content"]["detail"]
    assert [line["target_offset"] for line in report["groups"]] == [123]
    (change,) = [change for change in plan["changes"] if change["kind"] == "replicator"]
    assert (change["action"], "EARLIEST" in change["detail"]) == ("create", True)
    assert aws.account.replicators == {}
    assert f"{PREFIX}{topic_prefix}m" not in one.migration.target.admin.topic_names()
    # Made anew it would begin at one of two ends, whatever the target holds.
    assert f"{topic}-0, {topic}-1, which would be written twice" in refused(run())
    assert run(starting_position="LATEST").plan()["topics"][0]["already_there"] == RECORDS
    assert run(duplicates="explain").plan()


def test_from_a_kafka_outside_msk(stack: Stack, aws: MskConnectDouble, run: Any, topic: str) -> None:
    """The service is told brokers, a login and a secret; what it copies is proven as from MSK."""
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-source-AbCdEf"
    one = run(
        source_cluster_arn=None,
        source_bootstrap="b1.corp:9094",  # as the replicator reaches them; Airflow has another listener
        source_login_arn=secret,
        source_subnets=["subnet-0a", "subnet-0b"],
        groups=[],
    )
    seen: list[Any] = []
    with replicator(stack, aws):
        plan, report = one.whole(lambda: seen.extend(aws.account.replicators.values()))
    assert report["verdict"] == "PASS", report
    source = one.migration.source.admin.describe_cluster().cluster_id
    assert (plan["engine"]["source"], plan["engine"]["source_login"]) == (source, "SCRAM-SHA-512")
    assert seen[0].info["SourceKafkaClusterId"] == source
    assert [one["code"] for one in plan["findings"] if "standard brokers" in one["what"]] == ["replicator_source"]
    assert aws.account.replicators == {}


def test_a_copy_that_lost_a_record_is_found_out(stack: Stack, aws: MskConnectDouble, run: Any, topic: str) -> None:
    def lets(message: Message) -> bool:
        return message.value() != b"v200"

    one = run()
    with replicator(stack, aws, lets), pytest.raises(AirflowFailException, match="failed checks: counts, content"):
        one.whole()
    report = one.artifacts.read_json("report.json")
    (line,) = report["topics"]
    assert (report["verdict"], line["lost"], line["duplicated"]) == ("FAIL", 1, 0)
    assert aws.account.replicators == {}
    # LATEST would leave out for ever what is missing; EARLIEST would bring the rest a second time.
    assert "delete these topics" in refused(run())


def test_waiting_ends_with_the_services_words_and_nothing_is_left(aws: MskConnectDouble, run: Any, topic: str) -> None:
    one = run()
    one.plan()
    one.provision()
    aws.faults.plan({"replicators": [{"code": "AuthError", "message": "the role may not read"}]})
    one.deploy()
    with pytest.raises(AirflowFailException, match="FAILED: AuthError: the role may not read"):
        one.wait_until_running()
    assert "delete-replicator" in refused(run())
    one.remove()
    one.deploy()
    one.wait_until_running()
    (made,) = aws.account.replicators.values()
    made.state, made.fault = "FAILED", {"code": "Throttled", "message": "in mid-copy"}
    with pytest.raises(AirflowFailException, match="FAILED: Throttled: in mid-copy"):
        one.do(ConvergenceSensor, "wait_until_converged")
    one.remove()
    assert aws.account.replicators == {}


def test_running_without_copying_is_no_progress(aws: MskConnectDouble, run: Any, topic: str) -> None:
    one = run(no_progress_timeout=5)
    one.plan()
    one.provision()
    one.deploy()
    one.wait_until_running()
    with pytest.raises(AirflowFailException, match="no progress for"):
        one.do(ConvergenceSensor, "wait_until_converged")
    one.remove()


def test_progress_is_read_off_the_targets_records(
    stack: Stack, run: Any, topic: str, make_topics: Any, produce: Any
) -> None:
    make_topics(stack.target_bootstrap, topic, partitions=PARTITIONS)
    migration, looks = run().migration, []
    progress = TailProgress(migration, lambda: looks.append(1))
    assert progress.next_offsets() == {}
    with migration.source.reader("read_committed") as reader:
        records = reader.read_records({(topic, 0): range(40)})

    def copy(*offsets: int) -> None:
        chosen = [records[topic, 0, offset] for offset in offsets]
        produce(stack.target_bootstrap, topic, [
            {"key": one.key, "value": one.value, "headers": [*one.headers, ("__mskmr", b"x")], "partition": 0,
             "timestamp": one.timestamp_ms} for one in chosen
        ])  # fmt: skip

    copy(*range(10))
    assert progress.next_offsets() == {(topic, 0): 10}
    copy(*range(5, 10))  # sent again after a restart: target offsets run ahead of the source's from now on
    assert progress.next_offsets() == {(topic, 0): 10}
    copy(*range(10, 40))
    assert progress.next_offsets() == progress.next_offsets() == {(topic, 0): 40}
    copy(2, 3)
    assert progress.next_offsets() == {(topic, 0): 4}  # its last record says so: nothing behind it is believed
    progress.check()
    assert looks == [1]
