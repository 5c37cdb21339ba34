"""The engine on MSK Connect: what each state there means, and what must not be told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import msk_lab
from aws_by_hand import run_block
from kafka_ferry.core.changes import Action
from kafka_ferry.exceptions import BadConnection, BadParam, TransientError
from kafka_ferry.hooks.connect.states import Verdict
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.connector import Revision
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_msk_connect import MirrorMaker2OnMskConnect
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.live.progress import ReplicationFailed
from kafka_ferry.jobs.migration.rules.resolve import ResolvedGroups
from msk_lab import BUCKET, ROLE
from stack.msk import CLUSTER
from stack.msk.iam import Role, allow
from stack.msk.server import MskConnectDouble

GIVEN = {
    "topics": ["orders"],
    "migration": "wave-1",
    "cluster_arn": CLUSTER,
    "service_execution_role_arn": ROLE,
    "plugin_bucket": BUCKET,
    "log_group": "/ferry",
    "poll_interval": 0.5,
}
BASE = "mirror-maker2-on-msk-connect-wave-1"
OFFSETS = "mm2-offsets.mirror_maker2_on_msk_connect.wave-1.internal"
SECRET = "hunter2-of-the-source"


#: A cluster that is not MSK's.
ELSEWHERE = {
    "cluster_arn": None,
    "bootstrap": "b1.corp:9092,b2.corp:9092",
    "subnets": ["subnet-0b", "subnet-0c"],
    "security_groups": ["sg-0d"],
    "encryption": "PLAINTEXT",
}


class Target:
    """The target's admin, as far as the engine asks."""

    def __init__(self) -> None:
        self.names = {OFFSETS}
        self.deleted: list[str] = []

    def topic_ids(self, names: list[str]) -> dict[str, str]:
        return {name: "id" for name in names if name in self.names}

    def topic_names(self) -> list[str]:
        return sorted(self.names)

    def topics(self, names: list[str]) -> dict[str, Any]:
        return {}

    def delete_topics(self, names: list[str]) -> list[str]:
        self.deleted += names
        return list(names)


@pytest.fixture
def target() -> Target:
    return Target()


@pytest.fixture
def make(hook: MskConnectHook, target: Target, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``make(**params)``: an engine whose source is SCRAM and whose target answers as ``target``."""
    source = {"bootstrap.servers": "s:9096", "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
              "sasl.username": "u", "sasl.password": SECRET}  # fmt: skip
    monkeypatch.setattr(
        "kafka_ferry.jobs.runtimes.msk_connect.KafkaClusterHook",
        lambda conn_id: SimpleNamespace(extra=source),
    )

    def engine(dag: str = "mirror_maker2_on_msk_connect", **params: Any) -> MirrorMaker2OnMskConnect:
        spec = MskConnectSpec.from_params({**GIVEN, **params})
        selection = SimpleNamespace(patterns=["orders"], exclude_patterns=[])
        orders = SimpleNamespace(effective={"max.message.bytes": "5000000"})
        topics = SimpleNamespace(
            selection=selection, topics={"orders": orders}, targets=lambda spec: {"orders": spec.target_topic("orders")}
        )
        migration: Any = SimpleNamespace(
            spec=spec,
            name=f"{dag}.{spec.migration}",
            target=SimpleNamespace(conn_id="kafka_target", admin=target, extra={"bootstrap.servers": "t:9092"}),
            canary="ferry-canary-wave-1",
            topics=topics,
            groups=ResolvedGroups(
                cast("Any", selection),
                {"shop": {("orders", 0): 1}, "jobs": {("orders", 0): 2}},
                {},
                kinds={"jobs": "share"},
            ),
        )
        made = MirrorMaker2OnMskConnect(migration)
        made.runtime.resources.waits = (0, 20)
        return made

    return engine


def create(engine: MirrorMaker2OnMskConnect, *, wait: bool = True) -> dict[str, str]:
    """Its connectors, as ``deploy`` makes them but for the clusters; name to ARN."""
    runtime, configs = engine.runtime, engine.mirror.configs
    plugin: Revision = runtime.resources.plugin()
    workers = runtime.resources.configuration(runtime.worker_properties)
    requests = {name: runtime.request(name, config, plugin, workers) for name, config in configs.items()}
    arns = {name: runtime.hook.create_connector(request) for name, request in requests.items()}
    for arn in arns.values() if wait else ():
        runtime.hook.wait("connector_running", 0, connectorArn=arn)
    return arns


def test_names_are_legal_on_msk_connect_and_have_room(make: Any) -> None:
    assert make().mirror.wanted == [f"{BASE}-source", f"{BASE}-checkpoint"]
    assert make(groups=[], heartbeats=True).mirror.wanted == [f"{BASE}-source", f"{BASE}-heartbeat"]
    with pytest.raises(BadParam, match="longer than 128"):
        make(dag="d" * 80, migration="m" * 60)


def test_waiting_until_all_connectors_run(make: Any) -> None:
    engine = make()
    assert engine.readiness().verdict is Verdict.WAITING
    assert "does not exist" in engine.readiness().reason
    create(engine, wait=False)
    assert engine.readiness().verdict is Verdict.WAITING
    assert "CREATING" in engine.readiness().reason
    found = [engine.readiness().verdict for _ in range(6)]
    assert found[-1] is Verdict.RUNNING
    assert Verdict.FAILED not in found


def test_running_on_another_cluster_than_airflow_looks_at_is_a_failure(make: Any, target: Target) -> None:
    engine = make()
    create(engine)
    target.names.clear()
    found = engine.readiness()
    assert found.verdict is Verdict.FAILED
    assert "is not the cluster of cluster_arn" in found.reason


def test_a_connector_that_failed_says_why_with_its_log_and_without_secrets(make: Any, aws: MskConnectDouble) -> None:
    engine = make()
    aws.faults.plan({"connectors": [{"code": "NoNetwork", "message": f"cannot log in with {SECRET}"}]})
    create(engine, wait=False)
    found = [engine.readiness() for _ in range(6)][-1]
    assert found.verdict is Verdict.FAILED
    assert "NoNetwork" in found.reason
    assert "[worker] start" in found.reason
    with pytest.raises(ReplicationFailed, match="NoNetwork"):
        engine.progress().check()
    assert "FAILED" in str([str(change) for change in engine.changes()])


def test_a_failed_task_is_seen_although_msk_connect_says_running(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make()
    arns = create(engine)
    asked = []

    class Status:
        def __init__(self, cluster: Any, topic: str) -> None:
            self.topic = topic

        def failed(self, since: float) -> str:
            asked.append(self.topic)
            return "task source is FAILED:\nRecordTooLargeException"

    monkeypatch.setattr("kafka_ferry.jobs.runtimes.msk_connect.StatusTopic", Status)
    with pytest.raises(ReplicationFailed, match="RecordTooLarge"):
        engine.progress().check()
    identity = arns[f"{BASE}-source"].rpartition("/")[2]
    assert asked == [f"__amazon_msk_connect_status_{BASE}-source_{identity}"]


def test_a_connector_that_somebody_deleted_ends_the_wait(make: Any, hook: MskConnectHook) -> None:
    engine = make()
    arns = create(engine)
    engine.progress().check()
    hook.delete_connector(arns[f"{BASE}-checkpoint"])
    hook.wait("connector_deleted", 0, connectorArn=arns[f"{BASE}-checkpoint"])
    with pytest.raises(ReplicationFailed, match="no longer exists"):
        engine.progress().check()


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ServiceUnavailableException"])
def test_a_service_that_is_away_is_no_verdict(make: Any, aws: MskConnectDouble, code: str) -> None:
    engine = make()
    create(engine)
    aws.faults.plan({"errors": [{"operation": "ListConnectors", "code": code}]})
    with pytest.raises(TransientError, match=code):  # what the wait tolerates
        engine.progress().check()
    engine.progress().check()


def test_the_plan_tells_what_would_be_made_and_no_secret(make: Any) -> None:
    engine = make()
    told = [engine.about(), *(change.to_json() for change in engine.changes()), engine.names, engine.how_to_stop()]
    assert SECRET not in str(told)
    assert {change.action for change in engine.changes()} == {Action.CREATE}
    assert any(SECRET in str(config) for config in engine.mirror.configs.values())  # there it has to stand
    create(engine)
    assert {change.action for change in engine.changes()} == {Action.NONE}
    assert SECRET not in repr(engine.runtime.hook.find_connector(engine.mirror.wanted[0]))


def test_what_ends_it_by_hand_ends_its_connectors_alone(make: Any, aws: MskConnectDouble, tmp_path: Path) -> None:
    one, other = make(), make(migration="wave-1-2")
    create(one)
    create(other)
    assert all(name.startswith(f"{one.base}-") for name in other.mirror.wanted)
    run_block(one.how_to_stop(), tmp_path, aws.url)
    while there := one.runtime.found(one.mirror.names):
        assert {found.state for found in there} == {"DELETING"}
    assert {(found.name, found.state) for found in other.runtime.found(other.mirror.names)} == {
        (name, "RUNNING") for name in other.mirror.wanted
    }
    run_block(one.how_to_stop(), tmp_path, aws.url)  # again: nothing is there, nothing happens


def test_a_reference_takes_the_place_of_the_secret(make: Any) -> None:
    reference = "${secretsmanager:AmazonMSK_source:password}"
    engine = make(source_references={"sasl.password": reference})
    assert SECRET not in str(engine.mirror.configs)
    assert reference in engine.mirror.configs[f"{BASE}-source"]["source.cluster.sasl.jaas.config"]


def test_worker_properties_that_msk_connect_refuses_are_refused_by_the_plan(make: Any) -> None:
    with pytest.raises(BadParam, match=r"group\.id is set by MSK Connect itself"):
        make(worker_properties={"group.id": "x"}).about()


def test_stop_leaves_nothing_there_and_asks_no_cluster(make: Any, aws: MskConnectDouble) -> None:
    create(make())
    engine = make()
    engine.migration.target = engine.migration.topics = None  # dead
    assert engine.is_there()
    assert len(engine.left()) == 4
    assert len(engine.stop()) == 4
    assert engine.left() == []
    assert not engine.is_there()
    assert (aws.stored, aws.account.connectors) == ({}, {})
    assert engine.stop() == []


def test_msk_connects_own_topics_of_these_connectors_are_deleted_and_no_others(make: Any, target: Target) -> None:
    ours = {f"__amazon_msk_connect_{kind}_{BASE}-source_1a2b-2" for kind in ("configs", "offsets", "status")}
    others = {f"__amazon_msk_connect_status_{BASE}-2-source_3c4d-2", "__amazon_msk_connect_status_cdc_5e-1", "orders"}
    target.names = ours | others
    assert set(make().forget()) == ours
    assert OFFSETS in make().own_topics()


def test_another_migrations_connectors_are_not_ours(make: Any, aws: MskConnectDouble) -> None:
    plugin = msk_lab.active_plugin(aws)
    make().runtime.hook.create_connector(msk_lab.request(plugin, f"{BASE}-source-2"))
    assert not make().is_there()


def test_the_plan_tells_what_the_service_role_may(make: Any, aws: MskConnectDouble) -> None:
    assert make().findings() == []
    about = make().about()["service_role"]
    assert about.check.status == "pass"
    assert about.permission_policy is None  # the cluster wants no login
    aws.clusters.iam_servers[CLUSTER] = "b-1:9098"
    engine = make(canary=True)
    assert engine.findings() == []
    asked = str(engine.service_role.needs.asked())
    for name in ("orders", OFFSETS, "ferry-canary-wave-1", "mm2-offset-syncs.wave-1.internal", "group/ferry/"):
        assert name in asked
    assert f"__amazon_msk_connect_status_{BASE}-checkpoint_" in asked
    provider = {"config.providers": "sm", "config.providers.sm.class": "x.SecretsManagerConfigProvider"}
    secret = make(worker_properties=provider, source_references={"sasl.password": "${sm:AmazonMSK_source:password}"})
    assert "eu-west-1:123456789012:secret:AmazonMSK_source-AbCdEf" in str(secret.service_role.needs.asked())


def test_a_role_that_cannot_work_is_refused_before_anything_is_made(make: Any, aws: MskConnectDouble) -> None:
    aws.clusters.iam_servers[CLUSTER] = "b-1:9098"
    policies = [allow("kafka-cluster:*"), allow("kafka-cluster:WriteData", f"*/{OFFSETS}", "Deny")]
    aws.iam.roles["connect"] = Role("connect", policies=policies)
    (finding,) = make().findings()
    assert finding.severity == "refuse"
    assert finding.param == "service_execution_role_arn"
    with pytest.raises(BadParam, match="revokes kafka-cluster:WriteData"):
        make().deploy()
    assert not {"CreateConnector", "CreateCustomPlugin", "CreateWorkerConfiguration"} & set(aws.requests)


def test_a_cluster_that_is_not_msks_is_reached_by_its_brokers_and_a_vpc(make: Any, aws: MskConnectDouble) -> None:
    engine = make(**ELSEWHERE)
    assert engine.about()["bootstrap_servers"] == ELSEWHERE["bootstrap"]
    assert "cluster_arn" not in engine.about()
    arn = create(engine)[f"{BASE}-source"]
    made = aws.account.connectors[arn].request
    vpc = {"subnets": ["subnet-0b", "subnet-0c"], "securityGroups": ["sg-0d"]}
    assert made["kafkaCluster"] == {"apacheKafkaCluster": {"bootstrapServers": ELSEWHERE["bootstrap"], "vpc": vpc}}
    assert made["kafkaClusterClientAuthentication"] == {"authenticationType": "NONE"}
    assert made["kafkaClusterEncryptionInTransit"] == {"encryptionType": "PLAINTEXT"}
    config = made["connectorConfiguration"]
    assert config["target.cluster.bootstrap.servers"] == ELSEWHERE["bootstrap"]
    assert config["target.cluster.security.protocol"] == "PLAINTEXT"
    assert not {"DescribeClusterV2", "GetBootstrapBrokers"} & set(aws.requests), "MSK knows nothing of it"
    assert engine.readiness().verdict is Verdict.RUNNING
    assert "--region eu-west-1" in engine.how_to_stop()
    engine.stop()
    assert aws.account.connectors == {}


def test_its_role_is_asked_for_no_permission_on_a_cluster(make: Any, aws: MskConnectDouble) -> None:
    aws.iam.roles["connect"] = Role("connect", policies=[])
    engine = make(**ELSEWHERE)
    assert engine.findings() == []
    assert engine.service_role.needs.policy() is None
    secret = "${secretsmanager:AmazonMSK_source:password}"
    provider = {
        "config.providers": "secretsmanager",
        "config.providers.secretsmanager.class": "com.amazonaws.kafka.config.providers.SecretsManagerConfigProvider",
    }
    engine = make(**ELSEWHERE, source_references={"sasl.password": secret}, worker_properties=provider)
    (found,) = engine.findings()
    assert "arn:aws:secretsmanager:eu-west-1:123456789012:secret:AmazonMSK_source" in found.fix
    assert "GetClusterPolicy" not in aws.requests


def test_brokers_that_want_a_login_are_refused_in_the_plan(make: Any) -> None:
    engine = make(**ELSEWHERE)
    engine.migration.target.extra = {"bootstrap.servers": "b2.corp:9092", "security.protocol": "SASL_PLAINTEXT"}
    (found,) = engine.findings()
    assert (found.severity.value, found.param) == ("refuse", "bootstrap")


def test_without_a_region_the_connection_is_named(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make(**ELSEWHERE)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws", "login": "k", "password": "s"}')
    with pytest.raises(BadConnection, match="connection 'aws_default': has no region"):
        engine.about()


def test_another_cluster_than_the_connections_is_seen_once_it_runs(make: Any, target: Target) -> None:
    engine = make(**ELSEWHERE)
    create(engine)
    target.names.clear()
    state = engine.readiness()
    assert state.verdict is Verdict.FAILED
    assert "it is not the cluster of bootstrap" in state.reason


def test_as_many_checkpoint_tasks_are_waited_for_as_there_are_groups_that_mirror_maker_sees(make: Any) -> None:
    """MirrorMaker 2 lists consumer groups alone: a task for a share group would be waited for in vain."""
    mirror = make(tasks_max=8).mirror
    _, checkpoint, _ = mirror.names
    assert mirror.tasks(checkpoint) == 1
