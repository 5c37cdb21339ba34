"""What a run has changed of the target's settings for as long as it registers, so that it can be taken back by whoever
comes next: the same task, its next try, or the teardown.

It is noted before it is changed. What it was is believed from the first note on, as later ones would see our own.
"""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.report.artifacts import RunArtifacts

FILE = "schemas/settings.json"
#: What each id of the source became, where the target gave ids.
IDS = "schemas/ids.json"


class SettingsJournal:
    """Subject to what its own mode or level was; None: it had none.

    :param artifacts: of the run.
    """

    def __init__(self, artifacts: RunArtifacts) -> None:
        self._artifacts = artifacts

    def open(self) -> dict[str, dict[str, str | None]]:
        """``mode`` and ``compatibility``: what is still to be taken back."""
        found = self._artifacts.read_json(FILE) or {}
        return {kind: dict(found.get(kind) or {}) for kind in ("mode", "compatibility")}

    def note(self, kind: str, before: Mapping[str, str | None]) -> None:
        """What is about to be changed."""
        noted = self.open()
        noted[kind] = {**before, **noted[kind]}
        self._artifacts.write_json(FILE, noted)

    def close(self) -> None:
        """All of it is as it was, or as it is to be."""
        if any(self.open().values()):
            self._artifacts.write_json(FILE, {})
