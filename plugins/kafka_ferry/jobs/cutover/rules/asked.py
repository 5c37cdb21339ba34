"""What a run was asked for and where it found the applications, for the report of one that fenced nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kafka_ferry.core.wave_journal import DONE, Journal, State
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

#: Artifact, written by the plan before anything else.
ASKED: Final = "asked.json"
SOURCE, TARGET = "source", "target"


def asked(spec: CutoverSpec, where: str | None = None) -> dict[str, Any]:
    """
    :param where: the applications work: ``source``, ``target``; None: not known.
    """
    told_by = "webhook and asset event" if spec.handover_webhook_conn_id else "asset event"
    return {"wave": spec.wave, "fence": spec.fence.value, "told_by": told_by, "applications_on": where}


def where_now(journals: Iterable[Journal], wave: str, topics: Iterable[str]) -> str:
    """Where the applications of a wave work by the journals of its source.

    :param topics: of the wave, which another one may have handed over.
    """
    mine = set(topics)
    there = any(one.state in DONE and (one.wave == wave or mine & one.topics.keys()) for one in journals)
    return TARGET if there else SOURCE


def where_after(journal: Journal, *, back: bool) -> str | None:
    """Where a window has left them; None: somebody may have heard of a hand-over, or not.

    :param back: it was the window of a way back, from the target to the source.
    """
    if journal.state is State.HANDING_OVER:
        return None
    left, gone_to = (TARGET, SOURCE) if back else (SOURCE, TARGET)
    return gone_to if journal.state in DONE else left
