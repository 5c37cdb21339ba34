"""The double of MSK Connect, asked by boto3's own client."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

import msk_lab
from stack.msk.cluster import ARN as CLUSTER
from stack.msk.server import FAULTS, MskConnectDouble
from stack.msk.wire import BrokenDouble, Wire

CONVERTERS = b"key.converter=K\nvalue.converter=V\n"


@pytest.fixture
def aws() -> Iterator[MskConnectDouble]:
    with msk_lab.double() as running:
        yield running


@pytest.fixture
def kafkaconnect(aws: MskConnectDouble) -> Any:
    return msk_lab.client(aws)


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as error:
        call()
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def running(aws: MskConnectDouble, **changes: Any) -> str:
    kafkaconnect = msk_lab.client(aws)
    plugins = aws.account.plugins
    plugin = next(iter(plugins)) if plugins else msk_lab.active_plugin(aws)
    arn: str = kafkaconnect.create_connector(**msk_lab.request(plugin, **changes))["connectorArn"]
    assert states(kafkaconnect, arn)[-1] == "RUNNING"
    return arn


def states(kafkaconnect: Any, arn: str) -> list[str]:
    """Every state until one stays."""
    seen = [kafkaconnect.describe_connector(connectorArn=arn)["connectorState"]]
    while seen[-1].endswith("ING") and seen[-1] != "RUNNING" and len(seen) < 5:
        seen.append(kafkaconnect.describe_connector(connectorArn=arn)["connectorState"])
    return seen


def ended(kafkaconnect: Any, operation: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(4):
        found = kafkaconnect.describe_connector_operation(connectorOperationArn=operation)
    return found


def version(kafkaconnect: Any, arn: str) -> str:
    return str(kafkaconnect.describe_connector(connectorArn=arn)["currentVersion"])


def test_every_operation_of_the_model_is_emulated(aws: MskConnectDouble) -> None:
    for name in Wire("kafkaconnect").model.operation_names:
        assert callable(aws._action("kafkaconnect", name)), name


def test_a_connectors_life(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    plugin = msk_lab.active_plugin(aws)
    made = kafkaconnect.create_connector(**msk_lab.request(plugin))
    assert (made["connectorName"], made["connectorState"]) == ("orders", "CREATING")
    assert states(kafkaconnect, made["connectorArn"]) == ["CREATING", "RUNNING"]
    found = kafkaconnect.describe_connector(connectorArn=made["connectorArn"])
    wanted = msk_lab.request(plugin)
    assert {key: found[key] for key in wanted} == wanted
    assert kafkaconnect.delete_connector(connectorArn=made["connectorArn"])["connectorState"] == "DELETING"
    assert kafkaconnect.describe_connector(connectorArn=made["connectorArn"])["connectorState"] == "DELETING"
    gone = refused(lambda: kafkaconnect.describe_connector(connectorArn=made["connectorArn"]))
    assert gone[:2] == ("NotFoundException", 404)


def test_a_name_twice(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    running(aws)
    again = refused(lambda: kafkaconnect.create_connector(**msk_lab.request(next(iter(aws.account.plugins)))))
    assert again == ("ConflictException", 409, "A resource with this name already exists.")


def test_a_class_that_the_plugin_does_not_have(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    plugin = msk_lab.active_plugin(aws)
    config = {"connector.class": "no.Such", "tasks.max": "1"}
    made = kafkaconnect.create_connector(**msk_lab.request(plugin, connectorConfiguration=config))
    assert states(kafkaconnect, made["connectorArn"])[-1] == "FAILED"
    reason = kafkaconnect.describe_connector(connectorArn=made["connectorArn"])["stateDescription"]
    assert reason["code"] == "InvalidInput.InvalidConnectorConfiguration"
    assert reason["message"].endswith("which name matches no.Such")
    assert "stateDescription" not in kafkaconnect.list_connectors()["connectors"][0]


def test_a_plugin_that_is_not_in_s3_or_no_zip(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    aws.stored["b/text.zip"] = b"text"
    for key, code in (("none.zip", "InvalidInput.InvalidS3Location"), ("text.zip", "InvalidInput.InvalidCustomPlugin")):
        location = {"s3Location": {"bucketArn": "arn:aws:s3:::b", "fileKey": key}}
        name = key.partition(".")[0]
        arn = kafkaconnect.create_custom_plugin(name=name, contentType="ZIP", location=location)["customPluginArn"]
        assert kafkaconnect.describe_custom_plugin(customPluginArn=arn)["customPluginState"] == "CREATING"
        found = kafkaconnect.describe_custom_plugin(customPluginArn=arn)
        assert (found["customPluginState"], found["stateDescription"]["code"]) == ("CREATE_FAILED", code)
        assert "latestRevision" not in found
        use = refused(lambda arn=arn: kafkaconnect.create_connector(**msk_lab.request(arn)))
        assert use[0] == "BadRequestException"


def test_an_active_plugin_tells_size_and_digest(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    arn = msk_lab.active_plugin(aws)
    (content,) = aws.stored.values()
    file = kafkaconnect.describe_custom_plugin(customPluginArn=arn)["latestRevision"]["fileDescription"]
    assert (file["fileSize"], len(file["fileMd5"])) == (len(content), 32)


def test_an_update_is_an_operation_with_steps_and_a_new_version(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    arn = running(aws)
    before = version(kafkaconnect, arn)
    config = {"connector.class": msk_lab.CLASS, "tasks.max": "3"}
    update = kafkaconnect.update_connector(connectorArn=arn, currentVersion=before, connectorConfiguration=config)
    busy = refused(
        lambda: kafkaconnect.update_connector(connectorArn=arn, currentVersion=before, connectorConfiguration=config)
    )
    assert busy[0] == "BadRequestException"
    operation = ended(kafkaconnect, update["connectorOperationArn"])
    assert operation["connectorOperationState"] == "UPDATE_COMPLETE"
    assert operation["targetConnectorConfiguration"] == config
    assert {step["stepState"] for step in operation["operationSteps"]} == {"COMPLETED"}
    assert version(kafkaconnect, arn) != before
    assert kafkaconnect.describe_connector(connectorArn=arn)["connectorConfiguration"] == config
    (listed,) = kafkaconnect.list_connector_operations(connectorArn=arn)["connectorOperations"]
    assert listed["connectorOperationArn"] == update["connectorOperationArn"]
    assert "targetConnectorConfiguration" not in listed


def test_an_update_that_breaks_the_connector_is_rolled_back(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    arn = running(aws)
    before = kafkaconnect.describe_connector(connectorArn=arn)
    update = kafkaconnect.update_connector(
        connectorArn=arn,
        currentVersion=before["currentVersion"],
        connectorConfiguration={"connector.class": "no.Such", "tasks.max": "1"},
    )
    operation = ended(kafkaconnect, update["connectorOperationArn"])
    assert operation["connectorOperationState"] == "ROLLBACK_COMPLETE"
    assert "no.Such" in operation["errorInfo"]["message"]
    after = kafkaconnect.describe_connector(connectorArn=arn)
    # The trap: RUNNING again, with the old config.
    assert (after["connectorState"], after["connectorConfiguration"]) == ("RUNNING", before["connectorConfiguration"])


def test_what_an_update_refuses(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    arn = running(aws)
    capacity = {"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}}
    now = version(kafkaconnect, arn)
    same = refused(lambda: kafkaconnect.update_connector(connectorArn=arn, currentVersion=now, capacity=capacity))
    assert same[0] == "BadRequestException"
    assert "identical to the current value" in same[2]
    config = {"connector.class": msk_lab.CLASS}
    stale = refused(
        lambda: kafkaconnect.update_connector(connectorArn=arn, currentVersion="K0", connectorConfiguration=config)
    )
    assert stale[:2] == ("BadRequestException", 400)
    both = refused(
        lambda: kafkaconnect.update_connector(
            connectorArn=arn, currentVersion=now, connectorConfiguration=config, capacity=capacity
        )
    )
    assert both[0] == "BadRequestException"


def test_pause_resume_restart(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    arn = running(aws)
    assert refused(lambda: kafkaconnect.resume_connector(connectorArn=arn))[:2] == ("ConflictException", 409)
    for verb, state in (("pause", "PAUSED"), ("resume", "RUNNING"), ("restart", "RUNNING")):
        operation = getattr(kafkaconnect, f"{verb}_connector")(connectorArn=arn)["connectorOperationArn"]
        assert ended(kafkaconnect, operation)["connectorOperationState"] == f"{verb.upper()}_COMPLETE"
        assert kafkaconnect.describe_connector(connectorArn=arn)["connectorState"] == state


def test_quotas(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    ten = {"provisionedCapacity": {"mcuCount": 1, "workerCount": 10}}
    scaled = {"autoScaling": {"mcuCount": 1, "minWorkerCount": 1, "maxWorkerCount": 10}}
    for number in range(6):
        running(aws, name=f"c{number}", capacity=scaled if number % 2 else ten)
    one = msk_lab.request(next(iter(aws.account.plugins)), "c6")
    assert refused(lambda: kafkaconnect.create_connector(**one))[:2] == ("TooManyRequestsException", 429)


@pytest.mark.parametrize(
    "capacity",
    [
        {"provisionedCapacity": {"mcuCount": 3, "workerCount": 1}},
        {"provisionedCapacity": {"mcuCount": 1, "workerCount": 11}},
        {"autoScaling": {"mcuCount": 1, "minWorkerCount": 3, "maxWorkerCount": 2}},
        {"autoScaling": {"mcuCount": 1, "minWorkerCount": 1, "maxWorkerCount": 2, "maxAutoscalingTaskCount": 1}},
        {},
    ],
)
def test_capacities_that_are_refused(aws: MskConnectDouble, kafkaconnect: Any, capacity: dict[str, Any]) -> None:
    plugin = msk_lab.active_plugin(aws)
    call = refused(lambda: kafkaconnect.create_connector(**msk_lab.request(plugin, capacity=capacity)))
    assert call[:2] == ("BadRequestException", 400)


def test_enums_which_boto3_does_not_check(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    plugin = msk_lab.active_plugin(aws)
    request = msk_lab.request(plugin, kafkaClusterClientAuthentication={"authenticationType": "SCRAM"})
    assert "none of ['NONE', 'IAM']" in refused(lambda: kafkaconnect.create_connector(**request))[2]


def test_requests_are_checked_also_when_the_client_does_not(aws: MskConnectDouble) -> None:
    free = msk_lab.client(aws, parameter_validation=False)
    code, status, message = refused(lambda: free.create_custom_plugin(name="x"))
    assert (code, status) == ("BadRequestException", 400)
    assert "contentType" in message


def test_worker_configurations(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    content = base64.b64encode(CONVERTERS).decode()
    made = kafkaconnect.create_worker_configuration(name="bytes", propertiesFileContent=content)
    arn = made["workerConfigurationArn"]
    found = kafkaconnect.describe_worker_configuration(workerConfigurationArn=arn)
    assert found["latestRevision"]["propertiesFileContent"] == content
    bad = base64.b64encode(CONVERTERS + b"group.id=mine\n").decode()
    refusal = refused(lambda: kafkaconnect.create_worker_configuration(name="bad", propertiesFileContent=bad))
    assert refusal[0] == "BadRequestException"
    again = refused(lambda: kafkaconnect.create_worker_configuration(name="bytes", propertiesFileContent=content))
    assert again[0] == "ConflictException"
    used = running(aws, workerConfiguration={"workerConfigurationArn": arn, "revision": 1})
    assert refused(lambda: kafkaconnect.delete_worker_configuration(workerConfigurationArn=arn))[1] == 400
    kafkaconnect.delete_connector(connectorArn=used)
    assert kafkaconnect.describe_connector(connectorArn=used)["connectorState"] == "DELETING"
    assert refused(lambda: kafkaconnect.describe_connector(connectorArn=used))[0] == "NotFoundException"
    assert (
        kafkaconnect.delete_worker_configuration(workerConfigurationArn=arn)["workerConfigurationState"] == "DELETING"
    )


def test_lists_are_paged(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    for number in range(3):
        msk_lab.active_plugin(aws, f"orders-{number}")
    msk_lab.active_plugin(aws, "other")
    pages = list(kafkaconnect.get_paginator("list_custom_plugins").paginate(namePrefix="orders", maxResults=2))
    assert [[one["name"] for one in page["customPlugins"]] for page in pages] == [
        ["orders-0", "orders-1"],
        ["orders-2"],
    ]


def test_tags(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    arn = running(aws, tags={"team": "shop"})
    kafkaconnect.tag_resource(resourceArn=arn, tags={"cost": "low", "x": "y"})
    kafkaconnect.untag_resource(resourceArn=arn, tagKeys=["x"])
    assert kafkaconnect.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "shop", "cost": "low"}


def test_planned_faults_come_once_also_by_the_admin_endpoint(aws: MskConnectDouble, kafkaconnect: Any) -> None:
    errors = [{"operation": "ListConnectors", "code": "TooManyRequestsException", "times": 2}]
    requests.post(f"{aws.url}{FAULTS}", json={"errors": errors}, timeout=10).raise_for_status()
    for _ in range(2):
        assert refused(kafkaconnect.list_connectors)[:2] == ("TooManyRequestsException", 429)
    assert kafkaconnect.list_connectors()["connectors"] == []
    aws.faults.plan({"connectors": [{"code": "Boom", "message": "planned"}]})
    made = kafkaconnect.create_connector(**msk_lab.request(msk_lab.active_plugin(aws)))
    assert states(kafkaconnect, made["connectorArn"])[-1] == "FAILED"


def test_the_cluster(aws: MskConnectDouble) -> None:
    kafka = msk_lab.client(aws, "kafka")
    info = kafka.describe_cluster_v2(ClusterArn=CLUSTER)["ClusterInfo"]
    assert info["Provisioned"]["BrokerNodeGroupInfo"]["ClientSubnets"] == ["subnet-0a", "subnet-0b"]
    assert kafka.get_bootstrap_brokers(ClusterArn=CLUSTER)["BootstrapBrokerString"] == "b-1:9092,b-2:9092"
    assert refused(lambda: kafka.describe_cluster_v2(ClusterArn=CLUSTER + "x"))[0] == "NotFoundException"


def test_logs_of_the_workers(aws: MskConnectDouble) -> None:
    running(aws)
    logs = msk_lab.client(aws, "logs")
    events = logs.filter_log_events(logGroupName="/ferry", logStreamNamePrefix="orders-")["events"]
    assert [event["message"] for event in events] == ["[worker] start"]
    assert refused(lambda: logs.filter_log_events(logGroupName="/none"))[0] == "ResourceNotFoundException"


def test_an_answer_that_the_model_does_not_have_is_a_bug_of_the_double() -> None:
    wire = Wire("kafkaconnect")
    operation = wire.model.operation_model("DescribeConnector")
    with pytest.raises(BrokenDouble):
        wire.answer(operation, {"connectorState": "STOPPED"})
    with pytest.raises(BrokenDouble):
        wire.answer(operation, {"restart": "x"})


def test_s3_as_far_as_plugins_need_it(aws: MskConnectDouble) -> None:
    s3 = msk_lab.client(aws, "s3", s3={"addressing_style": "path"})
    s3.put_object(Bucket="b", Key="a/b.zip", Body=b"x" * 100_000)
    assert aws.stored["b/a/b.zip"] == b"x" * 100_000
    assert s3.head_object(Bucket="b", Key="a/b.zip")["ContentLength"] == 100_000
    assert refused(lambda: s3.head_object(Bucket="b", Key="none"))[1] == 404
