"""Records that are too large for where they go: the plan names them, and brokers then do what it says, to the byte."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

import large_records
from backup_lab import LOCATION, Backups
from dags_by_hand import DagRunByHand
from kafka_ferry.core.acls import Acl
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.backup.store.holding import Holding
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.jobs.backup.store.restore_sizes import restore_findings
from kafka_ferry.jobs.backup.store.senders import RecordRefused
from kafka_ferry.jobs.backup.store.verify import compare_restored
from kafka_ferry.jobs.migration.live.preflight import Preflight
from run_by_hand import Run

pytestmark = pytest.mark.integration

MAX = {"message.max.bytes": 2_000_000}
SMALL = [{"key": b"%d" % n, "value": b"small"} for n in range(20)]
VALUES = {
    "random": lambda size: os.urandom(size),
    "hex digits": lambda size: os.urandom(size // 2).hex().encode(),  # lz4 makes little of them
    "zeros": bytes,
}


@pytest.fixture
def backups(connections: dict[str, str], topic_prefix: str) -> Backups:
    return Backups(topic_prefix)


@pytest.fixture
def artifacts(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


def sizes_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a policy of the target refuses to lift limits of size: the stack's brokers have none."""
    asked = Holding.asked.__func__

    def refusing(cls: type[Holding], survey: Any, there: Any, absent: Any) -> Holding:
        return Holding(asked(cls, survey, there, absent).refused, dict.fromkeys(there, "PolicyViolation"))

    monkeypatch.setattr(Holding, "asked", classmethod(refusing))


def of_size(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.code == "largest_record"]


@pytest.mark.parametrize("way", ["never", "always"])
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "avro"])
def test_an_export_notes_the_largest_record_and_batch(
    kind: Any,
    way: str,
    backups: Backups,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FERRY_NATIVE", way)
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}t", partitions=2)
    produce(source_bootstrap, topic, [{**one, "partition": 0} for one in SMALL])
    alone = {"key": b"large", "value": os.urandom(700_000), "headers": [("h", None), ("", b"v" * 300)], "partition": 1}
    produce(source_bootstrap, topic, [{**SMALL[0], "partition": 1}])
    produce(source_bootstrap, topic, [alone])
    produce(source_bootstrap, topic, [{"value": b"z" * 5000, "partition": 1}], **{"compression.type": "zstd"})
    manifest = backups.export(backups.begin("b01"), kind=kind)
    (first,), (second,) = (one.segments for one in manifest.topics[0].partitions)

    assert second.largest_record and second.largest_batch
    assert second.largest_record.offset == second.largest_batch.offset == 1
    # Alone in its batch and not compressed: how many bytes it takes by our count, and on the wire.
    assert second.largest_record.bytes == second.largest_batch.bytes
    assert 0 <= second.largest_record.bytes - second.largest_record.packed < 300, "only the header can be packed"
    assert second.largest_record.bytes - 61 - 700_000 - 5 - 301 in range(25)
    assert first.largest_record and first.largest_record.bytes < 100
    assert first.largest_batch and 300 < first.largest_batch.bytes < 600, "twenty of them lie in it"


@pytest.mark.parametrize("way", ["never", "always"])
@pytest.mark.parametrize("kind", VALUES)
def test_what_the_plan_says_of_a_limit_that_stays_is_what_the_broker_does(
    kind: str,
    way: str,
    backups: Backups,
    source_bootstrap: str,
    target_bootstrap: str,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FERRY_NATIVE", way)
    sizes_stay(monkeypatch)
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}t")
    produce(source_bootstrap, topic, [*SMALL, {"key": b"k", "value": VALUES[kind](400_000)}, *SMALL])
    manifest = backups.export(backups.begin("b01"))
    note = manifest.topics[0].partitions[0].segments[0].largest_record
    assert note and note.packed <= note.bytes
    assert note.packed < 5000 if kind == "zeros" else note.packed > 300_000

    names = {f"{topic}.{limit}": limit for limit in (note.bytes, note.packed, note.packed - 1)}
    for name, limit in names.items():
        make_topics(target_bootstrap, name, config={"max.message.bytes": str(limit)})
        restore_run = backups.restore_run(rename={topic: name})
        found = of_size(restore_findings(restore_run)[0])
        restore_run.provision({})
        if limit < note.packed:
            assert [one.severity for one in found] == [Severity.REFUSE]
            for told in (
                f"offset {note.offset}",
                f"{note.bytes:,}",
                f"{limit:,}",
                "max.message.bytes",
                "PolicyViolation",
            ):
                assert told in found[0].what
            assert f"max.message.bytes={note.packed} or more" in found[0].fix
            with pytest.raises(RecordRefused):
                restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
            continue
        # Below what it takes uncompressed others might not pass: a warning, and this one does.
        assert [one.severity for one in found] == [Severity.WARN] * (limit < note.bytes)
        restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
        lines = compare_restored(restore_run.config, restore_run.store, restore_run.ranges())
        assert [line.detail for line in lines if not line.same] == []
        assert of_size(restore_findings(restore_run)[0]) == [], "all of it is there"


@pytest.mark.parametrize("way", ["never", "always"])
def test_small_records_go_to_a_topic_whose_small_limit_stays(
    way: str,
    backups: Backups,
    source_bootstrap: str,
    target_bootstrap: str,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """librdkafka 1716: records of less than 32 kB, and batches of them that a limit of 32 kB refuses."""
    monkeypatch.setenv("FERRY_NATIVE", way)
    sizes_stay(monkeypatch)
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}t")
    make_topics(target_bootstrap, topic, config={"max.message.bytes": "32768"})
    produce(source_bootstrap, topic, [{"key": b"%d" % n, "value": os.urandom(900)} for n in range(2000)])
    backups.export(backups.begin("b01"))
    restore_run = backups.restore_run()
    assert of_size(restore_findings(restore_run)[0]) == []
    for _ in range(2):  # as a task that is cleared
        restore_run.provision({})
    restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
    lines = compare_restored(restore_run.config, restore_run.store, restore_run.ranges())
    assert [line.detail for line in lines if not line.same] == []


# -- by the DAGs -------------------------------------------------------------------------------------------------------


@pytest.fixture
def without_alter_configs(
    secure_stack: Any, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], KafkaAdmin]:
    """Makes ``kafka_target`` a secured cluster's, of a user who may do all there but ALTER_CONFIGS; an admin of it."""

    def make() -> KafkaAdmin:
        name, password = f"{topic_prefix}user", "pass"
        settings = secure_stack.client_settings("target")
        user = UserScramCredentialUpsertion(name, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), b"pass")
        client = AdminClient(settings)
        for future in client.alter_user_scram_credentials([user]).values():
            future.result(30)
        admin = KafkaAdmin(settings, "target")
        seen = ("DESCRIBE", "DESCRIBE_CONFIGS")
        operations = ("CREATE", "WRITE", "READ", *seen)
        admin.create_acls(
            [
                *(Acl("TOPIC", topic_prefix, "PREFIXED", f"User:{name}", one) for one in operations),
                *(Acl("CLUSTER", "kafka-cluster", "LITERAL", f"User:{name}", one) for one in seen),
            ]
        )  # fmt: skip
        connection = json.loads(secure_stack.variables()["AIRFLOW_CONN_KAFKA_TARGET"])
        own = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": name, "sasl.password": password}
        connection["extra"] = {**connection["extra"], **own}
        monkeypatch.setenv("AIRFLOW_CONN_KAFKA_TARGET", json.dumps(connection))
        return admin

    return make


@pytest.mark.parametrize(
    ("write", "read", "key"),
    [("backup_topics", "restore_topics", "backup"), ("export_topics_to_s3", "import_topics_from_s3", "export")],
)
def test_the_plan_of_a_restore_and_an_import(
    write: str,
    read: str,
    key: str,
    artifacts: None,
    connections: dict[str, str],
    source_bootstrap: str,
    target_bootstrap: str,
    secure_stack: Any,
    without_alter_configs: Callable[[], KafkaAdmin],
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
) -> None:
    config = {"max.message.bytes": "2000000"}
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}t", config=config)
    # kafka-backup 106: what the source took by its own settings a restore has to be told of.
    produce(
        source_bootstrap,
        topic,
        [*SMALL, {"key": b"k", "value": os.urandom(1_500_000)}],
        **{"message.max.bytes": 2_000_000},
    )
    common = {key: f"{topic_prefix}b", "location": LOCATION}
    assert DagRunByHand(write, "w", **common, topics=[topic]).whole()["verdict"] == "PASS"

    # Where the limit can be lifted: it is named as good to know, and comes.
    make_topics(target_bootstrap, topic, config={"max.message.bytes": "1000000"})
    dry = DagRunByHand(read, "dry", **common, dry_run=True)
    dry.whole()
    plan = dry.artifacts.read_json("plan.json")
    (told,) = [one for one in plan["findings"] if one["code"] == "largest_record"]
    assert (told["severity"], told["subject"]) == ("advise", f"topic {topic}")
    assert "partition 0, offset 20" in told["what"] and "1,000,000" in told["what"]
    assert plan["topics"][0]["largest_record"]["offset"] == 20
    assert DagRunByHand(read, "whole", **common).whole()["verdict"] == "PASS"
    target = KafkaAdmin({"bootstrap.servers": target_bootstrap}, "target")
    assert target.topics([topic])[topic].configs["max.message.bytes"] == "1000000"

    # Where it cannot: both the right that is missing and the record are named, and nothing is changed.
    admin = without_alter_configs()
    make_topics(secure_stack.client_settings("target"), topic, config={"max.message.bytes": "1000000"})
    before = admin.topics([topic])
    for dry_run in (True, False):
        with pytest.raises(AirflowFailException) as caught:
            DagRunByHand(read, f"refused-{dry_run}", **common, dry_run=dry_run).whole()
        for text in (f"topic {topic}", "ALTER_CONFIGS", "offset 20", "1,500,0", "1,000,000"):
            assert text in str(caught.value)
    assert admin.topics([topic]) == before
    assert admin.offsets([(topic, 0)], "latest", "read_uncommitted") == {(topic, 0): 0}


def test_the_plan_of_a_migration(
    artifacts: None,
    connections: dict[str, str],
    source_bootstrap: str,
    target_bootstrap: str,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
) -> None:
    """Strimzi 5933 and 8710: MirrorMaker 2's task dies of a record that its producer or the target does not take."""
    names = {key: f"{topic_prefix}{key}" for key in ("large", "packed", "small", "lifted")}
    make_topics(source_bootstrap, *names.values())
    large = {"key": b"k", "value": os.urandom(700_000)}
    for name in ("large", "small"):
        produce(source_bootstrap, names[name], [*SMALL, large][: 21 if name == "large" else 20])
    for name in ("packed", "lifted"):
        produce(source_bootstrap, names[name], [{"key": b"k", "value": bytes(1_800_000)}], **large_records.WELL_PACKED)
    # Set on the target alone, such a limit cannot be lifted: nobody could know later what to restore.
    there = [names[key] for key in ("large", "packed", "small")]
    make_topics(target_bootstrap, *there, config={"max.message.bytes": "100000"})
    target = KafkaAdmin({"bootstrap.servers": target_bootstrap}, "target")
    before = target.topics(names.values())

    params = {"topics": [f"{topic_prefix}.*"], "groups": [], "migration": f"{topic_prefix}m", "acls": "skip"}
    run = Run("m", **params, dry_run=True)
    told = {one.subject: one for one in of_size(Preflight(run.migration).findings())}
    assert {subject: one.severity for subject, one in told.items()} == {
        f"topic {names['large']}": Severity.REFUSE,
        f"topic {names['packed']}": Severity.WARN,
        f"topic {names['lifted']}": Severity.ADVISE,
    }
    first = told[f"topic {names['large']}"]
    for text in (
        "of a sample of 21 (partition 0, offset 20)",
        "700,0",
        "max.message.bytes of the target topic is 100,000",
    ):
        assert text in first.what
    with pytest.raises(AirflowFailException, match=f"topic {names['large']}: its largest record"):
        run.plan()
    assert target.topics(names.values()) == before

    # What is refused here dies there.
    with pytest.raises(AssertionError, match="Message size too large"):
        produce(target_bootstrap, names["large"], [large], **{"compression.type": "lz4"})
    produce(target_bootstrap, names["packed"], [{"value": bytes(1_800_000)}], **large_records.WELL_PACKED)
