"""Groups of every type and with odd names on real brokers: each is carried, or named with its type and state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer

from backup_lab import LOCATION
from dags_by_hand import DagRunByHand
from group_kinds import GroupKinds
from kafka_ferry.core.commits import Commit
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.group_calls import GroupCalls
from kafka_ferry.hooks.kafka.group_wire import GroupWire, ListGroups
from kafka_ferry.hooks.kafka.reading.broker_connection import BrokerConnection
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings
from run_by_hand import Run
from stack import Stack

pytestmark = pytest.mark.integration

NOTE = "AgAAAZWn2wEK"  # as Kafka Streams encodes its stream time


@pytest.fixture
def kinds(stack: Stack) -> Iterator[GroupKinds]:
    made = GroupKinds(stack.source_bootstrap)
    yield made
    for bootstrap in (stack.source_bootstrap, stack.target_bootstrap):
        GroupKinds(bootstrap).delete("")  # it has no prefix: other tests would see it


@pytest.fixture
def artifacts(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


def member(bootstrap: str, group: str, topic: str, protocol: str) -> Consumer:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "group.protocol": protocol, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    for _ in range(300):
        if consumer.poll(0.1) is not None:
            break
    consumer.commit(asynchronous=False)
    return consumer


def test_every_type_of_group_is_listed_with_its_state(
    kinds: GroupKinds, stack: Stack, topic_prefix: str, make_topics: Any, produce: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 10)
    share, streams, new, old, simple = (
        f"{topic_prefix}{name}" for name in ("share", "streams", "new", "old", "simple")
    )
    kinds.commit(simple, topic, {0: (3, "")})
    kinds.commit(f"{topic_prefix}nul\0x", topic, {0: (3, "")})
    kinds.share(share, topic)
    kinds.streams(streams, topic)
    members = [
        member(stack.source_bootstrap, new, topic, "consumer"),
        member(stack.source_bootstrap, old, topic, "classic"),
    ]
    admin = KafkaAdmin({"bootstrap.servers": stack.source_bootstrap}, "source")
    try:
        consumers, others, types = admin.all_groups()
        told = {name: str(group) for name, group in others.items() if name.startswith(topic_prefix)}
        mine = {name: state for name, state in consumers.items() if name.startswith(topic_prefix)}
    finally:
        for one in members:
            one.close()

    assert {new: "STABLE", old: "STABLE", simple: "EMPTY"}.items() <= mine.items()
    assert (types[new], types[old], types[simple]) == ("consumer", "classic", "classic")
    assert told.keys() == {share, streams, f"{topic_prefix}nul\0x"}
    assert (others[share].type, others[streams].type) == ("share", "streams")
    assert "state Stable" in told[share]
    assert others[streams].state
    assert "NUL" in told[f"{topic_prefix}nul\0x"]
    # Workers of a Connect cluster are a group of their own protocol, on the worker's cluster.
    types = {
        group.type for group in KafkaAdmin({"bootstrap.servers": stack.target_bootstrap}, "t").all_groups()[1].values()
    }
    assert "connect" in types
    # Where only librdkafka knows the login the names are there, and nothing is claimed about them.
    monkeypatch.setattr(GroupCalls, "_has_wire", property(lambda _: False))
    blind = {name: group for name, group in admin.all_groups()[1].items() if name.startswith(topic_prefix)}
    assert {share, streams} <= blind.keys()
    assert "type is unknown" in str(blind[share])


@pytest.mark.parametrize(("newest", "told"), [(2, ("share", "")), (4, ("share", "Stable")), (5, ("share", "Stable"))])
def test_brokers_that_know_older_versions_only(
    newest: int, told: tuple[str, str], kinds: GroupKinds, stack: Stack, topic_prefix: str, make_topics: Any
) -> None:
    """A real broker's answers of these versions: without types and states, without types, and with both."""
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    kinds.share(f"{topic_prefix}s", topic)
    kinds.commit(f"{topic_prefix}simple", topic, {0: (0, "")})

    async def ask() -> dict[str, Any]:
        host, _, port = stack.source_bootstrap.split(",")[0].rpartition(":")
        settings = WireSettings.of({"bootstrap.servers": stack.source_bootstrap})
        connection = await BrokerConnection.open(settings, host, int(port))
        connection._connection._versions[ListGroups.API_KEY] = (0, newest)
        try:
            from kafka_ferry.hooks.kafka.group_wire import _list

            return await _list(connection)
        finally:
            connection.close()
            await asyncio.sleep(0)

    found = asyncio.run(ask())
    assert (found[f"{topic_prefix}s"].type, found[f"{topic_prefix}s"].state) == told
    assert found[f"{topic_prefix}simple"].type == "classic"


def test_the_empty_id_is_read_and_written_by_our_own_requests(
    kinds: GroupKinds, stack: Stack, topic_prefix: str, make_topics: Any
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t", partitions=2)
    admin = KafkaAdmin({"bootstrap.servers": stack.source_bootstrap}, "source")
    wanted = {(topic, 0): Commit(7, NOTE), (topic, 1): Commit(9)}
    assert admin.commit({"": wanted, f"{topic_prefix}g": wanted}) == {}
    expected = {(topic, 0): (7, NOTE), (topic, 1): (9, "")}
    assert kinds.committed("") == kinds.committed(f"{topic_prefix}g") == expected
    assert admin.commits([""]) == {"": wanted}
    assert admin.committed(["", f"{topic_prefix}g"])[""] == {(topic, 0): 7, (topic, 1): 9}
    refused = admin.commit({"": {(f"{topic_prefix}absent", 0): Commit(1)}})
    assert "nknown topic" in refused[""]
    with pytest.raises(FerryError, match="cannot list groups"):
        GroupWire({"bootstrap.servers": "127.0.0.1:1"}, "nobody").groups()


def test_a_migration_carries_what_can_be_and_names_the_rest(
    artifacts: None,
    connections: Any,
    kinds: GroupKinds,
    stack: Stack,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t", partitions=2)
    produce(stack.source_bootstrap, topic, 100)
    line, comma = f"{topic_prefix}two\nlines, and blanks ", f"{topic_prefix}a,b (x)"
    like, gone, bare = f"{topic_prefix}.*", f"{topic_prefix}left", f"{topic_prefix}bare"
    share, streams = f"{topic_prefix}share", f"{topic_prefix}streams"
    for group in ("", line, comma, like, gone):
        kinds.commit(group, topic, {0: (10, NOTE), 1: (20, "")})
    # Consumer groups of both protocols, at work and stopped.
    new, old, left_by_new = (f"{topic_prefix}{name}" for name in ("new", "old", "left-by-new"))
    at_work = [
        member(stack.source_bootstrap, new, topic, "consumer"),
        member(stack.source_bootstrap, old, topic, "classic"),
    ]
    member(stack.source_bootstrap, left_by_new, topic, "consumer").close()
    (other,) = make_topics(stack.source_bootstrap, f"{topic_prefix.strip('-')}x-other")
    kinds.commit(bare, other, {0: (0, "")})
    kinds.share(share, topic)
    kinds.streams(streams, topic)
    run = Run(
        "mirror_maker2_on_connect", migration=f"{topic_prefix}m", topics=[topic],
        groups=[f"{topic_prefix}.*", "^$", share], exclude_groups=[gone],
    )  # fmt: skip
    by_mm2 = Run(
        "mirror_maker2_on_connect", migration=f"{topic_prefix}2", topics=[topic], groups=[f"{topic_prefix}.*"],
        group_offsets="mm2",
    ).plan()  # fmt: skip
    warned = [one for one in by_mm2["findings"] if one["code"] == "other_groups"]
    assert [one["subject"] for one in warned] == [f"group {share!r}", f"group {streams!r}"]
    assert {one["fix"] for one in warned} == {"group_offsets: exact copies it; or leave it out (exclude_groups)"}

    try:
        plan, report = run.whole()
        stand = {group: kinds.committed(group) for group in (new, old, left_by_new)}
    finally:
        for one in at_work:
            one.close()

    assert set(plan["groups"]) == {"", line, comma, like, new, old, left_by_new}
    (types,) = [note for note in plan["notes"] if note.startswith("groups of the source by type")]
    for kind in ("classic consumer", "consumer (KIP-848)", "share (KIP-932)", "streams (KIP-1071)"):
        assert kind in types
    assert plan["skipped_groups"].keys() == {gone}
    assert plan["groups_without_commits"] == [bare, share, streams], "a member that has read nothing yet"
    assert not [one for one in plan["findings"] if one["code"] == "other_groups"]
    assert not [one for one in plan["findings"] if one["code"] == "unmatched"]
    assert report["verdict"] == "PASS", report["failures"]
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["groups"]["status"] == checks["group_offsets"]["status"] == "pass", checks["group_offsets"]
    left = checks["groups_left_out"]
    assert left["status"] == "pass"
    named = "\n".join(left["differences"])
    for text in (f"{gone}: param", f"{bare}: no commit", f"{share}: no start", f"{streams}: no commit"):
        assert text in named
    target = GroupKinds(stack.target_bootstrap)
    for group in ("", line, comma, like):
        assert target.committed(group) == {(topic, 0): (10, NOTE), (topic, 1): (20, "")}, repr(group)
    assert target.committed(gone) == {}
    assert all(stand.values())
    assert {group: target.committed(group) for group in stand} == stand
    goes_on = member(stack.target_bootstrap, left_by_new, topic, "consumer")
    goes_on.close()
    assert sum(offset for offset, _ in target.committed(left_by_new).values()) == 1 + sum(
        offset for offset, _ in stand[left_by_new].values()
    ), "one record more, from where it stood"


def test_a_restore_brings_metadata_back_and_rewinds_nobody_unasked(
    artifacts: None,
    connections: Any,
    kinds: GroupKinds,
    stack: Stack,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t", partitions=2)
    produce(stack.source_bootstrap, topic, 200)
    names = ("streams-app", "billing", "behind", "busy")
    app, billing, behind, busy = (f"{topic_prefix}{name}" for name in names)
    for group in (app, billing, behind, busy, ""):
        kinds.commit(group, topic, {0: (10, NOTE), 1: (20, "")})
    kinds.share(f"{topic_prefix}share", topic)
    groups = [f"{topic_prefix}.*", "^$"]
    common = {"backup": f"{topic_prefix}b", "location": LOCATION}
    made = DagRunByHand("backup_topics", "backup", **common, topics=[topic], groups=groups).whole()
    assert made["verdict"] == "PASS"
    left = next(check for check in made["checks"] if check["name"] == "groups")
    assert left["status"] == "explained"
    assert f"{topic_prefix}share: a share group" in left["differences"][0]

    first = DagRunByHand("restore_topics", "first", **common, groups=groups)
    assert first.whole()["verdict"] == "PASS"
    target = GroupKinds(stack.target_bootstrap)
    wanted = {(topic, 0): (10, NOTE), (topic, 1): (20, "")}
    assert [target.committed(group) for group in (app, billing, behind, busy, "")] == [wanted] * 5
    told = {change["name"]: change for change in (first.artifacts.read_json("plan.json") or {})["changes"]}
    assert told[topic]["action"] == "create"
    assert told[app]["detail"] == "2 offsets set"

    # Everything is there already; meanwhile groups went on, or were reset.
    target.commit(billing, topic, {0: (60, ""), 1: (70, "")})
    target.commit(behind, topic, {0: (0, "")})
    consumer = Consumer({"bootstrap.servers": stack.target_bootstrap, "group.id": busy, "enable.auto.commit": False})
    consumer.subscribe([topic])
    admin = KafkaAdmin({"bootstrap.servers": stack.target_bootstrap}, "target")
    deadline = time.monotonic() + 60
    while admin.consumer_groups().get(busy) != "STABLE":
        assert time.monotonic() < deadline
        consumer.poll(0.1)
    try:
        again = DagRunByHand("restore_topics", "again", **common, groups=groups)
        report = again.whole()
        stood = target.committed(busy)
    finally:
        consumer.close()
    plan = again.artifacts.read_json("plan.json") or {}
    steps = {(one["group"], one["partition"]): one["action"] for one in plan["group_offsets"]["first"]}
    assert (steps[billing, 0], steps[behind, 0], steps[app, 0], steps[busy, 0]) == ("ahead", "raise", "there", "there")
    assert [c["name"] for c in plan["changes"] if c["kind"] == "group"] == [behind]
    assert report["verdict"] == "PASS"
    assert target.committed(billing) == {(topic, 0): (60, ""), (topic, 1): (70, "")}, "rewound behind the user's back"
    assert target.committed(behind) == stood == wanted
    lines = {(line["group"], line["partition"]): line for line in report["groups"]}
    assert lines[billing, 0]["status"] == "explained"
    assert "rewind_groups" in lines[billing, 0]["detail"]

    asked = DagRunByHand("restore_topics", "asked", **common, groups=groups, rewind_groups=True)
    assert asked.whole()["verdict"] == "PASS"
    assert target.committed(billing) == wanted
    told = {change["name"]: change["detail"] for change in (asked.artifacts.read_json("plan.json") or {})["changes"]}
    assert told[billing] == "2 offsets rewound"
