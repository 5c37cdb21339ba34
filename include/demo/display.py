"""What the demo prints: one line that moves, then tables. Formatting is pure; only ``ProgressLine`` writes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

import humanize

from demo.airflow_api import Task

ACTIVE = ("running", "deferred", "up_for_retry", "restarting")
DONE = ("success", "failed", "upstream_failed", "skipped", "removed")
SIGNS = {"pass": "✓", "fail": "✗", "explained": "~", "skipped": "-"}
PLAIN_INTERVAL_S = 5.0


class ProgressLine:
    """One line that is overwritten on a terminal; elsewhere a new line when the stage changes, else every 5 s."""

    def __init__(self, out: TextIO, width: int = 120) -> None:
        self._out, self._width, self._tty = out, width, out.isatty()
        self._started = time.monotonic()
        self._shown = ("", float("-inf"))
        self._drawn = False
        self._lock = threading.Lock()  # the loader's thread and the stack's threads write too

    def show(self, stage: str, detail: str = "") -> None:
        """Say what happens now. ``stage`` is short and stable, ``detail`` may change at every call."""
        now = time.monotonic()
        text = f"[{now - self._started:4.0f} s] {stage}" + (f" · {detail}" if detail else "")
        with self._lock:
            if self._tty:
                self._out.write("\r\x1b[K" + text[: self._width - 1])
                self._drawn = True
            elif stage != self._shown[0] or now - self._shown[1] >= PLAIN_INTERVAL_S:
                self._out.write(text + "\n")
                self._shown = (stage, now)
            self._out.flush()

    def say(self, text: str = "") -> None:
        """A line that stays."""
        with self._lock:
            if self._drawn:
                self._out.write("\r\x1b[K")
                self._drawn = False
            self._out.write(text + "\n")
            self._out.flush()


def stage(tasks: Sequence[Task]) -> str:
    """Which tasks work now, and how many are done; empty while Airflow is between two tasks."""
    active = Counter(task.task_id for task in tasks if task.state in ACTIVE)
    if not active:
        return ""
    names = ", ".join(name if n == 1 else f"{name} ×{n}" for name, n in active.items())
    done = sum(task.state in DONE for task in tasks)
    return f"{names} ({done} of {len(tasks)} tasks done)"


def copied(progress: Mapping[str, Any] | None) -> str:
    """A line of progress.jsonl for people; empty before the first poll."""
    if not progress:
        return ""
    done, total = progress["offsets"], progress["total_offsets"]
    parts = [
        f"{100 * done / total if total else 100:.0f} %",
        f"{done:,} of {total:,} offsets",
        humanize.naturalsize(progress.get("bytes") or 0),
    ]
    if progress.get("converged"):
        return " · ".join([*parts, "converged"])
    if progress.get("offsets_per_second") is not None:
        parts.append(f"{progress['offsets_per_second']:,.0f} offsets/s")
    if progress.get("eta_seconds") is not None:
        parts.append(f"ETA {progress['eta_seconds']:.0f} s")
    return " · ".join(parts)


def checks(report: Mapping[str, Any], width: int = 120) -> list[str]:
    """The checks as a table, each failure followed by its differences (five at most)."""
    rows = []
    for check in report["checks"]:
        # skipped checks and explained ones say why; for the others the numbers say it
        numbers = (check.get("expected"), check.get("actual"))
        text = f"{numbers[0]} → {numbers[1]}" if any(numbers) else ""
        why = check.get("detail") or ""
        what = " · ".join(part for part in (text, why) if part)
        rows.append((SIGNS.get(check["status"], "?"), check["name"], check["status"], what, check))
    name_width = max((len(row[1]) for row in rows), default=0)
    lines = []
    for sign, name, status, what, check in rows:
        lines.append(f"  {sign} {name:{name_width}}  {status:9}  {what}"[:width].rstrip())
        if status == "fail":
            differences = check.get("differences") or []
            lines += [f"      {difference}" for difference in differences[:5]]
            if len(differences) > 5:
                lines.append(f"      … and {len(differences) - 5:,} more, see the report")
    return lines


def stage_seconds(timeline: Iterable[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """Seconds of each stage of the run, mapped tasks as one from first start to last end; in order of start."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for line in timeline:
        if not line.get("started") or not line.get("ended"):
            continue
        started, ended = (datetime.fromisoformat(line[key]) for key in ("started", "ended"))
        name = line["stage"].split("[")[0]
        first, last = spans.get(name, (started, ended))
        spans[name] = (min(first, started), max(last, ended))
    ordered = sorted(spans.items(), key=lambda item: item[1][0])
    return [(name, (last - first).total_seconds()) for name, (first, last) in ordered]


def between_tasks(seconds: float, timeline: Iterable[Mapping[str, Any]]) -> float:
    """Seconds of a run in which no stage worked: Airflow's own share."""
    spans = sorted(
        (datetime.fromisoformat(line["started"]), datetime.fromisoformat(line["ended"]))
        for line in timeline
        if line.get("started") and line.get("ended")
    )
    busy, reached = 0.0, None
    for started, ended in spans:
        begin = started if reached is None else max(started, reached)
        busy += max(0.0, (ended - begin).total_seconds())
        reached = ended if reached is None else max(ended, reached)
    return max(0.0, seconds - busy)


def time_table(rows: Iterable[tuple[str, float, str]]) -> list[str]:
    """Where the time went: what, seconds, remark."""
    rows = list(rows)
    name_width = max((len(name) for name, _, _ in rows), default=0)
    return [f"  {name:{name_width}}  {seconds:6.1f} s  {remark}".rstrip() for name, seconds, remark in rows]
