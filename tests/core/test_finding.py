"""Findings as people read them, and the refusal they lead to."""

from __future__ import annotations

import json

import pytest

from kafka_ferry.core.finding import Finding, Severity, finding_lines, refuse, worst_first
from kafka_ferry.exceptions import BadParam

WARN = Finding(Severity.WARN, "size", "topic w", "is odd", "mend it")
ADVISE = Finding(Severity.ADVISE, "size", "topic a", "is so", "nothing")


def bad(number: int) -> Finding:
    return Finding(Severity.REFUSE, "keys", f"topic {number}", f"fails {number}", f"fix {number}", "groups")


def test_warnings_and_advice_refuse_nothing() -> None:
    refuse([WARN, ADVISE])


def test_a_refusal_names_the_first_three_and_the_cure_of_the_first() -> None:
    with pytest.raises(BadParam) as caught:
        refuse([WARN, *(bad(n) for n in range(1, 6))])
    assert str(caught.value) == (
        "param 'groups': topic 1: fails 1; also topic 2: fails 2; also topic 3: fails 3; and 2 more, see the log. "
        "Fix: fix 1"
    )


def test_a_refusal_names_warnings_of_its_kind_too() -> None:
    kin = Finding(Severity.WARN, "keys", "group g", "may be one", "stop it")
    with pytest.raises(BadParam) as caught:
        refuse([bad(1), WARN, kin])
    assert str(caught.value) == "param 'groups': topic 1: fails 1; perhaps also group g: may be one. Fix: fix 1"


def test_lines_are_sorted_and_bounded() -> None:
    lines = finding_lines([ADVISE, *(bad(n) for n in range(100, 400)), WARN])
    assert lines[0] == "refuse: topic 100: fails 100. Fix: fix 100"
    assert lines[10:] == [str(WARN), str(ADVISE), "refuse: 290 more of the kind keys, all in plan.json"]
    assert worst_first([ADVISE, WARN, bad(1)]) == [bad(1), WARN, ADVISE]


def test_a_finding_travels_as_json() -> None:
    assert json.loads(json.dumps(WARN.to_json())) == {
        "severity": "warn",
        "code": "size",
        "subject": "topic w",
        "what": "is odd",
        "fix": "mend it",
        "param": "topics",
    }
