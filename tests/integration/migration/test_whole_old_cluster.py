"""A whole old cluster as it was published: two brokers of Kafka 2.6.0 to three, SASL PLAIN, 360 topics of 2,000
partitions under their own names; by each engine that was used for it, and on Kafka Connect.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from engine_runs import DEDICATED, MIRROR_MAKER_1, ON_CONNECT, STANDALONE, EngineRuns, jars_of, statuses
from kafka_ferry.core.acls import Acl
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack
from stack import Stack
from stack.stack import PROJECT
from whole_cluster import PUBLISHED, WholeCluster, Witnessed

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1400)]

CLUSTER = WholeCluster(PUBLISHED, records=30)
EXAMPLES = PROJECT / "include" / "examples" / "more"
#: What was checked of the published migration, in the words of the report; by MirrorMaker 1 all but groups.
CHECKLIST = ("topics", "partitions", "configs", "counts", "content", "new_records", "acls")
OF_GROUPS = ("groups", "group_offsets")


@pytest.fixture(scope="module")
def old_stack() -> Iterator[Stack]:
    with own_stack("whole-old-cluster", secure=True, source="2.6.0x2", target="2.6.0x3") as stack:
        began = time.monotonic()
        CLUSTER.fill(stack.client_settings("source"), replicas=2, acls=True)
        print(f"\nfilled in {time.monotonic() - began:.0f} s")
        yield stack


@pytest.fixture
def runs(old_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EngineRuns]:
    with EngineRuns(old_stack, tmp_path, monkeypatch) as one:
        yield one
    CLUSTER.clear(old_stack.client_settings("target"))


@pytest.fixture(scope="module")
def originals(old_stack: Stack) -> Witnessed:
    return Witnessed.of(old_stack.client_settings("source"), CLUSTER)


def example(name: str) -> dict[str, Any]:
    params = json.loads((EXAMPLES / f"{name}.whole_cluster.json").read_text())
    assert isinstance(params, dict)
    return params


def check_the_list(report: dict[str, Any], *, groups: bool = True) -> None:
    assert report["verdict"] == "PASS", report["checks"]
    made = statuses(report)
    assert {name: made[name] for name in CHECKLIST} == dict.fromkeys(CHECKLIST, "pass"), report["checks"]
    wanted = "pass" if groups else "skipped"
    assert {name: made[name] for name in OF_GROUPS} == dict.fromkeys(OF_GROUPS, wanted), report["checks"]
    assert made["leftovers"] == "pass", report["checks"]


def look_at_groups(stack: Stack) -> None:
    there = KafkaAdmin(stack.client_settings("target"), "target")
    assert there.committed(CLUSTER.groups) == CLUSTER.groups


@pytest.mark.parametrize("engine", [DEDICATED, STANDALONE, ON_CONNECT])
def test_by_mirror_maker_2(engine: str, runs: EngineRuns, old_stack: Stack, originals: Witnessed) -> None:
    params = example(DEDICATED)
    if engine == ON_CONNECT:
        params = {name: value for name, value in params.items() if name not in ("hosts", "jvm_options")}
    began = time.monotonic()

    run = runs.make(engine, **params)
    _, report = run.whole()

    print(f"\n{engine}: {time.monotonic() - began:.0f} s", statuses(report))
    check_the_list(report)
    assert statuses(report)["new_topics"] == "pass"
    copy = Witnessed.of(old_stack.client_settings("target"), CLUSTER)
    assert originals.differences(copy) == []
    look_at_groups(old_stack)
    assert run.leftovers() == []


@pytest.mark.parametrize("version", ["2.6.0", "3.9.2"])
def test_by_mirror_maker_1(version: str, runs: EngineRuns, old_stack: Stack, originals: Witnessed) -> None:
    libs = jars_of(version)
    group = f"{MIRROR_MAKER_1}.event-center"
    rights = [Acl("GROUP", group, "LITERAL", "User:ferry", operation) for operation in ("READ", "DELETE")]
    KafkaAdmin(old_stack.client_settings("source"), "source").create_acls(rights)
    run = runs.make(MIRROR_MAKER_1, kafka_libs=libs, **example(MIRROR_MAKER_1))
    idempotence = Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:ferry", "IDEMPOTENT_WRITE")
    target = KafkaAdmin(old_stack.client_settings("target"), "target")
    if idempotence not in (target.acls() or ()):
        with pytest.raises(
            AirflowFailException, match="the cluster on kafka_target: User:ferry lacks IDEMPOTENT_WRITE"
        ):
            run.plan()
        target.create_acls([idempotence])
    began = time.monotonic()

    _, report = run.whole()

    print(f"\n{MIRROR_MAKER_1} {version}: {time.monotonic() - began:.0f} s", statuses(report))
    check_the_list(report, groups=False)
    copy = Witnessed.of(old_stack.client_settings("target"), CLUSTER)
    assert originals.differences(copy, whole_topics=True) == []
    assert run.leftovers() == []
