"""Which ACLs of a backup come back, and that what does not is named."""

from __future__ import annotations

from dataclasses import replace

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Status
from kafka_ferry.jobs.backup.rules.acls import restored_acls, restored_acls_check

APP = "User:app"
WRITE = Acl("TOPIC", "orders", "LITERAL", APP, "WRITE")
ALL = Acl("TOPIC", "orders", "LITERAL", APP, "ALL")
DENY = Acl("TOPIC", "orders", "LITERAL", "User:*", "READ", "DENY", "10.9.9.9")
GROUP = Acl("GROUP", "readers", "LITERAL", APP, "READ")
PREFIX = Acl("TOPIC", "ord", "PREFIXED", APP, "READ")
EVERY_GROUP = Acl("GROUP", "*", "LITERAL", APP, "DESCRIBE")
OTHERS = [
    Acl("TOPIC", "bills", "LITERAL", APP, "READ"),
    Acl("GROUP", "orders", "LITERAL", APP, "READ"),
    Acl("CLUSTER", "kafka-cluster", "LITERAL", APP, "ALTER"),
    Acl("TRANSACTIONAL_ID", "orders", "LITERAL", APP, "WRITE"),
    Acl("TOPIC", "bi", "PREFIXED", APP, "READ"),
]
BACKED_UP = [WRITE, ALL, DENY, GROUP, PREFIX, EVERY_GROUP, *OTHERS]
TOPICS, GROUPS = {"orders": "orders.back"}, ["readers"]


def renamed(acl: Acl) -> Acl:
    return replace(acl, name="orders.back")


def test_those_of_one_topic_or_group_come_back_exactly_under_the_new_name():
    found = restored_acls(BACKED_UP, [], TOPICS, GROUPS)
    assert sorted(found.missing) == sorted([renamed(WRITE), renamed(ALL), renamed(DENY), GROUP])
    assert sorted(found.left) == sorted([PREFIX, EVERY_GROUP])


def test_a_wider_one_on_the_target_does_not_stand_for_one_of_the_backup():
    found = restored_acls([WRITE], [renamed(ALL)], TOPICS, [])
    assert found.missing == [renamed(WRITE)]


def test_what_is_there_is_not_made_again_and_passes():
    found = restored_acls([WRITE, GROUP, *OTHERS], [renamed(WRITE), GROUP], TOPICS, GROUPS)
    assert (found.missing, found.left) == ([], [])
    check = restored_acls_check(found)
    assert (check.status, check.expected, check.actual) == (
        Status.PASS, "2 ACLs of these topics and groups", "2 there",
    )  # fmt: skip


def test_a_missing_one_fails_and_one_on_a_prefix_is_named_with_its_command():
    check = restored_acls_check(restored_acls([WRITE, PREFIX], [], TOPICS, GROUPS), ["the broker said no"])
    assert (check.status, check.actual) == (Status.FAIL, "0 there")
    assert check.differences[0] == "the broker said no"
    assert renamed(WRITE).command() in check.differences[1]
    assert PREFIX.command() in check.differences[2]
    explained = restored_acls_check(restored_acls([WRITE, PREFIX], [renamed(WRITE)], TOPICS, GROUPS))
    assert (explained.status, len(explained.differences)) == (Status.EXPLAINED, 1)
