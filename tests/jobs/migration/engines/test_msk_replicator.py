"""What is asked of the service, and when a new replicator is refused; on real brokers it is in tests/integration."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import msk_lab
from aws_by_hand import run_block
from kafka_ferry.core.topics import Selection
from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.hooks.connect.states import Verdict
from kafka_ferry.hooks.kafka.capabilities import Capabilities
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.hooks.msk_connect.rules.errors import MskConnectError
from kafka_ferry.jobs.migration.engines import msk_replicator
from kafka_ferry.jobs.migration.engines.msk_replicator import MskReplicator
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec
from stack.msk.cluster import ARN as TARGET
from stack.msk.cluster import SOURCE_ARN as SOURCE
from stack.msk.server import MskConnectDouble

LATEST = {"starting_position": "LATEST", "canary": False}
PARTITIONS = [("orders", 0), ("orders", 1)]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    monkeypatch.setattr(MskReplicatorHook, "deletion_delay", 0.0)
    monkeypatch.setattr(msk_replicator, "hold_limits", lambda _: {})
    with msk_lab.connected(monkeypatch) as running:
        yield running


def engine(places: dict[tuple[str, int], int] | None = None, empty: set[Any] | None = None, **params: Any) -> Any:
    """Of a topic with offsets 0 to 10 in both partitions.

    :param places: where the target stands; None: it has no such topic. ``empty``: partitions whose rest has no record.
    """
    spec = MskReplicatorSpec.from_params(
        {
            "topics": ["orders"],
            "source_cluster_arn": SOURCE,
            "cluster_arn": TARGET,
            "service_execution_role_arn": msk_lab.ROLE,
            **params,
        }
    )
    offsets = {"earliest": 0, "latest": 10}
    admin = SimpleNamespace(
        offsets=lambda tps, which, level: dict.fromkeys(tps, offsets[which]),
        describe_cluster=lambda: SimpleNamespace(cluster_id="lkc-of-the-source"),
        capabilities=Capabilities({60: 0}),
    )
    extra = {"bootstrap.servers": "b1.corp:9094", "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-256"}
    migration = SimpleNamespace(
        spec=spec,
        name=f"msk_replicator.{spec.migration}",
        topics=SimpleNamespace(selection=Selection(("orders",), (), (r"orders",), ("tmp.*",)), partitions=PARTITIONS),
        groups=SimpleNamespace(selection=Selection(("g",), (), (".*",), ("test-.*",))),
        source=SimpleNamespace(admin=admin, extra=extra, conn_id="kafka_source"),
        canary="ferry-canary-msk",
        msk_target=None,
        target_topics=lambda: {} if places is None else {"orders": None},
        prober=lambda: lambda left: {tp for tp in left if tp in (empty or ())},
    )
    made = MskReplicator(migration)  # type: ignore[arg-type]
    made.resume = lambda _: places or {}  # type: ignore[method-assign]
    return made


def only(aws: MskConnectDouble) -> Any:
    (one,) = aws.account.replicators.values()
    return one


def only_state(aws: MskConnectDouble, name: str) -> str:
    return str(next((one.state for one in aws.account.replicators.values() if one.name == name), "DELETING"))


def test_a_run_that_ends_leaves_groups_configs_and_acls_to_us(aws: MskConnectDouble) -> None:
    engine().deploy()
    made = only(aws).info
    assert made["TopicReplication"]["TopicsToReplicate"] == ["orders", r"ferry\-canary\-msk"]
    assert made["TopicReplication"]["TopicsToExclude"][0] == "tmp.*"
    assert not made["TopicReplication"]["CopyTopicConfigurations"]
    assert not made["TopicReplication"]["CopyAccessControlListsForTopics"]
    assert made["ConsumerGroupReplication"]["ConsumerGroupsToReplicate"] == []
    assert not made["ConsumerGroupReplication"]["SynchroniseConsumerGroupOffsets"]


def test_one_that_goes_on_carries_them(aws: MskConnectDouble) -> None:
    engine(keep_replicating=True, acls="copy", canary=False).deploy()
    made = only(aws).info
    assert made["TopicReplication"]["TopicsToReplicate"] == ["orders"]
    assert made["TopicReplication"]["CopyTopicConfigurations"]
    assert made["TopicReplication"]["CopyAccessControlListsForTopics"]
    assert made["ConsumerGroupReplication"]["ConsumerGroupsToExclude"] == ["test-.*"]
    assert made["ConsumerGroupReplication"]["SynchroniseConsumerGroupOffsets"]


@pytest.mark.parametrize(
    ("places", "params", "problem"),
    [
        (None, {}, ""),
        ({}, {}, ""),
        ({("orders", 0): 4}, {}, "records of orders-0, which would be written twice"),
        ({("orders", 0): 4}, {"duplicates": "explain"}, ""),
        (None, LATEST, "lacks records of orders-0, orders-1"),
        ({("orders", 0): 10, ("orders", 1): 9}, LATEST, "lacks records of orders-1"),
        ({("orders", 0): 10, ("orders", 1): 10}, LATEST, ""),
    ],
)
def test_a_new_one_neither_leaves_records_out_nor_copies_them_twice(
    aws: MskConnectDouble, places: Any, params: dict[str, Any], problem: str
) -> None:
    for act in (engine(places, **params).changes, engine(places, **params).deploy):
        if problem:
            with pytest.raises(BadParam, match=problem):
                act()
        else:
            act()
    assert len(aws.account.replicators) == (0 if problem else 1)


def test_what_holds_no_record_is_not_missing(aws: MskConnectDouble) -> None:
    """Transaction markers, compacted holes."""
    places = {("orders", 0): 10, ("orders", 1): 9}
    engine(places, {("orders", 1)}, **LATEST).deploy()
    assert only(aws).state == "CREATING"


def test_one_that_is_there_is_adopted_whatever_the_target_holds(aws: MskConnectDouble) -> None:
    engine().deploy()
    later = engine({("orders", 0): 4})
    assert later.readiness().verdict is Verdict.WAITING
    assert later.readiness().verdict is Verdict.RUNNING
    assert later.changes()[0].action.value == "none"
    later.deploy()
    other = engine({("orders", 0): 4}, canary=False)
    assert "TopicsToReplicate" in other.changes()[0].detail
    other.deploy()
    assert aws.requests.count("UpdateReplicationInfo") == aws.requests.count("CreateReplicator") == 1
    with pytest.raises(BadParam, match="TargetCompressionType is NONE, not LZ4"):
        engine(compression="LZ4").changes()


def test_a_life_of_its_traces(aws: MskConnectDouble) -> None:
    one = engine()
    assert (one.is_there(), one.left(), one.stop()) == (False, [], [])
    one.deploy()
    assert one.left() == one.names == [f"replicator {one.name}"]
    assert one.stop() == one.names
    assert (one.is_there(), aws.account.replicators) == (False, {})


def test_what_ends_it_by_hand_ends_it_alone(aws: MskConnectDouble, tmp_path: Path) -> None:
    one = engine()
    one.deploy()
    other = aws.account.replicators["of-another"] = copy.deepcopy(only(aws))
    other.name, other.arn = f"{one.name}-2", f"{other.arn}-2"  # the service's own filter is for beginnings of names
    run_block(one.how_to_stop(), tmp_path, aws.url)
    while one.is_there():  # it is DELETING for a while
        assert only_state(aws, one.name) == "DELETING"
    assert list(aws.account.replicators.values()) == [other]
    run_block(one.how_to_stop(), tmp_path, aws.url)  # again: nothing is there, nothing happens
    assert list(aws.account.replicators.values()) == [other]


def test_a_service_that_is_away_while_we_wait_is_no_verdict(aws: MskConnectDouble) -> None:
    one = engine()
    one.deploy()
    aws.faults.plan({"errors": [{"operation": "ListReplicators", "code": "ServiceUnavailableException"}]})
    with pytest.raises(TransientError):
        one.progress().check()
    one.progress().check()


def test_its_plan_tells_where_and_from_where(aws: MskConnectDouble) -> None:
    about = engine().about()
    assert (about["source"], about["target"], about["starting_position"]) == (SOURCE, TARGET, "EARLIEST")
    aws.clusters.states[SOURCE] = "FAILED"
    with pytest.raises(BadParam, match="the cluster is FAILED"):
        engine().about()


CREDENTIALS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-source-AbCdEf"
OUTSIDE = {
    "source_cluster_arn": "",
    "source_bootstrap": "b1.corp:9094,b2.corp:9094",
    "source_login": "SCRAM-SHA-256",
    "source_login_arn": CREDENTIALS,
    "source_ca_arn": CREDENTIALS,
    "source_subnets": ["subnet-0a", "subnet-0b"],
    "source_security_groups": ["sg-0c"],
}


def test_a_source_outside_msk_is_asked_for_as_the_model_says(aws: MskConnectDouble) -> None:
    one = engine(**OUTSIDE)
    about = one.about()
    assert (about["source"], about["source_bootstrap"]) == ("lkc-of-the-source", OUTSIDE["source_bootstrap"])
    assert one.findings() == []
    one.deploy()
    source, target = only(aws).request["KafkaClusters"]
    assert source == {
        "ApacheKafkaCluster": {
            "ApacheKafkaClusterId": "lkc-of-the-source",
            "BootstrapBrokerString": "b1.corp:9094,b2.corp:9094",
        },
        "VpcConfig": {"SubnetIds": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0c"]},
        "ClientAuthentication": {"SaslScram": {"Mechanism": "SHA256", "SecretArn": CREDENTIALS}},
        "EncryptionInTransit": {"EncryptionType": "TLS", "RootCaCertificate": CREDENTIALS},
    }
    assert target["AmazonMskCluster"] == {"MskClusterArn": TARGET}
    assert only(aws).info["SourceKafkaClusterId"] == "lkc-of-the-source"


def test_such_a_one_is_adopted_updated_and_its_login_cannot_be_changed(aws: MskConnectDouble) -> None:
    engine(**OUTSIDE).deploy()
    while engine(**OUTSIDE).readiness().verdict is not Verdict.RUNNING:
        pass
    assert engine(**OUTSIDE).changes()[0].action.value == "none"
    engine(**OUTSIDE, canary=False).deploy()
    assert aws.requests.count("UpdateReplicationInfo") == 1
    with pytest.raises(BadParam, match=r"source's ClientAuthentication is .*SHA256.*, not .*MTLS"):
        engine(**OUTSIDE | {"source_login": "mTLS"}).changes()
    with pytest.raises(BadParam, match="source is lkc-of-the-source, not arn:aws:kafka"):
        engine().changes()


def test_what_the_sources_connection_says_of_the_same_listener_counts(aws: MskConnectDouble) -> None:
    (found,) = engine(**OUTSIDE | {"source_login": "SCRAM-SHA-512"}).findings()
    assert (found.severity.value, found.param) == ("refuse", "source_login")
    old = engine()
    old.migration.source.admin.capabilities = Capabilities({3: 9})
    (found,) = old.findings()
    assert "older than Kafka 2.8.1" in found.what


def test_the_double_refuses_what_the_service_would(aws: MskConnectDouble) -> None:
    aws.clusters.serverless.add(TARGET)
    with pytest.raises(MskConnectError, match="The target must be a provisioned cluster"):
        engine(**OUTSIDE).deploy()


def test_another_accounts_arn_is_refused_with_the_way(aws: MskConnectDouble) -> None:
    other = SOURCE.replace("123456789012", "210987654321")
    with pytest.raises(BadParam, match=r"is in account 210987654321, .* reach the other's brokers by SCRAM or mTLS"):
        engine(source_cluster_arn=other).about()
