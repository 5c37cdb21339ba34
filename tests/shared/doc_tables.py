"""Tables of docs/, for tests that hold them to what is true."""

from __future__ import annotations

from pathlib import Path


def table_below(page: Path, heading: str) -> list[dict[str, str]]:
    """The first table below a heading: a line is column to cell."""
    lines = iter(page.read_text().splitlines())
    for line in lines:
        if line == heading:
            break
    else:
        raise AssertionError(f"{page.name} has no {heading!r}")
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows or line.startswith("#"):
            break
    columns, _, *others = rows
    assert all(len(row) == len(columns) for row in others), f"{page.name}: {heading}"
    return [dict(zip(columns, row, strict=True)) for row in others]
