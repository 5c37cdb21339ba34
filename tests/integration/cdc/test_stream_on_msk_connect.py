"""A stream on MSK Connect: its double, a real Connect worker behind it with the real plugin, and a real MariaDB."""

from __future__ import annotations

import shutil

import pytest

from kafka_ferry.jobs.runtimes.msk_connect import MskConnectRuntime
from stack import Stack
from stack.msk import CLUSTER
from stack.msk_double import BUCKET, ROLE
from stream_lab import Shop, StreamRun, checks_of, differences_of

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1_200)]

SLOW = {"running_timeout": 300, "convergence_timeout": 300, "no_progress_timeout": 180, "poll_interval": 1}


def test_the_plugin_from_maven_the_position_and_the_history_outlive_a_connector(
    database_stack: Stack,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    assert shutil.which("mvn")
    for name, value in database_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path_factory.mktemp("artifacts")))
    shop = Shop(database_stack, topic_prefix.strip("-"))
    shop.do(
        "CREATE TABLE orders (id INT PRIMARY KEY, item VARCHAR(20))", "INSERT INTO orders VALUES (1, 'a'), (2, 'b')"
    )

    def run_of(run_id: str, **more: object) -> StreamRun:
        return StreamRun(run_id, **{
            "databases": [shop.name], "stream": shop.name, "runtime": "msk_connect", "cluster_arn": CLUSTER,
            "service_execution_role_arn": ROLE, "plugin_bucket": BUCKET, "keep_streaming": False, **SLOW, **more,
        })  # fmt: skip

    first = run_of("first")
    first.start()
    connector = first.stream.connector.name
    assert isinstance(first.stream.connector.runtime, MskConnectRuntime)
    assert [name for name in database_stack.msk.workers() if name == connector]
    shop.do("UPDATE orders SET item = 'A' WHERE id = 1", "ALTER TABLE orders ADD COLUMN more INT", "DELETE FROM orders")
    first.validate()
    first.remove()
    report = first.report()
    assert report["verdict"] == "PASS", (report["failures"], differences_of(report))
    assert checks_of(report)["changes"] == "pass"
    assert [event["op"] for event in first.events(f"{shop.name}.orders")] == list("rrudd")

    shop.do("INSERT INTO orders VALUES (3, 'c', 0)")
    second = run_of("second", forget=True)
    second.start()
    second.validate()
    second.remove()
    report = second.report()
    shop.close()
    assert report["verdict"] == "PASS", (report["failures"], differences_of(report))
    assert [event["op"] for event in second.events(f"{shop.name}.orders")] == list("rruddc"), "no second snapshot"
    topics = second.stream.target.admin.topic_names()
    assert not [name for name in topics if connector in name or name.startswith(f"{shop.name}.connect-offsets")]
    assert not list((database_stack.folder / "data" / "s3" / BUCKET).glob(f"{connector}*"))


def test_into_brokers_that_are_not_msks(
    database_stack: Stack,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    for name, value in database_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path_factory.mktemp("artifacts")))
    shop = Shop(database_stack, topic_prefix.strip("-"))
    shop.do("CREATE TABLE orders (id INT PRIMARY KEY)", "INSERT INTO orders VALUES (1), (2)")
    run = StreamRun("brokers", **{
        "databases": [shop.name], "stream": shop.name, "runtime": "msk_connect", "plugin_bucket": BUCKET,
        "bootstrap": database_stack.target_bootstrap, "subnets": ["subnet-0a"], "encryption": "PLAINTEXT",
        "service_execution_role_arn": ROLE, "keep_streaming": False, "forget": True, **SLOW,
    })  # fmt: skip
    run.start()
    shop.do("DELETE FROM orders WHERE id = 1")
    run.validate()
    run.remove()
    report = run.report()
    shop.close()
    assert report["verdict"] == "PASS", (report["failures"], differences_of(report))
    assert [event["op"] for event in run.events(f"{shop.name}.orders")] == list("rrd")
