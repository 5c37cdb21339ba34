"""Tables of the task log."""

from __future__ import annotations

from kafka_ferry.core.table import table


def test_numbers_stand_right_and_text_left() -> None:
    assert table(["topic", "records"], [["orders", "1,234"], ["a", "5"]]) == (
        "topic   records\n------  -------\norders    1,234\na             5"
    )


def test_text_beside_numbers_stays_left_and_gaps_do_not_count() -> None:
    assert table(["x", "n"], [["1", "-"], ["b", 12]]).splitlines()[2:] == ["1   -", "b  12"]


def test_no_rows() -> None:
    assert table(["a", "bc"], []) == "a  bc\n-  --"


def test_a_long_table_says_how_much_is_left() -> None:
    lines = table(["n"], [[n] for n in range(100)], limit=10).splitlines()
    assert len(lines) == 13
    assert lines[-1] == "… and 90 more"


def test_no_trailing_blanks() -> None:
    assert all(line == line.rstrip() for line in table(["a", "b"], [["x", ""], ["yyy", "z"]]).splitlines())
