"""Names and regexes: what is meant on a live cluster, and that MirrorMaker 2 will understand the same."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import pytest

from kafka_ferry.core.topics import (
    NO_TOPIC_ID,
    Selection,
    TopicState,
    default_topic_exclude,
    mm2_group_refusal,
    mm2_topic_refusal,
    select,
    without_ids,
)
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import TOPICS_NEVER


def topics(existing: Sequence[str], include: Sequence[str], exclude: Sequence[str] = ()) -> Selection:
    return select("topics", existing, include, exclude, never=mm2_topic_refusal, by_default=default_topic_exclude)


def groups(existing: Sequence[str], include: Sequence[str], exclude: Sequence[str] = ()) -> Selection:
    return select("groups", existing, include, exclude, never=lambda _: None, by_default=mm2_group_refusal)


def mirror_maker_takes(names: Sequence[str], selection: Selection, never: Sequence[str] = ()) -> set[str]:
    """As ``DefaultTopicFilter`` does: lists joined with commas, split again, joined with ``|``; exclusion first."""

    def pattern(entries: Sequence[str]) -> re.Pattern[str]:
        joined = ",".join(entries)
        return re.compile("|".join(re.split(r"\s*,\s*", joined.strip())))

    include, exclude = pattern(selection.patterns), pattern([*never, *selection.exclude_patterns])
    return {name for name in names if not exclude.fullmatch(name) and include.fullmatch(name)}


def test_an_exact_name_means_only_itself() -> None:
    found = topics(["a.b", "aXb", "a.b.c"], ["a.b"])
    assert found.names == ("a.b",)
    assert mirror_maker_takes(["a.b", "aXb", "a.b.c"], found) == {"a.b"}


def test_what_is_no_name_is_a_regex_on_the_whole_name() -> None:
    assert topics(["orders", "orders-eu", "x-orders"], ["orders.*"]).names == ("orders", "orders-eu")
    assert topics(["aXb", "aYb"], ["a.b"]).names == ("aXb", "aYb")


def test_excludes_by_name_and_by_regex_say_why() -> None:
    found = topics(["a", "b.c", "bXc", "d1", "d2"], [".*"], ["b.c", "d.*"])
    assert found.names == ("a", "bXc")
    assert {(item.name, item.reason) for item in found.skipped} == {
        (name, "param exclude_topics") for name in ("b.c", "d1", "d2")
    }


def test_an_exclude_wins_over_an_exact_name() -> None:
    assert topics(["a", "b"], ["a", "b"], ["a"]).names == ("b",)


@pytest.mark.parametrize(
    "name",
    [
        "__consumer_offsets",
        "__x",
        ".hidden",
        "mm2-offset-syncs.a.internal",
        "a.checkpoints.internal",
        "heartbeats",
        "a.heartbeats",
    ],
)
def test_what_mirror_maker_never_takes_is_skipped_with_a_reason_and_refused_by_name(name: str) -> None:
    found = topics([name, "data"], [".*"])
    assert found.names == ("data",)
    assert [item.name for item in found.skipped] == [name]
    assert found.skipped[0].reason
    with pytest.raises(BadParam, match="cannot be replicated") as caught:
        topics([name, "data"], [name])
    assert caught.value.param == "topics"
    assert name in caught.value.problem


@pytest.mark.parametrize("name", ["_schemas", "x.internal", "my-internal", "mm2-data", "heartbeats-2", "a__b"])
def test_names_that_only_look_internal_are_data(name: str) -> None:
    assert topics([name], [".*"]).names == (name,)


def test_a_default_exclusion_gives_way_to_an_exact_name_only() -> None:
    existing = ["a.replica", "b.replica", "c"]
    assert topics(existing, [".*"]).names == ("c",)
    found = topics(existing, ["a.replica", ".*"])
    assert found.names == ("a.replica", "c")
    assert mirror_maker_takes(existing, found, TOPICS_NEVER) == {"a.replica", "c"}


def test_default_group_exclusions() -> None:
    existing = ["console-consumer-1", "connect-sink", "__x", "app"]
    assert groups(existing, [".*"]).names == ("app",)
    assert len(groups(existing, [".*"]).skipped) == 3
    assert groups(existing, ["connect-sink", "app"]).names == ("app", "connect-sink")


def test_entries_that_match_nothing_are_told() -> None:
    found = topics(["a"], ["a", "b", "c.*"])
    assert found.unmatched == ("b", "c.*")
    assert found.names == ("a",)


def test_unmatched_entries_stay_patterns_for_topics_to_come() -> None:
    assert topics(["a"], ["a", "new-.*"]).patterns == ("a", "new-.*")


@pytest.mark.parametrize("param", ["topics", "exclude_topics"])
def test_a_comma_is_refused_as_mirror_maker_splits_there(param: str) -> None:
    entries = {"topics": ["a"], "exclude_topics": []} | {param: ["a{1,2}"]}
    with pytest.raises(BadParam, match="comma") as caught:
        topics(["a"], entries["topics"], entries["exclude_topics"])
    assert caught.value.param == param


@pytest.mark.parametrize("param", ["topics", "exclude_topics"])
def test_a_bad_regex_is_refused_by_name(param: str) -> None:
    entries = {"topics": ["a"], "exclude_topics": []} | {param: ["*"]}
    with pytest.raises(BadParam, match="not a regular expression") as caught:
        topics(["a"], entries["topics"], entries["exclude_topics"])
    assert caught.value.param == param
    assert ".*" in caught.value.fix


def test_a_glob_gets_no_hint_where_it_would_not_help() -> None:
    with pytest.raises(BadParam) as caught:
        topics(["a"], ["(a"])
    assert ".*" not in caught.value.fix


@pytest.mark.parametrize("name", ["a,b", "x, y", "team (blue) | red", "ends with blank ", "a\tb", "ü+$"])
def test_group_names_may_hold_anything_and_mirror_maker_still_takes_just_them(name: str) -> None:
    # Kafka lets a group id hold commas and blanks, where MirrorMaker 2 splits and strips its lists.
    existing = [name, "a", "b", "x", "y", "team"]
    taken = groups(existing, [name])
    assert taken.names == (name,)
    assert mirror_maker_takes(existing, taken) == {name}
    left = groups(existing, [".*"], [name])
    assert mirror_maker_takes(existing, left) == set(existing) - {name}


ALPHABET = "ab.-_1"


def random_name(rng: random.Random) -> str:
    special = ["mm2-x.internal", "x.checkpoints.internal", "heartbeats", "a.heartbeats", "__ab", "b.replica", ".a"]
    return rng.choice(special) if rng.random() < 0.15 else "".join(rng.choices(ALPHABET, k=rng.randint(1, 5)))


def random_entry(rng: random.Random, names: Sequence[str], allowed: Callable[[str], bool]) -> str:
    name = rng.choice([name for name in names if allowed(name)] or ["a"])
    make: list[Callable[[], str]] = [
        lambda: name,
        lambda: name[: rng.randint(1, len(name))] + ".*",
        lambda: name.replace("a", "[ab]"),
        lambda: name.replace("b", "."),
        lambda: f"{name}|b.*",
        lambda: ".*",
    ]
    entry = rng.choice(make)()
    # An exact name that must never be replicated is refused, which the tests above see to.
    return entry if allowed(entry) else ".*"


@pytest.mark.parametrize("seed", range(400))
def test_mirror_maker_takes_exactly_the_names_chosen(seed: int) -> None:
    rng = random.Random(seed)
    names = sorted({random_name(rng) for _ in range(rng.randint(1, 25))})
    include = [random_entry(rng, names, lambda e: not mm2_topic_refusal(e)) for _ in range(rng.randint(1, 3))]
    exclude = [random_entry(rng, names, lambda e: True) for _ in range(rng.randint(0, 2)) if rng.random() < 0.7]
    exclude = [entry for entry in exclude if entry != ".*"]
    found = topics(names, include, exclude)
    assert mirror_maker_takes(names, found, TOPICS_NEVER) == set(found.names), (names, include, exclude)
    assert not set(found.names) & {item.name for item in found.skipped}


def test_topic_state_reads_what_is_in_force() -> None:
    plain = TopicState("t", "id", 1, 1)
    assert not plain.compacted
    assert not plain.log_append_time
    assert TopicState("t", "id", 1, 1, effective={"cleanup.policy": "compact,delete"}).compacted
    stamped = TopicState("t", "id", 1, 1, effective={"message.timestamp.type": "LogAppendTime"})
    assert (stamped.log_append_time, stamped.has_writers_time) == (True, False)


@pytest.mark.parametrize(
    ("version", "untimed"), [("0.8.2", True), ("0.9.0", True), ("0.10.0-IV0", False), ("2.6-IV0", False), (None, False)]
)
def test_records_of_before_kafka_0_10_have_no_timestamp(version: str | None, untimed: bool) -> None:
    state = TopicState("t", "id", 1, 1, effective={"message.format.version": version} if version else {})
    assert (state.untimed, state.has_writers_time) == (untimed, not untimed)


def test_a_group_that_is_called_like_an_expression_does_not_hide_the_others() -> None:
    existing = [".*", "app", "a+b", "aab", "x(y"]
    found = groups(existing, [".*"])
    assert found.names == tuple(sorted(existing))
    assert mirror_maker_takes(existing, found) == set(existing)
    found = groups(existing, ["a+b", "x(y"])  # x(y is no expression: a name all the same
    assert found.names == ("a+b", "aab", "x(y")
    assert mirror_maker_takes(existing, found) == set(found.names)
    assert groups(existing, ["a.*"], ["a+b"]).names == ("app",)
    assert groups(existing, [r"a\+b"]).names == ("a+b",), "how to mean only the name"


@pytest.mark.parametrize("name", ["two\nlines", "a\u2028b", "grüße", "日本", " blank ", "\x01", "a b", "x\x85y"])
def test_every_group_means_every_group(name: str) -> None:
    found = groups([name, "app"], [".*"])
    assert found.names == tuple(sorted([name, "app"]))
    assert mirror_maker_takes([name, "app"], found) == {name, "app"}
    # Java's dot and \w match less than ours: what is odd stands there by name, quoted.
    assert len(found.patterns) == 2
    assert re.fullmatch(found.patterns[1], name)
    comma = groups(["a,b", "app"], [".*"], ["a,b"])
    assert mirror_maker_takes(["a,b", "app"], comma) == {"app"}
    left = groups([name, "app"], [".*"], [name])
    assert mirror_maker_takes([name, "app"], left) == {"app"}


@pytest.mark.parametrize("exclude", [[], ["^$"], ["(?:)"]])
def test_the_empty_group_id_is_never_handed_to_mirror_maker(exclude: list[str]) -> None:
    found = groups(["", "app"], [".*"], exclude)
    assert found.names == (("app",) if exclude else ("", "app"))
    assert "" not in found.exclude_patterns, "a list with nothing in it is refused (KIP-1161)"
    assert mirror_maker_takes(["", "app"], found) == {"app"}
    assert groups(["app"], [".*"]).exclude_patterns == ()


def test_what_cannot_be_taken_is_told_when_it_is_meant() -> None:
    def chosen(include: list[str], exclude: Sequence[str] = ()) -> Selection:
        no = lambda _: None  # noqa: E731
        return select("groups", ["app"], include, exclude, never=no, by_default=mm2_group_refusal,
                      others=["share-1", "connect-x", "sh(a"])  # fmt: skip

    assert chosen([".*"]).others == ("connect-x", "sh(a", "share-1")
    assert chosen([".*"]).exclude_patterns == (), "a share group that comes or goes changes no connector"
    assert chosen(["share-1", "sh(a"]).others == ("sh(a", "share-1")
    assert chosen(["share-1"]).unmatched == ()
    assert chosen(["share-2"]).unmatched == ("share-2",)
    left = chosen([".*"], ["share-.*"])
    assert left.others == ("connect-x", "sh(a")
    assert [item.name for item in left.skipped] == ["share-1"]


@pytest.mark.parametrize(
    "entry", ["(?P<x>a)", "(a)?(?(1)b|c)", "(?a)x", "(?iL:x)", "[[:alpha:]]+", "[a&&b]", "x{y", "a{", "\\U0001F600"]
)
def test_what_java_reads_otherwise_is_refused(entry: str) -> None:
    with pytest.raises(BadParam, match="Java"):
        topics(["a"], [entry])


@pytest.mark.parametrize("entry", [r"a\[\[b", "(?i)a", "(?:a)", "[a&b]", "a{2}", r"\{x", "[{]", "[^]a]", "a&&b"])
def test_what_both_read_alike_is_taken(entry: str) -> None:
    topics(["a"], [entry])


def test_a_plan_says_where_brokers_give_no_topic_ids() -> None:
    assert without_ids("kafka_source", ["x4S9OxqJTvmyq8N2h1yf5w"], "nothing") == []
    assert without_ids("kafka_source", [], "nothing") == []
    (note,) = without_ids("kafka_source", ["x4S9OxqJTvmyq8N2h1yf5w", NO_TOPIC_ID], "its log end does")
    assert note == "kafka_source: its brokers give no topic ids (Kafka before 2.8): its log end does"
