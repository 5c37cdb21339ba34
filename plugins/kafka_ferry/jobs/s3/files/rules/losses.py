"""What files of others do not have of the records that they were made from. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.shortlist import shortlist

Loss = Literal["keys", "headers", "timestamps", "bytes", "tombstones", "gaps", "order"]

#: What each means for who imports.
MEANINGS: Final[Mapping[Loss, str]] = {
    "keys": "there are no keys: records get none, so compaction and whatever goes by key does not work",
    "headers": "there are no headers, or they are a map without order and repetition",
    "timestamps": "there are no timestamps: records get the time at which their file was written",
    "bytes": "keys, values or headers are a rendering: the same data, perhaps in other bytes than the producer sent",
    "tombstones": "records without a value stand apart, in files of keys alone, without their place among the others: "
    "they are left out",
    "gaps": "offsets are missing: of transactions, of compaction, of what the sink filtered or skipped, "
    "or of files that are gone; names cannot tell which",
    "order": "files overlap in their offsets with other records: they are taken one file after the other",
}
LOSSES: Final = tuple(MEANINGS)


def loss_findings(found: Mapping[str, Mapping[Loss, str]], accepted: Collection[Loss]) -> list[Finding]:
    """A line for each topic and loss: a refusal unless it was accepted.

    :param found: by topic what it lost, and where; empty: in all of its files.
    """
    return [
        Finding(
            Severity.ADVISE if loss in accepted else Severity.REFUSE,
            loss,
            f"topic {topic}",
            f"{loss}: {MEANINGS[loss]}{f' ({where})' if where else ''}",
            "nothing, as accept_losses names it" if loss in accepted else f"accept_losses with {_all(lost)}",
            "accept_losses",
        )
        for topic, lost in found.items()
        for loss, where in sorted(lost.items(), key=lambda one: LOSSES.index(one[0]))
    ]


def _all(lost: Iterable[Loss]) -> str:
    return ", ".join(sorted(lost, key=LOSSES.index))


def others_finding(others: int, named: Collection[str]) -> list[Finding]:
    """Objects that are no files of the layout."""
    if not others:
        return []
    return [
        Finding(
            Severity.WARN, "others", "location",
            f"{others:,} objects are not files of this layout, and are left out: {shortlist(list(named), 5)}",
            "nothing, if they are not records; else another layout or location", "location",
        )
    ]  # fmt: skip
