"""What a refused param says."""

from __future__ import annotations

import pickle

import pytest

from kafka_ferry.exceptions import BadParam


@pytest.mark.parametrize(
    "problem, text",
    [
        ("is missing", "param 'topics' is missing. Fix: a list"),
        ("nothing matches", "param 'topics': nothing matches. Fix: a list"),
        ("is unknown; did you mean 'topic'?", "param 'topics' is unknown; did you mean 'topic'? Fix: a list"),
    ],
)
def test_a_sentence_with_param_and_cure(problem: str, text: str) -> None:
    error = BadParam("topics", problem, "a list")
    assert str(error) == text
    assert str(pickle.loads(pickle.dumps(error)))  # noqa: S301 - our own == text
