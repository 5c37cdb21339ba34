"""``check_connections`` on real systems: what is there passes, and each thing that was planted is named."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

import sshd
from connections_by_hand import CheckRun
from group_offsets import commit
from kafka_ferry.jobs.connections.live.planning import probe_name
from stack import Stack
from stack.msk import CLUSTER
from stack.s3 import ACCESS_KEY, BUCKET, SECRET

pytestmark = pytest.mark.integration

LOCATION = f"s3://{BUCKET}/checked"
OPEN = ["kafka_source", "kafka_target", "kafka_connect", "aws_default"]
Change = Callable[..., None]


@pytest.fixture(autouse=True)
def artifacts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Folder of all that the runs write."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


@pytest.fixture
def change(connections: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Change:
    """``change("mine", "aws_default", password="x")``: a connection like one of the stack's, but for some fields."""

    def changed(conn_id: str, like: str, **fields: Any) -> None:
        before = json.loads(connections[f"AIRFLOW_CONN_{like.upper()}"])
        extra = {**before.get("extra", {}), **fields.pop("extra", {})}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({**before, **fields, "extra": extra}))

    return changed


def s3(stack: Stack) -> Any:
    """A client of the stack's S3."""
    url = stack.variables()["FERRY_S3_ENDPOINT"]
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET}
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)


def objects(stack: Stack) -> list[str]:
    """Keys below the location."""
    return [one["Key"] for one in s3(stack).list_objects_v2(Bucket=BUCKET, Prefix="checked/").get("Contents", [])]


def wrong(check: dict[str, Any]) -> str:
    """What a check that failed says is missing."""
    assert check["status"] == "fail", check
    return " ".join(check["differences"])


def test_all_that_the_stack_has_passes(
    stack: Stack, connections: dict[str, str], topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}billing"
    make_topics(stack.source_bootstrap, topic)
    produce(stack.source_bootstrap, topic, 3)
    commit(stack.source_bootstrap, group, {(topic, 0): 2})
    run = CheckRun("passes", connections=OPEN, topics=[topic], groups=[group], location=LOCATION, cluster_arn=CLUSTER,
                   services=["msk_connect", "msk_replicator"])  # fmt: skip
    report = run.whole()
    checks = {check["name"]: check for check in report["checks"]}
    assert {name: check["status"] for name, check in checks.items()} == dict.fromkeys(OPEN, "pass"), checks
    assert report["verdict"] == "PASS"
    assert report["sentence"] == "4 connections answer, and nothing that was asked for is missing."
    for name in ("kafka_source", "kafka_target"):
        assert checks[name]["actual"].endswith("1 broker")
        assert "it may do everything" in checks[name]["detail"]
    assert "Kafka Connect 4.3.1" in checks["kafka_connect"]["actual"]
    assert "it can load MirrorMaker 2, the rename policy of Kafka Ferry" in checks["kafka_connect"]["detail"]
    assert "tried kafka:DescribeClusterV2" in checks["aws_default"]["detail"]
    assert objects(stack) == []


def test_each_thing_that_is_wrong_is_named_and_the_others_pass(
    stack: Stack, change: Change, topic_prefix: str, make_topics: Any
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders")
    change("wrong_port", "kafka_source", extra={"bootstrap.servers": "127.0.0.1:1"})
    change("wrong_worker", "kafka_connect", port=1)
    # A broker is no worker: it takes the connection, and answers with nothing that is HTTP.
    change("no_worker", "kafka_connect", port=int(stack.source_bootstrap.rpartition(":")[2]))
    change("wrong_key", "aws_default", password="another")
    change("wrong_type", "kafka_source", conn_type="postgres")
    ids = [*OPEN, "wrong_port", "wrong_worker", "no_worker", "wrong_key", "wrong_type", "kafka_sourc"]
    run = CheckRun("planted", connections=ids, topics=[topic], location=LOCATION, patience=5)
    begun = time.monotonic()
    report = run.whole()
    assert time.monotonic() - begun < 120
    checks = {check["name"]: check for check in report["checks"]}
    assert list(checks) == ids
    assert {checks[name]["status"] for name in OPEN} == {"pass"}, checks
    assert report["verdict"] == "FAIL"
    assert "wrong_port: no answer in" in wrong(checks["wrong_port"]) or "wrong_port: cannot" in wrong(
        checks["wrong_port"]
    )
    assert "no answer" in wrong(checks["wrong_worker"])
    assert "Kafka Connect: GET /" in wrong(checks["no_worker"])
    assert "its keys are not taken" in wrong(checks["wrong_key"])
    assert "which no DAG of Kafka Ferry uses" in wrong(checks["wrong_type"])
    assert "did you mean kafka_source" in wrong(checks["kafka_sourc"])
    assert objects(stack) == []


def test_a_bucket_that_is_not_there_is_named(stack: Stack, connections: dict[str, str]) -> None:
    checks = CheckRun("no-bucket", connections=["aws_default"], location="s3://nobodys/x", patience=5).checks()
    assert "nobodys" in wrong(checks["aws_default"])


def test_a_topic_that_is_not_there_is_missed_where_it_would_be_read(
    stack: Stack, connections: dict[str, str], topic_prefix: str, make_topics: Any
) -> None:
    name = f"{topic_prefix}of-no-other-test"  # whose topics would be near misses, too
    make_topics(stack.source_bootstrap, name)
    ids = ["kafka_source", "kafka_target"]
    checks = CheckRun("no-topic", connections=ids, topics=[name[:-1]]).checks()
    assert f"did you mean {name}?" in wrong(checks["kafka_source"])
    assert checks["kafka_target"]["status"] == "pass"


def test_what_a_killed_try_left_is_taken_away_by_the_next(stack: Stack, connections: dict[str, str]) -> None:
    key = probe_name("check_connections", "again", "aws_default")
    s3(stack).put_object(Bucket=BUCKET, Key=f"checked/{key}", Body=b"half")
    assert objects(stack) == [f"checked/{key}"]
    checks = CheckRun("again", connections=["aws_default"], location=LOCATION).checks()
    assert checks["aws_default"]["status"] == "pass"
    assert objects(stack) == []


@pytest.fixture
def secured(secure_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The connections of the secured stack, whose user ``ferry`` has the documented rights; each as its fields."""
    values = {
        name.removeprefix("AIRFLOW_CONN_").lower(): value
        for name, value in secure_stack.variables().items()
        if name.startswith("AIRFLOW_CONN_")
    }
    for name, value in values.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", value)
    return {name: json.loads(value) for name, value in values.items()}


def test_with_users_and_acls_what_a_user_may_is_told_and_what_it_lacks(
    secure_stack: Stack,
    secured: dict[str, Any],
    topic_prefix: str,
    make_topics: Any,
    artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(secure_stack.client_settings("source"), topic)
    extra = {**secured["kafka_source"]["extra"], "sasl.password": "not-the-password"}
    monkeypatch.setenv("AIRFLOW_CONN_INTRUDER", json.dumps({"conn_type": "kafka", "extra": extra}))
    # The same user of the source, asked as if something were to be written there.
    monkeypatch.setenv("AIRFLOW_CONN_READER", json.dumps(secured["kafka_source"]))
    ids = ["kafka_source", "kafka_target", "kafka_source_admin", "kafka_connect", "intruder", "reader"]
    run = CheckRun("secure", connections=ids, topics=[topic], groups=[f"{topic_prefix}billing"],
                   written_to=["kafka_target", "reader"], patience=10)  # fmt: skip
    checks = {check["name"]: check for check in run.whole()["checks"]}
    good = {name: checks[name]["status"] for name in ids[:4]}
    assert good == dict.fromkeys(ids[:4], "pass"), checks
    assert "as User:ferry" in checks["kafka_source"]["detail"]
    assert f"it may READ, DESCRIBE, DESCRIBE_CONFIGS on topic {topic}" in checks["kafka_source"]["detail"]
    assert "it may do everything" in checks["kafka_source_admin"]["detail"]
    assert "connection 'intruder' was refused" in wrong(checks["intruder"])
    lacks = wrong(checks["reader"])
    assert f"topic {topic} on reader: User:ferry lacks WRITE, to copy records into it" in lacks
    assert f"--allow-principal User:ferry --operation WRITE --operation ALTER_CONFIGS --topic {topic}" in lacks
    assert f"group {topic_prefix}billing on reader: User:ferry lacks READ" in lacks

    said = capsys.readouterr()
    everything = said.out + said.err + str(run.seen)
    everything += "".join(path.read_text() for path in artifacts.rglob("*") if path.is_file())
    secrets = [fields["extra"]["sasl.password"] for name, fields in secured.items() if name.startswith("kafka_")
               and "sasl.password" in fields.get("extra", {})]  # fmt: skip
    assert len(set(secrets)) == 4
    assert [secret for secret in [*secrets, "not-the-password"] if secret in everything] == []


def test_a_database_and_its_reader(database_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    values = database_stack.variables()
    for name in ("DATABASE_SOURCE", "KAFKA_CONNECT"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", values[f"AIRFLOW_CONN_{name}"])
    fields = json.loads(values["AIRFLOW_CONN_DATABASE_SOURCE"])
    monkeypatch.setenv("AIRFLOW_CONN_WRONG", json.dumps({**fields, "password": "not-the-password"}))
    checks = CheckRun("database", connections=["database_source", "kafka_connect", "wrong"]).checks()
    assert checks["database_source"]["status"] == "pass", checks
    assert checks["database_source"]["actual"].startswith("MariaDB ")
    assert "Debezium for MariaDB" in checks["kafka_connect"]["detail"]
    assert "connection 'wrong' was refused" in wrong(checks["wrong"])
    assert "not-the-password" not in json.dumps(checks)


def test_a_host_over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = sshd.start(tmp_path)
    try:
        fields = {"conn_type": "ssh", "host": "127.0.0.1", "port": server.port, "login": server.user}
        extra = {"private_key": server.user_key.read_text(), "host_key": server.host_key, "look_for_keys": "false"}
        monkeypatch.setenv("AIRFLOW_CONN_BOX", json.dumps({**fields, "extra": extra}))
        other = {**extra, "private_key": server.other_key.read_text()}
        monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({**fields, "extra": other}))
        checks = CheckRun("host", connections=["box", "other"]).checks()
    finally:
        server.stop()
    assert checks["box"]["actual"].startswith("Linux ")
    assert f"as {server.user}" in checks["box"]["detail"]
    assert "login refused" in wrong(checks["other"])
    assert "PRIVATE KEY" not in json.dumps(checks)
