"""Journals of waves, in a folder that all runs share."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.wave_journals import Journals, is_done, journal_of
from kafka_ferry.report.artifacts import RunArtifacts


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    return tmp_path


def journal(wave: str = "w", run: str = "r", state: State = State.FENCED) -> Journal:
    return Journal(wave=wave, source_cluster="c/1", dag_id="cutover", run_id=run, topics={"a": "a"}, fence="acl",
                   state=state)  # fmt: skip


def test_later_runs_find_it_and_only_its_own_run_works_on_it() -> None:
    mine, other = RunArtifacts("cutover", "r"), RunArtifacts("cutover", "r2")
    Journals("c/1").write(journal(), mine)
    Journals("c/1").write(journal("v"))
    assert {one.wave for one in Journals("c/1").all()} == {"w", "v"}
    assert list(Journals("other").all()) == []
    assert journal_of(mine, "c/1", "w") == journal()
    assert journal_of(other, "c/1", "w") is None
    assert Journals("c/1").read("none") is None


@pytest.mark.parametrize(
    ("state", "done"), [(State.FENCED, False), (State.HANDING_OVER, True), (State.HANDED_OVER, True)]
)
def test_a_run_knows_that_it_has_handed_over(state: State, done: bool) -> None:
    context = {"dag_run": SimpleNamespace(dag_id="cutover", run_id="r")}
    assert not is_done(context)
    Journals("c/1").write(journal(state=state), RunArtifacts("cutover", "r"))
    assert is_done(context) is done


def test_one_that_cannot_be_read_is_not_passed_over(root: Path) -> None:
    Journals("c/1").write(journal())
    (file,) = root.glob("_cutovers/*/w.json")
    file.write_text('{"schema_": "kafka-ferry.cutover/9"}')
    with pytest.raises(FerryError, match="kafka-acls --list"):
        Journals("c/1").read("w")
