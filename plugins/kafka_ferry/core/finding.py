"""One thing that preflight found: how bad, about what, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from kafka_ferry.exceptions import BadParam

_TOLD_PER_CODE = 10  # in the log; plan.json has them all


class Severity(StrEnum):
    """``refuse`` ends the run before anything changes; ``warn`` may go wrong; ``advise`` is good to know."""

    REFUSE = "refuse"
    WARN = "warn"
    ADVISE = "advise"


@dataclass(frozen=True)
class Finding:
    """One finding, for people.

    :param code: what kind of finding it is, the same for all its subjects: ``retention``, ``null_keys`` …
    :param subject: ``topic orders``, ``connector x``, ``group y`` …
    :param param: the DAG param a refusal names.
    :param flows: names of the flows it rests on; for code, so not in plan.json.
    """

    severity: Severity
    code: str
    subject: str
    what: str
    fix: str
    param: str = "topics"
    flows: Annotated[tuple[str, ...], Field(exclude=True)] = ()

    def __str__(self) -> str:
        return f"{self.severity}: {self.subject}: {self.what}. Fix: {self.fix}"

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "flows"}


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Refusals, then warnings, then advice; within them by kind and subject."""
    return sorted(findings, key=lambda item: (list(Severity).index(item.severity), item.code, item.subject))


def refuse(findings: Sequence[Finding]) -> None:
    """Stop when one of the findings is a refusal.

    :raises BadParam: names the first three, and how many there are; also the first three warnings of the same kind,
        which may be why.
    """
    bad = [item for item in findings if item.severity is Severity.REFUSE]
    if bad:
        first = bad[0]
        others = "".join(f"; also {item.subject}: {item.what}" for item in bad[1:3])
        more = f"; and {len(bad) - 3} more, see the log" if len(bad) > 3 else ""
        kin = [item for item in findings if item.severity is Severity.WARN and item.code == first.code]
        maybe = "".join(f"; perhaps also {item.subject}: {item.what}" for item in kin[:3])
        raise BadParam(first.param, f"{first.subject}: {first.what}{others}{more}{maybe}", first.fix)


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """For the log: of each kind and severity the first ten, and how many more there are."""
    lines, counts = [], dict[tuple[Severity, str], int]()
    for item in worst_first(findings):
        kind = item.severity, item.code
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= _TOLD_PER_CODE:
            lines.append(str(item))
    for (severity, code), count in counts.items():
        if count > _TOLD_PER_CODE:
            lines.append(f"{severity}: {count - _TOLD_PER_CODE} more of the kind {code}, all in plan.json")
    return lines
