"""MirrorMaker 1, a dedicated and a standalone MirrorMaker 2 on one topic at once, as it happens by mistake.

Each says that it is complete. The plan of a further migration names them and joins none of them; the comparison says
how many copies there are, and why.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import javaproperties
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.hooks.hosts.local import LocalHost
from kafka_ferry.hooks.hosts.process import HostProcess
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.migration.engines import mirror_maker1_config as mirror_maker1
from kafka_ferry.jobs.migration.engines import mirror_maker2_config as mirror_maker2
from kafka_ferry.jobs.migration.engines import mirror_maker2_dedicated_config as mirror_maker2_dedicated
from kafka_ferry.jobs.migration.engines.connect_standalone_config import worker_properties
from kafka_ferry.jobs.migration.engines.mirror_maker1_config import MirrorMaker1Intent
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.tasks.comparison import FreezeOperator
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator
from kafka_ferry.report.artifacts import RunArtifacts
from run_by_hand import Run
from stack import Stack, jars
from stack.java import find_java
from stack.ports import PortLease
from stack.process import MARK
from stack.stack import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("connections")]

RECORDS, PARTITIONS = 900, 3
JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def properties(keys: dict[str, str]) -> bytes:
    return javaproperties.dumps(keys, timestamp=False).encode()


@pytest.fixture
def three(
    stack: Stack, topic_prefix: str, make_topics: Any, produce: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The topic that all three have copied and go on copying."""
    monkeypatch.setenv(MARK, stack.service("source").state.mark("hosts"))
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    source, target = ({"bootstrap.servers": servers} for servers in (stack.source_bootstrap, stack.target_bootstrap))
    topic = f"{topic_prefix}orders"
    for cluster in (stack.source_bootstrap, stack.target_bootstrap):
        make_topics(cluster, topic, partitions=PARTITIONS)
    # Each key in one partition, another one than Kafka's own hash would give it.
    records = [{"key": f"k{i % 97}", "value": f"v{i}", "partition": i % 97 % PARTITIONS} for i in range(RECORDS)]
    produce(stack.source_bootstrap, topic, records)

    def intent(name: str) -> MirrorIntent:
        return MirrorIntent(
            name=f"{topic_prefix}{name}", source_alias=f"{topic_prefix}{name}", target_alias="target", source=source,
            target=target, topics=[topic], topics_exclude=[], groups=[], groups_exclude=[], tasks_max=1,
            throughput="lan", isolation_level="read_committed",
        )  # fmt: skip

    first = MirrorMaker1Intent(
        f"{topic_prefix}mm1", source, target, [topic], streams=1, throughput="lan", isolation_level="read_committed"
    )
    standalone = intent("alone")
    connector = mirror_maker2.configs(standalone)[standalone.source_connector]
    libs, old = stack.variables()["FERRY_KAFKA_LIBS"], jars.resolve_mm1(jars.cache_folder(PROJECT), find_java(), print)
    with PortLease() as lease:
        listener = f"http://127.0.0.1:{lease.take()}"

        def process(
            name: str, classes: object, main: str, arguments: list[str], **files: dict[str, str]
        ) -> HostProcess:
            marker = f"-Dby.hand={topic_prefix}{name}"
            return HostProcess(
                LocalHost(),
                str(tmp_path / name),
                [find_java(), *JVM, marker, "-cp", f"{classes}/*", main, *arguments],
                {f"{file}.properties": properties(keys) for file, keys in files.items()},
                marker=marker,
            )

        processes = [
            process(
                "mm1",
                old,
                mirror_maker1.MAIN_CLASS,
                mirror_maker1.arguments(first, str(tmp_path / "mm1")),
                consumer=mirror_maker1.consumer_properties(first),
                producer=mirror_maker1.producer_properties(first),
            ),
            process(
                "dedicated",
                libs,
                "org.apache.kafka.connect.mirror.MirrorMaker",
                [str(tmp_path / "dedicated" / "mm2.properties")],
                mm2=mirror_maker2_dedicated.properties(intent("dedicated")),
            ),
            process(
                "alone",
                libs,
                "org.apache.kafka.connect.cli.ConnectStandalone",
                ["worker.properties", "connector.properties"],  # where it runs: its own folder
                worker=worker_properties(target, listener, str(tmp_path / "offsets.dat")),
                connector={"name": standalone.source_connector, **connector},
            ),
        ]
        try:
            for one in processes:
                one.ensure()
            wait_for_copies(topic, len(processes), lambda: "\n".join(one.tail(15) for one in processes))
            yield topic
        finally:
            left = [text for one in processes for text in one.remove()]
            admin = KafkaClusterHook("kafka_target").admin
            admin.delete_topics([name for name in admin.topic_names() if topic_prefix in name and name != topic])
    assert left == []


def wait_for_copies(topic: str, copies: int, tails: Callable[[], str]) -> None:
    admin, deadline = KafkaClusterHook("kafka_target").admin, time.monotonic() + 240
    partitions = [(topic, number) for number in range(PARTITIONS)]
    while (there := sum(admin.offsets(partitions, "latest", "read_uncommitted").values())) < copies * RECORDS:
        assert time.monotonic() < deadline, f"{there} of {copies * RECORDS} records\n{tails()}"
        time.sleep(0.5)


def verified(tmp_path: Path, topic: str, **params: Any) -> dict[str, Any]:
    """report.json of ``verify_clusters``, which is red."""
    given = {"topics": [topic], "groups": [], "acls": "skip", "catch_up_timeout": 5, **params}
    run_id = f"verify-{len(params)}"

    def do(operator: Any) -> Any:
        ti = SimpleNamespace(task_id=operator.task_id, map_index=-1, try_number=1, xcom_push=lambda **_: None)
        run = SimpleNamespace(dag_id="verify_clusters", run_id=run_id, conf=given)
        context: Any = {"dag_run": run, "params": given, "ti": ti}
        return operator.execute(context)

    engine = "verify_clusters"
    do(FreezeOperator(task_id="freeze", engine=engine))
    for shard in do(ShardsOperator(task_id="shards", engine=engine)):
        do(FingerprintOperator(task_id="fingerprint", shard=shard, engine=engine))
    do(ValidateOperator(task_id="validate", only_compare=True, engine=engine))
    with DAG("verify_clusters", schedule=None):
        report_task = ReportOperator(task_id="report", engine=engine)
    with contextlib.suppress(AirflowFailException):  # the verdict is in the report, which is asserted on
        do(report_task)
    report: dict[str, Any] = RunArtifacts("verify_clusters", run_id).read_json("report.json")
    return report


def refusal(run: Run) -> str:
    with pytest.raises(AirflowFailException) as caught:
        run.plan()
    return str(caught.value)


def test_nobody_joins_them_and_the_copies_are_counted(
    three: str, stack: Stack, topic_prefix: str, tmp_path: Path
) -> None:
    params = {"topics": [three], "groups": [], "migration": f"{topic_prefix}m", "canary": False, "acls": "skip"}
    traces = [
        f"topic mm2-offsets.{topic_prefix}dedicated.internal on the target: a dedicated MirrorMaker 2 copies",
        f"group {topic_prefix}mm1 on the source: maybe a MirrorMaker 1",
        f"topic mm2-offset-syncs.{topic_prefix}alone.internal on the target: another MirrorMaker 2 copies",
    ]

    # They note how far they have come a moment after the records are there.
    deadline, looked = time.monotonic() + 120, Run("mirror_maker2_on_connect", **params).migration
    while [text for text in traces if text not in "\n".join(map(str, OtherReplicators(looked).findings()))]:
        assert time.monotonic() < deadline, OtherReplicators(looked).findings()
        time.sleep(0.5)

    # On a Connect cluster: by what they leave on both clusters.
    words = refusal(Run("mirror_maker2_on_connect", **params))
    assert [trace for trace in traces if trace not in words] == [], words
    assert "Fix: stop it on all its hosts, or leave its topics out (exclude_topics)" in words

    # On the host they run on: as processes there; with these allowed, by their traces again.
    hosted = {
        **params,
        "host_folder": str(tmp_path / "hosts"),
        "kafka_libs": stack.variables()["FERRY_KAFKA_LIBS"],
        "java": find_java(),
    }
    words = refusal(Run("mirror_maker2_dedicated", "mirror_maker2_dedicated", **hosted))
    assert "param 'hosts': on local runs processes that Kafka Ferry did not start and will not touch" in words
    for main in ("kafka.tools.MirrorMaker", "org.apache.kafka.connect.mirror.MirrorMaker", "ConnectStandalone"):
        assert main in words
    assert "Fix: stop it, use another host, or set other_mirror_makers" in words
    words = refusal(Run("mirror_maker2_dedicated", "mirror_maker2_dedicated", **hosted, other_mirror_makers=True))
    assert [trace for trace in traces if trace not in words] == [], words

    # Nor does a migration the other way: the dedicated one would bring its records back.
    back = {**params, "source_conn_id": "kafka_target", "target_conn_id": "kafka_source"}
    words = refusal(Run("mirror_maker2_on_connect", **back))
    way_there = f"the dedicated MirrorMaker 2 of topic mm2-configs.{topic_prefix}dedicated.internal on the source"
    assert "the same records would come back and be copied again, for ever: by migration" in words
    assert f"then {way_there}. Fix: end {way_there} first" in words

    # What they made of it. MirrorMaker 1 hashed keys anew, so only the whole topic shows the copies one by one.
    report = verified(tmp_path, three, any_partition=True)
    (line,) = report["topics"]
    assert report["verdict"] == "FAIL"
    assert (line["source_records"], line["target_records"], line["lost"]) == (RECORDS, 3 * RECORDS, 0)
    assert line["detail"].startswith("each record 3 times: probably 3 replicators copied this topic")
    (line,) = (report := verified(tmp_path, three))["topics"]
    assert report["verdict"] == "FAIL"
    assert line["detail"].startswith("3 times as many records as on the source and none lost: probably 3 replicators")
