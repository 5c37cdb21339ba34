"""A run of every DAG, from the params of its example, and what each has to prove."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from confluent_kafka import Consumer, TopicPartition

from dag_runs import Runs, fill
from demo.airflow_api import FINISHED, AirflowApi
from group_offsets import commit
from kafka_ferry.core.checks import Status
from others_files import ConfluentSink, plain
from plain_replicator import PlainReplicator
from stack import Stack, jars, mariadb
from stack.java import find_java
from stack.msk import CLUSTER, REGION
from stack.msk.cluster import SOURCE_ARN
from stack.msk.server import CREDENTIALS
from stack.msk_double import BUCKET, ROLE
from stack.ports import PortLease
from stack.s3 import ACCESS_KEY, SECRET, S3Server
from stack.s3 import BUCKET as S3_BUCKET
from stack.stack import PROJECT

RUN = "every"
AT_ONCE = 5  # with eleven, SQLite kept Airflow's API from answering within 30 s (measured)
RECORDS, COMMITTED = 2_000, 600  # of two partitions; in each
TIMEOUT = 900
#: Ten engines start at once, on a machine that may have other work.
PATIENT = {"poll_interval": 1, "running_timeout": 400, "no_progress_timeout": 300, "convergence_timeout": 600}
FOLDER = PROJECT / "include" / "examples"

#: DAG to the word of its example that becomes the test's own, so that no two have a topic in common; and that word.
WORDS = {
    "backup_topics": ("flights", "every-backup"),
    "check_connections": ("flights", "every-check"),
    "cutover": ("flights", "every-cutover"),
    "export_topics_to_s3": ("source-topic", "every-export"),
    "fail_back": ("wave-1", "every-cutover"),
    "import_files_from_s3": ("source-topic", "every-files"),
    "import_topics_from_s3": ("source-topic", "every-export"),
    "mirror_maker1": ("projects", "every-one"),
    "mirror_maker2_dedicated": ("projects", "every-dedicated"),
    "mirror_maker2_on_connect": ("flights", "every-connect"),
    "mirror_maker2_on_msk_connect": ("projects", "every-msk-connect"),
    "mirror_maker2_standalone": ("projects", "every-standalone"),
    "msk_replicator": ("projects", "every-replicator"),
    "replicate_topics": ("flights", "every-renamed"),
    "restore_topics": ("flights", "every-backup"),
    "retire_source": ("", ""),
    "stream_database_changes": ("", ""),
    "verify_backup": ("flights", "every-backup"),
    "verify_clusters": ("flights", "every-compare"),
}
#: Those that need what another has made.
AFTER = {
    "restore_topics": "backup_topics",
    "retire_source": "cutover",
    "fail_back": "retire_source",
    "verify_backup": "backup_topics",
    "import_topics_from_s3": "export_topics_to_s3",
}
#: What each has to prove, beside the verdict; the rest of its checks may be skipped where the example has nothing.
COPIED = {"topics", "partitions", "counts", "content"}
MIGRATED = COPIED | {"configs", "new_records", "groups", "group_offsets", "leftovers"}
PROVED = {
    "backup_topics": {"topics", "counts", "gaps", "objects", "groups"},
    "check_connections": {"kafka_source", "kafka_target", "kafka_connect", "aws_default"},
    "cutover": COPIED | {"configs", "groups", "group_offsets", "producers_stopped", "handed_over", "late_writers"},
    "export_topics_to_s3": COPIED,
    "fail_back": COPIED | {"configs", "groups", "group_offsets", "producers_stopped", "handed_over", "late_writers"},
    "import_files_from_s3": COPIED | {"gaps", "others"},
    "import_topics_from_s3": COPIED,
    "mirror_maker1": COPIED | {"configs", "new_records", "leftovers"},
    "mirror_maker2_dedicated": MIGRATED,
    "mirror_maker2_on_connect": MIGRATED,
    "mirror_maker2_on_msk_connect": MIGRATED | {"service_role"},
    "mirror_maker2_standalone": MIGRATED,
    "msk_replicator": MIGRATED,
    "replicate_topics": MIGRATED,
    "retire_source": {"waves", "growth", "writers", "commits", "topics", "counts", "content"},
    "restore_topics": COPIED | {"groups", "group_offsets", "leftovers"},
    "stream_database_changes": {"topics", "counts", "content", "changes", "schema_changes", "leftovers"},
    "verify_backup": set[str](),
    "verify_clusters": COPIED,
}
#: Where its topics are counted, beside the report.
ON_TARGET = PROVED.keys() - {
    "backup_topics", "check_connections", "verify_backup", "export_topics_to_s3", "stream_database_changes"
}  # fmt: skip
SCHEDULED = ("backup_topics", "verify_backup")  # they ship paused
DATABASE = "stream_database_changes"
FILES = "import_files_from_s3"


def example(dag: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """The params of the DAG's example, with names of the test's own."""
    word, name = WORDS[dag]
    text = (FOLDER / f"{dag}.json").read_text()
    params: dict[str, Any] = json.loads(text.replace(word, name) if word else text)
    if "migration" in params:
        params["migration"] = name
    if "export" in params:
        params["export"], params["rename"] = name, {"every-(.*)": "imported-\\1"} if "rename" in params else None
    return {key: value for key, value in {**params, **own}.items() if value is not None}


def ends(bootstrap: str, topic: str) -> int:
    """Sum of the partitions' end offsets."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "every-look"})
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    found: int = sum(consumer.get_watermark_offsets(TopicPartition(topic, one), 30)[1] for one in partitions)
    consumer.close()
    return found


class Every:
    """One run of each DAG, :data:`AT_ONCE` at a time.

    :param own: DAG to params that the stack, and not the example, knows.
    :param wanted: DAGs that are run.
    """

    def __init__(
        self, stack: Stack, api: AirflowApi, own: Mapping[str, Mapping[str, Any]], wanted: Collection[str]
    ) -> None:
        self._stack, self._api, self._own = stack, api, own
        self._waiting, self._running, self._ended = [dag for dag in WORDS if dag in wanted], set[str](), set[str]()

    def _begin(self, dag: str) -> None:
        form = self._api._get(f"/api/v2/dags/{dag}/details")["params"]
        quick = {key: value for key, value in PATIENT.items() if key in form}
        self._api.trigger(dag, RUN, {**example(dag, self._own.get(dag, {})), **quick})
        self._running.add(dag)

    def advance(self) -> None:
        """Begin what may begin."""
        self._ended |= {dag for dag in self._running if self._api.state(dag, RUN) in FINISHED}
        self._running -= self._ended
        for dag in [one for one in self._waiting if AFTER.get(one) in {None, *self._ended}]:
            if len(self._running) < AT_ONCE:
                self._waiting.remove(dag)
                self._begin(dag)

    def report(self, dag: str) -> dict[str, Any]:
        """Of the run, when it has ended well."""
        deadline = time.monotonic() + TIMEOUT
        while dag not in self._ended:
            assert time.monotonic() < deadline, self._api.tasks(dag, RUN)
            self.advance()
            time.sleep(0.5)
        runs = Runs(self._stack, self._api, dag)
        assert self._api.state(dag, RUN) == "success", why(runs.report(RUN))
        states = {task.task_id: task.state for task in self._api.tasks(dag, RUN)}
        assert set(states.values()) <= {"success", "skipped"}, states
        return runs.report(RUN)


def why(report: Mapping[str, Any] | None) -> str:
    """What a run that did not end well says of itself."""
    if not report:
        return "no report"
    failed = [check for check in report["checks"] if check["status"] == Status.FAIL]
    return f"{report['verdict']}: tasks {report['failures']}, checks {failed}"


def fill_bucket(store: S3Server, name: str) -> None:
    """Two topics' files, as Confluent's sink writes them; in the bucket of the stack's example."""
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET}
    client = boto3.client("s3", endpoint_url=store.url, region_name=REGION, **keys)

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=S3_BUCKET, Key=f"topics/{key}", Body=data)

    for topic in (f"{name}-1", f"{name}-2"):
        for partition in range(2):
            ConfluentSink(put, topic).write(partition, 0, [plain(number) for number in range(RECORDS // 2)])


def fill_all(source: str, target: str) -> None:
    for dag, (_, name) in WORDS.items():
        if dag in AFTER or not name or dag == FILES:
            continue
        for topic in (f"{name}-1", f"{name}-2"):
            for bootstrap in (source, target) if dag in ("cutover", "verify_clusters") else (source,):
                fill(bootstrap, topic, RECORDS)
                commit(bootstrap, f"{topic}-billing", {(topic, 0): COMMITTED, (topic, 1): COMMITTED})


@contextmanager
def every_dag(stack: Stack, api: AirflowApi, wanted: Collection[str]) -> Iterator[Every]:
    """The first runs have begun.

    :param wanted: DAGs, and those that they need.
    """
    jars.resolve_mm1(jars.cache_folder(PROJECT), find_java(), print)
    source, target = stack.source_bootstrap, stack.target_bootstrap
    fill_all(source, target)
    fill_bucket(stack.s3, WORDS[FILES][1])
    url = stack.variables()["FERRY_MSK_ENDPOINT"]
    kafka = boto3.client("kafka", region_name=REGION, endpoint_url=url, **CREDENTIALS)
    with PortLease() as lease, PlainReplicator(kafka, source, target):
        arns = {"cluster_arn": CLUSTER, "service_execution_role_arn": ROLE}
        own: dict[str, dict[str, Any]] = {
            "mirror_maker2_dedicated": {"rest_port": lease.take()},
            "mirror_maker2_standalone": {"rest_port": lease.take(), "source_alias": "every-old"},
            "mirror_maker2_on_msk_connect": {**arns, "plugin_bucket": BUCKET},
            "msk_replicator": {**arns, "source_cluster_arn": SOURCE_ARN},
            DATABASE: {"keep_streaming": False, "forget": True},
            "cutover": {"watch_seconds": 3},
            "fail_back": {"watch_seconds": 3, "fence": "prove"},
            # The other DAGs are at work on the same source.
            "retire_source": {
                "left_behind": ["(?!every-cutover).*"],
                "left_groups": [".*"],
                "connect_conn_id": None,
                "watch_seconds": 2,
            },
            "check_connections": {"topics": ["every-check-1"], "groups": ["every-check-1-billing"]},
        }
        chosen = {dag for dag in wanted if dag != DATABASE or mariadb.unavailable() is None}
        made = Every(stack, api, own, chosen)
        for dag in SCHEDULED:
            api.pause(dag, False)
        made.advance()
        yield made
        for dag in SCHEDULED:
            api.pause(dag, True)


def check_report(stack: Stack, dag: str, report: Mapping[str, Any]) -> None:
    """It passed, by the checks and the records that the DAG is to prove."""
    assert report["verdict"] == "PASS"
    statuses = {check["name"]: check["status"] for check in report["checks"]}
    assert {name for name in PROVED[dag] if statuses.get(name) != "pass"} == set(), statuses
    records = 3 if dag == DATABASE else RECORDS
    for row in report["topics"]:
        assert (row["source_records"], row["target_records"], row["lost"]) == (records, records, 0), row
    assert len(report["topics"]) == {DATABASE: 1, "check_connections": 0}.get(dag, 2)
    if dag in ON_TARGET:
        for row in report["topics"]:
            assert ends(stack.target_bootstrap, row["target"]) >= RECORDS, row
    if "group_offsets" in PROVED[dag]:
        assert {line["status"] for line in report["groups"]} == {"pass"}, report["groups"]
        assert len(report["groups"]) == 4
