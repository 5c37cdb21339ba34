"""What a job hands in with its report: the report knows checks, and no job. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kafka_ferry.core.checks import CHECKS, PROOFS, Words

#: Who moves or reads records where no engine does, as people write it.
OURSELVES: Final = "Kafka Ferry itself"


@dataclass(frozen=True)
class ReportedJob:
    """A kind of run, as its report needs to know it.

    :param words: what its page says otherwise than others.
    :param checklist: names of the checks that such a run is to make, in the order a reader asks.
    :param never_carried: what such a run leaves out whatever its params are, in one line; empty: nothing to say.
    :param engine: what moved the records, as report.json names it; empty: as its tasks call it.
    :param proofs: names of the checks of which a PASS needs one; empty: any that was made.
    """

    words: Words = field(default_factory=Words)
    checklist: Sequence[str] = CHECKS
    never_carried: str = ""
    engine: str = ""
    proofs: Sequence[str] = PROOFS
