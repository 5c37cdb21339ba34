"""The window of a cutover, for people: its stages by the second, its fence, what was behind around it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from kafka_ferry.core.checks import Words
from kafka_ferry.core.tolerant import Tolerant
from kafka_ferry.core.words import number_of
from kafka_ferry.report.times import moment, when

_SIDES = Words().sides
#: Nothing was fenced.
_NOT_BEGUN = "not_begun"
#: Nothing shorter can be seen.
_LEAST_WIDTH = 0.4


class _Stage(Tolerant, BaseModel):
    stage: str
    started: str
    ended: str = ""
    seconds: float


class _Window(Tolerant, BaseModel):
    """``cutover`` of report.json, as far as the page shows it."""

    wave: str | None = None
    state: str = ""
    applications_on: str | None = None
    told_by: str | None = None
    way_back: dict[str, str] = {}
    fence: str | None = None
    fenced_at: str | None = None
    handed_over_at: str | None = None
    write_downtime_seconds: float | None = None
    longest_producer_pause_seconds: float | None = None
    rolled_back: bool = False
    fence_left: bool = False
    acls_added: int = 0
    acls_kept: int = 0
    partitions: int = 0
    groups: int = 0
    stages: list[_Stage] = []


@dataclass(frozen=True)
class WindowBar:
    """One stage. ``left`` and ``width`` in percent of the time from the fence to the end of the last stage."""

    stage: str
    seconds: float
    left: float
    width: float


@dataclass(frozen=True)
class WindowView:
    """What the page says of the window.

    :param sentence: how it ended. ``facts``: name and value pairs; only what is known.
    """

    sentence: str
    facts: list[tuple[str, str]]
    bars: list[WindowBar]


def window_view(cutover: Mapping[str, Any] | None, sides: tuple[str, str] = _SIDES) -> WindowView | None:
    """
    :param cutover: of a report; None where the run is no cutover, or it cannot be read.
    :param sides: the report's words for both clusters; a way back has words of its own.
    """
    try:
        return _view(_Window.read(cutover), back=sides != _SIDES)
    except (ValidationError, ValueError):
        return None


def _view(window: _Window, *, back: bool) -> WindowView | None:
    if window.fenced_at:
        return WindowView(_sentence(window, back), _facts(window), _bars(window))
    if window.state == _NOT_BEGUN and window.wave:
        return WindowView(_not_begun(window, back), [("Wave", window.wave), ("Fence", _not_made(window))], [])
    return None


def _sentence(window: _Window, back: bool) -> str:
    here, there = ("target", "source") if back else ("source", "target")
    if window.rolled_back:
        return f"Rolled back: producers work on the {here} as before.{_left(window)}"
    if window.state == "handed_over":
        by = {"asset event": ", by the asset event only", "webhook and asset event": ", by webhook and asset event"}
        told = f"the applications were told to use the {there}{' again' * back}{by.get(window.told_by or '', '')}"
        return f"Handed over: {told}.{_left(window)}"
    if window.state == "handing_over":
        return (
            f"The hand-over was begun, and nobody answered that it arrived: somebody may write to the {there}. "
            "Clear window with its downstream tasks, or run the wave again with the same params: either says it again."
        )
    return "The window has not ended. Clear window with its downstream tasks, or unfence, which takes the fence away."


def _not_begun(window: _Window, back: bool) -> str:
    """A run that ended before its window, by what its plan has read of the journals."""
    here = "target" if back else "source"
    if window.applications_on is None:
        return f"The window did not begin: nothing was stopped.{_left(window)}"
    if window.applications_on != here:
        return f"The window did not begin. The applications work on the {window.applications_on} already."
    return f"The window did not begin: nothing was stopped, and the applications go on on the {here}.{_left(window)}"


def _left(window: _Window) -> str:
    """What there is of a way back when its run has ended."""
    told = ""
    for name, state in sorted(window.way_back.items()):
        goes_on = ", and goes on with the next run" if state == "STOPPED" else ": stop it, or run fail_back again"
        told += f" Connector {name} is {state}{goes_on}."
    return told


def _not_made(window: _Window) -> str:
    return {"acl": "acl: not made", "webhook": "webhook: nobody was told", "prove": "prove: not asked for"}.get(
        window.fence or "", "not made"
    )


def _facts(window: _Window) -> list[tuple[str, str]]:
    pause, downtime = window.longest_producer_pause_seconds, window.write_downtime_seconds
    # With the other fences producers are stopped by somebody else, before this clock begins.
    clock = "Nobody could write for" if window.fence == "acl" else "From the proof to the hand-over"
    pairs = [
        (clock, f"{downtime:.1f} s" if downtime is not None else ""),
        ("Producers were refused for", _refused(window)),
        ("One producer waited at most", f"{pause:.1f} s" if pause is not None else ""),
        ("Fence", _fence(window)),
        ("At rest", number_of(window.partitions, "partition") if window.partitions else ""),
        ("Groups moved", f"{window.groups:,}" if window.groups else ""),
        ("Fenced", when(window.fenced_at)),
        ("Handed over", when(window.handed_over_at)),
    ]
    return [(name, value) for name, value in pairs if value]


def _refused(window: _Window) -> str:
    """Of a window that was rolled back: from the first ACL to the end of the last stage."""
    if not window.rolled_back or window.fence != "acl" or not window.stages or not window.stages[-1].ended:
        return ""
    return f"{(moment(window.stages[-1].ended) - moment(window.fenced_at or '')).total_seconds():.1f} s"


def _fence(window: _Window) -> str:
    if window.fence != "acl":
        return {"webhook": "webhook: somebody was told to stop the producers", "prove": "prove: stopped by hand"}.get(
            window.fence or "", ""
        )
    before = f", {window.acls_kept} there before" * bool(window.acls_kept)
    now = "they stay" if window.fence_left else "taken away again"
    return f"acl: {number_of(window.acls_added, 'ACL')} made that deny WRITE{before}; {now}"


def _bars(window: _Window) -> list[WindowBar]:
    if not window.stages:
        return []
    start = moment(window.fenced_at or "")
    lefts = [max(0.0, (moment(one.started) - start).total_seconds()) for one in window.stages]
    span = max(left + one.seconds for left, one in zip(lefts, window.stages, strict=True)) or 1.0
    return [
        WindowBar(
            one.stage, one.seconds, round(100 * left / span, 2), round(max(_LEAST_WIDTH, 100 * one.seconds / span), 2)
        )
        for left, one in zip(lefts, window.stages, strict=True)
    ]
