"""Who else copies the same topics: told by connectors' configs, internal topics and groups."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.migration.rules.internal_topics import InternalTopic, kind_and_alias, topic_of_key
from kafka_ferry.jobs.migration.rules.replicators import (
    GroupFacts,
    OtherConnector,
    Ours,
    _living,
    connector_findings,
    group_replicators,
    other_replicators_check,
)
from kafka_ferry.jobs.migration.rules.traces import internal_topic_findings, unseen

MIRROR = "org.apache.kafka.connect.mirror"
IDENTITY = f"{MIRROR}.IdentityReplicationPolicy"
PASSWORD = "planted-password"


def ours(**changes: Any) -> Ours:
    values: dict[str, Any] = {
        "connectors": ["m.MirrorSourceConnector"],
        "own_topics": ("mm2-offset-syncs.m.internal", "m.checkpoints.internal"),
        "running": False,
        "alias": "m",
        "topics": {"orders": "orders", "users": "users"},
        "addresses": {"target:9092", "10.0.0.1:9092"},
        "source_addresses": {"source:9092"},
        "worker_on_target": True,
    }
    return Ours(**values | changes)


def mirror(
    state: str = "RUNNING", kind: str = "MirrorSourceConnector", name: str = "x", **config: str
) -> OtherConnector:
    base = {
        "connector.class": f"{MIRROR}.{kind}",
        "topics": "orders",
        "replication.policy.class": IDENTITY,
        "target.cluster.sasl.jaas.config": PASSWORD,
    }
    return OtherConnector(name, state, base | {key.replace("_", "."): value for key, value in config.items()})


def severities(other: OtherConnector, **changes: Any) -> list[Severity]:
    found = connector_findings(ours(**changes), [other])
    assert PASSWORD not in "".join(map(str, found)) + repr(other)
    return [item.severity for item in found]


def test_the_same_topic_on_the_same_target() -> None:
    assert severities(mirror()) == [Severity.REFUSE]
    assert severities(mirror("PAUSED")) == [Severity.WARN]
    assert severities(mirror("STOPPED")) == [Severity.WARN]
    assert severities(mirror("FAILED")) == [Severity.REFUSE], "a restart is enough to wake it"
    assert severities(mirror(name="m.MirrorSourceConnector")) == [], "it is ours"


@pytest.mark.parametrize(
    ("servers", "found"),
    [
        ("TARGET:9092", [Severity.REFUSE]),
        ("b:1, SASL_SSL://10.0.0.1:9092", [Severity.REFUSE]),
        ("source:9092", []),
        ("who-knows:9092", [Severity.WARN]),
        ("${file:/etc/connect.properties:servers}", [Severity.WARN]),
    ],
)
def test_where_it_writes(servers: str, found: list[Severity]) -> None:
    assert severities(mirror(producer_override_bootstrap_servers=servers)) == found


def test_without_an_address_it_writes_where_the_worker_lives() -> None:
    assert severities(mirror(), worker_on_target=False) == []


@pytest.mark.parametrize(
    ("topics", "exclude", "hit"),
    [
        ("ord.*", "", True),
        ("nothing, users", "", True),
        ("order", "", False),
        ("orders", "ord.*,x", False),
        (r"\Qorders\E", "", True),
        ("(?<bad", "", True),  # a regex we cannot read counts as a match
    ],
)
def test_which_topics_it_takes(topics: str, exclude: str, hit: bool) -> None:
    assert bool(severities(mirror(topics=topics, topics_exclude=exclude))) is hit


def test_other_names_are_no_collision() -> None:
    prefixing = {"replication_policy_class": f"{MIRROR}.DefaultReplicationPolicy", "source_cluster_alias": "old"}
    assert severities(mirror(**prefixing)) == []
    assert severities(mirror(**prefixing), topics={"orders": "old.orders"}) == [Severity.REFUSE]


def test_a_connector_that_renames_by_a_format() -> None:
    renaming = {"replication_policy_class": "kafkaferry.connect.RenameReplicationPolicy"}
    assert severities(mirror(**renaming)) == []
    assert severities(mirror(**renaming), topics={"orders": "orders.replica"}) == [Severity.REFUSE]
    renaming["replication_policy_topic_rename_format"] = "eu.${topic}"
    assert severities(mirror(**renaming), topics={"orders": "orders.replica"}) == []
    assert severities(mirror(**renaming), topics={"orders": "eu.orders"}) == [Severity.REFUSE]


@pytest.mark.parametrize(
    "name",
    ["kafkaferry.connect.PluginMirrorSourceConnector", "MirrorSourceConnector", "MirrorSource", "a.b.OurMirrorSource"],
)
def test_mirror_maker_2_by_whatever_name(name: str) -> None:
    """Connect takes short names, and our own plugin has classes made from MirrorMaker 2's."""
    renaming = {"replication_policy_class": "kafkaferry.connect.RenameReplicationPolicy", "connector_class": name}
    assert severities(mirror(**renaming), topics={"orders": "orders.replica"}) == [Severity.REFUSE]
    assert severities(mirror(connector_class=name)) == [Severity.REFUSE]


@pytest.mark.parametrize("name", ["kafkaferry.connect.PluginMirrorCheckpointConnector", "MirrorCheckpoint"])
def test_a_checkpoint_connector_by_whatever_name_has_offset_syncs_but_copies_nothing(name: str) -> None:
    other = mirror(connector_class=name)
    assert other.is_mirror
    assert not other.is_mirror_source
    assert severities(other) == []


def test_emrs_replicator_renames_by_default() -> None:
    config = {"connector.class": "EMRReplicatorSourceConnector", "topic.whitelist": "orders"}
    other = OtherConnector("emr", "RUNNING", config)
    assert severities(other) == []
    assert severities(other, topics={"orders": "orders.replica"}) == [Severity.REFUSE]


def test_confluents_replicator() -> None:
    config = {
        "connector.class": "io.confluent.connect.replicator.ReplicatorSourceConnector",
        "topic.whitelist": "users",
        "dest.kafka.bootstrap.servers": "target:9092",
    }
    assert severities(OtherConnector("r", "RUNNING", config)) == [Severity.REFUSE]
    renamed = config | {"topic.rename.format": "${topic}.copy"}
    assert severities(OtherConnector("r", "RUNNING", renamed)) == []


def test_connectors_that_copy_no_topics_to_kafka() -> None:
    sink = OtherConnector("s", "RUNNING", {"connector.class": "a.b.S3SinkConnector", "topics": "orders"})
    assert severities(sink) == []


@pytest.mark.parametrize("kind", ["MirrorSourceConnector", "MirrorCheckpointConnector"])
def test_one_alias_for_two(kind: str) -> None:
    location = {"offset-syncs.topic.location": "target", "target_cluster_bootstrap_servers": "target:9092"}
    other = mirror(kind=kind, topics="others", source_cluster_alias="m", **location)
    (found,) = connector_findings(ours(), [other])
    assert (found.severity, found.code, found.param) == (Severity.REFUSE, "alias", "source_alias")
    assert connector_findings(ours(alias="n"), [other]) == []
    assert other.offset_syncs == ("target", "m")
    elsewhere = other.config | {"target.cluster.bootstrap.servers": "third:9092"}
    assert connector_findings(ours(), [OtherConnector("x", "RUNNING", elsewhere)]) == []


def internal(**changes: Any) -> InternalTopic:
    values: dict[str, Any] = {
        "name": "mm2-offsets.dc1.internal",
        "on_target": True,
        "kind": "offsets",
        "alias": "dc1",
        "topics": frozenset({"orders"}),
        "silent_seconds": 30.0,
    }
    return InternalTopic(**values | changes)


def judged(topic: InternalTopic, names: tuple[str, ...] = ("orders",), **changes: Any) -> list[Severity]:
    found = internal_topic_findings(ours(**changes), [topic], {"known"}, names)
    return [item.severity for item in found]


def test_a_dedicated_mirror_maker_2() -> None:
    assert judged(internal()) == [Severity.REFUSE]
    assert judged(internal(silent_seconds=601.0)) == [Severity.WARN]
    assert judged(internal(silent_seconds=None)) == [Severity.WARN]
    assert judged(internal(), names=("orders", "dc1.orders")) == [Severity.WARN], "it writes under its prefix"
    assert judged(internal(), names=()) == [Severity.WARN]
    assert judged(internal(topics=frozenset({"others"}))) == []
    assert judged(internal(on_target=False)) == [Severity.ADVISE], "it feeds the source"


def test_the_age_of_a_topic_is_said_once() -> None:
    own = internal(kind="offset-syncs", name=next(iter(ours().own_topics)), alias="unknown")
    (found,) = internal_topic_findings(ours(running=False), [own], {"known"}, ())
    assert found.what.startswith("was last written 30 seconds ago, but not by connectors of this migration")


def test_offset_syncs_of_others_and_our_own() -> None:
    syncs = {"kind": "offset-syncs", "name": "mm2-offset-syncs.dc1.internal"}
    assert judged(internal(**syncs)) == [Severity.WARN]
    assert judged(internal(**syncs, silent_seconds=9999.0)) == [Severity.ADVISE]
    assert judged(internal(**syncs, topics=frozenset())) == []
    assert judged(internal(**syncs | {"alias": "known"})) == [], "its connector was looked at"
    mine = syncs | {"alias": "m", "name": "mm2-offset-syncs.m.internal"}
    assert judged(internal(**mine)) == [Severity.REFUSE]
    assert judged(internal(**mine, silent_seconds=9999.0)) == [Severity.WARN]
    assert judged(internal(**mine), running=True) == []


def test_groups_are_a_guess_by_name() -> None:
    def guess(group: str, *clients: str, complete: tuple[str, ...] = ("orders", "users")) -> int:
        return len(group_replicators([GroupFacts(group, complete, clients)]))

    assert guess("g", "g-0", "g-1")
    assert guess("g", "MirrorMaker-0")
    assert guess("g", "uReplicator")
    assert guess("g", "mm2-worker")
    assert not guess("g", "till", "g-consumer", "comm1t")
    assert not guess("g", "g-0", complete=())


def test_internal_names_and_keys() -> None:
    assert kind_and_alias("mm2-offset-syncs.a.b.internal") == ("offset-syncs", "a.b")
    assert kind_and_alias("mm2-offsets.dc-1.internal") == ("offsets", "dc-1")
    assert kind_and_alias("mm2-configs.dc-1.internal") is None
    assert topic_of_key("offset-syncs", b"\x00\x06orders\x00\x00\x00\x07") == "orders"
    assert topic_of_key("offsets", b'["MirrorSourceConnector",{"cluster":"a","partition":0,"topic":"t"}]') == "t"
    for kind in ("offset-syncs", "offsets"):
        for key in (None, b"", b"{", b"[1]", b'["x",{}]', b"\x00\x20short"):
            assert topic_of_key(kind, key) is None


def test_the_check_of_the_report() -> None:
    refusal = connector_findings(ours(), [mirror()])
    warning = connector_findings(ours(), [mirror("STOPPED")])
    assert other_replicators_check([]).status is Status.PASS
    assert other_replicators_check(warning).status is Status.EXPLAINED
    check = other_replicators_check([*warning, *refusal])
    assert (check.status, len(check.differences), check.actual) == (Status.FAIL, 2, "2 traces")
    advice = internal_topic_findings(ours(), [internal(on_target=False)], set(), [])
    assert other_replicators_check(advice).status is Status.PASS


def test_what_could_not_be_looked_at_is_said() -> None:
    found = unseen("kafka_source", PermissionError("topic mm2-x: READ is missing"))
    assert (found.severity, found.code) == (Severity.ADVISE, "other_replicators")
    assert "READ is missing" in found.what
    assert "READ" in found.fix


@pytest.mark.parametrize(
    "connector, text",
    [
        (
            "replicate_topics.wave-1.MirrorSourceConnector",
            "if a run of DAG replicate_topics with migration 'wave-1' is running, wait until it ends; otherwise ",
        ),
        ("somebody.MirrorSourceConnector", ""),
        ("sink", ""),
        ("a.b.OtherConnector", ""),
    ],
)
def test_a_run_at_work_is_waited_for(connector: str, text: str) -> None:
    assert _living(connector) == text
