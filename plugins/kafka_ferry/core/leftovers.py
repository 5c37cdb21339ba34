"""What a removal left behind, as a line of the checklist. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.checks import Check, Status


def leftovers_check(left: Sequence[str] = (), kept: str = "") -> Check:
    """The check ``leftovers``.

    :param left: what should be gone and is not.
    :param kept: why it is meant to stay; the check is then skipped. Lines after the first are shell commands that
        end it by hand.
    """
    if kept:
        why, *commands = kept.split("\n")
        return Check(
            name="leftovers",
            status=Status.SKIPPED,
            detail=why,
            commands=[command.strip() for command in commands if command.strip()],
        )
    return Check(
        name="leftovers",
        status=Status.FAIL if left else Status.PASS,
        expected="none",
        actual=str(len(left)) if left else "none",
        differences=list(left),
    )
