"""Expressions are judged before they meet a name: what could take minutes is refused, what people use is not."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Sequence

import pytest

from kafka_ferry.core.expression import LONGEST, problem_of
from kafka_ferry.core.topics import select
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.restore_plan import select_topics, target_name
from kafka_ferry.jobs.backup.rules.spec import RestoreSpec
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.deployment import check_settings
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.replicators import _matches
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

USED = [
    "projects.*",
    ".*",
    r"(orders|payments)\..*",
    r".*\.tmp",
    "(?!test-).*",
    "((?!-copy).)*",
    r"([a-z0-9]+\.)+dlq",
    r"(\w+-)*events",
    "[a-z]+-[0-9]{4}-[0-9]{2}",
    ".*team.*orders.*eu.*",
    "^(?:foo|bar|baz)$",
    r"orders(-v2)?(\.dlq)?",
    "(?i)Orders.*",
    "([a-f0-9]{8})+",
    "(foo|fob)*",
    "team-(a|b|c)-.*",
    "source-(.*)",
    r"(.*)\.(.*)",
    r".*-.*-.*-[0-9]+",
    r"[a-z]+\.[a-z]+\.[a-z]+\.[a-z]+\.[a-z]+",
    r"prod-.*-eu-.*-v\d+",
    r".*_.*_.*_\d{4}",
    "|".join(f"topic{number}" for number in range(2000)),
    "(?=.*orders).*",
    ".*(?<!-copy)",
    "([A-Z][a-z]+)+",
    "[^_].*",
    "(orders|orders-eu|orders-us).*",
    "a{1,249}",
    r"\d{4}(-\d{2}){2}",
    r"[\w.-]+",
    "(a|b)*",
    "x*y*z*",
    "(?:[a-z]+_)?events",
    "|".join(f"topic-{number}" for number in range(60)),
    "((a|b)c)+",
    r"(?:.+\.)?orders",
    r".*\.(?:eu|us)-[0-9]+",
    "[a-z]+?-dlq",
    r"a\.b\.c",
    "",
    "(?:a|b|ab)c*",
]
ENDLESS = [
    "(?:(a|b)?){100}c",
    "(a?){65}b",
    # Three that may end anywhere, and one that runs to the end from each of these places: 10 s for one name.
    "a*?a*?a*?a*?b",
    "[^b]*[^b]*[^b]*[^b]*b",
    r"\w*\d*\w*\d*!",
    "a*a*a*a*",
    ".*-.*-.*-[^!]*!",
    "(" + "|".join(f"topic{number}" for number in range(2000)) + ")*x",
    "(a+)+b",
    "(a*)*b",
    "(a|a)*b",
    "(a|aa)+$",
    "(.*)*x",
    "(.*a){20}",
    "(a?){30}a{30}",
    "a?" * 30 + "a" * 30,
    ".*.*.*.*.*x",
    ".*a.*b.*c.*d.*e",
    r"(\w+\s?)*$",
    "([a-zA-Z]+)*1",
    "(x+x+)+y",
    "(a*b*)*c",
    "(a|b|ab)*c",
    "(.*b|c)*d",
    "(a+){10}b",
    "(?=(a+)+b).*",
    "(?:(a)|(a))*b",
    "(a(b*|c*))*d",
    r"((a+)\1)+b",
    "(?i)(a|A)*b",
    "([a-z]+x)+",
    "(a{1,100}){1,100}b",
    r"(\w|\d)+!",
    "(?:a?b?)*c",
    "(.|.)*x",
    "(?:a|[^b])*c",
    "((a{2,3}){2,3})*b",
    "(?!(.*)*x).*",
    "(a|a)" * 30,
    "(?:aa?)+b",
    "(" * 400 + "a+" + ")+" * 400,
    r"(\d+|[0-9])*x",
    "((a){2,}(a)*?){2}x",
    "(?:[a-z]|a)*!",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
]


@pytest.mark.parametrize("depth", [50, 101, 400, 5000])
def test_groups_in_groups_are_no_matter_of_pythons_recursion_limit(depth: int) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)  # as Airflow does when it copies an operator
    try:
        begun = time.process_time()
        problem = problem_of("(" * depth + "a" + ")" * depth)
        assert (problem is None) is (depth <= 100)
        assert problem_of(r"\(" * 300 + "a") is None, "no groups"
        assert time.process_time() - begun < 2
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize("pattern", USED)
def test_what_people_use_is_taken_and_fast(pattern: str) -> None:
    assert problem_of(pattern) is None
    letters = sorted(set(re.sub(r"\W", "", pattern))) or ["a"]
    begun = time.process_time()
    for letter in [*letters, ".", "-", "".join(letters), "a-", "ab."]:
        re.fullmatch(pattern, (letter * LONGEST)[: LONGEST - 1] + "!")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("pattern", ENDLESS)
def test_what_could_take_minutes_is_refused_at_once(pattern: str) -> None:
    begun = time.process_time()
    assert problem_of(pattern)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("pattern", ["*a", "(", "[a", "a{2,1}", "(?P<a", "\\"])
def test_what_is_none(pattern: str) -> None:
    assert "is not a regular expression" in str(problem_of(pattern))


def test_what_is_taken_is_fast_whatever_it_is() -> None:
    chance = random.Random(7)

    def made(depth: int) -> str:
        kind = chance.randrange(9 if depth else 3)
        if kind <= 2:
            return chance.choice(["a", "b", "ab", ".", "[ab]", r"\w", "a-"])
        if kind == 3:
            return f"({made(depth - 1)}|{made(depth - 1)})"
        if kind in (4, 5):
            return made(depth - 1) + made(depth - 1)
        return f"({made(depth - 1)}){chance.choice(['*', '+', '?', '*?', '{2}', '{1,3}', '{2,}', '{0,20}'])}"

    names = [(part * LONGEST)[: LONGEST - 1] + "!" for part in ("a", "b", "ab", "a-", "aab", "aabab")]
    taken = 0
    for _ in range(400):
        pattern = made(chance.randrange(1, 6)) + chance.choice(["", "b", "x"])
        if problem_of(pattern) is None:
            taken += 1
            for name in names:
                begun = time.process_time()
                re.fullmatch(pattern, name)
                assert time.process_time() - begun < 5, pattern
    assert taken > 200


SLOW = "(a+)+b"


def test_every_param_that_meets_names() -> None:
    for param in ("topics", "groups"):
        for include, exclude, named in (([SLOW], [], param), ([".*"], [SLOW], f"exclude_{param}")):
            with pytest.raises(BadParam, match="could take forever") as refused:
                select(param, ["a" * 40], include, exclude, never=lambda _: None, by_default=lambda _: None)
            assert refused.value.param == named
    for spec, params in (
        (ComparisonSpec, {"topics": ["a"], "rename": {SLOW: "x"}}),
        (RestoreSpec, {"rename": {SLOW: "x"}}),
        (ImportSpec, {"rename": {SLOW: "x"}}),
        (StreamSpec, {"databases": ["a"], "tables": [SLOW]}),
        (StreamSpec, {"databases": ["a"], "tables": ["(a|A)*b"]}),
        (StreamSpec, {"connector_config": {"database.include.list": "a", "table.include.list": SLOW}}),
    ):
        with pytest.raises(BadParam, match="could take forever") as refused:
            spec.from_params(params)
        assert refused.value.param == ("tables" if spec is StreamSpec else "rename")
    assert ExportSpec(topics=["a"])
    with pytest.raises(BadParam, match="could take forever"):
        target_name("a" * 40, {SLOW: "x"})
    with pytest.raises(BadParam, match="could take forever"):
        check_settings("connector_config", {"column.exclude.list": f"a.b,{SLOW}"})
    assert _matches(SLOW, "a" * 40)  # another's connector: as one that we cannot read


def test_a_group_that_exists_and_is_named_like_an_expression_is_a_name() -> None:
    found = select("groups", [SLOW, "b"], [SLOW], [], never=lambda _: None, by_default=lambda _: None)
    assert found.names == (SLOW,)


def test_a_restore_refuses_one_in_its_topics() -> None:
    from kafka_ferry.jobs.backup.rules.manifest import TopicBackup

    topic = TopicBackup.model_construct(name="a" * 40, partitions=[])
    with pytest.raises(BadParam, match="could take forever") as refused:
        select_topics([topic], [SLOW], {})
    assert refused.value.param == "topics"


def test_a_group_longer_than_any_topic_is_no_trap() -> None:
    long, plain = "ab" * 15_000, "ab" * 120
    for slow in (".*a.*b.*c", ".*a.*a.*a.*", "(.*)-(.*)-(.*)-x"):
        assert problem_of(slow) is None
        with pytest.raises(BadParam, match=r"could take minutes on 'abab.*… of 30,000 characters") as refused:
            groups([long, plain], [slow])
        assert refused.value.param == "groups"
        with pytest.raises(BadParam, match="could take minutes") as refused:
            groups([long, plain], [".*"], [slow])
        assert refused.value.param == "exclude_groups"
        groups([plain], [slow])
    begun = time.process_time()
    for fast in (".*", "(?!x).*", "[ab]*", ".*b", "a.*b", "prod-.*"):
        groups([long, plain], [fast])
    assert groups([long], [long]) == (long,)
    assert time.process_time() - begun < 5


def groups(there: list[str], include: list[str], exclude: Sequence[str] = ()) -> tuple[str, ...]:
    taken = select("groups", there, include, exclude, never=lambda name: None, by_default=lambda name: None)
    return taken.names
