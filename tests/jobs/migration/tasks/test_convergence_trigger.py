"""The poller and its trigger: one event, never an exception, patience with a silent cluster but not for ever."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.exceptions import BadConnection, DataLossError, TransientError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.jobs.migration.rules.convergence import ConvergenceStalled, PollResult
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.tasks import convergence_trigger as convergence
from kafka_ferry.jobs.migration.tasks.convergence_trigger import ConvergencePoller, ConvergenceTrigger, progress_line
from kafka_ferry.report.artifacts import PROGRESS, RunArtifacts

ARGUMENTS: dict[str, Any] = {
    "engine": "mirror_maker2_on_connect", "dag_id": "d", "run_id": "r", "params": {"topics": ["a"]}
}  # fmt: skip


def result(converged: bool = False, **more: Any) -> PollResult:
    fields: dict[str, Any] = {
        "offsets": 50, "total_offsets": 200, "done_bytes": 500, "total_bytes": 2000, "partitions_done": 1,
        "partitions": 4, "offsets_per_second": 10.0, "eta": 15.0, "slowest": (("a", 150),), "undecided": {},
    } | more  # fmt: skip
    return PollResult(converged=converged, **fields)


class FakeWatch:
    def __init__(self, *steps: PollResult | Exception) -> None:
        self.steps = list(steps)

    def poll(self) -> PollResult:
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step


def poller(tmp_path: Path, *steps: PollResult | Exception, patience: float = 5) -> ConvergencePoller:
    made = ConvergencePoller.__new__(ConvergencePoller)
    made._spec = MigrationSpec(topics=["a"], no_progress_timeout=patience)
    made._artifacts = RunArtifacts("d", "r", str(tmp_path))
    made._watch = FakeWatch(*steps)  # type: ignore[assignment]
    made.interval, made._silent_since, made._last = 0.001, None, "no progress seen yet"
    return made


def event(monkeypatch: pytest.MonkeyPatch, made: ConvergencePoller | Exception, seconds: float = 30) -> dict[str, Any]:
    trigger = ConvergenceTrigger(**ARGUMENTS, end_time=time.time() + seconds)

    def make(migration: Any, artifacts: Any, frozen: Any) -> ConvergencePoller:
        if isinstance(made, Exception):
            raise made
        return made

    monkeypatch.setattr(convergence, "ConvergencePoller", make)
    monkeypatch.setattr(convergence, "read_frozen", lambda artifacts: None)

    async def all_events() -> list[Any]:
        return [found async for found in trigger.run()]

    (only,) = asyncio.run(all_events())
    return dict(only.payload)


def test_serialize_round_trip_with_nothing_but_json() -> None:
    made = ConvergenceTrigger(**ARGUMENTS, end_time=5.0)
    path, kwargs = made.serialize()
    assert path == "kafka_ferry.jobs.migration.tasks.convergence_trigger.ConvergenceTrigger"
    assert ConvergenceTrigger(**json.loads(json.dumps(kwargs))).serialize() == (path, kwargs)


def test_success_and_a_line_of_progress_a_poll(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = poller(tmp_path, result(), TransientError("away"), result(True, offsets=200))
    told = event(monkeypatch, made)
    assert told.keys() == {"status", "message"}
    assert told["status"] == "success"
    assert told["message"].endswith("converged")
    lines = RunArtifacts("d", "r", str(tmp_path)).read_lines(PROGRESS)
    assert [line["offsets"] for line in lines] == [50, 200]
    assert lines[-1]["converged"] is True
    assert lines[0]["at"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DataLossError("a-0: lost"), "failed"),
        (BadConnection("a-0: lost"), "failed"),
        (ValueError("a-0: lost"), "broken"),  # the wait broke, not the copy: worth another try
    ],
)
def test_what_never_will_converge_is_an_event(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, status: str
) -> None:
    told = event(monkeypatch, poller(tmp_path, result(), error))
    assert told["status"] == status
    assert "a-0: lost" in told["message"]


def test_a_start_that_fails_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    assert event(monkeypatch, DataLossError("frozen.json is missing"))["message"] == "frozen.json is missing"


def test_the_deadline_says_what_was_last_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = event(monkeypatch, poller(tmp_path, result()), seconds=-1)
    assert told["status"] == "timeout"
    assert "convergence_timeout" in told["message"]
    assert "50 of 200 offsets" in told["message"]


def test_a_silent_cluster_is_tolerated_and_not_for_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [100.0]
    monkeypatch.setattr(convergence.time, "monotonic", lambda: now[0])
    made = poller(tmp_path, TransientError("broker away"), patience=5)
    assert made.look() == Readiness(Verdict.WAITING, "no answer, will try again: broker away")
    now[0] += 5
    assert made.look().verdict is Verdict.WAITING
    now[0] += 0.1
    with pytest.raises(ConvergenceStalled, match=r"no answer for 5 s: broker away"):
        made.look()


def test_an_answer_ends_the_silence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [100.0]
    monkeypatch.setattr(convergence.time, "monotonic", lambda: now[0])
    away = TransientError("broker away")
    made = poller(tmp_path, away, result(), away, away)
    for _ in range(4):
        assert made.look().verdict is Verdict.WAITING
        now[0] += 4


def test_progress_line() -> None:
    line = progress_line(result())
    assert line.startswith("25.0 % · 50 of 200 offsets · 500 Bytes of 2.0 kB · 1 of 4 partitions · 10 offsets/s")
    assert line.endswith("ETA 15 seconds · slowest: a (150 left)")
    assert progress_line(result(offsets_per_second=None, eta=None)).endswith("ETA unknown yet · slowest: a (150 left)")
    done = progress_line(result(True, offsets=0, total_offsets=0))
    assert done.startswith("100.0 %")
    assert done.endswith("converged")


def test_the_real_poller_polls_the_migrations_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = SimpleNamespace(offsets=lambda *_: {}, topic_ids=lambda _: {})
    side = SimpleNamespace(admin=admin)
    progress = SimpleNamespace(check=lambda: None, next_offsets=dict)
    migration = SimpleNamespace(
        spec=MigrationSpec(topics=["a"]),
        source=side,
        target=side,
        prober=lambda: lambda ranges: set(),
    )
    monkeypatch.setattr(convergence, "engine_of", lambda migration: SimpleNamespace(progress=lambda: progress))
    frozen = convergence.Frozen({}, {}, {}, {})
    made = ConvergencePoller(migration, RunArtifacts("d", "r", str(tmp_path)), frozen)  # type: ignore[arg-type]
    assert made.look().verdict is Verdict.RUNNING
