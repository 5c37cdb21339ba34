"""One vocabulary for all triggers: what an event says, and what is heard of it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.triggers.ended import Ended, event_of, told_by
from kafka_ferry.triggers.waiting import WaitingTrigger

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "kafka_ferry"


@pytest.mark.parametrize("ended", Ended)
def test_what_is_said_is_heard(ended: Ended) -> None:
    event = event_of(ended, "why", {"arn": "a"})
    assert json.loads(json.dumps(event)) == event
    assert type(event["status"]) is str
    assert (told_by(event), event["arn"]) == ((ended, "why"), "a")


@pytest.mark.parametrize("status", ["SUCCESS", "error", "", None, 1, ["success"], {}])
def test_any_other_word_says_nothing_of_what_was_waited_for(status: Any) -> None:
    assert told_by({"status": status, "message": "why"}) == (Ended.BROKEN, "why")


@pytest.mark.parametrize("event", [None, {}, {"message": ""}])
def test_no_event_is_a_wait_that_broke(event: dict[str, Any] | None) -> None:
    assert told_by(event) == (Ended.BROKEN, "no event from the trigger")


def test_an_echo_does_not_speak_for_the_wait() -> None:
    assert event_of(Ended.FAILED, "why", {"status": "success", "message": "fine"})["status"] == "failed"


def test_every_trigger_is_a_waiting_one() -> None:
    """So that no other writes an event of its own."""
    bases = {
        f"{path.relative_to(PACKAGE)}:{node.name}": [ast.unparse(base) for base in node.bases]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Trigger")
    }
    assert len(bases) >= 5
    own = bases.pop("triggers/waiting.py:WaitingTrigger")
    assert own == ["BaseTrigger"]
    assert set(map(tuple, bases.values())) == {(WaitingTrigger.__name__,)}
