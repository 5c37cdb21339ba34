"""Where a run's artifacts are kept: ``<FERRY_ARTIFACTS>/<dag_id>/<run_id>/``, a folder or an object store."""

from __future__ import annotations

import json
import logging
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kafka_ferry.core.disk import disk_words
from kafka_ferry.exceptions import TransientError
from kafka_ferry.report.names import dag_folder, run_folder, safe_name

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

    from kafka_ferry.records.job import PartitionResult

log = logging.getLogger(__name__)

#: Names of a run's artifacts. The first four are for users, the others carry one stage's findings to the next.
PLAN = "plan.json"
PROGRESS = "progress.jsonl"
#: Looks at an export or an import that goes on.
WATCHED = "watched.jsonl"
REPORT = "report.json"
PAGE = "report.html"
FROZEN = "frozen.json"
GROUPS_PLAN = "groups_plan.json"
STAGES = "stages"
FINGERPRINTS = "fingerprints"
GROUPS = "groups.json"
CHECKS_MADE = "checks.json"
LEFTOVERS = "leftovers.json"
CANARY = "canary.json"
SHARDS = "shards.json"
DONE = "done"
PRUNING = "pruning.json"
HELD_CONFIGS = "held.json"
#: What the page reads instead of report.json: an overview and the lines of the tables, under the id of their writing.
PAGES = "pages"


#: A temporary file older than this has no writer any more: the longest artifact is written in seconds.
_STALE_SECONDS = 3600.0
#: Bytes read at once of a file that may be long.
BLOCK = 256 * 1024

#: Lines of a long .jsonl file that are looked at; it is long when it has more than so many bytes for each of them.
_SAMPLED = 800
_STEP = 1_250


class DamagedArtifact(TransientError):
    """A file of a run that is there and cannot be read as what it should be: empty, cut off, or something else."""


class ArtifactsUnwritable(TransientError):
    """A file of a run cannot be written or deleted: the disk is full, read-only or away."""


class RunArtifacts:
    """The files of one DAG run, by name. Files are replaced whole, so that a reader never sees half of one.

    :param dag_id: of the run. ``run_id``: each has a folder of its own, see ``report.names``.
    :param root: default: ``FERRY_ARTIFACTS``, else ``artifacts`` in ``AIRFLOW_HOME``.
    """

    def __init__(self, dag_id: str, run_id: str, root: str | None = None) -> None:
        self.dag_id, self.run_id = dag_id, run_id
        self._root = root or artifacts_root()
        self._folder = _path(self._root) / dag_folder(dag_id) / run_folder(run_id)

    @classmethod
    def to_read(cls, dag_id: str, run_id: str, root: str | None = None) -> RunArtifacts:
        """Those of a run that is looked at. An older version gave some run ids another folder, and several one: what
        lies there is taken when there is nothing in the run's own, and its report is this run's."""
        found = cls(dag_id, run_id, root)
        old = cls(dag_id, run_id, root)
        old._folder = _path(found._root) / safe_name(dag_id) / safe_name(run_id)
        if old._folder == found._folder or found._folder.exists():
            return found
        return old if old.report_names() == (dag_id, run_id) else found

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> RunArtifacts:
        """The artifacts of the run a task belongs to."""
        run = context["dag_run"]
        return cls(run.dag_id, run.run_id)

    def path(self, name: str) -> str:
        """For people: where a file is."""
        return str(self._folder / name)

    def write_json(self, name: str, data: Any) -> str:
        return self.write_text(name, json.dumps(data, indent=1, sort_keys=False, default=str))

    def write_text(self, name: str, text: str) -> str:
        return self.write_blocks(name, [text.encode()])

    def write_blocks(self, name: str, blocks: Iterable[bytes]) -> str:
        """Write a file piece by piece, so that it is never in memory as a whole. Returns its path, for people.

        :raises ArtifactsUnwritable: with the cure; the file is as it was.
        """
        with _changing(self.path(name)):
            return self._write(self._folder / name, blocks)

    @staticmethod
    def _write(path: Path | ObjectStoragePath, blocks: Iterable[bytes]) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(path, Path):
            try:
                with path.open("wb") as file:
                    file.writelines(blocks)
            except BaseException:
                path.unlink(missing_ok=True)  # its closing has uploaded the half there was
                raise
            return str(path)
        # Not the process id alone: hosts that share a folder may have the same.
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
        try:
            with temporary.open("wb") as file:
                file.writelines(blocks)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)  # the disk may be full: half a file must not keep it so
            raise
        return str(path)

    def size(self, name: str) -> int | None:
        """Bytes of a file; None when there is no such file."""
        path = self._folder / name
        return int(path.stat().st_size) if path.exists() else None

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """A file to read a part of.

        :raises FileNotFoundError: it is not there.
        """
        path = self._folder / name
        # An object store reads ahead, a block at a time: many megabytes, if it is not told another size.
        with path.open("rb") if isinstance(path, Path) else path.open("rb", block_size=4 * BLOCK) as file:
            yield file

    def report_names(self) -> tuple[str, str] | None:
        """DAG id and run id that report.json names, read from its beginning; None: it is not there, or names none."""
        try:
            with self.opened(REPORT) as file:
                head = file.read(BLOCK).decode("utf-8", errors="replace")
        except FileNotFoundError:
            return None
        return _names_in(head)

    def read_json(self, name: str) -> Any | None:
        """The file's content, None when there is no such file.

        :raises DamagedArtifact: it is there, and is not JSON.
        """
        text = self._read(name)
        if text is None:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:  # nested deeper than Python goes: nothing of ours is
            why = "is empty" if not text.strip() else f"is not JSON, perhaps cut off ({error})"
            raise self._damaged(name, why) from error
        if found is None:
            raise self._damaged(name, "is null")
        return found

    def _damaged(self, name: str, why: str) -> DamagedArtifact:
        return DamagedArtifact(
            f"{self.path(name)} {why}. Fix: clear the task that writes it; where that does not help, delete the file"
        )

    def append_line(self, name: str, data: Mapping[str, Any]) -> None:
        """Add a line to a .jsonl file. Object stores cannot append: there the file is rewritten.

        A write that fails half-way (a full disk) takes its half away again; after one that could not, the next line
        begins a line of its own.

        :raises ArtifactsUnwritable: with the cure.
        """
        line, path = json.dumps(data, default=str) + "\n", self._folder / name
        with _changing(self.path(name)):
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(path, Path):
                _append(path, line.encode())
            else:
                before = (self._read(name) or "") if path.exists() else ""
                path.write_text(before + ("" if not before or before.endswith("\n") else "\n") + line)

    def read_lines(self, name: str, whole: bool = False) -> list[dict[str, Any]]:
        """Lines of a .jsonl file; those that are no JSON object are left out: ``damaged_lines`` counts them.

        :param whole: a verdict rests on it.
        :raises DamagedArtifact: ``whole``, and a line was left out.
        """
        lines = self._lines(name)
        good = [line for line in map(_object, lines) if line is not None]
        if whole and len(good) < len(lines):
            raise self._damaged(name, f"has {len(lines) - len(good):,} lines that cannot be read")
        return good

    def damaged_lines(self, name: str) -> int:
        """Lines of a .jsonl file that cannot be read, because a disk was full or a process was killed."""
        return sum(_object(line) is None for line in self._lines(name))

    def sampled_lines(self, name: str) -> tuple[list[dict[str, Any]], int]:
        """Lines of a .jsonl file, and how many of those looked at cannot be read. Of a long file about ``_SAMPLED`` are
        looked at, evenly spread, with the first and the last."""
        size = self.size(name) or 0
        if size <= _SAMPLED * _STEP:
            return self.read_lines(name), self.damaged_lines(name)
        lines: list[bytes] = []
        with self.opened(name) as file:
            for at in range(0, size, size // _SAMPLED):
                if at >= file.tell():
                    file.seek(at)
                    if at:
                        file.readline(BLOCK)  # the rest of a line
                    lines.append(file.readline(BLOCK))
            file.seek(max(0, size - BLOCK))
            ends = file.read(BLOCK).rstrip(b"\n").split(b"\n")[-1:]
        lines = [line.rstrip(b"\n") for line in lines if line.strip()]
        found = [_object(line.decode(errors="replace")) for line in lines + [end for end in ends if end != lines[-1]]]
        good = [line for line in found if line is not None]
        return good, len(found) - len(good)

    def sweep(self) -> int:
        """Take away what killed writers left half-written. Returns the number of files."""
        if not isinstance(self._folder, Path) or not self._folder.exists():
            return 0
        old = time.time() - _STALE_SECONDS
        stale = [path for path in self._folder.rglob(".*.*") if _TEMPORARY.search(path.name) and _modified(path) < old]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _read(self, name: str) -> str | None:
        path = self._folder / name
        # Bytes that are no text must not break a reader: they become � and then are no JSON, or part of a name.
        return path.read_bytes().decode("utf-8", errors="replace") if path.exists() else None

    def _lines(self, name: str) -> list[str]:
        # Not splitlines: it also splits at characters that JSON leaves as they are, U+2028 among them.
        return [line for line in (self._read(name) or "").split("\n") if line.strip()]

    def names(self, folder: str) -> Iterator[str]:
        """Files in a sub-folder, as names this class takes."""
        path = self._folder / folder
        if path.exists():
            names = sorted(str(file.name) for file in path.iterdir())
            yield from (f"{folder}/{name}" for name in names if not name.startswith("."))

    def delete(self, name: str) -> None:
        """:raises ArtifactsUnwritable: with the cure."""
        path = self._folder / name
        with _changing(self.path(name)):
            if path.exists():
                path.unlink()

    def discard(self, name: str) -> None:
        """Delete what says nothing any more; for teardowns, whose work must be done even where that cannot be."""
        try:
            self.delete(name)
        except ArtifactsUnwritable as error:
            log.warning("%s", error)


def read_results(artifacts: RunArtifacts) -> list[PartitionResult]:
    """What the fingerprint tasks of this run found, all shards."""
    from kafka_ferry.records.job import PartitionResult

    return [
        PartitionResult.from_json(entry)
        for name in artifacts.names(FINGERPRINTS)
        for entry in artifacts.read_json(name) or ()
    ]


def artifacts_root() -> str:
    """``FERRY_ARTIFACTS``, else ``artifacts`` in ``AIRFLOW_HOME``."""
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
    return os.environ.get("FERRY_ARTIFACTS") or str(home / "artifacts")


#: A key of an object with a text as its value.
_TEXT_FIELD = re.compile(r'\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*")\s*,?', re.DOTALL)


def _names_in(head: str) -> tuple[str, str] | None:
    found: dict[str, str] = {}
    at = head.find("{") + 1
    while not found.keys() >= {"dag_id", "run_id"} and (field := _TEXT_FIELD.match(head, at)):
        try:
            found[json.loads(field[1])] = json.loads(field[2])
        except ValueError:
            return None
        at = field.end()
    return (found["dag_id"], found["run_id"]) if found.keys() >= {"dag_id", "run_id"} else None


#: What ``write_blocks`` writes before it replaces; the second form is of earlier versions.
_TEMPORARY = re.compile(r"^\..+\.\d+(-[0-9a-f]{8})?$")


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # its writer replaced it just now
        return time.time()


@contextmanager
def _changing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        told = f"artifact {path} cannot be written: {disk_words(error)} (FERRY_ARTIFACTS)"
        raise ArtifactsUnwritable(told) from error


def _append(path: Path, line: bytes) -> None:
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            line = line if file.read(1) == b"\n" else b"\n" + line
        try:
            left = memoryview(line)
            while left:
                left = left[file.write(left) or 0 :]
        except OSError:
            file.truncate(size)
            raise


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _path(root: str) -> Path | ObjectStoragePath:
    if "://" not in root:
        return Path(root)
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(root)
