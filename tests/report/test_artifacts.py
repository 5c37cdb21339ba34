"""Artifacts: whole files under safe names, in a folder or an object store."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.migration.live.artifacts import read_frozen
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.report.artifacts import (
    FROZEN,
    REPORT,
    ArtifactsUnwritable,
    DamagedArtifact,
    RunArtifacts,
    read_results,
)

PLUGINS = str(Path(__file__).resolve().parents[2] / "plugins")
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


@pytest.fixture
def full_disk(tmp_path: Path) -> Callable[[str], str]:
    """``full_disk("code")``: run it on ``artifacts`` whose files take 64 bytes each, as the kernel says it; its output.

    Such a write takes what still fits and then fails, exactly as on a full disk.
    """

    def run(code: str) -> str:
        before = (
            "import resource, signal\n"
            "from kafka_ferry.report.artifacts import RunArtifacts\n"
            f"artifacts = RunArtifacts('dag', 'run', {str(tmp_path)!r})\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", before + code],
            capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": PLUGINS},
        )  # fmt: skip
        return done.stdout + done.stderr

    return run


def test_what_cannot_be_written_is_named_with_a_cure_and_worth_a_retry(tmp_path: Path, full_disk: Any) -> None:
    for code in ("write_json('plan.json', 'x' * 100)", "append_line('progress.jsonl', {'text': 'x' * 100})"):
        said = full_disk(f"artifacts.{code}")
        assert "ArtifactsUnwritable: artifact" in said
        assert "cannot be written: File too large. Fix: make room there (FERRY_ARTIFACTS)" in said
    (tmp_path / "gone").write_text("no folder")
    gone = RunArtifacts("dag", "run", str(tmp_path / "gone"))
    with pytest.raises(ArtifactsUnwritable, match=r"gone/dag/run/plan\.json .* Fix: see that it is there") as caught:
        gone.write_json("plan.json", {})
    assert caught.value.retriable


def test_what_cannot_be_deleted_is_no_fault_where_it_says_nothing_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    artifacts = RunArtifacts("dag", "run", str(tmp_path))
    artifacts.write_json("leftovers.json", [])

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(ArtifactsUnwritable, match="Fix: let the user of Airflow's processes write there"):
        artifacts.delete("leftovers.json")
    artifacts.discard("leftovers.json")
    assert "Read-only file system" in caplog.text


def test_a_full_disk_leaves_no_half_line_and_the_next_one_is_read(tmp_path: Path, full_disk: Any) -> None:
    artifacts = RunArtifacts("dag", "run", str(tmp_path))
    artifacts.append_line("progress.jsonl", {"n": 1, "text": "x" * 30})
    assert "File too large" in full_disk("artifacts.append_line('progress.jsonl', {'n': 2, 'text': 'x' * 50})")
    assert Path(artifacts.path("progress.jsonl")).read_text().count("\n") == 1
    artifacts.append_line("progress.jsonl", {"n": 3})
    assert [line["n"] for line in artifacts.read_lines("progress.jsonl", whole=True)] == [1, 3]


def test_a_full_disk_keeps_the_file_before_and_no_temporary_one(tmp_path: Path, full_disk: Any) -> None:
    artifacts = RunArtifacts("dag", "run", str(tmp_path))
    artifacts.write_json("plan.json", {"good": 1})
    assert "File too large" in full_disk("artifacts.write_json('plan.json', 'x' * 100)")
    assert artifacts.read_json("plan.json") == {"good": 1}
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["plan.json"]


@pytest.mark.parametrize("rest", [b'{"n": 2, "te', b"\xff\x00\xfe", b'{"n": "\xc3'])
def test_a_line_that_was_cut_off_is_counted_and_spoils_no_other(artifacts: RunArtifacts, rest: bytes) -> None:
    artifacts.append_line("progress.jsonl", {"n": 1})
    file = Path(artifacts.path("progress.jsonl").removeprefix("file://"))
    file.write_bytes(file.read_bytes() + rest)
    artifacts.append_line("progress.jsonl", {"n": 3})
    assert [line["n"] for line in artifacts.read_lines("progress.jsonl")] == [1, 3]
    assert artifacts.damaged_lines("progress.jsonl") == 1
    with pytest.raises(DamagedArtifact, match=r"progress\.jsonl has 1 lines that cannot be read\. Fix: "):
        artifacts.read_lines("progress.jsonl", whole=True)


def test_a_line_of_any_text_is_one_line(artifacts: RunArtifacts) -> None:
    odd = "\u2028 \x85 \x0b \r\n 💣"
    artifacts.append_line("progress.jsonl", {"text": odd})
    assert artifacts.read_lines("progress.jsonl", whole=True) == [{"text": odd}]


@pytest.mark.parametrize("content", [b"", b"  ", b'{"half', b"\xff\xfe", b"null", b"[" * 200_000])
def test_a_file_that_is_no_json_is_named_with_the_cure(artifacts: RunArtifacts, content: bytes) -> None:
    artifacts.write_json("frozen.json", {})
    Path(artifacts.path("frozen.json").removeprefix("file://")).write_bytes(content)
    with pytest.raises(DamagedArtifact, match=r"frozen\.json (is|has) .*Fix: clear the task that writes it"):
        artifacts.read_json("frozen.json")


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    artifacts = RunArtifacts("dag", "run", str(tmp_path))
    artifacts.write_json("stages/plan.json", {})
    folder = Path(artifacts.path("stages"))
    for name in (".plan.json.77", ".plan.json.77-0a1b2c3d", ".young.json.9", ".keep.json", "a.json.77"):
        (folder / name).write_text("{")
        os.utime(folder / name, (0, time.time() if "young" in name else 0))
    assert artifacts.sweep() == 2
    assert {file.name for file in folder.iterdir()} == {"plan.json", ".young.json.9", ".keep.json", "a.json.77"}
    assert RunArtifacts("dag", "other", str(tmp_path)).sweep() == 0


def test_of_a_long_file_some_lines_are_read_with_the_first_and_the_last(artifacts: RunArtifacts) -> None:
    lines = [json.dumps({"n": i, "text": "x" * (300 + i % 7)}) for i in range(20_000)]
    lines[10_000] = lines[10_000][:50]
    artifacts.write_text("progress.jsonl", "\n".join(lines) + "\n")
    found, lost = artifacts.sampled_lines("progress.jsonl")
    numbers = [line["n"] for line in found]
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (0, 19_999)
    assert 700 < len(numbers) + lost < 1_000
    assert max(after - before for before, after in pairwise(numbers)) < 60
    # What a process that was killed left of the last line; a line longer than others; nothing but one line.
    artifacts.write_text("progress.jsonl", "\n".join([*lines, '{"n": 20']))
    assert artifacts.sampled_lines("progress.jsonl")[0][-1]["n"] > 19_900
    artifacts.write_text("progress.jsonl", "\n".join([*lines[:9], json.dumps({"n": "x" * 3_000_000}), *lines[10:]]))
    found, lost = artifacts.sampled_lines("progress.jsonl")
    assert (found[0]["n"], found[-1]["n"]) == (0, 19_999)
    assert lost
    artifacts.write_text("progress.jsonl", "x" * 2_000_000)
    assert artifacts.sampled_lines("progress.jsonl")[0] == []


def test_of_a_short_file_all_lines_are_read(artifacts: RunArtifacts) -> None:
    assert artifacts.sampled_lines("progress.jsonl") == ([], 0)
    artifacts.write_text("progress.jsonl", "".join(f'{{"n": {i}}}\n' for i in range(2_000)) + "{")
    found, lost = artifacts.sampled_lines("progress.jsonl")
    assert ([line["n"] for line in found], lost) == (list(range(2_000)), 1)
