"""Which ACLs stop the producers, and which of them are ours."""

from __future__ import annotations

from dataclasses import replace

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.rights import allowed_by
from kafka_ferry.jobs.cutover.rules.fence import copied_to_target, fence_acls, lift_commands, to_add, without_acls

ANNA = [Acl("TOPIC", "ord", "PREFIXED", "User:anna", operation) for operation in ("WRITE", "READ")]


def may(acls: list[Acl], topic: str, operation: str) -> bool:
    return allowed_by(acls, "User:anna", ("TOPIC", topic), operation)


def test_nobody_writes_these_topics_and_everybody_reads_them() -> None:
    """As an authorizer decides: what a prefix allows, a DENY by name forbids."""
    acls = [*ANNA, *fence_acls(["orders", "ordinary"])]
    assert not may(acls, "orders", "WRITE")
    assert not may(acls, "ordinary", "WRITE")
    assert may(acls, "orders", "READ"), "a replication reads on"
    assert may(acls, "orders", "DESCRIBE")
    assert may(acls, "orders-2", "WRITE"), "no other topic, though its name begins alike"


def test_what_was_there_before_is_not_ours() -> None:
    wanted = fence_acls(["a", "b"])
    added, kept = to_add(wanted, [*ANNA, wanted[1], replace(wanted[0], host="10.0.0.1")])
    assert (added, kept) == ([wanted[0]], [wanted[1]])


def test_a_fence_that_was_copied_is_found_under_the_targets_names() -> None:
    assert copied_to_target(["new.a"], [*ANNA, *fence_acls(["new.a", "b"])]) == fence_acls(["new.a"])
    assert copied_to_target(["a"], ANNA) == []


def test_the_way_back_by_hand() -> None:
    (line,) = lift_commands(fence_acls(["it's"]), "broker:9092")
    assert line.startswith("kafka-acls.sh --bootstrap-server broker:9092 --remove --force --deny-principal 'User:*'")
    assert "--operation WRITE --topic 'it'\"'\"'s'" in line
    assert len(lift_commands(fence_acls(map(str, range(9))), "b")) == 5


def test_topics_of_which_no_acl_says_anything_are_found() -> None:
    topics = ["orders", "bills", "audit"]
    about = [
        *ANNA,
        Acl("TOPIC", "audit", "LITERAL", "User:x", "READ", "DENY"),
        Acl("GROUP", "*", "LITERAL", "User:x", "READ"),
    ]
    assert without_acls(topics, about) == ["bills"], "a DENY is one, those of groups are none"
    assert without_acls(topics, [Acl("TOPIC", "*", "LITERAL", "User:x", "READ")]) == []
    assert without_acls(topics, []) == ["audit", "bills", "orders"]
