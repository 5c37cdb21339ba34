"""A removal does what it can, and says what may be left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.jobs.migration.live import removal


class Engine:
    """:param fault: of its stop."""

    names = ("connector a", "connector b")

    def __init__(self, fault: FerryError | None = None) -> None:
        self.fault = fault

    def stop(self) -> list[str]:
        if self.fault:
            raise self.fault
        return list(self.names)

    def own_topics(self) -> tuple[str, ...]:
        return ("own",)

    def forget(self) -> list[str]:
        return []

    def left(self) -> list[str]:
        return []


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps that were taken beside the engine's own."""
    found: list[str] = []

    def put_back(migration: Any, others: Any) -> list[str]:
        found.append("limits")
        return ["limits that are lifted"]

    def remove_canary(migration: Any) -> list[str]:
        found.append("canary")
        return []

    monkeypatch.setattr(removal, "_put_back", put_back)
    monkeypatch.setattr(removal, "remove_canary", remove_canary)
    return found


def remove(engine: Engine, monkeypatch: pytest.MonkeyPatch, done: list[str]) -> removal.Removed:
    def delete_topics(names: tuple[str, ...]) -> list[str]:
        done.append(f"topics {names}")
        return list(names)

    admin = SimpleNamespace(delete_topics=delete_topics, topic_ids=lambda names: {})
    migration: Any = SimpleNamespace(target=SimpleNamespace(admin=admin), spec=SimpleNamespace(target_conn_id="t"))
    monkeypatch.setattr(removal, "engine_of", lambda _: engine)
    return removal.remove(migration)


def test_all_is_taken_away(monkeypatch: pytest.MonkeyPatch, done: list[str]) -> None:
    found = remove(Engine(), monkeypatch, done)
    assert (found.stopped, found.topics) == (["connector a", "connector b"], ["own"])
    assert (found.left, found.unanswered) == (["limits that are lifted"], False)
    assert done == ["limits", "canary", "topics ('own',)"]


@pytest.mark.parametrize("error", [TransientError("no answer"), FerryError("refused")])
def test_an_engine_that_cannot_be_asked_keeps_only_its_own_topics(
    error: FerryError, monkeypatch: pytest.MonkeyPatch, done: list[str]
) -> None:
    found = remove(Engine(error), monkeypatch, done)
    assert done == ["limits", "canary"], "it may still write into its topics"
    assert found.left == [f"connector a, connector b, perhaps still at work: {error}", "limits that are lifted"]
    assert (found.stopped, found.topics, found.unanswered) == ([], [], error.retriable)
