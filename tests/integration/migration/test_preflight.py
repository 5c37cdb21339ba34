"""Each thing that preflight predicts is brought about on real clusters: it is named, and what was predicted happens."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from group_offsets import commit
from kafka_ferry.core.checks import Status
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.retention import HELD
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.hook import ConnectHook, Verdict
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.migration.live.flows import Flows
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.preflight import Preflight
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.live.retention import held_topics, hold_limits, put_limits_back
from kafka_ferry.jobs.migration.rules.replicators import other_replicators_check
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.tasks.engine import RemoveOperator
from kafka_ferry.jobs.migration.tasks.plan import PlanOperator
from kafka_ferry.jobs.migration.tasks.topics import ProvisionTopicsOperator
from kafka_ferry.report.artifacts import LEFTOVERS, RunArtifacts

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("connections")]

DAY = 86_400_000
OLD = 1_700_000_000_000  # November 2023
BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"
MIRROR = "org.apache.kafka.connect.mirror"


def create(bootstrap: str, topic: str, partitions: int = 1, **config: str) -> str:
    """A topic with exactly these configs, unlike ``make_topics``, which sets ``retention.ms``."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    named = {key.replace("_", "."): value for key, value in config.items()}
    admin.create_topics([NewTopic(topic, partitions, 1, config=named)])[topic].result(30)
    deadline = time.monotonic() + 30
    while topic not in admin.list_topics(timeout=10).topics:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return topic


def delete(bootstrap: str, *topics: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in (admin.delete_topics(list(topics)) if topics else {}).values():
        future.result(30)


def old(count: int, at: int = OLD) -> list[dict[str, Any]]:
    return [{"key": b"k%d" % i, "value": b"v", "timestamp": at + i, "partition": 0} for i in range(count)]


def now_ms() -> int:
    return int(time.time() * 1000)


def migration(topic: str, **params: Any) -> Migration:
    return Migration("preflight", MigrationSpec.from_params({"topics": [topic], "canary": False, **params}))


def findings(topic: str, code: str, **params: Any) -> list[Finding]:
    return [item for item in Preflight(migration(topic, **params)).findings() if item.code == code]


def send_error(bootstrap: str, topic: str, **record: Any) -> str | None:
    """What the broker says to one record; None when it takes it."""
    errors: list[Any] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, on_delivery=lambda error, _: errors.append(error), **record)
    assert producer.flush(30) == 0
    return errors[0].name() if errors[0] else None


def configs(m: Migration, topic: str) -> dict[str, str]:
    return dict(m.target.admin.topics([topic])[topic].configs)


def begin(m: Migration, topic: str) -> int:
    return m.target.admin.offsets([(topic, 0)], "earliest", "read_uncommitted")[topic, 0]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``context(**params)`` of a task of the only run there is."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))

    def make(task: str = "plan", **params: Any) -> Any:
        ti = SimpleNamespace(task_id=task, map_index=-1, try_number=1, xcom_push=lambda **_: None)
        run = SimpleNamespace(dag_id="preflight", run_id="run", conf=params)
        return {"dag_run": run, "params": params, "ti": ti}

    return make


# -- topics ------------------------------------------------------------------------------------------------------------


def test_retention_that_would_delete_what_the_source_keeps_is_refused(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, produce: Any, context: Any
) -> None:
    topic = create(source_bootstrap, f"{topic_prefix}old")  # kept for ever, by the brokers' default
    create(target_bootstrap, topic, retention_ms=str(DAY))
    produce(source_bootstrap, topic, old(30))

    (found,) = findings(topic, "retention")

    assert found.severity is Severity.REFUSE
    assert found.subject == f"topic {topic}"
    assert f"30 records are older than retention.ms={DAY}" in found.what
    assert "retention.ms=-1 on the source topic" in found.fix

    with pytest.raises(AirflowFailException, match=rf"param 'topics': topic {topic}: up to 30 records.* Fix: set ret"):
        PlanOperator(task_id="plan").execute(context(topics=[topic], migration=f"{topic_prefix}m", groups=[]))
    assert configs(migration(topic), topic) == {"retention.ms": str(DAY)}, "nothing was changed"

    produce(target_bootstrap, topic, old(30))  # what a copy would be
    deadline = time.monotonic() + 120
    while begin(migration(topic), topic) < 30:
        assert time.monotonic() < deadline, "what was predicted did not happen"
        time.sleep(1)


def test_records_past_retention_on_both_sides_are_held_and_the_limit_is_put_back(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, produce: Any, context: Any
) -> None:
    # A segment lives as long as its newest record: so the source still has old ones.
    limits = {"retention_ms": str(DAY), "segment_ms": str(3650 * DAY)}
    topic = create(source_bootstrap, f"{topic_prefix}overdue", **limits)
    unheld = create(target_bootstrap, f"{topic_prefix}unheld", **limits)
    produce(source_bootstrap, topic, [*old(30), *old(1, now_ms())])

    (found,) = findings(topic, "retention")
    assert (found.severity, "up to 30 records" in found.what) == (Severity.ADVISE, True)
    (found,) = findings(topic, "retention", hold_retention=False)
    assert (found.severity, "hold_retention" in found.fix) == (Severity.WARN, True)
    (found,) = findings(topic, "retention", keep_replicating=True)
    assert found.severity is Severity.WARN

    m = migration(topic, groups=[])
    ProvisionTopicsOperator(task_id="provision_topics").execute(
        context(task="provision_topics", topics=[topic], groups=[], canary=False)
    )
    assert hold_limits(m) == {topic: ["retention.ms", "max.message.bytes"]}
    assert hold_limits(m) == {}, "once is enough"
    assert configs(m, topic)["retention.ms"] == HELD
    for name in (topic, unheld):
        produce(target_bootstrap, name, old(30))
    deadline = time.monotonic() + 120
    while begin(m, unheld) < 30:
        assert time.monotonic() < deadline, "retention did not act where nothing is held"
        time.sleep(1)
    assert begin(m, topic) == 0, "retention acted on a topic whose limit is held"

    # A task cleared in mid-copy provisions again: the limit stays off.
    ProvisionTopicsOperator(task_id="provision_topics").execute(
        context(task="provision_topics", topics=[topic], groups=[], canary=False)
    )
    assert configs(m, topic)["retention.ms"] == HELD

    assert topic in held_topics(m)
    assert put_limits_back(migration(topic)) == {topic: {"retention.ms": str(DAY), "max.message.bytes": None}}
    assert topic not in held_topics(m)
    assert configs(m, topic)["retention.ms"] == str(DAY)
    assert put_limits_back(migration(topic)) == {}


def test_of_two_migrations_into_one_topic_the_last_ends_the_hold(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    topic = f"all.{topic_prefix}orders"
    create(target_bootstrap, topic)
    active = {"run of a", "run of b"}

    def of(letter: str, name: str, **naming: str) -> tuple[Migration, Flows]:
        create(source_bootstrap, name, retention_ms=str(DAY), segment_ms=str(3650 * DAY))
        producer = Producer({"bootstrap.servers": source_bootstrap})
        for at in (OLD, now_ms()):
            producer.produce(name, b"v", timestamp=at)
        assert producer.flush(30) == 0
        made = migration(name, migration=letter, groups=[], **naming)
        assert list(made.target_topics()) == [topic]
        return made, Flows(made, "preflight", f"run of {letter}", lambda _, run_id: run_id in active)

    def end(made: Migration, flows: Flows) -> dict[str, dict[str, str | None]]:
        flows.let_go()
        return put_limits_back(made, flows.held_for_others)

    one, ones = of("a", topic.removeprefix("all."), naming="rename", topic_rename_format="all.${topic}")
    other, others = of("b", topic)
    ones.note()
    assert hold_limits(one) == {topic: ["retention.ms", "max.message.bytes"]}
    others.note()
    assert hold_limits(other) == {}, "it is on hold"
    assert end(one, ones) == {}
    assert end(one, ones) == {}, "as often as it is asked"
    assert configs(one, topic)["retention.ms"] == HELD, "records of the other still arrive"
    assert end(other, others) == {topic: {"retention.ms": str(DAY), "max.message.bytes": None}}
    assert configs(one, topic) == {"retention.ms": str(DAY)}

    # One that begins while the other looks and puts back: it found all on hold, and has it so again.
    ones.note()
    hold_limits(one)
    ones.let_go()

    def late(topics: Collection[str]) -> Mapping[str, str]:
        seen = ones.held_for_others(topics)
        others.note()
        return seen

    assert put_limits_back(one, late) == {}
    assert configs(one, topic)["retention.ms"] == HELD

    # Of a run that was killed nothing remains to be waited for.
    active.remove("run of b")
    assert end(one, ones).keys() == {topic}
    assert configs(one, topic) == {"retention.ms": str(DAY)}


def test_a_held_limit_that_the_source_does_not_set_goes_back_to_the_default(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str
) -> None:
    topic = create(source_bootstrap, f"{topic_prefix}plain")
    create(target_bootstrap, topic, retention_ms=HELD, retention_bytes="5000000")

    assert put_limits_back(migration(topic)) == {topic: {"retention.ms": None}}
    assert configs(migration(topic), topic) == {"retention.bytes": "5000000"}


def test_the_removal_ends_a_hold_and_names_one_that_it_could_not_end(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = create(source_bootstrap, f"{topic_prefix}broken", retention_ms=str(DAY))
    create(target_bootstrap, topic, retention_ms=HELD)
    for number in range(11):  # of others, before it in the order of names
        create(target_bootstrap, f"a-{topic_prefix}{number}", retention_ms=HELD)
    params = {"topics": [topic], "migration": f"{topic_prefix}m", "groups": [], "canary": False}

    def leftovers() -> Any:
        (check,) = RunArtifacts("preflight", "run").read_json(LEFTOVERS)
        return check["differences"]

    alive = os.environ["AIRFLOW_CONN_KAFKA_SOURCE"]
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", alive.replace(source_bootstrap, "127.0.0.1:1"))
    monkeypatch.setattr("kafka_ferry.hooks.kafka.admin.KafkaAdmin.__init__.__defaults__", (10,))
    with pytest.raises(AirflowFailException, match="still present after the removal"):
        RemoveOperator(task_id="remove").execute(context(task="remove", **params))
    assert [topic in text and "limits" in text for text in leftovers()] == [True]
    assert configs(migration(topic), topic)["retention.ms"] == HELD

    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", alive)
    RemoveOperator(task_id="remove").execute(context(task="remove", **params))
    assert leftovers() == []
    assert configs(migration(topic), topic)["retention.ms"] == str(DAY)


def test_nothing_is_held_where_no_record_is_old(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, produce: Any
) -> None:
    topic = create(source_bootstrap, f"{topic_prefix}young", retention_ms=str(7 * DAY))
    create(target_bootstrap, topic, retention_ms=str(7 * DAY))
    produce(source_bootstrap, topic, 10)
    assert findings(topic, "retention") == []
    assert hold_limits(migration(topic)) == {topic: ["max.message.bytes"]}
    assert put_limits_back(migration(topic)) == {topic: {"max.message.bytes": None}}


def test_timestamps_that_the_target_rejects(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, produce: Any
) -> None:
    future = create(source_bootstrap, f"{topic_prefix}future", message_timestamp_after_max_ms=str(30 * DAY))
    past = create(source_bootstrap, f"{topic_prefix}past")
    produce(source_bootstrap, future, [*old(5, now_ms()), *old(3, now_ms() + 2 * DAY)])
    produce(source_bootstrap, past, [*old(7), *old(2, now_ms())])
    survey = KafkaSurvey.of(migration(past).source)
    # The limits came, or were taken away, after the records.
    survey.set_configs(
        {future: {"message.timestamp.after.max.ms": None}, past: {"message.timestamp.before.max.ms": str(DAY)}}
    )
    for topic in (future, past):
        create(target_bootstrap, topic)
    m = migration(f"{topic_prefix}.*", groups=[])
    KafkaSurvey.of(m.target).set_configs({past: {"message.timestamp.before.max.ms": str(DAY)}})

    found = {item.subject: item for item in findings(f"{topic_prefix}.*", "timestamp_limits", hold_retention=False)}
    assert {item.severity for item in found.values()} == {Severity.REFUSE}
    assert "up to 3 records" in found[f"topic {future}"].what
    assert "message.timestamp.after.max.ms=3600000" in found[f"topic {future}"].what
    assert "up to 7 records" in found[f"topic {past}"].what
    assert f"message.timestamp.before.max.ms={DAY}" in found[f"topic {past}"].what
    held = findings(f"{topic_prefix}.*", "timestamp_limits")
    assert {item.severity for item in held} == {Severity.ADVISE}

    assert send_error(target_bootstrap, future, value=b"x", timestamp=now_ms() + 2 * DAY) == "INVALID_TIMESTAMP"
    assert send_error(target_bootstrap, past, value=b"x", timestamp=OLD) == "INVALID_TIMESTAMP"
    assert hold_limits(m) == {
        future: ["message.timestamp.after.max.ms", "max.message.bytes"],
        past: ["message.timestamp.before.max.ms", "max.message.bytes"],
    }
    assert send_error(target_bootstrap, future, value=b"x", timestamp=now_ms() + 2 * DAY) is None
    assert send_error(target_bootstrap, past, value=b"x", timestamp=OLD) is None
    put_limits_back(m)
    assert configs(m, future) == {}
    assert configs(m, past) == {"message.timestamp.before.max.ms": str(DAY)}


def test_null_keys_into_a_compacted_topic(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, produce: Any
) -> None:
    bare, keyed = f"{topic_prefix}bare", f"{topic_prefix}keyed"
    for topic in (bare, keyed):
        create(source_bootstrap, topic)
        create(target_bootstrap, topic, cleanup_policy="compact")
    produce(source_bootstrap, bare, [*old(50), {"value": b"no key", "partition": 0}])
    produce(source_bootstrap, keyed, old(50))

    (found,) = findings(f"{topic_prefix}.*", "null_keys")

    assert (found.severity, found.subject) == (Severity.REFUSE, f"topic {bare}")
    assert "1 of 40 sampled records have no key" in found.what
    assert send_error(target_bootstrap, bare, value=b"no key") == "INVALID_RECORD"


def own(findings: list[Finding]) -> list[Finding]:
    """Of a test without groups: what is said of groups and applications is of those that other tests have left."""
    return [item for item in findings if item.param != "groups" and item.code != "streams_applications"]


def test_configs_that_differ_by_the_brokers_defaults_or_by_the_targets_own(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, produce: Any
) -> None:
    topic = create(source_bootstrap, f"{topic_prefix}odd", partitions=3)
    create(target_bootstrap, topic, partitions=2, max_message_bytes="1000", message_timestamp_type="LogAppendTime")
    produce(source_bootstrap, topic, 5)

    found = {item.code: item for item in own(Preflight(migration(topic)).findings())}

    assert {code for code, item in found.items() if item.severity is Severity.WARN} == {
        "max_message_bytes",
        "record_sizes",
        "timestamp_type",
        "partitions",
    }
    assert "set on the target topic alone" in found["record_sizes"].what
    assert "2 partitions and will get 3" in found["partitions"].what
    assert send_error(target_bootstrap, topic, value=b"x" * 2000) == "MSG_SIZE_TOO_LARGE"


def test_a_right_topic_gives_no_finding(
    source_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}right", partitions=3)
    produce(source_bootstrap, topic, old(20))
    assert [item.code for item in own(Preflight(migration(topic)).findings())] == []


# -- other replicators -------------------------------------------------------------------------------------------------


@pytest.fixture
def mirror(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str
) -> Iterator[Callable[..., tuple[ConnectHook, str]]]:
    """``mirror(topics, alias=…)``: a MirrorSourceConnector of somebody else, running."""
    hook, names = ConnectHook(patience=30), list[str]()

    def start(topics: str, alias: str, **more: str) -> tuple[ConnectHook, str]:
        name = f"{topic_prefix}other{len(names)}"
        names.append(name)
        config = {
            "connector.class": f"{MIRROR}.MirrorSourceConnector",
            "source.cluster.alias": alias,
            "target.cluster.alias": f"{topic_prefix}elsewhere",
            "source.cluster.bootstrap.servers": source_bootstrap,
            "target.cluster.bootstrap.servers": target_bootstrap,
            "producer.override.bootstrap.servers": target_bootstrap,
            "replication.policy.class": f"{MIRROR}.IdentityReplicationPolicy",
            "topics": topics,
            "offset-syncs.topic.location": "target",
            "replication.factor": "1",
            "offset-syncs.topic.replication.factor": "1",
            "key.converter": BYTES,
            "value.converter": BYTES,
            "header.converter": BYTES,
            **more,
        }
        hook.apply(name, config)
        deadline = time.monotonic() + 60
        while hook.readiness(name).verdict is not Verdict.RUNNING:
            assert time.monotonic() < deadline, hook.readiness(name)
            time.sleep(0.25)
        return hook, name

    yield start
    for name in names:
        hook.delete(name, reset_offsets=True)
    for bootstrap in (source_bootstrap, target_bootstrap):
        names = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics
        delete(bootstrap, *(topic for topic in names if topic.startswith("mm2-") and topic_prefix in topic))


def test_a_connector_that_writes_the_same_topics(
    source_bootstrap: str, topic_prefix: str, make_topics: Any, mirror: Any, context: Any
) -> None:
    mine, theirs = make_topics(source_bootstrap, f"{topic_prefix}mine", f"{topic_prefix}theirs")
    hook, name = mirror(f"{topic_prefix}mi.*", alias=f"{topic_prefix}x")

    (found,) = findings(mine, "other_replicators")
    assert (found.severity, found.subject) == (Severity.REFUSE, f"connector {name}")
    assert mine in found.what
    assert other_replicators_check([found]).status is Status.FAIL
    assert findings(theirs, "other_replicators") == []
    assert findings(mine, "other_replicators", naming="prefix") == [], "other names on the target"
    with pytest.raises(AirflowFailException, match=f"connector {name}"):
        PlanOperator(task_id="plan").execute(context(topics=[mine], migration=f"{topic_prefix}m", groups=[]))

    hook.stop(name)
    (found,) = findings(mine, "other_replicators")
    assert found.severity is Severity.WARN
    assert "STOPPED" in found.what
    assert other_replicators_check([found]).status is Status.EXPLAINED


def test_a_connector_that_uses_our_alias(
    source_bootstrap: str, topic_prefix: str, make_topics: Any, mirror: Any
) -> None:
    mine, theirs = make_topics(source_bootstrap, f"{topic_prefix}mine", f"{topic_prefix}theirs")
    alias = f"{topic_prefix}alias"
    _, name = mirror(theirs, alias=alias)

    (found,) = findings(mine, "alias", source_alias=alias)
    assert (found.severity, found.subject, found.param) == (Severity.REFUSE, f"connector {name}", "source_alias")
    assert f"mm2-offset-syncs.{alias}.internal" in found.what
    assert findings(mine, "alias", source_alias=f"{topic_prefix}another") == []


def test_the_way_back_uses_our_alias_by_default(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, mirror: Any
) -> None:
    # target -> source, offset-syncs on its source, which is our target: mm2-offset-syncs.<its target alias>.internal
    (mine,) = make_topics(source_bootstrap, f"{topic_prefix}mine")
    (back,) = make_topics(target_bootstrap, f"{topic_prefix}back")
    alias = f"{topic_prefix}old"
    _, name = mirror(
        back,
        alias=f"{topic_prefix}new",
        **{
            "target.cluster.alias": alias,
            "source.cluster.bootstrap.servers": target_bootstrap,
            "target.cluster.bootstrap.servers": source_bootstrap,
            "producer.override.bootstrap.servers": source_bootstrap,
            "offset-syncs.topic.location": "source",
        },
    )
    (found,) = findings(mine, "alias", source_alias=alias)
    assert found.subject == f"connector {name}"


def test_an_offset_syncs_topic_of_nobody_we_know(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    (mine,) = make_topics(source_bootstrap, f"{topic_prefix}mine")
    alias = f"{topic_prefix}alias"
    topic = create(target_bootstrap, f"mm2-offset-syncs.{alias}.internal", cleanup_policy="compact")
    (found,) = findings(mine, "alias", source_alias=alias)
    assert (found.severity, "leftover" in found.what) == (Severity.WARN, True)
    # From another alias, and about our topic: another MirrorMaker 2 copies it.
    key = len(mine).to_bytes(2, "big") + mine.encode() + bytes(4)
    produce(target_bootstrap, topic, [{"key": key, "value": bytes(16)}])
    (found,) = findings(mine, "other_replicators")
    assert (found.severity, mine in found.what) == (Severity.WARN, True)
    (found,) = findings(mine, "alias", source_alias=alias)
    assert (found.severity, found.param) == (Severity.REFUSE, "source_alias")
    delete(target_bootstrap, topic)


def test_a_dedicated_mirror_maker_2(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    mine, other = make_topics(source_bootstrap, f"{topic_prefix}mine", f"{topic_prefix}other")
    alias = f"{topic_prefix}dc1"
    topic = create(target_bootstrap, f"mm2-offsets.{alias}.internal", partitions=3, cleanup_policy="compact")
    key = json.dumps(["MirrorSourceConnector", {"cluster": alias, "partition": 0, "topic": mine}]).encode()
    produce(target_bootstrap, topic, [{"key": key, "value": b'{"offset":9}', "partition": 2}])

    (found,) = findings(mine, "other_replicators")
    assert (found.severity, found.subject) == (Severity.WARN, f"topic {topic} on the target")
    create(target_bootstrap, mine)  # the same name is there: it is no prefix that it writes under
    (found,) = findings(mine, "other_replicators")
    assert found.severity is Severity.REFUSE
    assert findings(other, "other_replicators") == []
    late = OtherReplicators(migration(mine), now_ms() + 3_600_000).findings()
    assert [item.severity for item in late] == [Severity.WARN], "silent for an hour: perhaps gone"
    delete(target_bootstrap, topic)


@pytest.mark.parametrize(("client_id", "found"), [("{group}-0", True), ("MirrorMaker-7", True), ("till", False)])
def test_a_group_that_looks_like_mirror_maker_1(
    source_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any, client_id: str, found: bool
) -> None:
    topics = make_topics(source_bootstrap, f"{topic_prefix}a", f"{topic_prefix}b", partitions=2)
    group = f"{topic_prefix}mm1-consumer"
    consumer = Consumer(
        {
            "bootstrap.servers": source_bootstrap,
            "group.id": group,
            "client.id": client_id.format(group=group),
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(topics)
    deadline = time.monotonic() + 60
    while not consumer.assignment():
        assert time.monotonic() < deadline
        consumer.poll(0.2)
    consumer.commit(offsets=[TopicPartition(t, p, 0) for t in topics for p in (0, 1)], asynchronous=False)

    seen = findings(f"{topic_prefix}[ab]", "other_replicators")
    consumer.close()

    assert [(item.severity, item.subject) for item in seen] == [(Severity.WARN, f"group {group} on the source")] * found
    assert findings(f"{topic_prefix}[ab]", "other_replicators") == [], "without members it copies nothing"


def test_a_sink_connectors_group_is_told(source_bootstrap: str, topic_prefix: str, make_topics: Any) -> None:
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}sunk")
    group = f"connect-{topic_prefix}sink"
    commit(source_bootstrap, group, {(topic, 0): 0})
    assert [item.subject for item in findings(topic, "connect_groups")] == [f"group {group}"]
    assert findings(topic, "connect_groups", groups=[group]) == [], "named exactly: it is carried over"


def test_a_name_that_kafka_takes_for_that_of_a_topic_on_the_target_is_refused_before_anything_is_made(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str
) -> None:
    topic = create(source_bootstrap, f"{topic_prefix}a.b")
    other = create(target_bootstrap, f"{topic_prefix}a_b")

    (found,) = findings(topic, "name_collision")

    assert (found.severity, found.param, found.subject) == (Severity.REFUSE, "topics", f"topic {topic}")
    assert f"{other!r} exists on the target" in found.what
    with pytest.raises(FerryError, match="collides with existing topic"):
        migration(topic).target.admin.create_topics([DesiredTopic(topic, topic, 1, 1, {})])
