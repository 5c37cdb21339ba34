"""One wrong clock is found by another: nothing is pruned by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.jobs.backup.rules.judge import backup_checks
from kafka_ferry.jobs.backup.store.store_clock import clock_problem
from true_manifests import manifest, segment


@pytest.mark.parametrize(("apart", "wrong"), [(0, False), (10, False), (20, True), (-20, True), (5_256_000, True)])
def test_minutes_apart_are_told_and_a_quarter_of_an_hour_is_nothing(tmp_path: Path, apart: int, wrong: bool):
    now = datetime.now(UTC) + timedelta(minutes=apart)
    problem = clock_problem(FolderStore(tmp_path), now)
    assert (problem is not None) is wrong
    assert not wrong or f"{now:%Y-%m-%d %H:%M}" in str(problem)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_does_not_tell_is_believed_to_have_our_time():
    assert clock_problem(SimpleNamespace(clock=lambda: None), datetime.now(UTC)) is None


def test_the_report_says_why_nothing_was_pruned():
    pruning = {"deleted": [], "bytes": 0, "dry_run": False, "kept": {}, "refused": "the clock"}
    (check,) = [one for one in backup_checks(manifest("1", segment(0, 5)), [], 1, pruning) if one.name == "pruning"]
    assert (check.status, check.detail) == ("skipped", "nothing was deleted: the clock")
