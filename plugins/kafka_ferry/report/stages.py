"""The stages of a run: when each task worked, which broke, and whether what was judged is still true."""

from __future__ import annotations

import re

from kafka_ferry.report.model import Stage
from kafka_ferry.report.storage import STAGES, RunArtifacts

#: Tasks whose work validate judges: checks that were made before one of them began are of an earlier try.
_JUDGED = (
    "wait_until_converged", "fingerprint", "translate_groups",
    "freeze", "shards", "export", "finish", "copy", "prune",
    "restore", "compare", "groups", "verify",
    "copy_objects", "import", "follow",
)  # fmt: skip


def read_stages(artifacts: RunArtifacts) -> list[Stage]:
    """The timeline, in order of start; mapped tasks are one stage each."""
    stages = []
    for name in artifacts.names(STAGES):
        entry = dict(artifacts.read_json(name) or {})
        entry.pop("try_number", None)
        index = re.search(r"\.(\d+)\.json$", name)
        stages.append(Stage(**entry | {"stage": entry["stage"] + (f"[{index[1]}]" if index else "")}))
    return sorted(stages, key=lambda stage: stage.started)


def failures_of(stages: list[Stage], own_task: str) -> list[str]:
    """What broke, in words.

    :param own_task: the report's own task id, whose stage is still running.
    """
    return [
        f"{stage.stage}: {stage.error or 'ended without a word; was its process killed? See its log'}"
        for stage in stages
        if stage.state != "success" and stage.stage != own_task
    ]


def validated(stages: list[Stage]) -> bool:
    """Whether validate ended well, and began after all that it judges."""
    done = next((stage for stage in stages if stage.stage == "validate"), None)
    judged = [stage.started for stage in stages if stage.stage.split("[")[0] in _JUDGED]
    return done is not None and done.state == "success" and done.started >= max(judged, default="")
