"""Artifacts: whole files under safe names, in a folder or an object store."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from kafka_ferry.exceptions import FerryError
from kafka_ferry.migration.convergence import Frozen
from kafka_ferry.report.storage import FROZEN, REPORT, RunArtifacts, read_frozen, read_results

RUN = "manual__2026-11-21T08:00:00+00:00"


@pytest.fixture(params=["folder", "object store"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> RunArtifacts:
    return RunArtifacts("dag", RUN, f"file://{tmp_path}" if request.param == "object store" else str(tmp_path))


def test_a_run_id_cannot_leave_its_folder(tmp_path: Path) -> None:
    RunArtifacts("..", "..", str(tmp_path / "root")).write_json("x.json", 1)
    assert [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("x.json")] == ["root"]


def test_json_round_trip_and_replacement(artifacts: RunArtifacts, tmp_path: Path) -> None:
    assert artifacts.read_json("stages/plan.json") is None
    artifacts.write_json("stages/plan.json", {"a": [1, None]})
    path = artifacts.write_json("stages/plan.json", {"a": 2})
    assert artifacts.read_json("stages/plan.json") == {"a": 2}
    assert path == artifacts.path("stages/plan.json")
    (file,) = [found for found in tmp_path.rglob("*") if found.is_file()]  # and no temporary file stays
    assert file.relative_to(tmp_path).parts == ("dag", "manual__2026-11-21T08_00_00_00_00", "stages", "plan.json")


def test_lines_are_added(artifacts: RunArtifacts) -> None:
    assert artifacts.read_lines("progress.jsonl") == []
    for number in range(3):
        artifacts.append_line("progress.jsonl", {"n": number})
    assert [line["n"] for line in artifacts.read_lines("progress.jsonl")] == [0, 1, 2]


def test_names_and_delete(artifacts: RunArtifacts) -> None:
    assert list(artifacts.names("stages")) == []
    for name in ("stages/b.json", "stages/a.json"):
        artifacts.write_json(name, {})
    assert list(artifacts.names("stages")) == ["stages/a.json", "stages/b.json"]
    artifacts.delete("stages/a.json")
    artifacts.delete("stages/a.json")  # gone already: fine
    assert list(artifacts.names("stages")) == ["stages/b.json"]


def test_a_half_written_file_is_never_listed(tmp_path: Path) -> None:
    artifacts = RunArtifacts("dag", RUN, str(tmp_path))
    artifacts.write_json("fingerprints/000.json", [])
    (Path(artifacts.path("fingerprints/000.json")).parent / ".001.json.77").write_text('[{"half')
    assert list(artifacts.names("fingerprints")) == ["fingerprints/000.json"]
    assert read_results(artifacts) == []


def test_a_writer_that_fails_leaves_the_file_before(tmp_path: Path) -> None:
    artifacts = RunArtifacts("dag", RUN, str(tmp_path))
    artifacts.write_json("plan.json", {"good": 1})
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="Circular"):
        artifacts.write_json("plan.json", loop)
    assert artifacts.read_json("plan.json") == {"good": 1}


def test_root_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context = {"dag_run": SimpleNamespace(dag_id="d", run_id="r")}
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "here"))
    assert RunArtifacts.of(context).path("x") == str(tmp_path / "here" / "d" / "r" / "x")
    monkeypatch.delenv("FERRY_ARTIFACTS")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert RunArtifacts.of(context).path("x") == str(tmp_path / "artifacts" / "d" / "r" / "x")


def test_read_frozen(artifacts: RunArtifacts) -> None:
    with pytest.raises(FerryError, match=r"frozen\.json is missing.*wait_until_converged"):
        read_frozen(artifacts)
    frozen = Frozen({("a.b", 1): 2}, {("a.b", 1): 5}, {"a.b": "i"}, {"a.b": "j"}, {"a.b": 3.5})
    artifacts.write_json(FROZEN, frozen.to_json())
    assert read_frozen(artifacts) == frozen


def test_what_json_does_not_know_becomes_text(artifacts: RunArtifacts) -> None:
    artifacts.write_json("x.json", {"path": Path("a")})
    assert json.dumps(artifacts.read_json("x.json")) == '{"path": "a"}'


def test_a_report_in_a_folder_of_before_is_still_found_by_the_run_it_names(tmp_path: Path) -> None:
    old = RunArtifacts("d", "a_b", str(tmp_path))  # where an older version kept the report of a:b too
    old.write_json(REPORT, {"dag_id": "d", "run_id": "a:b", "verdict": "PASS"})
    assert (RunArtifacts.to_read("d", "a:b", str(tmp_path)).read_json(REPORT) or {})["run_id"] == "a:b"
    assert RunArtifacts.to_read("d", "a+b", str(tmp_path)).read_json(REPORT) is None
    RunArtifacts("d", "a:b", str(tmp_path)).write_json("plan.json", {"of": "the new run"})
    assert RunArtifacts.to_read("d", "a:b", str(tmp_path)).read_json(REPORT) is None
