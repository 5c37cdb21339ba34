"""``mm2.properties``: one flow, in one direction, with the names that the params ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent
from kafka_ferry.jobs.migration.engines.mirror_maker2_dedicated_config import properties

INTENT = MirrorIntent(
    name="dag.wave-1",
    source_alias="wave-1",
    target_alias="target",
    source={"bootstrap.servers": "source:9092"},
    target={"bootstrap.servers": "target:9092"},
    topics=["orders"],
    topics_exclude=[],
    groups=[".*"],
    groups_exclude=[],
    tasks_max=4,
    throughput="lan",
    isolation_level="read_committed",
)
POLICY, FORMAT = "replication.policy.class", "replication.policy.topic.rename.format"


def test_one_flow_and_nothing_the_other_way() -> None:
    made = properties(INTENT)
    assert made["clusters"] == "wave-1, target"
    assert made["wave-1->target.enabled"] == "true"
    assert made["target->wave-1.enabled"] == made["target->wave-1.emit.heartbeats.enabled"] == "false"


@pytest.mark.parametrize("place", ["", "wave-1->target."])
def test_new_names_take_policy_and_format_together(place: str) -> None:
    made = properties(replace(INTENT, rename_format="eu.${topic}"))
    assert made[place + POLICY] == "kafkaferry.connect.RenameReplicationPolicy"
    assert made[place + FORMAT] == "eu.${topic}"
    kept = properties(INTENT)
    assert kept[place + POLICY].endswith("IdentityReplicationPolicy")
    assert place + FORMAT not in kept


@pytest.mark.parametrize("key", [POLICY, FORMAT, "replication.policy.separator"])
@pytest.mark.parametrize("place", ["", "wave-1->target.", "target."])
def test_names_are_not_overridden(place: str, key: str) -> None:
    with pytest.raises(BadParam, match="naming"):
        properties(INTENT, {place + key: "x"})
