"""Generates the tables of what others' S3 connectors lose, in docs/vendors_s3_connectors.md: ``make docs-params``.

The page has ``<!-- losses:sink -->`` and ``<!-- /losses -->`` around the table of sinks, likewise for sources.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from kafka_ferry.jobs.s3.connect.rules.vendors.registry import VENDORS
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Lost, Way
from params_tables import DOCS

PAGE: Final = DOCS / "vendors_s3_connectors.md"
WAYS: Final[tuple[Way, Way]] = ("sink", "source")
_PLACE = re.compile(r"(?<=<!-- losses:)(sink|source)( -->\n).*?(?=<!-- /losses -->)", re.DOTALL)


def table(way: Way) -> str:
    """Markdown: a line for each connector and each set of formats that lose the same."""
    rows = ["| `connector` | `format` | lost, and to be accepted | after a failure | may stop the task |\n",
            "|---|---|---|---|---|\n"]  # fmt: skip
    for name, vendor in VENDORS.items():
        cells = []
        for kind in vendor.formats[way]:
            lost = dict(vendor.lost(way, kind, ()))
            repeats = lost.pop("repeats", "")
            stops = vendor.stops(way, kind)
            cells.append((_said(lost) or "nothing", repeats, _said(stops), kind))
        for said, group in groupby(cells, key=lambda cell: cell[:3]):
            kinds = ", ".join(f"`{cell[3]}`" for cell in group)
            rows.append(f"| `{name}` | {kinds} | {' | '.join(said)} |\n")
    return "".join(rows)


def _said(lost: Lost) -> str:
    return "; ".join(f"**{part}**: {why}" for part, why in lost.items())


def updated(page: str) -> str:
    """The page with its tables up to date."""
    return _PLACE.sub(lambda found: f"{found[1]}{found[2]}{table('sink' if found[1] == 'sink' else 'source')}", page)


if __name__ == "__main__":
    if (new := updated(old := PAGE.read_text())) != old:
        PAGE.write_text(new)
        print(f"{PAGE.name}: its tables of losses were not current")
