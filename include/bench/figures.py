"""Measured numbers and how they are shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Copy:
    """One timed copy.

    :param seconds: from PUT of the connector until the target held every record.
    :param first: from PUT until the target's ends were first seen above 0.
    :param worker_cpu: seconds of CPU of the Connect worker; ``clusters_cpu`` of both brokers together.
    """

    variant: str
    seconds: float
    first: float
    worker_cpu: float
    clusters_cpu: float


@dataclass(frozen=True)
class EngineCopy:
    """One timed copy by an engine; seconds are from the begin of its deployment.

    :param first: until the target was first seen to hold a record; ``seen`` is how many it held then.
    :param last: until it held all.
    :param proven: until the engine's own progress said so.
    :param cpu: seconds of CPU of the engine's process, its start included, or of the Connect worker in that time.
    """

    engine: str
    first: float
    seen: int
    last: float
    proven: float
    cpu: float

    def rate(self, count: int) -> float | None:
        """Records a second, from the first look that saw any to the last; None when the first look saw them all.

        :param count: of all records.
        """
        return (count - self.seen) / (self.last - self.first) if count > self.seen else None


def spread(values: Iterable[float], digits: int = 1) -> str:
    """``median (min-max)``; the number alone when there is one."""
    numbers = list(values)
    text = f"{median(numbers):.{digits}f}"
    return text if len(numbers) == 1 else f"{text} ({min(numbers):.{digits}f}-{max(numbers):.{digits}f})"


def megabytes(size: float) -> str:
    """10^6 bytes, or 10^3 below one of them."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def rotated(names: Sequence[str], run: int) -> list[str]:
    """Another first one in each run, so that none always profits from what the one before it left warm."""
    start = run % len(names)
    return [*names[start:], *names[:start]]


def profile_table(runs: Sequence[Sequence[Copy]], size: int) -> str:
    """One row per variant, in the order of the first run; ratios are to the first variant of the *same* run.

    :param runs: each the copies of one run; a variant occurs once in each.
    :param size: bytes of values copied each time.
    """
    names = sorted((copy.variant for copy in runs[0]), key=lambda name: name != "stock")
    by_name = {name: [next(copy for copy in run if copy.variant == name) for run in runs] for name in names}
    base = by_name[names[0]]
    rows = []
    for name, copies in by_name.items():
        speeds = [size / copy.seconds / 1e6 for copy in copies]
        ratios = [reference.seconds / copy.seconds for reference, copy in zip(base, copies, strict=True)]
        rows.append(
            [
                name,
                spread(copy.seconds for copy in copies),
                spread(speeds),
                f"{spread(ratios, 2)} x",
                spread(copy.first for copy in copies),
                spread(copy.worker_cpu for copy in copies),
                spread((copy.worker_cpu / copy.seconds for copy in copies), 2),
                spread(copy.clusters_cpu for copy in copies),
                spread((copy.clusters_cpu / copy.seconds for copy in copies), 2),
            ]
        )
    head = ["profile", "s to 100 %", "MB/s", f"speed against {names[0]}", "s to first data", "worker CPU s",
            "worker CPU per s", "brokers' CPU s", "brokers' CPU per s"]  # fmt: skip
    return table(head, rows)


def engine_table(runs: Sequence[Sequence[EngineCopy]], count: int, size: int) -> str:
    """One row per engine; the time for all is compared with that of the first engine of the first run, within each run.

    :param runs: each the copies of one run; an engine occurs once in each.
    :param count: records copied each time; ``size`` bytes of value of each.
    """
    names = [copy.engine for copy in runs[0]]
    by_name = {name: [next(copy for copy in run if copy.engine == name) for run in runs] for name in names}
    base = by_name[names[0]]
    rows = []
    for name, copies in by_name.items():
        told = [rate for copy in copies if (rate := copy.rate(count)) is not None]
        ratios = [other.last / copy.last for copy, other in zip(copies, base, strict=True)]
        rows.append(
            [
                f"`{name}`",
                spread(copy.first for copy in copies),
                spread((rate / 1e3 for rate in told), 0) if told else "all there at the first look",
                spread(rate * size / 1e6 for rate in told) if told else "-",
                spread(copy.last for copy in copies),
                f"{spread(ratios, 2)} x",
                spread(copy.proven - copy.last for copy in copies),
                spread(copy.cpu for copy in copies),
            ]
        )
    head = ["engine", "s from deploy to the first record", "thousand records/s from then on", "MB/s",
            "s from deploy to the last record", f"overall speed relative to `{names[0]}`",
            "s until progress reports it", "CPU s"]  # fmt: skip
    return table(head, rows)
