"""Where records of the applications are met, the journals beside the artifacts tell whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.common.wave_journals import Journals
from kafka_ferry.jobs.migration.live import removal, resume
from kafka_ferry.jobs.migration.live.handed_over import handed_over
from kafka_ferry.jobs.migration.rules.resume import ForeignData


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))

    def side(cluster_id: str) -> Any:
        cluster = SimpleNamespace(cluster_id=cluster_id)
        return SimpleNamespace(admin=SimpleNamespace(describe_cluster=lambda: cluster))

    topics = SimpleNamespace(topics={}, targets=lambda spec: {"a": "a"})
    spec = SimpleNamespace(isolation_level="read_committed", target_conn_id="kafka_target")
    return SimpleNamespace(source=side("s"), target=side("t"), topics=topics, spec=spec)


def hand_over() -> None:
    wave = Journal(wave="w", source_cluster="s", target_cluster="t", dag_id="cutover", run_id="r", topics={"a": "a"},
                   fence="acl", state=State.HANDED_OVER, handed_over_at="then")  # fmt: skip
    Journals("s").write(wave)


def test_without_a_wave_nothing_is_asked_more(migration: Any) -> None:
    def never(_: Any) -> str:
        raise AssertionError("asked")

    assert handed_over(migration, never) == []
    hand_over()
    (found,) = handed_over(migration, lambda _: "commands")
    assert found.fix.endswith("\ncommands")


def test_foreign_records_after_a_hand_over_are_the_applications(
    migration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def foreign(*args: Any) -> Any:
        raise ForeignData("Fix: delete the target topic")

    @contextmanager
    def side(*args: Any) -> Iterator[None]:
        yield None

    monkeypatch.setattr(resume, "_side", side)
    monkeypatch.setattr(resume, "resume_offsets", foreign)
    monkeypatch.setattr(resume, "resume_topics", foreign)
    for find in (resume.resume_of, resume.resume_topics_of):
        with pytest.raises(ForeignData):
            find(migration, {})
    hand_over()
    for find in (resume.resume_of, resume.resume_topics_of):
        with pytest.raises(BadParam, match="by wave w at then") as refused:
            find(migration, {})
        assert "delete the target topic" not in str(refused.value)


def test_what_is_said_of_a_replication_that_goes_on_holds_after_a_hand_over(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SimpleNamespace(names=["connector x"], own_topics=lambda: ("own",), how_to_stop=lambda: "curl x")
    monkeypatch.setattr(removal, "engine_of", lambda _: engine)
    extra = {"bootstrap.servers": "b:1"}
    kept: Any = SimpleNamespace(target=SimpleNamespace(extra=extra), spec=SimpleNamespace(target_conn_id="t"))
    said, *commands = removal.how_to_stop(kept).split("\n")
    assert "Once a cutover has handed topics of it over, that is refused: stop it by hand then" in said
    assert commands == ["curl x", "# then, on t", "kafka-topics.sh --bootstrap-server b:1 --delete --topic own"]
    assert removal.by_hand(kept).split("\n") == commands
