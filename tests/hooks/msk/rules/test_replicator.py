from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk.rules.cluster import ReplicatorCluster
from kafka_ferry.hooks.msk.rules.replicator import (
    GROUPS_UPDATABLE,
    MOST_GROUP_CHARACTERS,
    MOST_TOPIC_CHARACTERS,
    TOPICS_UPDATABLE,
    Compression,
    OffsetSync,
    Replicator,
    ReplicatorIntent,
    ReplicatorState,
    StartingPosition,
    TopicNaming,
    change_lines,
    immutable_differences,
    replication_changes,
    replicator_name,
)

MODEL = botocore.session.get_session().get_service_model("kafka")
OLD, NEW = (f"arn:aws:kafka:eu-west-1:123456789012:cluster/{name}/1-2" for name in ("old", "new"))


def intent(**changes: Any) -> ReplicatorIntent:
    ends = {side: ReplicatorCluster(("a", "b"), ("sg",), arn) for side, arn in (("source", OLD), ("target", NEW))}
    return ReplicatorIntent(**{"name": "wave-1", "role_arn": "arn:role", "topics": ["orders.*"], **ends, **changes})


def described(**changes: Any) -> Replicator:
    """As the service tells of what was desired: aliases in place of ARNs."""
    wish = intent(**changes).to_request()
    info = {key: value for key, value in wish["ReplicationInfoList"][0].items() if not key.endswith("ClusterArn")}
    clusters = [
        {**one, "KafkaClusterAlias": alias}
        for one, alias in zip(wish["KafkaClusters"], ("old-1", "new-1"), strict=True)
    ]
    return Replicator.from_description(
        {
            "ReplicatorArn": "arn:replicator",
            "ReplicatorName": wish["ReplicatorName"],
            "ReplicatorState": "RUNNING",
            "CurrentVersion": "K1",
            "ServiceExecutionRoleArn": wish["ServiceExecutionRoleArn"],
            "KafkaClusters": clusters,
            "ReplicationInfoList": [{**info, "SourceKafkaClusterAlias": "old-1", "TargetKafkaClusterAlias": "new-1"}],
        }
    )


@pytest.mark.parametrize(
    ("shape", "values"),
    [
        ("ReplicatorState", ReplicatorState),
        ("ReplicationStartingPositionType", StartingPosition),
        ("ReplicationTopicNameConfigurationType", TopicNaming),
        ("TargetCompressionType", Compression),
        ("ConsumerGroupOffsetSyncMode", OffsetSync),
    ],
)
def test_the_words_are_those_of_the_service_model(shape: str, values: type) -> None:
    assert set(MODEL.shape_for(shape).enum) == {value.value for value in values}  # type: ignore[attr-defined]


def test_the_request_fits_the_service_model_and_copies_what_is_there_under_the_same_names() -> None:
    request = intent(log_group="/ferry", description="ours", other={"Tags": {"a": "b"}}).to_request()
    report = ParamValidator().validate(request, MODEL.operation_model("CreateReplicator").input_shape)
    assert not report.has_errors(), report.generate_report()
    topics = request["ReplicationInfoList"][0]["TopicReplication"]
    assert topics["StartingPosition"] == {"Type": "EARLIEST"}
    assert topics["TopicNameConfiguration"] == {"Type": "IDENTICAL"}
    # The service's defaults leave data out: none of them decides.
    assert set(topics) == set(MODEL.shape_for("TopicReplication").members)
    groups = request["ReplicationInfoList"][0]["ConsumerGroupReplication"]
    assert set(groups) == set(MODEL.shape_for("ConsumerGroupReplication").members)


def test_what_can_be_changed_is_what_an_update_takes() -> None:
    assert set(MODEL.shape_for("TopicReplicationUpdate").members) == set(TOPICS_UPDATABLE)
    assert set(MODEL.shape_for("ConsumerGroupReplicationUpdate").members) == set(GROUPS_UPDATABLE)
    assert MODEL.shape_for("TopicReplication").members["TopicsToReplicate"].member.metadata["max"] == (
        MOST_TOPIC_CHARACTERS
    )
    groups = MODEL.shape_for("ConsumerGroupReplication").members["ConsumerGroupsToReplicate"]
    assert groups.member.metadata["max"] == MOST_GROUP_CHARACTERS


def test_no_difference_whatever_the_order() -> None:
    wish = intent(topics=["b", "a"], groups=["y", "x"])
    found = described(topics=["a", "b"], groups=["x", "y"])
    assert immutable_differences(wish, found) == change_lines(wish, found) == []
    assert replication_changes(wish, found) == {}


def test_an_update_sends_a_changed_part_whole_and_no_other() -> None:
    wish = intent(topics=["orders.*", "new"])
    changes = replication_changes(wish, described())
    assert set(changes) == {"SourceKafkaClusterArn", "TargetKafkaClusterArn", "TopicReplication"}
    shape = MODEL.operation_model("UpdateReplicationInfo").input_shape
    asked = {"ReplicatorArn": "arn", "CurrentVersion": "K1", **changes}
    assert not ParamValidator().validate(asked, shape).has_errors()
    assert change_lines(wish, described()) == ["~ TopicsToReplicate: orders.* -> new, orders.*"]
    assert set(replication_changes(intent(groups=[]), described())) == {
        "SourceKafkaClusterArn", "TargetKafkaClusterArn", "ConsumerGroupReplication",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starting_position": StartingPosition.LATEST}, "StartingPosition is LATEST, not EARLIEST"),
        ({"naming": TopicNaming.PREFIXED}, "TopicNameConfiguration is PREFIXED"),
        ({"compression": Compression.LZ4}, "TargetCompressionType is LZ4, not NONE"),
        ({"role_arn": "arn:other"}, "ServiceExecutionRoleArn is arn:other, not arn:role"),
        (
            {"source": ReplicatorCluster(("a", "b"), (), NEW), "target": ReplicatorCluster(("a", "b"), (), OLD)},
            "source",
        ),
    ],
)
def test_what_cannot_be_changed(changes: dict[str, Any], words: str) -> None:
    assert words in immutable_differences(intent(), described(**changes))[0]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"name": "wave_1"}, "replicator_name"),
        ({"topics": []}, "topics"),
        ({"topics": ["a" * 250]}, "topics"),
        ({"groups_exclude": ["a" * 257]}, "exclude_groups"),
        ({"target": ReplicatorCluster(("a", "b"), cluster_id="x", bootstrap_servers="k:9096")}, "target"),
    ],
)
def test_what_the_service_would_refuse(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadParam) as refusal:
        intent(**changes)
    assert refusal.value.param == param


def test_names_are_legal_readable_and_apart() -> None:
    names = [replicator_name(f"msk_replicator.{name}") for name in ("wave-1", "wave_1", "w" * 200)]
    assert names[0].startswith("msk-replicator-wave-1-")
    assert len(set(names)) == 3
    for name in names:
        assert intent(name=name).name == name


def test_a_failed_one_tells_why() -> None:
    found = {"ReplicatorArn": "a", "ReplicatorName": "n", "ReplicatorState": "FAILED"}
    told = Replicator.from_description({**found, "StateInfo": {"Code": "Auth", "Message": "no access"}})
    assert str(told) == "replicator n is FAILED: Auth: no access"
    assert told.state.is_failure
    assert told.state.is_terminal


def test_an_update_calls_a_source_outside_msk_by_its_id_alone() -> None:
    """terraform-provider-aws 50070: an empty sourceKafkaClusterArn in place of the id is refused by the service."""
    login = {"MTLS": {"SecretArn": "arn:s"}}
    outside = ReplicatorCluster(("a", "b"), cluster_id="x1", bootstrap_servers="k:9094", authentication=login)
    changes = replication_changes(intent(source=outside, topics=["bills"]), described(source=outside))
    assert changes["SourceKafkaClusterId"] == "x1"
    assert changes["TargetKafkaClusterArn"] == NEW
    assert "SourceKafkaClusterArn" not in changes
    request = {"ReplicatorArn": "arn", "CurrentVersion": "K1", **changes}
    assert not ParamValidator().validate(request, MODEL.shape_for("UpdateReplicationInfoRequest")).has_errors()
