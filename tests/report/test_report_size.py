"""2,000 topics and 100 groups in each: what a view of such a report costs, beside that of a small one, in one run.

Compared are CPU time and peak memory of processes of their own, so that what else the machine does changes little.
``-s`` prints the figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from report_size import PATH, in_process

VIEWS = ("", "/live.json", "/lines.json?table=groups&start=150000", "/lines.json?table=topics&only=true")
#: These go through all lines.
SEARCHES = ("/lines.json?table=groups&find=orders-0017", "/lines.json?table=groups&sort=0&down=true")
ADDRESSES = (*VIEWS, *SEARCHES, "/report.json")
SIZES = {"small": (20, 10), "large": (2_000, 100)}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = {}
    for name, (topics, groups) in SIZES.items():
        found[name] = str(tmp_path_factory.mktemp(name))
        print(f"\n{name}: task", in_process("write", found[name], str(topics), str(groups)))
    return found


@pytest.fixture(scope="module")
def costs(roots: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Size to address to what it cost; the download is the last."""
    found = {}
    for name in SIZES:
        asked = in_process("ask", roots[name], *[PATH + end for end in ADDRESSES])
        print(f"\n{name}:", *asked, sep="\n")
        assert {one["status"] for one in asked} == {200}
        found[name] = dict(zip(ADDRESSES, asked, strict=True))
    return found


def test_a_view_costs_as_much_as_that_of_a_small_report(costs):
    for address in VIEWS:
        # A hundred lines of each table instead of twenty; before there were pages it was sixty times as much.
        assert costs["large"][address]["seconds"] < 6 * costs["small"][address]["seconds"] + 0.01, address
    assert costs["large"][""]["bytes"] < 200_000


def test_neither_view_nor_search_nor_download_takes_more_memory(costs):
    assert costs["large"]["/report.json"]["bytes"] > 35_000_000
    for address in ADDRESSES:
        assert costs["large"][address]["peak"] < 1.1 * costs["small"][address]["peak"], address


def test_the_file_for_mail_stays_small(roots):
    path = next(Path(roots["large"]).rglob("report.html"))
    assert path.stat().st_size < 2_500_000
    html = path.read_text(encoding="utf-8")
    assert "Here are the first 5,000, the worst first; 195,000 more lines are in report.json." in html
    assert html.index("skips 7") < html.index("billing-000")
