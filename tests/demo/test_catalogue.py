"""The demo's topics and groups as values: counts, names, determinism. No broker."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from demo import catalogue, hard_cases
from demo.flights import sample
from demo.spec import Record, TopicSpec, Transaction

SCALE = 0.02


@pytest.fixture(scope="module")
def specs() -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in catalogue.topics(SCALE)}


def test_all_flights_are_there_at_scale_one() -> None:
    counts = {spec.name: spec.count for spec in catalogue.topics(1.0)}
    assert counts["flights.departures"] == 336_776
    # a flight without a departure time never left: the two topics share out the year
    assert counts["flights-by-dest"] + counts["flights_cancelled"] == 336_776
    assert sum(counts.values()) < 710_000


def test_counts_are_what_the_records_say(specs: dict[str, TopicSpec]) -> None:
    for spec in specs.values():
        assert sum(1 for _ in spec.all_records()) == spec.count, spec.name


def test_two_calls_make_the_same_records(specs: dict[str, TopicSpec]) -> None:
    for again in catalogue.topics(SCALE):
        assert list(again.all_records()) == list(specs[again.name].all_records()), again.name


def test_flights_are_json_with_null_for_na_and_the_time_of_the_flight(specs: dict[str, TopicSpec]) -> None:
    first = next(iter(specs["flights.departures"].all_records()))
    assert json.loads(first.value or b"") == {
        "carrier": "UA",
        "flight": 1545,
        "tailnum": "N14228",
        "origin": "EWR",
        "dest": "IAH",
        "sched_dep_time": 515,
        "dep_time": 517.0,
        "dep_delay": 2.0,
        "distance": 1400,
    }
    assert first.key == b"UA"
    assert first.timestamp == 1_357_034_400_000 + 15 * 60_000  # 2013-01-01T10:15Z
    real = [spec for name, spec in specs.items() if name.startswith(("flights", "nyc"))]
    assert not [r for spec in real for r in spec.all_records() if b"NaN" in (r.value or b"")]


def test_names_have_dots_dashes_and_underscores_and_do_not_collide(specs: dict[str, TopicSpec]) -> None:
    for names in (list(specs), [group.name for group in catalogue.groups()]):
        for sign in ".-_":
            assert any(sign in name for name in names)
    # the broker refuses two topics that differ only in dot and underscore (their metrics collide)
    assert len({name.replace(".", "_") for name in specs}) == len(specs)


def test_no_two_topics_have_the_same_configs(specs: dict[str, TopicSpec]) -> None:
    flights = [dict(specs[name].config) for name in specs if name.startswith(("flights", "nyc"))]
    assert all(a != b for a, b in pairwise(flights))
    assert all(spec.config for spec in specs.values())


def test_groups_name_topics_that_exist(specs: dict[str, TopicSpec]) -> None:
    assert {topic for group in catalogue.groups() for topic in group.topics} <= set(specs)
    assert {0.0, 0.5, 1.0} <= {group.position for group in catalogue.groups()}


def test_prefix_goes_before_every_name() -> None:
    assert all(spec.name.startswith("t1.") for spec in catalogue.topics(SCALE, "t1."))
    assert all(t.startswith("t1.") for g in catalogue.groups("t1.") for t in (g.name, *g.topics))


@pytest.mark.parametrize("scale", [0, -1, 11])
def test_a_senseless_scale_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        catalogue.topics(scale)


def test_sample_spreads_below_one_and_repeats_above() -> None:
    assert sample([0, 1, 2, 3], 0.5) == [0, 2]
    assert sample([0, 1, 2, 3], 1) == [0, 1, 2, 3]
    assert sample([0, 1], 2.5) == [0, 1, 0, 1, 0]


def test_a_transaction_takes_one_marker_a_partition() -> None:
    records = tuple(Record(None, b"v", 1, None, p) for p in (0, 0, 2))
    assert Transaction(records, committed=True).offsets == 5


def test_hard_cases_cover_what_they_promise() -> None:
    binary = list(hard_cases.binary().all_records())
    assert {None, b""} <= {r.key for r in binary}
    assert {None, b""} <= {r.value for r in binary}
    values = [value for r in binary for _, value in r.headers or []]
    assert {None, b""} <= set(values)
    assert any(len({k for k, _ in r.headers or []}) < len(r.headers or []) for r in binary)
    assert any(r.headers == [] for r in binary)
    assert any(later.timestamp < earlier.timestamp for earlier, later in pairwise(binary))
    assert any(r.value is None for r in hard_cases.compacted(1).all_records())
    assert not hard_cases.transactions().transactions[-1].committed
    assert {len(r.value or b"") // 100_000 for r in hard_cases.big(1).all_records()} == {9}
    assert hard_cases.empty().count == 0
