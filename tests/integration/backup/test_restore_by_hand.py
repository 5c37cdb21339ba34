"""``backup_topics`` and ``restore_topics``, task by task: a point in time; ACLs on secured clusters."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

import nasty
from backup_lab import LOCATION
from dags_by_hand import DagRunByHand
from kafka_ferry.core.acls import Acl
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.records.content import PartitionRange
from other_account import other_account
from stack import s3

pytestmark = pytest.mark.integration

HOUR = 3_600_000


@pytest.fixture
def artifacts(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


def commit(settings: dict[str, str], group: str, topic: str, offset: int) -> None:
    consumer = Consumer({**settings, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def keys(conn_id: str, topic: str, partition: int, end: int) -> list[bytes | None]:
    with KafkaClusterHook(conn_id).reader("read_committed") as reader:
        runs = reader.stream([PartitionRange(topic, partition, 0, end)])
        return [message.key() for _, run in runs for message in run]


def test_a_restore_as_of_a_point_in_time(artifacts, connections, stack, topic_prefix, make_topics, produce):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders", partitions=2)
    times = [0, 3, 1, 2, 5, 1]  # hours; out of order, as producers' clocks are
    for partition in range(2):
        produce(
            stack.source_bootstrap,
            topic,
            [
                {"key": b"%d" % n, "value": b"v", "timestamp": nasty.NOW + at * HOUR, "partition": partition}
                for n, at in enumerate(times)
            ],
        )
    KafkaClusterHook("kafka_source").admin.commit({f"{topic_prefix}g": {(topic, 0): 5}})
    common = {"backup": f"{topic_prefix}b", "location": LOCATION}
    made = DagRunByHand("backup_topics", "backup", **common, topics=[topic], groups=[f"{topic_prefix}g"]).whole()
    assert made["verdict"] == "PASS"

    # 2026-09-21T16:13:20Z is NOW plus two hours.
    run = DagRunByHand(
        "restore_topics", "restore", **common, point_in_time="2026-09-21T16:13:20Z", rename={"(.*)": "\\1.then"}
    )
    report = run.whole()

    assert report["verdict"] == "PASS"
    assert [(line["target"], line["target_records"]) for line in report["topics"]] == [(f"{topic}.then", 8)]
    for partition in range(2):
        assert keys("kafka_target", f"{topic}.then", partition, 4) == [b"0", b"2", b"3", b"5"]
    # Offset 5 is the record "5", the fourth of those that are left.
    assert [line["target_offset"] for line in report["groups"]] == [3]
    assert any("not one moment across partitions" in note for note in run.artifacts.read_json("plan.json")["notes"])
    assert (
        "retention.bytes"
        not in KafkaClusterHook("kafka_target").admin.topics([f"{topic}.then"])[f"{topic}.then"].configs
    ), "what was held is put back"

    with pytest.raises(AirflowFailException, match="param 'point_in_time'"):
        DagRunByHand("restore_topics", "no-time", **common, point_in_time="soon").whole()


@pytest.mark.nightly
def test_a_backup_is_restored_from_its_copy_in_another_account(
    artifacts, connections, stack, monkeypatch, tmp_path, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    near, far = f"{LOCATION}/{topic_prefix}near", "s3://far-away/kafka"
    common = {"backup": "b", "topics": [topic], "groups": [], "location": near}
    with other_account(tmp_path / "far", "far-away") as account:
        monkeypatch.setenv("AIRFLOW_CONN_S3_FAR", account.connection())
        monkeypatch.setenv("AIRFLOW_CONN_S3_STRANGER", account.connection(s3.ACCESS_KEY, s3.SECRET))
        copied = {"copy_to": far, "copy_aws_conn_id": "s3_far"}
        for conn_id, place, said in (
            ("s3_stranger", far, "not allowed"),
            ("s3_far", "s3://no-such/x", "'copy_to': there"),
        ):
            with pytest.raises(AirflowFailException, match=said):
                run = DagRunByHand("backup_topics", "no", **common, copy_to=place, copy_aws_conn_id=conn_id)
                run.whole()
            assert "plan" not in run.xcoms, "refused before anything is written"
        produce(stack.source_bootstrap, topic, 10)
        first = DagRunByHand("backup_topics", "one", **common)
        assert first.whole()["verdict"] == "PASS"
        assert first.xcoms["copy"] is None
        produce(stack.source_bootstrap, topic, 5)
        second = DagRunByHand("backup_topics", "two", **common, **copied, keep_last=2)
        report = second.whole()
        assert report["verdict"] == "PASS"
        assert second.xcoms["copy"]["objects"] == 2, "what the incremental one goes on from is copied, too"
        assert next(check["actual"] for check in report["checks"] if check["name"] == "copy") == "2"

        gone = store_of(near, "aws_default")
        gone.delete([one.key for one in gone.list()])
        from_copy = {"backup": "b", "location": far, "aws_conn_id": "s3_far", "source_conn_id": "kafka_source"}
        report = DagRunByHand("restore_topics", "far", **from_copy).whole()
        assert report["verdict"] == "PASS"
        assert [line["target_records"] for line in report["topics"]] == [15]


@pytest.fixture
def secure_connections(secure_stack, monkeypatch) -> None:
    for name, value in secure_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)


def test_acls_come_back_exactly_and_those_on_prefixes_are_named(
    artifacts, secure_connections, secure_stack, stack, monkeypatch, topic_prefix, make_topics, produce
):
    source = secure_stack.client_settings("source")
    topic, group, app = f"{topic_prefix}t", f"{topic_prefix}g", f"User:{topic_prefix}app"
    make_topics(source, topic)
    produce(source, topic, 10)
    commit(source, group, topic, 7)
    mine = [
        Acl("TOPIC", topic, "LITERAL", app, "WRITE"),
        Acl("TOPIC", topic, "LITERAL", app, "READ"),
        Acl("TOPIC", topic, "LITERAL", "User:*", "READ", "DENY", "10.9.9.9"),
        Acl("GROUP", group, "LITERAL", app, "READ"),
    ]
    prefixed = Acl("TOPIC", topic_prefix, "PREFIXED", app, "DESCRIBE")
    others = Acl("TOPIC", f"other-{topic_prefix}", "LITERAL", app, "READ")
    admins = {side: KafkaAdmin(secure_stack.client_settings(side), side) for side in ("source", "target")}
    # Frozen for a switch, as far as its reader may be denied; the second would keep us from putting back what was held.
    frozen = [Acl("TOPIC", topic, "LITERAL", "User:*", op, "DENY") for op in ("WRITE", "ALTER_CONFIGS")]
    mine += frozen
    admins["source"].create_acls([*mine, prefixed, others])
    common = {"backup": f"{topic_prefix}b", "location": LOCATION}
    assert DagRunByHand("backup_topics", "b", **common, topics=[topic], groups=[group]).whole()["verdict"] == "PASS"

    run = DagRunByHand("restore_topics", "r", **common, acls="copy", rename={"(.*)": "\\1.back"})
    report = run.whole()

    assert len(run.artifacts.read_json("plan.json")["acls"]) == 6
    there = {acl for acl in admins["target"].acls() or [] if topic_prefix in acl.name}
    assert there == {Acl(a.resource, a.name if a.resource == "GROUP" else f"{topic}.back", a.pattern, a.principal,
                         a.operation, a.permission, a.host) for a in mine}  # fmt: skip
    check = next(check for check in report["checks"] if check["name"] == "acls")
    assert (check["status"], check["actual"]) == ("explained", "6 there")
    assert sum(prefixed.command() in text for text in check["differences"]) == 1
    assert report["verdict"] == "PASS"

    held = admins["target"].topics([f"{topic}.back"])[f"{topic}.back"].configs
    assert "max.message.bytes" not in held, "put back before it was denied"

    # Repeated, it makes nothing anew; without an authorizer it is refused before anything is made.
    there = AclBindingFilter(
        ResourceType.TOPIC, f"{topic}.back", ResourcePatternType.LITERAL, "User:*", None, AclOperation.ANY,
        AclPermissionType.DENY,
    )  # fmt: skip
    client = AdminClient(secure_stack.client_settings("target"))
    for future in client.delete_acls([there]).values():
        future.result(30)
    assert DagRunByHand("restore_topics", "r", **run.dag_run.conf).whole()["verdict"] == "PASS"
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_TARGET", stack.variables()["AIRFLOW_CONN_KAFKA_TARGET"])
    with pytest.raises(AirflowFailException, match="param 'acls' is copy, but the target has no authorizer") as caught:
        DagRunByHand("restore_topics", "open", **common, acls="copy").whole()
    assert isinstance(caught.value.__cause__, BadParam)
    assert topic not in KafkaClusterHook("kafka_target").admin.topic_names()
