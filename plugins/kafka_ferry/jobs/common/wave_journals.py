"""Journals of waves: beside the artifacts, where every later run finds them, and a copy among the run's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from kafka_ferry.core.wave_journal import DONE, Journal
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.objects.errors import ObjectMissing
from kafka_ferry.jobs.common.claim_store import store_beside_artifacts
from kafka_ferry.report.artifacts import RunArtifacts
from kafka_ferry.report.names import safe_name

#: The run's copy of its wave's journal.
CUTOVER = "cutover.json"
_FOLDER = "_cutovers"


class Journals:
    """All journals of one source cluster.

    :param source_cluster: its id.
    """

    def __init__(self, source_cluster: str) -> None:
        self.source_cluster = source_cluster
        self._store = store_beside_artifacts(_FOLDER)

    def read(self, wave: str) -> Journal | None:
        """:raises FerryError: there is one, and it cannot be read: what it says of a fence must not be passed over."""
        return self._read(self._key(wave))

    def all(self) -> Iterator[Journal]:
        """Of every wave."""
        for one in list(self._store.list(self._prefix)):
            if (journal := self._read(one.key)) is not None:
                yield journal

    def write(self, journal: Journal, artifacts: RunArtifacts | None = None) -> None:
        """Keep it. What it announces may be done once this has returned."""
        self._store.put(self._key(journal.wave), json.dumps(journal.to_json(), indent=1).encode())
        if artifacts is not None:
            artifacts.write_json(CUTOVER, journal.to_json())

    @property
    def _prefix(self) -> str:
        return f"{safe_name(self.source_cluster)}/"

    def _key(self, wave: str) -> str:
        return f"{self._prefix}{wave}.json"

    def _read(self, key: str) -> Journal | None:
        try:
            return Journal.read(json.loads(self._store.get(key)))
        except ObjectMissing:
            return None
        except (ValueError, ValidationError) as error:
            raise FerryError(
                f"journal {key} beside the artifacts cannot be read ({error}). Fix: see with kafka-acls --list whether "
                "a DENY of WRITE for User:* is left on the wave's topics, take it away, and delete the file"
            ) from error


def journal_of(artifacts: RunArtifacts, source_cluster: str, wave: str) -> Journal | None:
    """That of this run; None: the wave has none, or another run's."""
    found = Journals(source_cluster).read(wave)
    return found if found is not None and found.own == (artifacts.dag_id, artifacts.run_id) else None


def is_done(context: Mapping[str, Any]) -> bool:
    """Whether this run has handed its wave over: then all before the window has nothing to do any more."""
    data = RunArtifacts.of(context).read_json(CUTOVER)
    return data is not None and Journal.read(data).state in DONE
