"""MirrorMaker 2's configurations: each default that loses data is overruled, on every connector it matters for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent, configs, residue_topics
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES

SOURCE = {"bootstrap.servers": "source:9092", "sasl.jaas.config": "the-source-secret"}
TARGET = {"bootstrap.servers": "target:9092", "sasl.jaas.config": "the-target-secret"}
INTENT = MirrorIntent(
    name="dag.wave-1",
    source_alias="wave-1",
    target_alias="target",
    source=SOURCE,
    target=TARGET,
    topics=[r"a\.b", "foo.*"],
    topics_exclude=[r".*\.tmp"],
    groups=[".*"],
    groups_exclude=[r"connect\-x"],
    tasks_max=4,
    throughput="lan",
    isolation_level="read_committed",
    heartbeats=True,
)
NAMES = [INTENT.source_connector, INTENT.checkpoint_connector, INTENT.heartbeat_connector]
MADE = configs(INTENT)


def test_three_connectors_named_after_the_migration() -> None:
    assert (
        list(MADE) == NAMES == [f"dag.wave-1.Mirror{kind}Connector" for kind in ("Source", "Checkpoint", "Heartbeat")]
    )
    for name, config in MADE.items():
        assert config["connector.class"] == f"org.apache.kafka.connect.mirror.{name.split('.')[-1]}"


def test_no_checkpoints_without_groups_and_no_heartbeats_unless_asked() -> None:
    assert list(configs(replace(INTENT, groups=[], heartbeats=False))) == [INTENT.source_connector]


def test_transactions_are_required_of_the_source_connector_where_they_are_asked_for() -> None:
    made = configs(replace(INTENT, exactly_once=True))
    assert [config.get("exactly.once.support") for config in made.values()] == ["required", None, None]
    assert not [config for config in MADE.values() if "exactly.once.support" in config]


@pytest.mark.parametrize("name", NAMES)
def test_bytes_stay_bytes_headers_included(name: str) -> None:
    for part in ("key", "value", "header"):
        assert MADE[name][f"{part}.converter"] == "org.apache.kafka.connect.converters.ByteArrayConverter"


@pytest.mark.parametrize(("prefix", "policy"), [(False, "Identity"), (True, "Default")])
def test_one_naming_policy_on_all_connectors(prefix: bool, policy: str) -> None:
    for config in configs(replace(INTENT, prefix=prefix)).values():
        assert config["replication.policy.class"] == f"org.apache.kafka.connect.mirror.{policy}ReplicationPolicy"


def test_the_rename_policy_and_its_format_on_all_connectors() -> None:
    made = configs(replace(INTENT, rename_format="eu.${topic}"))
    assert list(made) == NAMES
    for config in made.values():
        assert config["replication.policy.class"] == "kafkaferry.connect.RenameReplicationPolicy"
        assert config["replication.policy.topic.rename.format"] == "eu.${topic}"
    for config in MADE.values():
        assert "replication.policy.topic.rename.format" not in config


@pytest.mark.parametrize("name", NAMES)
def test_records_are_written_to_the_target_not_to_the_workers_own_cluster(name: str) -> None:
    assert MADE[name]["producer.override.bootstrap.servers"] == "target:9092"
    assert MADE[name]["producer.override.sasl.jaas.config"] == "the-target-secret"


@pytest.mark.parametrize("name", NAMES)
def test_both_ends_and_aliases(name: str) -> None:
    config = MADE[name]
    assert config["source.cluster.bootstrap.servers"] == "source:9092"
    assert config["target.cluster.bootstrap.servers"] == "target:9092"
    assert (config["source.cluster.alias"], config["target.cluster.alias"]) == ("wave-1", "target")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_to_the_source(name: str) -> None:
    assert MADE[name]["offset-syncs.topic.location"] == "target"


@pytest.mark.parametrize("name", NAMES)
def test_secrets_stand_only_where_a_client_needs_them(name: str) -> None:
    where = {key: value for key, value in MADE[name].items() if "secret" in value}
    assert where == {
        "source.cluster.sasl.jaas.config": "the-source-secret",
        "target.cluster.sasl.jaas.config": "the-target-secret",
        "producer.override.sasl.jaas.config": "the-target-secret",
    }


@pytest.mark.parametrize("level", ["read_committed", "read_uncommitted"])
def test_isolation_level_is_always_said(level: str) -> None:
    config = configs(replace(INTENT, isolation_level=level))[INTENT.source_connector]
    assert config["source.consumer.isolation.level"] == level


def test_lists_of_topics_and_groups() -> None:
    source, checkpoint = MADE[NAMES[0]], MADE[NAMES[1]]
    assert source["topics"] == checkpoint["topics"] == r"a\.b,foo.*"
    # In full: a worker of another release has other defaults.
    assert source["topics.exclude"] == checkpoint["topics.exclude"]
    assert source["topics.exclude"].split(",") == [
        r"mm2.*\.internal",
        r".*\.checkpoints\.internal",
        "__.*",
        r".*\.tmp",
    ]
    assert (checkpoint["groups"], checkpoint["groups.exclude"]) == (".*", r"connect\-x")


def test_what_would_change_the_target_behind_our_back_is_off() -> None:
    source = MADE[NAMES[0]]
    assert source["sync.topic.acls.enabled"] == "false"
    assert source["sync.topic.configs.enabled"] == "false"
    assert source["heartbeats.replication.enabled"] == "false"
    assert configs(replace(INTENT, sync_configs=True))[NAMES[0]]["sync.topic.configs.enabled"] == "true"


def test_group_offsets_are_synced_and_offsets_mapped_densely() -> None:
    assert MADE[NAMES[1]]["sync.group.offsets.enabled"] == "true"
    assert MADE[NAMES[0]]["offset.lag.max"] == "0"


@pytest.mark.parametrize(("largest", "room"), [(1000, 96), (1048576, 96), (100 * 1024 * 1024, 200)])
def test_no_record_is_too_large_before_it_is_compressed(largest: int, room: int) -> None:
    config = configs(replace(INTENT, max_record_bytes=largest))[NAMES[0]]
    assert config["producer.override.max.request.size"] == "2147483647"
    assert config["producer.override.buffer.memory"] == str(room * 1024 * 1024)


@pytest.mark.parametrize("throughput", list(PROFILES))
def test_a_profile_reaches_the_source_connector(throughput: str) -> None:
    made = configs(replace(INTENT, throughput=throughput))
    profile = PROFILES[throughput]
    assert made[NAMES[0]].items() >= profile.settings.items()
    assert made[NAMES[1]]["sync.group.offsets.interval.seconds"] == str(profile.sync_seconds)
    assert made[NAMES[1]]["emit.checkpoints.interval.seconds"] == str(profile.sync_seconds)


def test_replication_factor_of_all_topics_it_makes() -> None:
    made = configs(replace(INTENT, replication_factor=3))
    assert [made[name]["offset-syncs.topic.replication.factor"] for name in NAMES] == ["3"] * 3
    assert made[NAMES[0]]["replication.factor"] == "3"
    assert made[NAMES[1]]["checkpoints.topic.replication.factor"] == "3"
    assert made[NAMES[2]]["heartbeats.topic.replication.factor"] == "3"


def test_tasks() -> None:
    assert [MADE[name]["tasks.max"] for name in NAMES] == ["4", "4", "1"]


def test_every_value_is_text_as_the_rest_api_wants_it() -> None:
    assert all(isinstance(value, str) for config in MADE.values() for value in config.values())


def test_residue_carries_the_alias() -> None:
    assert residue_topics("wave-1") == ("mm2-offset-syncs.wave-1.internal", "wave-1.checkpoints.internal")


def test_gentle_copies_in_one_task_whatever_is_allowed() -> None:
    made = configs(replace(INTENT, throughput="gentle", tasks_max=8))
    assert made[INTENT.source_connector]["tasks.max"] == "1"
    assert configs(replace(INTENT, tasks_max=8))[INTENT.source_connector]["tasks.max"] == "8"
