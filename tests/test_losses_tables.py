"""The tables of losses in docs/ say what the code says."""

from __future__ import annotations

import pytest

from kafka_ferry.jobs.s3.connect.rules.vendors.registry import VENDORS
from losses_tables import PAGE, WAYS, table, updated


@pytest.mark.parametrize("way", WAYS)
def test_the_page_has_the_table_and_it_is_current(way: str) -> None:
    page = PAGE.read_text()
    assert page.count(f"<!-- losses:{way} -->") == 1
    assert updated(page) == page, "make docs-params"


def test_a_table_that_is_not_current_is_written_anew_and_nothing_else() -> None:
    page = "before\n<!-- losses:sink -->\n| old |\n<!-- /losses -->\nafter | x |\n"
    made = f"before\n<!-- losses:sink -->\n{table('sink')}<!-- /losses -->\nafter | x |\n"
    assert updated(page) == updated(made) == made


@pytest.mark.parametrize("way", WAYS)
def test_each_format_of_each_connector_has_a_line(way: str) -> None:
    rows = table("sink" if way == "sink" else "source").splitlines()[2:]
    found = {(row.split("|")[1].strip(" `"), kind) for row in rows for kind in row.split("|")[2].split("`")[1::2]}
    assert found == {(name, kind) for name, one in VENDORS.items() for kind in one.formats[way]}  # type: ignore[index]
    assert all(row.count("|") == 6 for row in rows)
