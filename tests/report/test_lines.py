"""Pages of a long table: order, filter, search, sort, and that no more is held than is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

import report_samples as samples
from kafka_ferry.core.checks import GroupLine, Status
from kafka_ferry.report import lines as module
from kafka_ferry.report.lines import PAGE_LINES, SORTED, TEXT, Answer, LineFile, Question, answer


class File:
    """A table in memory; ``read`` counts the lines that were taken from it."""

    def __init__(self, name: str, lines: list[Any]) -> None:
        file = LineFile(name, lines)
        self.content, self.table, self.read = b"".join(file), file.table, 0

    def opened(self, start: int) -> Iterator[bytes]:
        for line in self.content[start:].split(b"\n")[:-1]:
            self.read += 1
            yield line

    def ask(self, question: Question) -> Answer:
        return answer(question, self.table, self.opened)


def groups(number: int, **other: Any) -> list[GroupLine]:
    return [samples.group(f"g-{i}", i % 6, **other) for i in range(number)]


def names(found: Answer) -> list[str]:
    return [line.group for line in found.page]


def test_a_page_is_read_without_the_lines_before_it():
    file = File("groups", groups(10_000))
    found = file.ask(Question("groups", start=7_123))
    assert names(found) == [f"g-{i}" for i in range(7_123, 7_223)]
    assert (found.lines, found.found, found.reach) == (10_000, 10_000, 10_000)
    assert file.read < PAGE_LINES + file.table.every
    assert [line.model_dump() for line in found.page] == [line.model_dump() for line in groups(10_000)[7_123:7_223]]


def test_all_pages_together_are_the_table():
    file = File("groups", groups(1_234))
    pages = [names(file.ask(Question("groups", start=start))) for start in range(0, 1_300, PAGE_LINES)]
    assert [name for page in pages for name in page] == [f"g-{i}" for i in range(1_234)]
    assert names(file.ask(Question("groups", start=10**9))) == []


def test_what_failed_is_the_first_page_and_what_differs_is_a_filter():
    lines = groups(3_000)
    lines[2_999] = replace_status(lines[2_999], Status.FAIL)
    lines[5] = replace_status(lines[5], Status.EXPLAINED)
    lines[4] = replace_status(lines[4], Status.SKIPPED)
    file = File("groups", lines)
    assert names(file.ask(Question("groups")))[:4] == ["g-2999", "g-5", "g-4", "g-0"]
    found = file.ask(Question("groups", only=True))
    assert (names(found), found.found, found.lines) == (["g-2999", "g-5", "g-4"], 3, 3_000)
    found = file.ask(Question("groups", only=True, find="g-5"))
    assert (names(found), found.looked_at) == (["g-5"], 3)


def replace_status(line: GroupLine, status: Status) -> GroupLine:
    return line.model_copy(update={"status": status})


def test_text_is_found_in_any_column_as_the_page_shows_it():
    lines = groups(500)
    lines[7] = samples.group('Ünïcode "quoted"\\', 3, topic="other", source_offset=1_234_567, detail="skips 7")
    lines[8] = samples.group("x", 3, redelivered=None)
    file = File("groups", lines)
    for text in ("ÜNÏCODE", '"quoted"\\', "Other", "1,234,567", "34,5", "SKIPS"):
        assert names(file.ask(Question("groups", find=text))) == [lines[7].group], text
    assert names(file.ask(Question("groups", find="–"))) == ["x"]
    found = file.ask(Question("groups", find=" g-49 "))  # g-49, g-490 … g-499
    assert (found.found, names(found)[0], found.lines, found.looked_at) == (11, "g-49", 500, 500)
    # Neither what stands between two columns, nor how JSON writes a value.
    for text in ('","', "null", "[", "nothing"):
        assert file.ask(Question("groups", find=text)).found == 0, text


def test_pages_of_what_is_found_follow_each_other():
    file = File("groups", groups(2_000))
    found = file.ask(Question("groups", find="g-1", start=100))
    assert found.found == 1_111
    expected = [f"g-{i}" for i in range(2_000) if str(i).startswith("1")]
    assert names(found) == expected[100:200]
    assert names(file.ask(Question("groups", find="g-1", start=1_100))) == expected[1_100:]


@pytest.mark.parametrize("down", [False, True])
def test_a_column_of_numbers_is_sorted_as_numbers_and_what_is_not_known_is_the_least(down):
    lines = [samples.group(f"g-{i}", 0, target_offset=None if i == 3 else i * 37 % 1_000) for i in range(1_000)]
    file = File("groups", lines)
    found = file.ask(Question("groups", sort=5, down=down))
    key = {line.group: -1 if line.target_offset is None else line.target_offset for line in lines}
    assert names(found) == sorted(key, key=lambda name: key[name], reverse=down)[:PAGE_LINES]


def test_names_are_sorted_with_the_numbers_in_them():
    file = File("topics", [samples.topic(name) for name in ("b.10", "B.9", "b.2.x", "a", "٣", "9", "c" + "1" * 300)])
    found = file.ask(Question("topics", sort=0))
    assert [line.source for line in found.page] == ["9", "a", "b.2.x", "B.9", "b.10", "c" + "1" * 300, "٣"]


def test_a_sorted_table_is_held_up_to_its_reach(monkeypatch):
    monkeypatch.setattr(module, "SORTED", 300)
    file = File("groups", [samples.group(f"g-{i}", 0, source_offset=i) for i in range(1_000)])
    found = file.ask(Question("groups", sort=4, down=True, start=900))
    assert (found.found, found.reach, found.start) == (1_000, 300, 200)
    assert names(found)[0] == "g-799"


def test_a_search_ends_after_so_many_lines_and_says_so(monkeypatch):
    monkeypatch.setattr(module, "LOOKED_AT", 400)
    file = File("groups", groups(1_000))
    found = file.ask(Question("groups", find="g-"))
    assert (found.found, found.looked_at, found.lines, file.read) == (400, 400, 1_000, 400)


def test_a_long_text_is_cut_and_a_line_end_in_a_name_begins_no_line():
    odd = samples.group("line\nend\r\u2028", 0, detail="x" * 100_000)
    file = File("groups", [odd, *groups(3)])
    assert file.content.count(b"\n") == 4
    (first, *_) = file.ask(Question("groups")).page
    assert (first.group, len(first.detail)) == ("line\nend\r\u2028", TEXT)


def test_the_places_of_the_lines_stay_few():
    table = LineFile("groups", [])
    assert list(table) == []
    assert table.table.starts == []
    file = File("groups", [samples.group("g", 0)] * 100)
    assert file.table.starts == [0]
    many = module.table_of([samples.group("g", 0)] * 10)
    assert not many.remarks
    monkey = File("groups", groups(50_000))
    assert len(monkey.table.starts) == 100


@pytest.mark.parametrize("line", [b"{}", b"nothing", b"[1]", b'["g","t",0,0,0,0,0,"no status",""]', b"", b"[" * 9000])
def test_a_line_of_somebody_else_is_no_line(line):
    file = File("groups", groups(3))
    file.content = line + b"\n" + file.content
    for question in (Question("groups"), Question("groups", sort=4), Question("groups", find="g")):
        try:
            found = file.ask(question)
        except (ValueError, ValidationError, RecursionError):
            continue
        assert question.find  # what does not match is not read
        assert found.found == 2  # of the three that the table says it has


def test_places_that_are_missing_are_no_page():
    file = File("groups", groups(600))
    file.table = file.table.model_copy(update={"starts": [0]})
    with pytest.raises(ValueError, match="offsets of its lines"):
        file.ask(Question("groups", start=550))


def test_an_answer_is_small_whatever_is_asked():
    file = File("groups", groups(20_000))
    for question in (
        Question("groups", start=10_000),
        Question("groups", find="g"),
        Question("groups", sort=0),
        Question("groups", sort=4, down=True, start=SORTED),
    ):
        assert len(file.ask(question).page) == PAGE_LINES
        assert file.ask(replace(question, only=True)).page == []
