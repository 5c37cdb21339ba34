"""What all specs share: what is refused, in which words, and that no refusal shows a secret."""

from __future__ import annotations

import traceback
from datetime import timedelta
from typing import Any, Literal

import pytest
from pydantic import Field

from kafka_ferry.core.spec import MOST, Entry, Regex, Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.migration.rules.specs import spec_of


class Ferry(Spec):
    topics: list[Entry] = Field(min_length=1)
    crew: list[Entry] = Field(default=["mate"])
    rename: dict[Regex, str] = Field(default={})
    settings: dict[str, str] = Field(default={})
    password_reference: str | None = Field(default=None, pattern=r"^\$\{.+\}$")
    speed: Literal["slow", "fast"] = "slow"
    masts: int = Field(default=2, ge=1)
    days: float | None = Field(default=None, gt=0)


def refused(**params: Any) -> BadParam:
    with pytest.raises(BadParam) as caught:
        Ferry.from_params({"topics": ["orders"], **params})
    return caught.value


def test_any_span_of_time_that_is_taken_is_one_in_python() -> None:
    for engine, span in (
        ("mirror_maker2_on_connect", "convergence_timeout"),
        ("mirror_maker2_dedicated", "running_timeout"),
    ):
        with pytest.raises(BadParam) as caught:
            spec_of(engine).from_params({"topics": ["a"], span: 1e300})
        assert caught.value.param == span
    with pytest.raises(BadParam) as caught:
        BackupSpec.from_params({"keep_days": 10**12})
    assert caught.value.param == "keep_days"
    assert timedelta(days=MOST) > timedelta(seconds=MOST)


@pytest.mark.parametrize(
    ("params", "param", "problem"),
    [
        ({"topics": None}, "topics", "is missing"),
        ({"topics": []}, "topics", "is missing"),
        ({"topics": [" "]}, "topics", "0: String should have at least 1 character, got ' '"),
        ({"crwe": []}, "crwe", "is unknown; did you mean 'crew'?"),
        ({"zzz": 1}, "zzz", "is unknown"),
        ({"speed": "swift"}, "speed", "Input should be 'slow' or 'fast', got 'swift'"),
        ({"masts": 0}, "masts", "Input should be greater than or equal to 1, got 0"),
        ({"days": 1e400}, "days", "Value error, is larger than 100,000,000, got inf"),
        ({"days": 10**300}, "days", "Value error, is larger than 100,000,000, got 1" + "0" * 300),
        ({"days": float("nan")}, "days", "Input should be greater than 0, got nan"),
        ({"settings": {"linger.ms": 5}}, "settings", "linger.ms: Input should be a valid string, got 5"),
    ],
)
def test_a_refusal_says_which_param_and_what_is_wrong(params: dict[str, Any], param: str, problem: str) -> None:
    error = refused(**params)
    assert (error.param, error.problem) == (param, problem)
    assert error.fix


def test_a_missing_param_and_an_unknown_one_are_answered_with_what_would_do() -> None:
    assert "projects.*" in refused(topics=[]).fix
    assert refused(zzz=1).fix == "one of: crew, days, masts, password_reference, rename, settings, speed, topics"


def test_a_regex_that_is_none_is_shown_with_the_reason() -> None:
    assert "'(' is not a regular expression: missing )" in refused(rename={"(": "x"}).problem


@pytest.mark.parametrize(
    "params",
    [
        {"password_reference": "hunter2"},
        {"settings": {"consumer.ssl.key.password": ["hunter2"]}},
        {"settings": [{"sasl.password": "hunter2"}, "sasl.password=hunter2"]},
        {"settings": "producer.sasl.password=hunter2"},
    ],
)
def test_no_refusal_shows_a_secret_nor_does_its_traceback(params: dict[str, Any]) -> None:
    error = refused(**params)
    assert "hunter2" not in "".join(traceback.format_exception(error))
    assert error.param in params


def test_a_number_that_is_a_password_is_not_shown() -> None:
    assert "1234" not in str(refused(settings={"sasl.password": 1234}))


def test_a_reference_is_no_secret() -> None:
    assert Ferry(topics=["a"], password_reference="${file:a:b}").password_reference == "${file:a:b}"


def test_null_lists_and_mappings_are_empty_but_other_defaults_stay_theirs() -> None:
    spec = Ferry.from_params({"topics": [" a "], "crew": None, "rename": None, "settings": None})
    assert (spec.topics, spec.crew, spec.rename, spec.settings) == (["a"], [], {}, {})
    assert Ferry(topics=["a"]).crew == ["mate"]


@pytest.mark.parametrize("engine", ["mirror_maker2_dedicated", "mirror_maker1", "verify_clusters"])
def test_every_spec_refuses_in_these_words(engine: str) -> None:
    with pytest.raises(BadParam, match="param 'topcis' is unknown; did you mean 'topics'"):
        spec_of(engine).from_params({"topcis": ["a"]})
