"""The table of versions in docs/engines.md: each cell that says PASS is a migration that is run here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from doc_tables import table_below
from engine_runs import MIRROR_MAKER_1, ON_CONNECT, ON_HOSTS, EngineRuns, statuses
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack
from stack import Stack
from stack.stack import PROJECT
from whole_cluster import WholeCluster, Witnessed

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

Pair = tuple[str, str]
TABLE = table_below(PROJECT / "docs" / "engines.md", "## Versions of brokers")
ENGINES = [column.strip("`") for column in TABLE[0] if column not in ("source", "target")]
CLAIMS = [(row["source"], row["target"], engine) for row in TABLE for engine in ENGINES if row[f"`{engine}`"] == "PASS"]
PROVED = ("topics", "partitions", "configs", "counts", "content", "new_records", "leftovers")


@pytest.fixture(scope="module")
def stacks() -> Iterator[Callable[[str, str], Stack]]:
    """Of a source and a target, one broker each; one stack at a time."""
    with ExitStack() as last:
        up: dict[Pair, Stack] = {}

        def of(source: str, target: str) -> Stack:
            if (source, target) not in up:
                last.close()
                up.clear()
                name = f"from-{source}-to-{target}"
                up[source, target] = last.enter_context(own_stack(name, source=source, target=target))
            return up[source, target]

        yield of


def test_the_table_speaks_of_every_engine_and_of_old_and_new_on_both_sides() -> None:
    assert set(ENGINES) == {ON_CONNECT, *ON_HOSTS}
    assert {source for source, _, _ in CLAIMS} >= {"2.4.1", "2.6.0", "2.8.2", "3.9.2", "4.3.1"}
    assert {target for _, target, _ in CLAIMS} >= {"2.4.1", "2.6.0", "4.3.1"}


@pytest.mark.parametrize(("source", "target", "engine"), CLAIMS)
def test_a_cell(
    source: str,
    target: str,
    engine: str,
    stacks: Callable[[str, str], Stack],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pair = stacks(source, target)
    cluster = WholeCluster(((3, 2, {"retention.ms": "-1"}), (1, 3, {"cleanup.policy": "compact"})), 100, engine)
    cluster.fill(pair.client_settings("source"), replicas=1)
    params = {"topics": [f"{engine}.*"], "migration": "matrix"}
    if engine != MIRROR_MAKER_1:
        params["groups"] = [f"{engine}-.*"]

    with EngineRuns(pair, tmp_path, monkeypatch) as runs:
        run = runs.make(engine, **params)
        _, report = run.whole()
        assert run.leftovers() == []

    made = statuses(report)
    assert report["verdict"] == "PASS", report["checks"]
    assert {name: made[name] for name in PROVED} == dict.fromkeys(PROVED, "pass"), report["checks"]
    sides = [Witnessed.of(pair.client_settings(side), cluster) for side in ("source", "target")]
    assert sides[0].differences(sides[1], whole_topics=engine == MIRROR_MAKER_1) == []
    if engine != MIRROR_MAKER_1:
        assert {made[name] for name in ("groups", "group_offsets", "new_topics")} == {"pass"}, report["checks"]
        there = KafkaAdmin(pair.client_settings("target"), "target")
        assert there.committed(cluster.groups) == cluster.groups
