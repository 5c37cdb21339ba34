"""Topics that a cutover has made the applications' own on the target: no migration may touch them any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.core.wave_journal import DONE, OPEN, Journal

#: Where the commands of this migration are not at hand.
_AS_REPORTED = "with the commands in the report of its run (docs/cutover.md, Cleaning up)"


def handed_over_findings(
    journals: Iterable[Journal], back: Iterable[Journal], targets: Mapping[str, str], target_cluster: str, how: str = ""
) -> list[Finding]:
    """A refusal for each wave of whose topics this migration would write some.

    :param journals: of the source's waves. ``back``: of the target's: a way back is a wave of theirs, and which of two
        came last says where the applications are.
    :param targets: source topic to target topic.
    :param how: commands that end the replication and leave these topics alone, a line each.
    """
    left = {name: one.handed_over_at for one in sorted(back, key=_when) if one.state in DONE for name in one.topics}
    found = []
    for one in sorted(journals, key=_when):
        if one.target_cluster not in ("", target_cluster):
            continue
        names = [name for name, there in sorted(one.topics.items()) if targets.get(name) == there]
        if one.state in DONE:
            names = [name for name in names if left.get(one.topics[name], "") <= one.handed_over_at]
        if names and one.state in DONE:
            found.append(_done(one, names, every=len(names) == len(targets), how=how))
        elif names and one.state in OPEN:
            found.append(Finding(
                Severity.REFUSE, "handed_over", f"topics {shortlist(names)}",
                f"are being cut over by wave {one.wave} (run {one.run_id})",
                f"wait until that run has ended, or run wave {one.wave} again, which takes the fence away",
            ))  # fmt: skip
    return found


def _done(one: Journal, names: list[str], *, every: bool, how: str) -> Finding:
    rest = "" if every else "leave these topics out (exclude_topics), or "
    return Finding(
        Severity.REFUSE, "handed_over", f"topics {shortlist(names)}",
        f"were handed over to the target by wave {one.wave} at {one.handed_over_at} (run {one.run_id}): applications "
        "work on them there, so nothing may replicate into them, and they must not be deleted",
        f"{rest}end the replication by hand, which leaves the topics alone: " + (f"\n{how}" if how else _AS_REPORTED),
    )  # fmt: skip


def _when(one: Journal) -> tuple[str, str]:
    return one.handed_over_at, one.wave
