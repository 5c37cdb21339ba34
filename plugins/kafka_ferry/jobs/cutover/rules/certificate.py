"""The certificate of a source that may be switched off, or may not: its JSON, byte by byte. Pure.

Its bytes are what is signed and what its SHA-256 is of, so they are made once and kept as they are. No character in
them ends a script element: the page holds the very same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kafka_ferry.core.checks import Check, Status, TopicLine, verdict
from kafka_ferry.core.wave_journal import Journal
from kafka_ferry.records.job import PartitionResult

SCHEMA: Final = "kafka-ferry.certificate/1"
#: Names of its files. The signature is of the bytes of the first.
CERTIFICATE: Final = "certificate.json"
CERTIFICATE_PAGE: Final = "certificate.html"
SIGNATURE: Final = "certificate.sig"
#: Begin and end of the JSON in the page.
SCRIPT: Final = ('<script type="application/json" id="certificate">', "</script>")
_ESCAPED: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def reasons(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """All that speaks against it, by check."""
    return [
        {"check": check.name, "found": check.differences or [check.detail or f"{check.actual}, not {check.expected}"]}
        for check in checks
        if check.status is Status.FAIL
    ]


def certificate(
    *, issued: str, run: tuple[str, str], source: Mapping[str, Any], target: Mapping[str, Any],
    waves: Sequence[Journal], checks: Sequence[Check], topics: Sequence[TopicLine],
    results: Sequence[PartitionResult], ends: Mapping[tuple[str, int], tuple[int, int]],
    rests_on: Sequence[Mapping[str, Any]], signed_by: Mapping[str, str] | None, left: Mapping[str, Sequence[str]],
) -> dict[str, Any]:  # fmt: skip
    """What is said, and what it rests on.

    :param run: DAG id and run id. ``source``, ``target``: as the plan has them.
    :param ends: source partition to where source and target ended at the hand-over.
    :param rests_on: name, bytes and SHA-256 of each of the run's files that it was made from.
    :param signed_by: algorithm and name of the key; None: nobody signs it.
    :param left: what may go with the source by the params.
    """
    against = reasons(checks)
    passed = verdict(list(checks), []) == "PASS"
    if not passed and not against:
        against = [{"check": "content", "found": ["no contents were compared"]}]
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for one in results:
        place = one.source_topic, one.partition
        by_topic.setdefault(one.source_topic, []).append({
            "partition": one.partition, "source_end": ends[place][0], "target_end": ends[place][1],
            "status": one.comparison.status, "source": one.source.to_json(), "target": one.target.to_json(),
        })  # fmt: skip
    return {
        "schema": SCHEMA,
        "question": "May the source be switched off?",
        "answer": "yes" if passed else "no",
        "issued": issued,
        "dag_id": run[0],
        "run_id": run[1],
        "source": dict(source),
        "target": dict(target),
        "reasons": against,
        "left_by_params": {name: list(names) for name, names in left.items() if names},
        "waves": [
            {
                "wave": one.wave, "state": one.state.value, "run_id": one.run_id, "fence": one.fence,
                "fenced_at": one.fenced_at, "handed_over_at": one.handed_over_at, "topics": len(one.topics),
                "groups": len(one.committed), "target_cluster": one.target_cluster,
            }
            for one in waves
        ],
        "checks": [check.model_dump(mode="json", exclude={"commands"}) for check in checks],
        "topics": [
            {**line.model_dump(mode="json"), "by_partition": by_topic.get(line.source, [])} for line in topics
        ],
        "rests_on": [dict(one) for one in rests_on],
        "signed_by": dict(signed_by) if signed_by else None,
    }  # fmt: skip


def to_bytes(found: Mapping[str, Any]) -> bytes:
    """The file's bytes: ASCII, without ``<``, ``>`` and ``&``."""
    text = json.dumps(found, indent=1, ensure_ascii=True)
    return text.translate(_ESCAPED).encode("ascii")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def from_page(page: bytes) -> bytes | None:
    """The JSON in a page, as it was signed; None: there is none."""
    begin, end = (mark.encode() for mark in SCRIPT)
    _, found, rest = page.partition(begin)
    data, closed, _ = rest.partition(end)
    return data if found and closed else None
