"""``msk_replicator`` in a real Airflow scheduler; the service is its double, and its copy is made by the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from dag_runs import FAST, Runs, fill
from demo.airflow_api import AirflowApi
from plain_replicator import PlainReplicator
from stack import Stack
from stack.msk import CLUSTER, REGION
from stack.msk.cluster import SOURCE_ARN
from stack.msk.server import CREDENTIALS
from stack.msk_double import ROLE

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(3_000)]

DAG, TIMEOUT, RECORDS = "msk_replicator", 600, 20_000
PATIENT = {**FAST, "running_timeout": 300, "no_progress_timeout": 180, "convergence_timeout": 480}


@pytest.fixture(scope="module")
def runs(airflow_stack: Stack, airflow_api: AirflowApi) -> Runs:
    return Runs(airflow_stack, airflow_api, DAG)


@pytest.fixture(scope="module")
def kafka(airflow_stack: Stack) -> Any:
    """boto3's client of the double."""
    url = airflow_stack.variables()["FERRY_MSK_ENDPOINT"]
    return boto3.client("kafka", region_name=REGION, endpoint_url=url, **CREDENTIALS)


@pytest.fixture(scope="module", autouse=True)
def copying(airflow_stack: Stack, kafka: Any) -> Iterator[None]:
    with PlainReplicator(kafka, airflow_stack.source_bootstrap, airflow_stack.target_bootstrap):
        yield


def params(topic: str, **conf: Any) -> dict[str, Any]:
    arns = {"source_cluster_arn": SOURCE_ARN, "cluster_arn": CLUSTER, "service_execution_role_arn": ROLE}
    return {**PATIENT, **arns, "topics": [topic], "groups": [f"{topic}-.*"], **conf}


def left(runs: Runs, kafka: Any) -> list[str]:
    """Replicators and canaries."""
    topics = AdminClient({"bootstrap.servers": runs.stack.target_bootstrap}).list_topics(timeout=30).topics
    replicators = [one["ReplicatorName"] for one in kafka.list_replicators()["Replicators"]]
    return [*replicators, *(name for name in topics if name.startswith("ferry-canary-mskr"))]


def test_a_run_with_groups_then_a_clear_then_another_run(runs: Runs, kafka: Any) -> None:
    topic = "mskr-orders"
    fill(runs.stack.source_bootstrap, topic, RECORDS)
    consumer = Consumer({"bootstrap.servers": runs.stack.source_bootstrap, "group.id": f"{topic}-billing"})
    consumer.commit(offsets=[TopicPartition(topic, 0, 3_000)], asynchronous=False)
    consumer.close()
    runs.trigger("mskr-a", **params(topic))
    assert runs.wait("mskr-a", TIMEOUT) == "success", runs.api.tasks(DAG, "mskr-a")
    report = runs.report("mskr-a")
    assert report["verdict"] == "PASS", report
    (row,) = report["topics"]
    assert (row["source_records"], row["target_records"], row["duplicated"]) == (RECORDS, RECORDS, 0)
    assert [line["target_offset"] for line in report["groups"]] == [3_000]
    assert left(runs, kafka) == []
    # Cleared, it would have to be recreated, and would copy all a second time: refused, and nothing is left behind.
    runs.clear("mskr-a", "fingerprint", wait=False)
    assert runs.wait("mskr-a", TIMEOUT) == "failed"
    assert "which would be written twice" in str(runs.report("mskr-a")["failures"])
    assert runs.task("mskr-a", "remove").state == "success"
    assert left(runs, kafka) == []
    # Another run, from the end on: it finds what is there to be the same.
    runs.trigger("mskr-b", **params(topic, starting_position="LATEST", canary=False))
    assert runs.wait("mskr-b", TIMEOUT) == "success", runs.api.tasks(DAG, "mskr-b")
    report = runs.report("mskr-b")
    (row,) = report["topics"]
    assert (report["verdict"], row["target_records"], row["duplicated"]) == ("PASS", RECORDS, 0)
    assert left(runs, kafka) == []
    # That one copies nothing twice: each of its tasks may be cleared.
    for task in sorted({one.task_id for one in runs.api.tasks(DAG, "mskr-b")}):
        runs.clear("mskr-b", task, wait=False)
        assert runs.wait("mskr-b", TIMEOUT) == "success", (task, runs.report("mskr-b")["failures"])
        assert runs.report("mskr-b")["verdict"] == "PASS", task
        assert left(runs, kafka) == []


def test_a_replicator_that_fails_fails_the_run_with_its_words_and_is_taken_away(runs: Runs, kafka: Any) -> None:
    topic, fault = "mskr-refused", {"code": "AuthError", "message": "the role may not read"}
    fill(runs.stack.source_bootstrap, topic, 100)
    url = f"{runs.stack.variables()['FERRY_MSK_ENDPOINT']}/_double/faults"
    requests.post(url, json={"replicators": [fault]}, timeout=30).raise_for_status()
    runs.trigger("mskr-c", **params(topic, canary=False))
    assert runs.wait("mskr-c", TIMEOUT) == "failed"
    assert "AuthError: the role may not read" in str(runs.report("mskr-c")["failures"])
    assert left(runs, kafka) == []
    runs.clear("mskr-c", "provision_topics", wait=False)
    assert runs.wait("mskr-c", TIMEOUT) == "success", runs.api.tasks(DAG, "mskr-c")
    assert left(runs, kafka) == []
