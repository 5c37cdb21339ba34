"""Every ACL of a source, as the target should have it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from kafka_ferry.core.acls import Acl, AclDiff, check_acls
from kafka_ferry.core.checks import Status
from kafka_ferry.core.whole_acls import compare_whole, principals_findings, writers_findings

READ = Acl("TOPIC", "orders", "LITERAL", "User:app", "READ")
WRITE = replace(READ, operation="WRITE")
PREFIXED = replace(WRITE, name="ord", pattern="PREFIXED")


def compared(*source: Acl, there: tuple[Acl, ...] = ()) -> AclDiff:
    return compare_whole(source, there, lambda name: name, lambda name: name)


@pytest.mark.parametrize(
    "acl",
    [
        READ,
        WRITE,
        replace(READ, operation="ALL"),
        replace(READ, permission="DENY", host="10.0.0.1"),
        PREFIXED,
        replace(READ, name="*"),
        Acl("GROUP", "billing", "PREFIXED", "User:app", "READ"),
        Acl("TRANSACTIONAL_ID", "tx", "LITERAL", "User:app", "TWO_PHASE_COMMIT"),
        Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:app", "IDEMPOTENT_WRITE"),
        Acl("DELEGATION_TOKEN", "*", "LITERAL", "User:app", "DESCRIBE"),
        Acl("USER", "User:other", "LITERAL", "User:app", "CREATE_TOKENS"),
        Acl("NUMBER_9", "x", "LITERAL", "User:app", "NUMBER_33"),
    ],
    ids=str,
)
def test_all_kinds_are_carried_as_they_are(acl: Acl) -> None:
    diff = compared(acl)

    assert (diff.carried, diff.missing, diff.left) == ([acl], [acl], [])
    assert compared(acl, there=(acl,)).missing == []
    assert check_acls(diff).status is Status.FAIL


def test_topics_take_their_names_on_the_target_and_prefixes_what_these_begin_with() -> None:
    group = Acl("GROUP", "orders", "LITERAL", "User:app", "READ")

    diff = compare_whole([READ, PREFIXED, replace(READ, name="*"), group], [], "old.{}".format, "old.{}".format)

    assert diff.missing == sorted(
        [replace(READ, name="old.orders"), replace(PREFIXED, name="old.ord"), replace(READ, name="*"), group]
    )


def test_what_cannot_be_carried_is_named_unless_the_target_has_it() -> None:
    token = Acl("DELEGATION_TOKEN", "abc", "LITERAL", "User:app", "DESCRIBE")
    unknown = Acl("UNKNOWN", "x", "LITERAL", "User:app", "DESCRIBE")
    every = replace(PREFIXED, name="*", pattern="LITERAL")

    diff = compare_whole([token, unknown, PREFIXED], [], lambda name: name, lambda _: None)

    assert (diff.carried, diff.missing) == ([], [])
    assert [acl for acl, _ in diff.left] == sorted([token, unknown, PREFIXED])
    check = check_acls(diff)
    assert check.status is Status.EXPLAINED
    assert check.detail == "3 that cannot be carried as they are must be created by hand"
    told = "\n".join(check.differences)
    for words in ("an id of its own", "only librdkafka can log in".capitalize(), "renamed one by one"):
        assert words in told
    assert [a for a, _ in compare_whole([PREFIXED], [every], lambda name: name, lambda _: None).left] == []


def test_what_gives_the_same_or_more_counts_and_nothing_else() -> None:
    assert compared(READ, there=(replace(READ, operation="ALL"),)).missing == []
    assert compared(READ, there=(replace(READ, name="ord", pattern="PREFIXED", principal="User:*"),)).missing == []
    for less in (replace(READ, principal="User:b"), replace(READ, permission="DENY"), WRITE):
        assert compared(READ, there=(less,)).missing == [READ]


def test_what_only_the_target_has_is_named_and_deleted_where_somebody_asked() -> None:
    ours, theirs, leaver = (replace(WRITE, principal=f"User:{name}") for name in ("ferry", "theirs", "leaver"))
    same = replace(READ, name="orders", principal="User:app")

    def diff(*delete_of: str) -> AclDiff:
        there = [ours, theirs, leaver, same]
        return compare_whole([READ], there, str, str, ours="User:ferry", delete_of=delete_of)

    assert (diff().extra, diff().to_delete) == ([leaver, theirs], [])
    assert diff("User:leav.*", "ser:theirs").to_delete == [leaver], "whole principals"
    assert diff(".*").to_delete == [leaver, theirs], "never our own"
    named = check_acls(diff())
    assert (named.status, named.detail) == (Status.EXPLAINED, "2 only on the target")
    assert named.differences == [f"only on the target, and kept: {acl}" for acl in (leaver, theirs)]
    still = check_acls(diff("User:leaver"))
    assert still.status is Status.FAIL
    assert still.differences[0] == (
        f"still on the target, and not on the source: {leaver}. Fix: acls=copy, or kafka-acls --remove "
        "--allow-principal User:leaver --operation WRITE --topic orders"
    )
    assert [(str(one.action), one.name) for one in diff("User:leaver").changes()] == [("delete", str(leaver))]


def test_what_gives_less_than_the_sources_is_no_extra_and_what_gives_more_is() -> None:
    more, less = replace(READ, operation="ALL"), replace(READ, operation="DESCRIBE")

    assert compared(READ, there=(less,)).extra == []
    assert compared(READ, there=(more,)).extra == [more]


def test_ten_thousand_against_ten_thousand_take_seconds_at_most() -> None:
    many = [replace(READ, name=f"t{i}", principal=f"User:{i % 500}") for i in range(10_000)]
    there = [replace(one, operation="ALL") for one in many]
    begun = time.process_time()

    diff = compared(*many, there=tuple(there))

    assert diff.missing == []
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("acl", "option"),
    [
        (Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:a", "ALTER"), "--operation ALTER --cluster"),
        (
            Acl("USER", "User:b", "LITERAL", "User:a", "CREATE_TOKENS"),
            "--operation CREATE_TOKENS --user-principal User:b",
        ),
        (Acl("DELEGATION_TOKEN", "x", "LITERAL", "User:a", "DESCRIBE"), "--operation DESCRIBE --delegation-token x"),
        (Acl("TRANSACTIONAL_ID", "x", "LITERAL", "User:a", "WRITE"), "--operation WRITE --transactional-id x"),
    ],
)
def test_the_command_for_each_resource(acl: Acl, option: str) -> None:
    assert acl.command() == f"--add --allow-principal User:a {option}"


def test_who_may_write_where_a_replication_goes_on_is_told() -> None:
    denied, reader, elsewhere = replace(WRITE, permission="DENY"), READ, replace(WRITE, name="another")

    found = writers_findings([WRITE, PREFIXED, denied, reader, elsewhere], ["orders"])

    assert [one.subject for one in found] == [f"ACL {WRITE}", f"ACL {PREFIXED}"]
    assert {(str(one.severity), one.param) for one in found} == {("warn", "acl_scope")}


def test_an_expression_without_effect_is_told() -> None:
    (found,) = principals_findings(["User:x"])
    assert (found.param, "has no effect" in found.what) == ("principals", True)
