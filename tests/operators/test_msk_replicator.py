from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

import msk_lab
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.hooks.msk_connect.rules.errors import MskConnectUnavailable, WaitTimedOut
from kafka_ferry.operators.msk import MskCreateReplicatorOperator, MskDeleteReplicatorOperator
from kafka_ferry.sensors.msk_replicator import MskReplicatorStateSensor
from msk_lab import ROLE, run_deferred
from stack.msk.cluster import ARN as TARGET
from stack.msk.cluster import SOURCE_ARN as SOURCE
from stack.msk.server import MskConnectDouble

FAST = {"waiter_delay": 0.0, "waiter_max_attempts": 10}
HERE_AND_DEFERRED = pytest.mark.parametrize("deferrable", [False, True])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    monkeypatch.setattr(MskReplicatorHook, "deletion_delay", 0.0)
    with msk_lab.connected(monkeypatch) as running:
        yield running


def create(**changes: Any) -> MskCreateReplicatorOperator:
    arguments: dict[str, Any] = {
        "replicator_name": "wave-1",
        "source_cluster_arn": SOURCE,
        "cluster_arn": TARGET,
        "service_execution_role_arn": ROLE,
        "topics": ["orders.*"],
        **FAST,
    }
    return MskCreateReplicatorOperator(task_id="replicator", **{**arguments, **changes})


@HERE_AND_DEFERRED
def test_a_whole_life_twice_leaves_nothing(aws: MskConnectDouble, deferrable: bool) -> None:
    for _ in range(2):
        arn = run_deferred(create(deferrable=deferrable))
        assert run_deferred(create(deferrable=deferrable)) == arn  # cleared
        (made,) = aws.account.replicators.values()
        assert made.info["TopicReplication"]["StartingPosition"] == {"Type": "EARLIEST"}
        run_deferred(MskDeleteReplicatorOperator(task_id="d", replicator_arn=arn, deferrable=deferrable, **FAST))
        assert aws.account.replicators == {}
        run_deferred(MskDeleteReplicatorOperator(task_id="d", replicator_arn=arn, deferrable=deferrable, **FAST))


@HERE_AND_DEFERRED
def test_one_that_exists_is_updated_and_held_to_it(aws: MskConnectDouble, deferrable: bool) -> None:
    arn = run_deferred(create())
    assert run_deferred(create(topics=["orders.*", "bills"], deferrable=deferrable)) == arn
    assert aws.account.replicators[arn].info["TopicReplication"]["TopicsToReplicate"] == ["orders.*", "bills"]
    aws.faults.plan({"replications": [{"state": "RUNNING"}]})
    with pytest.raises(AirflowFailException, match="differs:\n~ TopicsToReplicate: bills, orders"):
        run_deferred(create(topics=["c"], deferrable=deferrable))
    aws.faults.plan({"replications": [{"code": "Broken", "message": "planned"}]})
    with pytest.raises(AirflowFailException, match="FAILED: Broken: planned"):
        run_deferred(create(topics=["d"], deferrable=deferrable))


@HERE_AND_DEFERRED
def test_a_failed_one_is_not_tried_again(aws: MskConnectDouble, deferrable: bool) -> None:
    aws.faults.plan({"replicators": [{"code": "AuthError", "message": "no access"}]})
    with pytest.raises(AirflowFailException, match="AuthError: no access"):
        run_deferred(create(deferrable=deferrable))


@HERE_AND_DEFERRED
def test_what_may_pass_is_left_to_airflows_retries(aws: MskConnectDouble, deferrable: bool) -> None:
    aws.faults.plan({"errors": [{"operation": "CreateReplicator", "code": "TooManyRequestsException"}]})
    with pytest.raises(MskConnectUnavailable):
        run_deferred(create(deferrable=deferrable))
    aws.faults.plan({"never_runs": True})
    with pytest.raises(WaitTimedOut, match="CREATING"):
        run_deferred(create(waiter_delay=0.01, waiter_max_attempts=3, deferrable=deferrable))


@pytest.mark.parametrize(
    "changes", [{"starting_position": "FIRST"}, {"naming": "SAME"}, {"compression": "BZIP"}, {"topics": []}]
)
def test_bad_input_names_the_param(aws: MskConnectDouble, changes: dict[str, Any]) -> None:
    with pytest.raises(AirflowFailException, match=next(iter(changes))):
        run_deferred(create(**changes))
    assert "CreateReplicator" not in aws.requests


def test_waiting_is_at_least_half_an_hour() -> None:
    operator = create(waiter_delay=30, waiter_max_attempts=80)
    plain = MskDeleteReplicatorOperator(task_id="d", replicator_arn="arn")
    assert plain.waiter_delay * plain.waiter_max_attempts >= 30 * 60
    assert operator.waiter_delay * operator.waiter_max_attempts >= 30 * 60
    assert MskReplicatorStateSensor(task_id="s", replicator_arn="arn").timeout >= 30 * 60


@HERE_AND_DEFERRED
def test_the_sensor(aws: MskConnectDouble, deferrable: bool) -> None:
    arn = run_deferred(create(wait_for_completion=False))
    how = {"replicator_arn": arn, "poke_interval": 0.01, "timeout": 30, "deferrable": deferrable}
    run_deferred(MskReplicatorStateSensor(task_id="s", **how))
    run_deferred(MskDeleteReplicatorOperator(task_id="d", replicator_arn=arn, wait_for_completion=False))
    run_deferred(MskReplicatorStateSensor(task_id="s", target_state="DELETED", **how))
    assert aws.account.replicators == {}
    with pytest.raises(AirflowFailException, match="is not a state to wait for"):
        run_deferred(MskReplicatorStateSensor(task_id="s", target_state="UPDATING", **how))


OUTSIDE: dict[str, Any] = {
    "cluster_id": "lkc-1",
    "bootstrap_servers": "b1:9094",
    "subnets": ["subnet-a", "subnet-b"],
    "authentication": {"MTLS": {"SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:k-AbCdEf"}},
}


def test_a_source_outside_msk(aws: MskConnectDouble) -> None:
    arn = run_deferred(create(source_cluster_arn=None, source=OUTSIDE))
    assert aws.account.replicators[arn].info["SourceKafkaClusterId"] == "lkc-1"
    assert run_deferred(create(source_cluster_arn=None, source=OUTSIDE)) == arn


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"source": OUTSIDE}, "'source_cluster_arn' is given beside source"),
        ({"source_cluster_arn": None}, "'source_cluster_arn' is missing"),
        ({"source_cluster_arn": None, "source": {**OUTSIDE, "brokers": "x"}}, "'source'.*unexpected keyword .*brokers"),
        ({"source_cluster_arn": None, "source": {**OUTSIDE, "subnets": ["a"]}}, "'subnets'.*at least 2"),
    ],
)
def test_a_source_that_cannot_be(aws: MskConnectDouble, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(AirflowFailException, match=problem):
        create(**changes).execute({})
