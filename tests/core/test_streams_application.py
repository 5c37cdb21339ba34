"""A Kafka Streams application is one thing: found by its names, and what of it would be left behind is told."""

from __future__ import annotations

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.streams_application import (
    StreamsApplication,
    application_findings,
    applications,
    halves,
    is_own_topic,
)

COUNTS, BY_USER = "wordcount-counts-changelog", "wordcount-by-user-repartition"
APP = StreamsApplication("wordcount", "EMPTY", (BY_USER, COUNTS), ("lines",))


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (COUNTS, True),
        (BY_USER, True),
        ("app-KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog", True),
        ("app-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000006-topic", True),
        ("app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000014-topic", True),
        ("app-orders-subscription-registration-topic", True),
        ("app-orders-subscription-response-topic", True),
        ("changelog", False),
        ("-changelog", False),
        ("orders-changelog-v2", False),
        ("orders-topic", False),
        ("orders.changelog", False),
    ],
)
def test_which_names_streams_gives(name: str, own: bool) -> None:
    assert is_own_topic(name) is own


def found(topics: list[str], groups: dict[str, str], **more: object) -> list[StreamsApplication]:
    return applications(topics, groups, {}, {}, **more)  # type: ignore[arg-type]


def test_an_application_is_its_group_its_own_topics_and_what_it_reads() -> None:
    topics = [COUNTS, BY_USER, "lines", "unrelated"]
    reads = {"wordcount": {"lines", BY_USER}, "other": {"unrelated"}}
    assert applications(topics, {"wordcount": "EMPTY", "other": "STABLE"}, {}, reads) == [APP]


def test_the_longest_id_that_fits_is_the_application() -> None:
    """Ids and names of stores may have dashes."""
    topics = ["a-b-store-changelog", "a-b-c-store-changelog", "a-x-y-changelog"]
    assert [(one.id, one.own) for one in found(topics, {"a": "", "a-b": "", "a-b-c": ""})] == [
        ("a", ("a-x-y-changelog",)), ("a-b", ("a-b-store-changelog",)), ("a-b-c", ("a-b-c-store-changelog",)),
    ]  # fmt: skip


def test_a_group_that_is_called_as_all_of_a_topic_but_its_end_is_none() -> None:
    """``orders-changelog`` of a group ``orders`` has no name of a store: it is somebody's topic."""
    assert found(["orders-changelog"], {"orders": "STABLE"}) == []


def test_a_streams_group_is_an_application_without_any_topic_of_its_own() -> None:
    (one,) = applications(["in"], {"app": "Stable"}, {"app": "streams"}, {"app": {"in"}})
    assert one == StreamsApplication("app", "Stable", (), ("in",))
    assert applications(["in"], {"app": "Stable"}, {"app": "classic"}, {"app": {"in"}}) == []


def test_topics_whose_group_is_gone_are_found_by_names_that_streams_made_up_or_by_compaction() -> None:
    made_up = "gone-KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog"
    assert found([made_up, "x-y-changelog"], {}) == [StreamsApplication("gone", None, (made_up,))]
    (one,) = found(["x-y-changelog"], {}, compacted=["x-y-changelog"])
    assert (one.id, one.state) == ("x-y-changelog", None)


def test_a_whole_one_is_whole_and_one_that_is_not_meant_is_nobodys() -> None:
    assert halves(APP, {COUNTS, BY_USER, "lines"}, {"wordcount"}) == []
    assert halves(APP, {"other"}, {"other"}) == []
    assert halves(APP, {"lines"}, set()) == [], "its input alone is copied for somebody else"


@pytest.mark.parametrize(
    ("selected", "carried", "told"),
    [
        ({COUNTS, BY_USER, "lines"}, set(), "its group wordcount is not carried"),
        ({"lines"}, {"wordcount"}, f"changelogs and repartition topics: {BY_USER}, {COUNTS}"),
        ({COUNTS, "lines"}, {"wordcount"}, f"changelogs and repartition topics: {BY_USER}: it"),
        ({COUNTS, BY_USER}, {"wordcount"}, "not selected of what it reads: lines"),
    ],
)
def test_what_is_left_behind_is_told(selected: set[str], carried: set[str], told: str) -> None:
    (text,) = halves(APP, selected, carried)
    assert told in text


def test_a_group_that_is_gone_is_told_with_its_topics() -> None:
    (text,) = halves(StreamsApplication("gone", None, (COUNTS,)), {COUNTS}, set())
    assert "no group of its id" in text
    assert halves(StreamsApplication("gone", None, (COUNTS,)), {"other"}, set()) == []


def test_names_that_change_keep_an_application_from_its_state() -> None:
    (text,) = halves(APP, {COUNTS, BY_USER, "lines"}, {"wordcount"}, lambda name: f"old.{name}")
    assert f"{BY_USER} becomes old.{BY_USER}" in text
    # Inputs may be called otherwise: the application is told which to read.
    renamed = {"lines": "lines2"}
    assert halves(APP, {COUNTS, BY_USER, "lines"}, {"wordcount"}, lambda name: renamed.get(name, name)) == []


def test_five_topics_are_named_and_the_rest_counted() -> None:
    own = tuple(f"a-s{number}-changelog" for number in range(9))
    (text,) = halves(StreamsApplication("a", "EMPTY", own), {"in"}, {"a"})
    assert "a-s4-changelog and 4 more" in text
    assert "a-s5" not in text


def test_findings() -> None:
    whole = {COUNTS, BY_USER, "lines"}
    (advice,) = application_findings([APP], whole, {"wordcount"})
    assert advice.severity is Severity.ADVISE
    assert "state.dir" in advice.fix
    (half,) = application_findings([APP], {COUNTS}, set())
    assert half.severity is Severity.WARN
    assert half.subject == "Kafka Streams application wordcount"
    assert "by half" in half.what
    at_work = StreamsApplication("wordcount", "Stable", (COUNTS, BY_USER), ("lines",))
    (busy,) = application_findings([at_work], whole, {"wordcount"})
    assert busy.severity is Severity.WARN
    assert "stop all its instances" in busy.fix
    assert [item.severity for item in application_findings([at_work], {COUNTS}, set())] == [Severity.WARN] * 2
    assert application_findings([APP], {"other"}, set()) == []
    # In a backup no state is told.
    assert not StreamsApplication("a", "", ()).is_at_work


def test_twenty_findings_at_most() -> None:
    many = [StreamsApplication(f"a{number:03}", "EMPTY", (f"a{number:03}-s-changelog",)) for number in range(50)]
    found = application_findings(many, {one.own[0] for one in many}, set())
    assert len(found) == 21
    assert found[-1].subject.startswith("30 more")


def test_many_topics_and_groups_take_no_time() -> None:
    """20,000 topics whose names have many dashes, 20,000 groups."""
    topics = [f"{'a-' * 100}{number}-changelog" for number in range(20_000)]
    assert applications(topics, dict.fromkeys(map(str, range(20_000)), ""), {}, {}) == []
