"""How measured numbers are shown: medians with their spread, ratios within one run only."""

from __future__ import annotations

from bench.figures import Copy, megabytes, profile_table, rotated, spread, table


def cells(markdown: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    return {row[0]: row[1:] for row in rows[2:]}


def test_a_spread_is_median_and_both_ends() -> None:
    assert spread([3.0, 1.0, 10.0]) == "3.0 (1.0-10.0)"
    assert spread([2.345], 2) == "2.35"


def test_sizes_are_decimal() -> None:
    assert megabytes(1_500_000) == "1.5 MB"
    assert megabytes(2_500) == "2.5 kB"


def test_a_table_is_markdown() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_each_run_starts_with_another_one() -> None:
    names = ["stock", "lan", "wan"]
    assert [rotated(names, run)[0] for run in range(4)] == ["stock", "lan", "wan", "stock"]
    assert all(sorted(rotated(names, run)) == sorted(names) for run in range(4))


def test_ratios_are_taken_within_a_run_and_not_between_medians() -> None:
    # The machine was twice as slow in the second run: the ratio does not move.
    runs = [
        [Copy("stock", 10.0, 1.0, 5.0, 3.0), Copy("lan", 5.0, 1.0, 2.0, 1.0)],
        [Copy("lan", 10.0, 2.0, 2.0, 1.0), Copy("stock", 20.0, 2.0, 5.0, 3.0)],
    ]
    found = cells(profile_table(runs, 100_000_000))
    assert list(found) == ["stock", "lan"]
    assert found["lan"][2] == "2.00 (2.00-2.00) x"
    assert found["stock"][2] == "1.00 (1.00-1.00) x"
    assert found["lan"][:2] == ["7.5 (5.0-10.0)", "15.0 (10.0-20.0)"]
    assert found["stock"][5] == "0.38 (0.25-0.50)"
