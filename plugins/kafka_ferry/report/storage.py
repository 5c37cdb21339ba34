"""Where a run's artifacts are kept: ``<FERRY_ARTIFACTS>/<dag_id>/<run_id>/``, a folder or an object store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.migration.convergence import Frozen
from kafka_ferry.report.names import dag_folder, run_folder, safe_name

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

    from kafka_ferry.verification.job import PartitionResult

#: Names of a run's artifacts. The first four are for users, the others carry one stage's findings to the next.
PLAN = "plan.json"
PROGRESS = "progress.jsonl"
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
        report = old.read_json(REPORT)
        return old if report and (report.get("dag_id"), report.get("run_id")) == (dag_id, run_id) else found

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
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(path, Path):
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        else:
            path.write_text(text)
        return str(path)

    def read_json(self, name: str) -> Any | None:
        """The file's content, None when there is no such file."""
        path = self._folder / name
        return json.loads(path.read_text()) if path.exists() else None

    def append_line(self, name: str, data: Mapping[str, Any]) -> None:
        """Add a line to a .jsonl file. Object stores cannot append: there the file is written anew."""
        line, path = json.dumps(data, default=str) + "\n", self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(path, Path):
            with path.open("a") as file:
                file.write(line)
        else:
            path.write_text((path.read_text() if path.exists() else "") + line)

    def read_lines(self, name: str) -> list[dict[str, Any]]:
        path = self._folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def names(self, folder: str) -> Iterator[str]:
        """Files in a sub-folder, as names this class takes."""
        path = self._folder / folder
        if path.exists():
            names = sorted(str(file.name) for file in path.iterdir())
            yield from (f"{folder}/{name}" for name in names if not name.startswith("."))

    def delete(self, name: str) -> None:
        path = self._folder / name
        if path.exists():
            path.unlink()


def read_frozen(artifacts: RunArtifacts) -> Frozen:
    """What the wait of this run froze.

    :raises FerryError: there is nothing: the wait did not run yet.
    """
    data: Mapping[str, Any] | None = artifacts.read_json(FROZEN)
    if data is None:
        raise FerryError(
            f"{artifacts.path(FROZEN)} is missing. Cure: clear wait_until_converged with its downstream tasks; if the "
            "file was written on another host, point FERRY_ARTIFACTS at storage that all hosts share"
        )
    return Frozen.from_json(data)


def read_results(artifacts: RunArtifacts) -> list[PartitionResult]:
    """What the fingerprint tasks of this run found, all shards."""
    from kafka_ferry.verification.job import PartitionResult

    return [
        PartitionResult.from_json(entry)
        for name in artifacts.names(FINGERPRINTS)
        for entry in artifacts.read_json(name) or ()
    ]


def artifacts_root() -> str:
    """``FERRY_ARTIFACTS``, else ``artifacts`` in ``AIRFLOW_HOME``."""
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
    return os.environ.get("FERRY_ARTIFACTS") or str(home / "artifacts")


def _path(root: str) -> Path | ObjectStoragePath:
    if "://" not in root:
        return Path(root)
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(root)
