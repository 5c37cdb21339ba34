"""What the demo prints."""

from __future__ import annotations

import io
from typing import Any

import pytest

from demo import display
from demo.airflow_api import Task
from demo.display import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def task(task_id: str, state: str | None, map_index: int = -1) -> Task:
    return Task(task_id, state, map_index, 1)


def test_on_a_terminal_one_line_is_overwritten_and_a_said_line_stays() -> None:
    out = Terminal()
    line = ProgressLine(out, width=40)
    line.show("starting", "x" * 100)
    line.show("copying", "10 %")
    line.say("Data written")
    first, second, rest = out.getvalue().split("\r\x1b[K")[1:]
    assert len(first) == 39
    assert second == "[   0 s] copying · 10 %"
    assert rest == "Data written\n"


def test_elsewhere_a_line_is_written_when_the_stage_changes_or_after_some_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("demo.display.time.monotonic", lambda: now)
    out = io.StringIO()
    line = ProgressLine(out)
    line.show("copying", "1 %")
    now = 101.0
    line.show("copying", "2 %")
    now = 105.0
    line.show("copying", "3 %")
    line.show("validate")
    assert out.getvalue().splitlines() == ["[   0 s] copying · 1 %", "[   5 s] copying · 3 %", "[   5 s] validate"]


def test_stage_names_active_tasks_and_counts_the_done_ones() -> None:
    tasks = [
        task("plan", "success"),
        task("wait", "deferred"),
        task("fingerprint", "running", 0),
        task("fingerprint", "running", 1),
        task("report", None),
    ]
    assert display.stage(tasks) == "wait, fingerprint ×2 (1 of 5 tasks done)"
    assert display.stage([task("plan", "success"), task("report", "scheduled")]) == ""


PROGRESS = {
    "offsets": 1_000,
    "total_offsets": 4_000,
    "bytes": 2_000_000,
    "total_bytes": 8_000_000,
    "offsets_per_second": 500.4,
    "eta_seconds": 6.2,
    "converged": False,
}


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (None, ""),
        (PROGRESS, "25 % · 1,000 of 4,000 offsets · 2.0 MB · 500 offsets/s · ETA 6 s"),
        (PROGRESS | {"offsets_per_second": None, "eta_seconds": None}, "25 % · 1,000 of 4,000 offsets · 2.0 MB"),
        (
            PROGRESS | {"offsets_per_second": 0.0, "eta_seconds": None},
            "25 % · 1,000 of 4,000 offsets · 2.0 MB · 0 offsets/s",
        ),
        (PROGRESS | {"offsets": 4_000, "converged": True}, "100 % · 4,000 of 4,000 offsets · 2.0 MB · converged"),
        (
            {"offsets": 0, "total_offsets": 0, "bytes": 0, "converged": True},
            "100 % · 0 of 0 offsets · 0 Bytes · converged",
        ),
    ],
)
def test_copied(progress: dict[str, Any] | None, text: str) -> None:
    assert display.copied(progress) == text


def test_checks_show_numbers_reasons_and_the_differences_of_a_failure() -> None:
    report = {
        "checks": [
            {"name": "topics", "status": "pass", "expected": "9", "actual": "9", "detail": "", "differences": []},
            {
                "name": "content",
                "status": "fail",
                "expected": "27 equal",
                "actual": "26 equal",
                "detail": "",
                "differences": [f"flights-0: offset {i} lost" for i in range(7)],
            },
            {"name": "acls", "status": "skipped", "expected": "", "actual": "", "detail": "no authorizer"},
            {"name": "configs", "status": "explained", "detail": "follower.* differ", "differences": ["hidden"]},
        ]
    }
    assert display.checks(report) == [
        "  ✓ topics   pass       9 → 9",
        "  ✗ content  fail       27 equal → 26 equal",
        "      flights-0: offset 0 lost",
        "      flights-0: offset 1 lost",
        "      flights-0: offset 2 lost",
        "      flights-0: offset 3 lost",
        "      flights-0: offset 4 lost",
        "      … and 2 more, see the report",
        "  - acls     skipped    no authorizer",
        "  ~ configs  explained  follower.* differ",
    ]


def test_checks_fit_the_width_of_the_terminal() -> None:
    report = {"checks": [{"name": "topics", "status": "pass", "detail": "x" * 200}]}
    assert [len(line) for line in display.checks(report, width=60)] == [60]


def test_stage_seconds_join_mapped_tasks_and_leave_out_what_has_not_ended() -> None:
    timeline = [
        {"stage": "validate[1]", "started": "2026-01-01T00:00:05Z", "ended": "2026-01-01T00:00:09Z"},
        {"stage": "plan", "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:01.500Z"},
        {"stage": "validate[0]", "started": "2026-01-01T00:00:04+00:00", "ended": "2026-01-01T00:00:06+00:00"},
        {"stage": "report", "started": "2026-01-01T00:00:09Z", "ended": None},
    ]
    assert display.stage_seconds(timeline) == [("plan", 1.5), ("validate", 5.0)]


def test_the_share_of_airflow_is_what_no_stage_worked_in() -> None:
    timeline = [
        {"stage": "a[0]", "started": "2026-01-01T00:00:01Z", "ended": "2026-01-01T00:00:05Z"},
        {"stage": "a[1]", "started": "2026-01-01T00:00:02Z", "ended": "2026-01-01T00:00:04Z"},  # within the first
        {"stage": "b", "started": "2026-01-01T00:00:04Z", "ended": "2026-01-01T00:00:07Z"},  # overlaps by 1 s
        {"stage": "c", "started": "2026-01-01T00:00:09Z", "ended": None},
    ]
    assert display.between_tasks(10.0, timeline) == 4.0
    assert display.between_tasks(10.0, []) == 10.0


def test_time_table_lines_up() -> None:
    assert display.time_table([("stack start", 30.04, ""), ("data", 8, "beside it")]) == [
        "  stack start    30.0 s",
        "  data            8.0 s  beside it",
    ]
