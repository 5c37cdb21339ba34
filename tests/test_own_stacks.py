"""Stacks that tests start for themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import own_stacks


class Started:
    """Notes its end."""

    def __init__(self, folder: Path, **_: Any) -> None:
        self.ended: list[bool] = []

    def up(self) -> Started:
        return self

    def down(self, purge: bool) -> None:
        self.ended.append(purge)


def test_one_whose_test_fails_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_stacks, "Stack", Started)
    with pytest.raises(RuntimeError, match="the test"), own_stacks.own_stack("any") as stack:
        raise RuntimeError("the test")
    assert stack.ended == [True]  # type: ignore[attr-defined]
