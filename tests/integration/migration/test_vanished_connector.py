"""A connector that something else deletes while a migration works, as Strimzi's operator does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.jobs.migration.engines.registry import engine_of
from run_by_hand import Run

pytestmark = pytest.mark.integration


def test_the_wait_ends_with_who_may_have_done_it(
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
    produce: Callable[..., Any],
    connections: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    topic = f"{topic_prefix}orders"
    make_topics(source_bootstrap, topic)
    produce(source_bootstrap, topic, 100)
    run = Run("mirror_maker2_on_connect", topics=[topic], groups=[], migration=f"{topic_prefix}m")
    run.plan()
    run.provision()
    try:
        run.deploy()
        run.wait_until_running()
        produce(source_bootstrap, topic, 50)
        source = engine_of(run.migration).connectors[0]
        assert ConnectHook("kafka_connect").delete(source)
        with pytest.raises(Exception, match=rf"connector {source} is gone.*strimzi\.io/use-connector-resources"):
            run.prove()
    finally:
        run.remove()
    assert run.leftovers() == []
