"""Plain tables for task logs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], limit: int = 60) -> str:
    """Columns padded to their widest cell; numbers stand right.

    :param limit: rows shown; the rest is counted in a last line. The artifacts have them all.
    """
    shown = [[str(cell) for cell in row] for row in rows[:limit]]
    widths = [max(len(line[i]) for line in [list(head), *shown]) for i in range(len(head))]
    right = [bool(shown) and all(_is_number(row[i]) for row in shown) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if r else cell.ljust(width) for cell, width, r in zip(line, widths, right, strict=True)
        )
        for line in [list(head), ["-" * width for width in widths], *shown]
    ]
    if len(rows) > limit:
        lines.append(f"… and {len(rows) - limit} more")
    return "\n".join(line.rstrip() for line in lines)


def _is_number(cell: str) -> bool:
    return not cell or cell == "-" or cell[0].isdigit() or (cell[0] == "-" and cell[1:2].isdigit())
