"""A task whose broker hangs ends, and says so; its retry works."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.common.task_watch import NoProgress
from kafka_ferry.jobs.migration.tasks.comparison import FreezeOperator
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from stack import Stack
from tasks_by_hand import TasksByHand

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("connections")]


def test_a_broker_that_hangs_ends_the_task_and_the_retry_works(
    breakable_stack: Stack,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SIGSTOP: connections stay open and nothing comes, neither an answer nor an error."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    for bootstrap in (breakable_stack.source_bootstrap, breakable_stack.target_bootstrap):
        (topic,) = make_topics(bootstrap, f"{topic_prefix}orders")
        produce(bootstrap, topic, [{"key": b"k", "value": b"v", "timestamp": 1_700_000_000_000}] * 100)
    params = {"topics": [topic], "groups": [], "no_progress_timeout": 5}
    run = TasksByHand("verify_clusters", "hangs", "verify_clusters", params)
    run.do(FreezeOperator, "freeze")
    (shard,) = run.do(ShardsOperator, "shards")
    monkeypatch.setenv("FERRY_NO_PROGRESS_SECONDS", "5")
    broker = breakable_stack.broker("source")
    broker.pause()
    begun = time.monotonic()
    try:
        with pytest.raises(NoProgress, match="no progress for 10 s"):
            run.do(FingerprintOperator, "fingerprint", shard=shard)
    finally:
        broker.resume()
    assert time.monotonic() - begun < 25, "its own time-outs would have taken longer"
    (stage,) = [run.artifacts.read_json(name) for name in run.artifacts.names("stages") if "fingerprint" in name]
    assert (stage["state"], "no progress for 10 s" in stage["error"]) == ("failed", True)
    monkeypatch.delenv("FERRY_NO_PROGRESS_SECONDS")
    assert retried(lambda: run.do(FingerprintOperator, "fingerprint", shard=shard)) is not None


def retried(task: Callable[[], Any], tries: int = 5) -> Any:
    """As Airflow does: the controller may have fenced the broker meanwhile, whose leader epochs then change."""
    for left in reversed(range(tries)):
        try:
            return task()
        except TransientError:
            if not left:
                raise
            time.sleep(2)
    return None
