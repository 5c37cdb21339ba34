"""A run's artifacts for its page and its report, which must come whatever the files look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import humanize
from pydantic import ValidationError

from kafka_ferry.core.plan import Plan
from kafka_ferry.report.artifacts import PLAN, PROGRESS, WATCHED, DamagedArtifact, RunArtifacts
from kafka_ferry.report.upgrade import plan_of, progress_of

Shape = TypeVar("Shape", dict[str, Any], list[Any])
AnyPlan = TypeVar("AnyPlan", bound=Plan)

#: What each line of progress.jsonl has.
_PROGRESS_KEYS = {"at", "offsets", "total_offsets", "bytes"}
_WATCHED_KEYS = {"at", "behind", "seconds"}


class Reader:
    """Reads what can be read; the rest is noted, not raised.

    :param largest: bytes of a JSON file that is read; None: of any size.
    :ivar damaged: file name to what is wrong with it, in words.
    """

    def __init__(self, artifacts: RunArtifacts, largest: int | None = None) -> None:
        self._artifacts, self._largest = artifacts, largest
        self.damaged: dict[str, str] = {}

    def mapping(self, name: str) -> dict[str, Any]:
        """Content of a JSON file that is an object; empty when there is none, or none that can be read."""
        return self._json(name, {})

    def sequence(self, name: str) -> list[Any]:
        """The same of one that is a list."""
        return self._json(name, [])

    def mappings(self, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and content of each file of a folder."""
        for name in self._artifacts.names(folder):
            if name.endswith(".json"):
                yield name, self.mapping(name)

    def plan(self, kind: type[AnyPlan]) -> AnyPlan:
        """plan.json, as far as ``kind`` knows it; one in which nothing is ``written`` when there is none that can be
        read."""
        try:
            return kind.from_json(plan_of(self.mapping(PLAN)))
        except ValidationError as error:
            # Of a later version, or damaged: its own words would show values of anybody's.
            self.note(PLAN, f"is not a plan of this version ({error.error_count()} fields differ)")
            return kind()

    def progress(self) -> list[dict[str, Any]]:
        """Lines of progress.jsonl that say what was seen and when; of very many, some, with the first and the last."""
        return self._looks(PROGRESS, _PROGRESS_KEYS)

    def watched(self) -> list[dict[str, Any]]:
        """The same of watched.jsonl: looks at an export or an import that goes on."""
        return self._looks(WATCHED, _WATCHED_KEYS)

    def _looks(self, name: str, keys: set[str]) -> list[dict[str, Any]]:
        try:
            lines, lost = self._artifacts.sampled_lines(name)
        except OSError as error:
            self.note(name, f"cannot be read: {error}")
            return []
        good = [line for line in map(progress_of, lines) if line.keys() >= keys]
        if lost := lost + len(lines) - len(good):
            self.note(name, f"{lost:,} of its lines cannot be read, and are left out")
        return good

    def note(self, name: str, what: str) -> None:
        """Something is wrong with a file."""
        self.damaged[name] = what

    @property
    def notes(self) -> list[str]:
        """What could not be read, for people."""
        return [f"{self._artifacts.path(name)}: {what}" for name, what in self.damaged.items()]

    def _json(self, name: str, empty: Shape) -> Shape:
        try:
            if self._largest and (size := self._artifacts.size(name) or 0) > self._largest:
                self.note(name, f"has {humanize.naturalsize(size)}: too large to be shown here")
                return empty
            found = self._artifacts.read_json(name)
        except DamagedArtifact as error:
            self.note(name, str(error).removeprefix(self._artifacts.path(name)).strip())
            return empty
        except OSError as error:
            self.note(name, f"cannot be read: {error}")
            return empty
        if found is None:
            return empty
        if not isinstance(found, type(empty)):
            self.note(name, f"is no {'list' if isinstance(empty, list) else 'object'}")
            return empty
        return found


def task_names(states: Mapping[str, str | None], order: list[str]) -> dict[str, str | None]:
    """Airflow's states of a run's tasks in the DAG's order, by the names of the timeline: ``fingerprint[0]``.

    :param states: as a task of the run is told them: mapped ones as ``fingerprint_0``.
    """
    places = {task: place for place, task in enumerate(order)}
    found: dict[tuple[int, int, str], str | None] = {}
    for name, state in states.items():
        task, _, index = name.rpartition("_")
        if name in places:
            found[places[name], -1, name] = state
        elif task in places and index.isdigit():
            found[places[task], int(index), f"{task}[{index}]"] = state
    return {name: found[place, index, name] for place, index, name in sorted(found)}
