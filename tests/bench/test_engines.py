"""Which engines are timed, what they are asked for, and how the figures are made."""

from __future__ import annotations

import pytest

from bench.__main__ import parser
from bench.engines import ENGINES, TASKS, TOPIC, params
from bench.figures import EngineCopy, engine_table
from bench.records import records
from kafka_ferry.jobs.migration.rules.specs import spec_of

PLACES = {
    "FERRY_JAVA": "/jdk/bin/java",
    "FERRY_KAFKA_LIBS": "/kafka-4/libs",
    "FERRY_MM1_LIBS": "/kafka-3/libs",
    "FERRY_HOST_FOLDER": "/stack/hosts",
}


def cells(markdown: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    return {row[0]: row[1:] for row in rows[2:]}


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_is_asked_for_what_its_dag_takes(engine: str) -> None:
    spec = spec_of(engine).from_params(params(engine, "r0-1", PLACES, 18_080))
    assert (spec.topics, spec.migration, spec.tasks_max) == ([TOPIC], "r0-1", TASKS)
    assert spec.target_topic(TOPIC) == (f"{TOPIC}.replica" if engine == "replicate_topics" else TOPIC)


def test_mirror_maker_1_gets_its_own_jars_and_only_the_standalone_worker_a_port() -> None:
    made = {engine: params(engine, "x", PLACES, 18_080) for engine in ENGINES}
    assert made["mirror_maker1"]["kafka_libs"] == "/kafka-3/libs"
    assert made["mirror_maker2_dedicated"]["kafka_libs"] == "/kafka-4/libs"
    assert [engine for engine in ENGINES if "rest_port" in made[engine]] == ["mirror_maker2_standalone"]
    assert "host_folder" not in made["mirror_maker2_on_connect"]


def test_all_are_measured_against_connect() -> None:
    options = parser().parse_args(["engines"])
    assert options.engines == list(ENGINES)
    assert options.engines[0] == "mirror_maker2_on_connect"
    with pytest.raises(SystemExit):
        parser().parse_args(["engines", "--engines", "mirror_maker3"])


def test_what_was_there_at_the_first_look_is_not_counted_into_the_rate() -> None:
    assert EngineCopy("x", first=10.0, seen=200, last=14.0, proven=15.0, cpu=1.0).rate(1_000) == 200.0
    assert EngineCopy("x", first=10.0, seen=1_000, last=10.1, proven=15.0, cpu=1.0).rate(1_000) is None


def test_ratios_are_taken_within_a_run() -> None:
    # The machine was twice as slow in the second run: the ratio does not move.
    runs = [
        [EngineCopy("connect", 1.0, 0, 3.0, 4.0, 2.0), EngineCopy("host", 6.0, 0, 10.0, 10.5, 9.0)],
        [EngineCopy("host", 12.0, 0, 20.0, 21.0, 10.0), EngineCopy("connect", 2.0, 0, 6.0, 8.0, 2.0)],
    ]
    found = cells(engine_table(runs, 1_000_000, 200))
    assert list(found) == ["`connect`", "`host`"]
    assert found["`host`"] == [
        "9.0 (6.0-12.0)", "188 (125-250)", "37.5 (25.0-50.0)", "15.0 (10.0-20.0)", "0.30 (0.30-0.30) x",
        "0.8 (0.5-1.0)", "9.5 (9.0-10.0)",
    ]  # fmt: skip
    assert found["`connect`"][4] == "1.00 (1.00-1.00) x"


def test_a_copy_of_which_all_was_there_at_the_first_look_has_no_rate() -> None:
    runs = [[EngineCopy("connect", 3.0, 100, 3.0, 4.0, 2.0)], [EngineCopy("connect", 1.0, 0, 2.0, 4.0, 2.0)]]
    assert cells(engine_table(runs, 100, 200))["`connect`"][1] == "0"
    assert cells(engine_table(runs[:1], 100, 200))["`connect`"][1] == "all there at the first look"


def test_records_have_the_size_that_is_asked_for() -> None:
    made = list(records(50, 8, 200))
    assert {len(record[1] or b"") for record in made} == {200}
    assert len({record[1] for record in made}) == 50
