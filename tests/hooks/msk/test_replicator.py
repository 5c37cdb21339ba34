from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from kafka_ferry.exceptions import BadParam, NotAuthorized
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.hooks.msk.rules.replicator import ReplicatorIntent, ReplicatorState, StartingPosition
from kafka_ferry.hooks.msk_connect.rules.errors import (
    DifferentResource,
    MskConnectUnavailable,
    NameTaken,
    OperationFailed,
    ReplicatorFailed,
    ResourceNotFound,
    StaleVersion,
    WaitTimedOut,
)
from msk_lab import ROLE
from stack.msk.cluster import ARN as TARGET
from stack.msk.cluster import SOURCE_ARN as SOURCE
from stack.msk.server import MskConnectDouble


def intent(hook: MskReplicatorHook, **changes: Any) -> ReplicatorIntent:
    source, target = hook.ends(SOURCE, TARGET)
    return ReplicatorIntent(
        **{"name": "wave-1", "source": source, "target": target, "role_arn": ROLE, "topics": ["a"], **changes}
    )


def running(hook: MskReplicatorHook, **changes: Any) -> str:
    arn = hook.create_replicator(intent(hook, **changes))
    hook.wait("replicator_running", 0, ReplicatorArn=arn)
    return arn


def test_a_life(hook: MskReplicatorHook, aws: MskConnectDouble) -> None:
    arn = running(hook)
    found = hook.replicator(arn)
    assert (found.name, found.state) == ("wave-1", ReplicatorState.RUNNING)
    assert (found.cluster("Source"), found.cluster("Target")) == (SOURCE, TARGET)
    assert hook.create_replicator(intent(hook)) == arn
    assert not hook.update_replicator(arn, intent(hook))
    assert hook.update_replicator(arn, intent(hook, topics=["a", "b"]))
    hook.wait("replicator_running", 0, ReplicatorArn=arn)
    hook.confirm(arn, intent(hook, topics=["b", "a"]))
    assert hook.delete_replicator(arn)
    hook.wait("replicator_deleted", 0, ReplicatorArn=arn)
    assert not hook.delete_replicator(arn)
    assert aws.requests.count("CreateReplicator") == aws.requests.count("UpdateReplicationInfo") == 1
    with pytest.raises(ResourceNotFound):
        hook.replicator(arn)


def test_a_name_that_only_begins_alike_is_another(hook: MskReplicatorHook) -> None:
    running(hook, name="wave-12")
    assert hook.find_replicator("wave-1") is None
    assert hook.find_replicator("wave-12") is not None


def test_ends_that_no_replicator_can_stand_between(hook: MskReplicatorHook, aws: MskConnectDouble) -> None:
    with pytest.raises(
        BadParam,
        match=r"param 'source_cluster_arn': no MSK cluster .*unknown.*Fix: "
        r"the ARN",
    ):
        hook.ends(SOURCE.replace("legacy", "unknown"), TARGET)
    aws.clusters.iam[SOURCE] = False
    with pytest.raises(BadParam, match="no IAM access control"):
        hook.ends(SOURCE, TARGET)
    elsewhere = MskReplicatorHook(region_name="eu-north-1")
    with pytest.raises(BadParam, match="lives in the region of its target, eu-west-1"):
        elsewhere.ends(SOURCE, TARGET)


def test_a_failed_one_tells_why_and_is_replaced_only_when_asked(hook: MskReplicatorHook, aws: MskConnectDouble) -> None:
    aws.faults.plan({"replicators": [{"code": "AuthError", "message": "the role may not read"}]})
    arn = hook.create_replicator(intent(hook))
    with pytest.raises(ReplicatorFailed, match="wave-1 is FAILED: AuthError: the role may not read"):
        hook.wait("replicator_running", 0, ReplicatorArn=arn)
    with pytest.raises(ReplicatorFailed, match=r"AuthError.*Fix: delete it"):
        hook.create_replicator(intent(hook))
    assert hook.create_replicator(intent(hook), replace_failed=True) != arn


def test_one_being_deleted_is_awaited_before_its_name_is_used_again(hook: MskReplicatorHook) -> None:
    arn = running(hook)
    hook.delete_replicator(arn)
    assert running(hook) != arn


def test_created_although_the_answer_was_lost(hook: MskReplicatorHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """409: found by name, compared, adopted."""
    arn = hook.create_replicator(intent(hook))
    looks = iter([None, hook.replicator(arn), None, None])
    monkeypatch.setattr(hook, "find_replicator", lambda name: next(looks))
    assert hook.create_replicator(intent(hook)) == arn
    with pytest.raises(NameTaken, match="already exists"):
        hook.create_replicator(intent(hook))


def test_what_cannot_be_changed_is_neither_adopted_nor_updated(hook: MskReplicatorHook) -> None:
    arn = running(hook)
    latest = intent(hook, starting_position=StartingPosition.LATEST)
    for call in (lambda: hook.create_replicator(latest), lambda: hook.update_replicator(arn, latest)):
        with pytest.raises(DifferentResource, match="StartingPosition is EARLIEST, not LATEST"):
            call()


def test_a_stale_version_is_read_again_and_given_up_in_the_end(hook: MskReplicatorHook, aws: MskConnectDouble) -> None:
    arn = running(hook)
    stale = {
        "operation": "UpdateReplicationInfo",
        "code": "BadRequestException",
        "message": "The CurrentVersion is old",
    }
    aws.faults.plan({"errors": [{**stale, "times": 2}]})
    assert hook.update_replicator(arn, intent(hook, topics=["b"]))
    hook.wait("replicator_running", 0, ReplicatorArn=arn)
    aws.faults.plan({"errors": [{**stale, "times": 3}]})
    with pytest.raises(StaleVersion):
        hook.update_replicator(arn, intent(hook, topics=["c"]))


def test_an_update_that_was_not_made_is_told(hook: MskReplicatorHook, aws: MskConnectDouble) -> None:
    arn = running(hook)
    aws.faults.plan({"replications": [{"state": "RUNNING"}]})
    assert hook.update_replicator(arn, intent(hook, topics=["b"]))
    hook.wait("replicator_running", 0, ReplicatorArn=arn)
    with pytest.raises(OperationFailed, match="TopicsToReplicate: a -> b"):
        hook.confirm(arn, intent(hook, topics=["b"]))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("TooManyRequestsException", MskConnectUnavailable),
        ("ServiceUnavailableException", MskConnectUnavailable),
        ("ForbiddenException", NotAuthorized),
    ],
)
def test_errors_say_whether_to_try_again(
    hook: MskReplicatorHook, aws: MskConnectDouble, code: str, error: type[Exception]
) -> None:
    aws.faults.plan({"errors": [{"operation": "CreateReplicator", "code": code}]})
    with pytest.raises(error):
        hook.create_replicator(intent(hook))


def test_the_sixteenth_is_told_of_the_quota(hook: MskReplicatorHook) -> None:
    wish = intent(hook)
    for number in range(15):
        hook.create_replicator(replace(wish, name=f"wave-{number}"))
    with pytest.raises(MskConnectUnavailable, match="15 replicators an account"):
        hook.create_replicator(replace(wish, name="wave-15"))


def test_one_that_never_runs(hook: MskReplicatorHook, aws: MskConnectDouble) -> None:
    aws.faults.plan({"never_runs": True})
    arn = hook.create_replicator(intent(hook))
    with pytest.raises(WaitTimedOut, match="CREATING"):
        hook.wait("replicator_running", 0, 3, ReplicatorArn=arn)


def test_the_lag_is_a_hint_that_may_be_missing(hook: MskReplicatorHook, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = MskReplicatorHook()
    assert blind.message_lag("wave-1") is None  # the double has no CloudWatch metrics
    monkeypatch.setattr(blind, "sibling", lambda *_, **__: pytest.fail("it is not asked for again"))
    assert blind.message_lag("wave-1") is None
    cloudwatch = boto3.client("cloudwatch", region_name="eu-west-1")
    monkeypatch.setattr(hook, "sibling", lambda service, config: cloudwatch)
    times = [datetime(2026, 11, 21, 12, minute, tzinfo=UTC) for minute in (1, 0)]
    points = [{"Timestamp": at, "Sum": float(at.minute)} for at in times]
    asked = {
        "Namespace": "AWS/Kafka", "MetricName": "MessageLag", "Period": 60, "Statistics": ["Sum"],
        "Dimensions": [{"Name": "ReplicatorName", "Value": "wave-1"}], "StartTime": ANY, "EndTime": ANY,
    }  # fmt: skip
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_statistics", {"Datapoints": points}, asked)
        stub.add_response("get_metric_statistics", {"Datapoints": []}, asked)
        assert hook.message_lag("wave-1") == 1.0
        assert hook.message_lag("wave-1") is None
