"""Our connector on MSK Connect: its plugin, its role, how it is made again and taken away. A double without workers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import msk_lab
from kafka_ferry.core.finding import Severity
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState
from kafka_ferry.jobs.s3.connect import msk_connect
from kafka_ferry.jobs.s3.connect.carrier import Carrier, bucket_notes, msk_connector_name, runtime_of
from kafka_ferry.jobs.s3.connect.msk_connect import S3MskRuntime
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.own_connectors import CLASSES, PLUGIN
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Way
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec
from msk_lab import BUCKET, ROLE
from stack.msk import CLUSTER
from stack.msk.iam import Role, allow, trust_of
from stack.msk.server import MskConnectDouble

GIVEN: dict[str, Any] = {
    "transport": "msk_connect",
    "cluster_arn": CLUSTER,
    "service_execution_role_arn": ROLE,
    "plugin_bucket": BUCKET,
    "location": "s3://b/p",
    "follow_interval": 1,
}
NAME = "e-export-1"


class Admin:
    """Topics of the connector's own cluster."""

    def __init__(self) -> None:
        self.topics = {f"__amazon_msk_connect_offsets_{NAME}.kept", f"__amazon_msk_connect_status_{NAME}_1-2", "orders"}

    def topic_names(self) -> list[str]:
        return sorted(self.topics)

    def topic_ids(self, names: Sequence[str]) -> dict[str, str]:
        return {name: "i" for name in names if name in self.topics}

    def delete_topics(self, names: Sequence[str]) -> list[str]:
        there = [name for name in names if name in self.topics]
        self.topics -= set(there)
        return there


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Admin:
    made = Admin()
    monkeypatch.setattr(msk_connect, "KafkaClusterHook", lambda conn_id: SimpleNamespace(conn_id=conn_id, admin=made))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / PLUGIN, "w") as made:
        made.writestr("ours/ours.jar", msk_lab.jar(*CLASSES.values()))
        made.writestr("ours/LICENSE", "none yet")
    return tmp_path


def runtime(hook: MskConnectHook, folder: Path | None, way: Way = "sink", **params: Any) -> S3MskRuntime:
    given = {**GIVEN, "plugin_folder": str(folder) if folder else None, **params}
    spec = ExportSpec.from_params({"topics": ["orders"], **given}) if way == "sink" else ImportSpec.from_params(given)
    made = runtime_of(way, spec, NAME, "kafka")
    assert isinstance(made, S3MskRuntime)
    made.resources.hook, made.resources.waits = hook, (0, 20)
    made.hook = hook
    # The workers' own notes are in topics of a cluster, which there is none of.
    monkey = cast(Any, made)
    monkey._problem = lambda found: found.reason if found.state is ConnectorState.FAILED else ""
    return made


CONFIG = {NAME: {"connector.class": CLASSES["sink"], "tasks.max": "1", "topics": "orders"}}


def test_the_zip_is_a_plugin_of_its_own_content(hook: MskConnectHook, aws: MskConnectDouble, folder: Path,
                                                admin: Admin) -> None:  # fmt: skip
    made = runtime(hook, folder)
    made.check(CLASSES["sink"], None, PLUGIN)
    made.deploy(CONFIG, {})
    (stored,) = aws.stored.values()
    with zipfile.ZipFile(io.BytesIO(stored)) as opened:
        assert sorted(opened.namelist()) == ["ours/LICENSE", "ours/ours.jar"]
    hook.wait("connector_running", 0, connectorArn=made.found([NAME])[0].arn)
    assert made.problem([NAME]) == ""


def test_a_folder_with_other_jars_is_refused(hook: MskConnectHook, tmp_path: Path, admin: Admin) -> None:
    (tmp_path / "other.jar").write_bytes(msk_lab.jar("shop.Orders"))
    with pytest.raises(BadParam, match=rf"'plugin_folder': its JARs have no class .*Sink.*put {PLUGIN} there"):
        runtime(hook, tmp_path).check(CLASSES["sink"], None, PLUGIN)


def test_a_zip_that_is_a_link_is_not_followed(hook: MskConnectHook, folder: Path, tmp_path: Path, admin: Admin) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / PLUGIN).symlink_to(folder / PLUGIN)
    with pytest.raises(BadParam, match=r"'plugin_folder': .* cannot be read: .*links are not followed"):
        runtime(hook, tmp_path / "there").check(CLASSES["sink"], None, PLUGIN)


def test_a_plugin_that_is_there_has_to_be_active(hook: MskConnectHook, aws: MskConnectDouble, admin: Admin) -> None:
    arn = msk_lab.active_plugin(aws, "ours", *CLASSES.values())
    runtime(hook, None, custom_plugin_arn=arn).check(CLASSES["sink"], None, PLUGIN)
    absent = arn.replace("ours", "others")
    with pytest.raises(BadParam, match=r"'custom_plugin_arn': there is no custom plugin .*Fix: the ARN of a plugin"):
        runtime(hook, None, custom_plugin_arn=absent).check(CLASSES["sink"], None, PLUGIN)
    aws.faults.plan({"plugins": [{"code": "InvalidInput.InvalidCustomPlugin", "message": "The file is no ZIP."}]})
    broken = msk_lab.client(aws).create_custom_plugin(
        name="broken", contentType="ZIP", location=msk_lab.store(aws, key="x.zip")
    )["customPluginArn"]
    while msk_lab.client(aws).describe_custom_plugin(customPluginArn=broken)["customPluginState"] == "CREATING":
        pass
    with pytest.raises(BadParam, match="'custom_plugin_arn': the plugin is CREATE_FAILED: The file is no ZIP"):
        runtime(hook, None, custom_plugin_arn=broken).check(CLASSES["sink"], None, PLUGIN)
    assert "CreateConnector" not in aws.requests


def test_one_that_failed_is_made_again_and_says_why_before(
    hook: MskConnectHook, aws: MskConnectDouble, folder: Path, admin: Admin
) -> None:
    made = runtime(hook, folder)
    aws.faults.plan({"connectors": [{"code": "UnknownError.Unknown", "message": "no route to the brokers"}]})
    made.deploy(CONFIG, {})
    while made.found([NAME])[0].state is ConnectorState.CREATING:
        pass
    first = made.found([NAME])[0]
    assert first.state is ConnectorState.FAILED
    assert "no route to the brokers" in made.problem([NAME])
    made.deploy(CONFIG, {}, restart_failed=True)
    assert made.found([NAME])[0].arn != first.arn


def test_one_that_somebody_deleted_is_missed(
    hook: MskConnectHook, aws: MskConnectDouble, folder: Path, admin: Admin
) -> None:
    made = runtime(hook, folder)
    aws.faults.plan({"never_runs": True})
    made.deploy(CONFIG, {})
    assert Carrier(NAME, made, intent(), transport="msk_connect").starts()
    assert made.problem([NAME]) == ""
    made.remove([NAME], forget=False)
    assert made.problem([NAME]) == f"connector {NAME} no longer exists"


def test_one_whose_offsets_have_to_change_is_made_again(
    hook: MskConnectHook, folder: Path, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task reads its offsets when it starts, and at no other time."""
    made, seen = runtime(hook, folder, "source"), []
    config = {NAME: {**CONFIG[NAME], "connector.class": CLASSES["source"]}}
    made.deploy(config, {})
    monkeypatch.setattr(made, "offsets", lambda name: [])

    def begin(_: object) -> list[dict[str, Any]]:
        seen.append(made.existing([NAME]))
        return []

    made.deploy(config, {NAME: begin})
    assert seen == [[]], "it is gone while they change"
    assert made.existing([NAME]) == [NAME]


def test_it_is_paused_or_where_that_is_not_known_deleted(
    hook: MskConnectHook, folder: Path, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = runtime(hook, folder, connector_afterwards="pause")
    made.deploy(CONFIG, {})
    hook.wait("connector_running", 0, connectorArn=made.found([NAME])[0].arn)
    made.pause([NAME])
    assert made.found([NAME])[0].state is ConnectorState.PAUSED
    made.check(CLASSES["sink"], None, PLUGIN)
    monkeypatch.setattr(S3MskRuntime, "_can_pause", False)
    made.pause([NAME])
    assert made.existing([NAME]) == []
    with pytest.raises(BadParam, match=r"'connector_afterwards' is pause, and the boto3 .*Fix: boto3 1\.43\.118"):
        made.check(CLASSES["sink"], None, PLUGIN)


@pytest.mark.parametrize(("way", "forget"), [("sink", False), ("source", False), ("source", True)])
def test_nothing_is_left_but_the_position_of_a_source(
    hook: MskConnectHook, aws: MskConnectDouble, folder: Path, admin: Admin, way: Way, forget: bool
) -> None:
    made = runtime(hook, folder, way)
    made.deploy({NAME: {**CONFIG[NAME], "connector.class": CLASSES[way]}}, {})
    removed = made.remove([NAME], forget=forget)
    assert {one.split(" ")[0] for one in removed} == {"connector", "custom", "worker", "topic"}
    assert made.left([NAME]) == []
    assert (aws.stored, aws.account.plugins, aws.account.worker_configurations) == ({}, {}, {})
    stays = way == "source" and not forget
    assert admin.topics == {"orders", *[f"__amazon_msk_connect_offsets_{NAME}.kept"] * stays}


def test_it_names_the_cluster_that_it_is_not_on(hook: MskConnectHook, folder: Path, admin: Admin) -> None:
    made = runtime(hook, folder)
    made.deploy(CONFIG, {})
    hook.wait("connector_running", 0, connectorArn=made.found([NAME])[0].arn)
    admin.topics.clear()
    assert "it is not the cluster of cluster_arn" in made.problem([NAME])


def intent(way: Way = "sink", **more: Any) -> Intent:
    about: dict[str, Any] = {"bucket": "b", "prefix": "p", "export": "e", **more}
    return Intent(way=way, topics=("orders",), **about)


def test_a_role_that_cannot_work_is_refused(
    hook: MskConnectHook, aws: MskConnectDouble, folder: Path, admin: Admin
) -> None:
    aws.clusters.iam_servers[CLUSTER] = "b-1:9098"
    one = Carrier(NAME, runtime(hook, folder), intent(), transport="msk_connect")
    assert [found for found in one.findings() if found.severity is Severity.REFUSE] == []
    assert one.planned().service_role is not None
    aws.iam.roles["connect"] = Role("connect", trust=trust_of("ec2.amazonaws.com"), policies=[allow("s3:*")])
    other = Carrier(NAME, runtime(hook, folder, "source"), intent("source", renames={"orders": "copied"}))
    said = " ".join(str(found) for found in other.findings() if found.severity is Severity.REFUSE)
    assert "kafkaconnect.amazonaws.com" in said
    assert "WriteDataIdempotently" in said
    assert "/copied" in said
    with pytest.raises(BadParam, match="service_execution_role_arn"):
        other.deploy()
    assert not {"CreateConnector", "CreateCustomPlugin", "CreateWorkerConfiguration"} & set(aws.requests)


def test_the_plan_says_what_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws", "login": "a", "password": "b"}')
    role, committed = bucket_notes("aws_default", intent(), "msk_connect")
    assert "reaches s3://b/p by its service role, whose rights there are not checked" in role
    assert "keep to it or refuse the connector" in committed
    assert len(bucket_notes("aws_default", intent(read_committed=False), "msk_connect")) == 1
    assert len(bucket_notes("aws_default", intent("source"), "msk_connect")) == 1


def test_names_that_are_one_on_msk_connect_are_told_apart() -> None:
    names = {msk_connector_name(export, "sink", "s3://b") for export in ("a.b", "a_b", "a-b")}
    assert len(names) == 3
    assert all(name.startswith("a-b-export-") for name in names)
    with pytest.raises(BadParam, match="'export': names on MSK Connect would be longer"):
        msk_connector_name("x" * 100, "sink", "s3://b")
