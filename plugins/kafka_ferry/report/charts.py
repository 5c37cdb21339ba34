"""Numbers behind the plots of the report page. Pure; the drawing is done by Chart.js in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from kafka_ferry.core.checks import TopicLine

#: Points a plot has at most, whatever the number of polls: a day of polls every second is 86,400 lines.
POINTS = 400
#: Looks below which the lag around a window is no curve: lines between them would be made up.
LEAST_LOOKS = 5
#: Topics with bars of their own; the others share one pair.
TOPICS = 12


def progress_series(lines: Sequence[Mapping[str, Any]], points: int = POINTS) -> dict[str, list[list[float]]]:
    """Over time: offsets still to copy, and offsets and bytes per second.

    :param lines: of progress.jsonl.
    :returns: ``{"lag": [[seconds since the first poll, offsets], …], "offsets": [[s, offsets/s], …],
        "bytes": [[s, bytes/s], …]}``. Rates are means between two kept points, so thinning hides no offset.
        Empty lists when there are fewer than two polls.
    """
    if len(lines) < 2:
        return {"lag": [], "offsets": [], "bytes": []}
    kept = thin(lines, points)
    start = _time(kept[0])
    lag = [[round(_time(line) - start, 2), line["total_offsets"] - line["offsets"]] for line in kept]
    series: dict[str, list[list[float]]] = {"lag": lag, "offsets": [], "bytes": []}
    for before, after in pairwise(kept):
        seconds = _time(after) - _time(before)
        if seconds > 0:
            for name in ("offsets", "bytes"):
                rate = max(0.0, (after[name] - before[name]) / seconds)
                series[name].append([round(_time(after) - start, 2), round(rate, 1)])
    return series


def watch_series(lines: Sequence[Mapping[str, Any]], points: int = POINTS) -> dict[str, list[list[float]]]:
    """Of a copy that goes on: offsets that were not copied yet, and how long the oldest of them had waited.

    :param lines: of watched.jsonl.
    :returns: ``{"behind": [[seconds since the first look, offsets], …], "seconds": [[s, s], …]}``; of the looks
        between two points the worst is kept. Empty lists when there are fewer than two.
    """
    good = [line for line in lines if all(isinstance(line[name], int | float) for name in ("behind", "seconds"))]
    if len(good) < 2:
        return {"behind": [], "seconds": []}
    start = _time(good[0])
    found: dict[str, list[list[float]]] = {}
    for name in ("behind", "seconds"):
        step = -(-len(good) // points)
        runs = [good[at : at + step] for at in range(0, len(good), step)]
        worst = [max(run, key=lambda line: line[name]) for run in runs]  # used at once
        found[name] = [[round(_time(line) - start, 2), line[name]] for line in worst]
    return found


def window_series(cutover: Mapping[str, Any] | None) -> list[list[float]]:
    """Records that the replication was behind, over the seconds since the fence; empty: too few looks.

    :param cutover: of report.json.
    """
    points = (cutover or {}).get("lag")
    if not isinstance(points, list) or len(points) < LEAST_LOOKS or not all(map(_is_point, points)):
        return []
    return points[:POINTS]


def thin(lines: Sequence[Mapping[str, Any]], points: int) -> list[Mapping[str, Any]]:
    """At most ``points`` of the lines, evenly spread; the first and the last are always kept."""
    if len(lines) <= points:
        return list(lines)
    step = (len(lines) - 1) / (points - 1)
    return [lines[round(i * step)] for i in range(points)]


def topic_bars(topics: Sequence[TopicLine], top: int = TOPICS) -> dict[str, list[Any]]:
    """Records per topic on both sides: the largest topics, and the sum of the others as the last bar.

    Topics that failed come before larger ones, so that no loss hides in the sum.

    :returns: ``{"labels": [...], "source": [...], "target": [...], "failed": [bool, ...]}``; topics that were not
        counted are left out.
    """
    counted = [line for line in topics if line.source_records is not None and line.target_records is not None]
    ordered = sorted(counted, key=lambda line: (line.status != "fail", -(line.source_records or 0), line.source))
    shown = sorted(ordered[:top], key=lambda line: (-(line.source_records or 0), line.source))
    rest = ordered[top:]
    bars: dict[str, list[Any]] = {
        "labels": [line.source for line in shown],
        "source": [line.source_records for line in shown],
        "target": [line.target_records for line in shown],
        "failed": [line.status == "fail" for line in shown],
    }
    if rest:
        bars["labels"].append(f"{len(rest):,} other topics" if len(rest) > 1 else rest[0].source)
        bars["source"].append(sum(line.source_records or 0 for line in rest))
        bars["target"].append(sum(line.target_records or 0 for line in rest))
        bars["failed"].append(any(line.status == "fail" for line in rest))
    return bars


def _is_point(found: Any) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(isinstance(one, int | float) for one in found)


def _time(line: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(line["at"]).timestamp()
