"""Ways back to the source are refused while somebody goes the way there; what is no loop is let be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.core.finding import Severity
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.flows import Flows, noted
from kafka_ferry.jobs.migration.tasks.engine import RemoveOperator
from run_by_hand import Run
from stack import Stack
from stack.java import find_java

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("connections")]

BACK = {"source_conn_id": "kafka_target", "target_conn_id": "kafka_source"}
CONNECT, DEDICATED = "mirror_maker2_on_connect", "mirror_maker2_dedicated"


@pytest.fixture(autouse=True)
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


def run(engine: str, name: str, topics: list[str], **params: Any) -> Run:
    return Run(engine, engine, topics=topics, migration=name, groups=[], canary=False, acls="skip", **params)


def refusal(way: Run) -> str:
    with pytest.raises(AirflowFailException) as caught:
        way.plan()
    return str(caught.value)


@pytest.fixture
def hosted(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """Params of a plan for this machine; nothing is started on it."""
    libs = stack.variables()["FERRY_KAFKA_LIBS"]
    return {"host_folder": str(tmp_path / "hosts"), "kafka_libs": libs, "java": find_java()}


@pytest.fixture
def there(topic_prefix: str, source_bootstrap: str, make_topics: Any, produce: Any) -> Iterator[Run]:
    """A migration of one topic that has ended, and whose replication goes on."""
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}orders", partitions=2)
    produce(source_bootstrap, topic, 50)
    way = run(CONNECT, f"{topic_prefix}there", [topic], keep_replicating=True)
    way.plan()
    way.provision()
    try:
        way.deploy()
        way.wait_until_running()
        way.remove()  # says how to stop it, and leaves it
        yield way
    finally:
        end(way)
    assert noted() == {}, "nothing of it is remembered"


def end(way: Run) -> None:
    """As the next run without keep_replicating does."""
    last = Run(way.dag_id, way.engine, **{**way.params, "keep_replicating": False})
    last.do(RemoveOperator, "remove")


def test_the_way_back_is_refused_while_replication_goes_on(
    there: Run, topic_prefix: str, hosted: dict[str, str], make_topics: Any, target_bootstrap: str
) -> None:
    (topic,) = there.params["topics"]

    # The worker of both: by its connector.
    words = refusal(run(CONNECT, f"{topic_prefix}back", [topic], **BACK))
    assert f"param 'topics': topic {topic}: the same records would come back and be copied again, for ever" in words
    assert f"by migration '{topic_prefix}back' of DAG {CONNECT} (kafka_target to kafka_source)" in words
    assert f"then connector {CONNECT}.{topic_prefix}there.MirrorSourceConnector" in words
    assert "Fix: end connector" in words
    # An engine that knows of no Connect cluster: by what the migration has noted, and its engine says.
    words = refusal(run(DEDICATED, f"{topic_prefix}back", [topic], **BACK, **hosted))
    assert f"then migration '{topic_prefix}there' of DAG {CONNECT} (kafka_source to kafka_target)" in words

    # No loops: another topic; the way on under another name; a regex that leaves the topic out.
    (other,) = make_topics(target_bootstrap, f"{topic_prefix}users")
    for way in (
        run(DEDICATED, f"{topic_prefix}a", [other], **BACK, **hosted),
        run(DEDICATED, f"{topic_prefix}b", [topic], naming="prefix", **BACK, **hosted),
        run(DEDICATED, f"{topic_prefix}c", [f"{topic_prefix}.*"], exclude_topics=[topic], **BACK, **hosted),
    ):
        findings = way.plan()["findings"]
        assert [item for item in findings if item["code"] in ("loop", "aggregation")] == []

    # Once it has ended, the way is free.
    end(there)
    assert run(DEDICATED, f"{topic_prefix}back", [topic], **BACK, **hosted).plan()["topics"]


def test_of_two_runs_at_the_same_moment_one_is_seen_before_it_runs(
    topic_prefix: str, source_bootstrap: str, target_bootstrap: str, make_topics: Any, hosted: dict[str, str]
) -> None:
    for bootstrap in (source_bootstrap, target_bootstrap):
        make_topics(bootstrap, f"{topic_prefix}orders")
    ways = [
        run(DEDICATED, f"{topic_prefix}{name}", [f"{topic_prefix}orders"], **hosted, **more)
        for name, more in (("there", {}), ("back", BACK), ("twin", {}))
    ]
    working = {f"{topic_prefix}there"}

    def is_active(dag_id: str, run_id: str) -> bool:
        return dag_id == DEDICATED and run_id in working

    there, back, twin = (Flows(way.migration, DEDICATED, way.params["migration"], is_active) for way in ways)
    there.note()
    (found,) = back.findings()
    assert (found.severity, found.code) == (Severity.REFUSE, "loop")
    (found,) = twin.findings()
    assert (found.severity, found.code) == (Severity.REFUSE, "other_replicators")
    assert "each record would be written twice" in found.what
    assert there.findings() == [], "itself is no other"

    working.clear()  # it was killed before it started anything
    assert not engine_of(ways[0].migration).is_there()
    assert back.findings() == twin.findings() == []
    twin.note()
    working.add(f"{topic_prefix}twin")
    (found,) = back.findings()
    assert f"{topic_prefix}twin" in found.what, "one that is gone hides nobody"


def test_a_dedicated_mirror_maker_2_on_its_way_back_is_known_by_its_configuration(
    topic_prefix: str, source_bootstrap: str, target_bootstrap: str, make_topics: Any, produce: Any
) -> None:
    """As another test has it from a real one (``test_three_replicators``); here none runs."""
    topic, other = make_topics(source_bootstrap, f"{topic_prefix}orders", f"{topic_prefix}users")
    internal = f"mm2-configs.{topic_prefix}dc2.internal"
    make_topics(source_bootstrap, internal)
    config = {
        "connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector",
        "topics": f"{topic_prefix}o.*",
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "source.cluster.bootstrap.servers": target_bootstrap,
        "target.cluster.bootstrap.servers": source_bootstrap,
        "target.cluster.sasl.jaas.config": "planted-password",
    }
    value = json.dumps({"properties": config})
    old = round(time.time() * 1000) - 3_600_000
    record = {"key": "connector-MirrorSourceConnector", "value": value, "timestamp": old}
    try:
        produce(source_bootstrap, internal, [record])
        found = Flows(run(CONNECT, f"{topic_prefix}m", [topic]).migration, CONNECT, "run", lambda *_: False).findings()
        assert [(item.severity, item.code) for item in found] == [(Severity.WARN, "loop")]
        assert "has written nothing for 60 minutes and may be gone" in found[0].what

        produce(source_bootstrap, internal, [record | {"timestamp": old + 3_600_000}])
        words = refusal(run(CONNECT, f"{topic_prefix}m", [topic]))
        assert f"then the dedicated MirrorMaker 2 of topic {internal} on the source" in words
        assert "planted-password" not in words + str(found)
        assert [item["code"] for item in run(CONNECT, f"{topic_prefix}m", [other]).plan()["findings"]] == []
    finally:
        KafkaClusterHook("kafka_source").admin.delete_topics([internal])


def test_two_dags_of_one_migration_name_share_nothing(
    topic_prefix: str, source_bootstrap: str, target_bootstrap: str, make_topics: Any, produce: Any
) -> None:
    """The second is refused by name: while the first's run is at work, and while it goes on after its run."""
    mine, yours = make_topics(source_bootstrap, f"{topic_prefix}orders", f"{topic_prefix}users")
    produce(source_bootstrap, mine, 20)
    first = run(CONNECT, f"{topic_prefix}one", [mine], keep_replicating=True)
    first.run_id = "of-one"
    second = Run("team_b", CONNECT, **{**first.params, "topics": [yours], "keep_replicating": False})
    first.plan()
    first.provision()
    try:
        first.deploy()
        second.others = {first.run_id}
        words = refusal(second)
        assert f"param 'migration': run 'of-one' of DAG '{CONNECT}' is still working" in words
        assert f"both would share mm2-offset-syncs.{topic_prefix}one.internal on kafka_target" in words
        assert first.migration.canary != second.migration.canary
        first.wait_until_running()
        first.remove()  # says how to stop it, and leaves it
        second.others = set()  # its run has ended
        words = refusal(second)
        assert f"calls the source '{topic_prefix}one'" in words or "source alias" in words, words
        # A teardown that was cleared later takes nothing of the one that goes on.
        second.remove()
        syncs = f"mm2-offset-syncs.{topic_prefix}one.internal"
        admin = KafkaClusterHook("kafka_target").admin
        assert syncs in admin.topic_ids([syncs])
    finally:
        end(first)
    assert second.plan()["topics"], "the name is free"
