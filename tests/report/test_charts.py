"""Series behind the plots."""

from __future__ import annotations

import pytest

import report_samples as samples
from kafka_ferry.core.checks import Status
from kafka_ferry.report.charts import POINTS, progress_series, thin, topic_bars, watch_series, window_series


def test_lag_falls_to_zero_and_rates_add_up_to_the_offsets():
    series = progress_series(samples.progress(40))
    assert series["lag"][0] == [0, 1_000_000]
    assert series["lag"][-1] == [39, 0]
    times = [0.0] + [point[0] for point in series["offsets"]]
    moved = sum(rate * (end - start) for start, (end, rate) in zip(times, series["offsets"], strict=False))
    assert moved == pytest.approx(1_000_000, rel=1e-4)
    assert series["bytes"][-1][1] == pytest.approx(series["offsets"][-1][1] * 120, rel=1e-3)


def test_thinning_keeps_both_ends_and_loses_no_offset():
    lines = samples.progress(10_000)
    kept = thin(lines, POINTS)
    assert len(kept) == POINTS
    assert (kept[0], kept[-1]) == (lines[0], lines[-1])
    series = progress_series(lines)
    times = [0.0] + [point[0] for point in series["offsets"]]
    moved = sum(rate * (end - start) for start, (end, rate) in zip(times, series["offsets"], strict=False))
    assert moved == pytest.approx(1_000_000, rel=1e-3)


@pytest.mark.parametrize("polls", [0, 1])
def test_one_poll_is_no_line(polls):
    assert progress_series(samples.progress(polls)) == {"lag": [], "offsets": [], "bytes": []}


def test_a_restart_of_the_copy_is_no_negative_rate():
    lines = samples.progress(3)
    lines[2]["offsets"] = lines[2]["bytes"] = 0
    assert progress_series(lines)["offsets"][-1][1] == 0


def test_the_largest_topics_have_bars_and_the_others_one():
    bars = topic_bars([samples.topic(f"t{i:02}", 100 * i) for i in range(30)])
    assert bars["labels"][:2] == ["t29", "t28"]
    assert bars["labels"][-1] == "18 other topics"
    assert sum(bars["source"]) == sum(bars["target"]) == sum(100 * i for i in range(30))


def test_a_small_topic_that_failed_has_its_own_bar():
    topics = [samples.topic(f"t{i:02}", 1000) for i in range(30)]
    topics.append(samples.topic("small", 5, target_records=4, lost=1, status=Status.FAIL))
    bars = topic_bars(topics)
    at = bars["labels"].index("small")
    assert (bars["source"][at], bars["target"][at], bars["failed"][at]) == (5, 4, True)


def test_topics_that_were_not_counted_have_no_bar():
    assert topic_bars([samples.topic("t", source_records=None)])["labels"] == []


@pytest.mark.parametrize(
    "cutover",
    [
        None,
        {},
        {"lag": None},
        {"lag": [[0, 1]] * 4},
        {"lag": [[0, 1]] * 5 + [["<b>", 2]]},
        {"lag": [1, 2, 3, 4, 5]},
        {"lag": "abcdef"},
    ],
)
def test_a_lag_that_is_none_or_was_hardly_looked_at_is_not_drawn(cutover):
    assert window_series(cutover) == []


def test_the_lag_around_the_fence_is_drawn_as_it_is():
    points = [[-53.0, 9], [-2.0, 7], [0.4, 3], [1.0, 1], [1.2, 0]]
    assert window_series({"lag": points}) == points


def looks(*values):
    return [{"at": f"2026-12-01T00:00:{at:02}+00:00", "behind": n, "seconds": s} for at, (n, s) in enumerate(values)]


def test_a_copy_that_goes_on_is_drawn_look_by_look():
    series = watch_series(looks((0, 0), (50, 12.5), (0, 3)))
    assert series == {"behind": [[0, 0], [1, 50], [2, 0]], "seconds": [[0, 0], [1, 12.5], [2, 3]]}


def test_of_many_looks_the_worst_ones_stay():
    many = looks(*((0, 0) for _ in range(60)))
    many[17]["behind"], many[41]["seconds"] = 900, 77
    series = watch_series(many, points=7)
    assert len(series["behind"]) <= 7
    assert max(n for _, n in series["behind"]) == 900
    assert max(s for _, s in series["seconds"]) == 77


@pytest.mark.parametrize("lines", [[], looks((1, 1)), [*looks((1, 1)), {"at": "x", "behind": "1", "seconds": None}]])
def test_one_look_is_no_line(lines):
    assert watch_series(lines) == {"behind": [], "seconds": []}
