"""What is made may have no unknown field; what is read may, and they are left out, in its parts too."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import Field, ValidationError

from kafka_ferry.core.tolerant import Tolerant


class Part(Tolerant):
    name: str


@dataclass(frozen=True)
class Line:
    what: str
    flows: tuple[str, ...] = ()


class Whole(Tolerant):
    schema_: str = Field(alias="schema")
    parts: list[Part]
    lines: list[Line] | None = None


READ = {"schema": "x/1", "parts": [{"name": "a", "later": 1}], "later": 2}


def test_what_is_read_loses_what_is_not_known() -> None:
    whole = Whole.read(READ)
    assert whole.model_dump(by_alias=True, exclude_none=True) == {"schema": "x/1", "parts": [{"name": "a"}]}


def test_lines_that_are_dataclasses_lose_it_too() -> None:
    whole = Whole.read({**READ, "lines": [{"what": "x", "later": 3}, {"what": "y"}]})
    assert whole.lines == [Line("x"), Line("y")]
    for lines in ([{"later": 3}], [7], "x"):
        with pytest.raises(ValidationError):
            Whole.read({**READ, "lines": lines})
    assert Whole.read({**READ, "lines": None}).lines is None


def test_what_is_made_may_not_have_it() -> None:
    with pytest.raises(ValidationError, match="later"):
        Whole.model_validate(READ)
    with pytest.raises(ValidationError, match="later"):
        Part(name="a", later=1)  # type: ignore[call-arg]


def test_what_is_missing_or_no_mapping_is_refused_all_the_same() -> None:
    for data in ({"schema": "x/1"}, {"schema": "x/1", "parts": [{}]}, [], None):
        with pytest.raises(ValidationError):
            Whole.read(data)
