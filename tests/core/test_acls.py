"""Which ACLs are carried, which are missing, which are left for people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.core.acls import Acl, carried, check_acls, compare_acls
from kafka_ferry.core.checks import Status

READ = Acl("TOPIC", "orders", "LITERAL", "User:app", "READ")
WRITE = replace(READ, operation="WRITE")
NAMES = {"orders": "orders", "prices": "prices"}


@pytest.mark.parametrize(
    "acl, expected",
    [
        (READ, [READ]),
        (WRITE, []),
        (replace(READ, operation="ALL"), [READ]),
        (replace(WRITE, permission="DENY"), [replace(WRITE, permission="DENY")]),
        (replace(READ, operation="ALL", permission="DENY"), [replace(READ, operation="ALL", permission="DENY")]),
        (replace(READ, host="10.0.0.1"), [replace(READ, host="10.0.0.1")]),
        (replace(READ, pattern="PREFIXED"), []),
        (replace(READ, name="*"), []),
        (replace(READ, name="another"), []),
        (replace(READ, resource="GROUP"), []),
    ],
    ids=str,
)
def test_what_mirror_maker_carries(acl: Acl, expected: list[Acl]) -> None:
    assert carried([acl], NAMES) == expected


def test_carried_acls_take_the_name_on_the_target() -> None:
    assert carried([READ], {"orders": "old.orders"}) == [replace(READ, name="old.orders")]


@pytest.mark.parametrize(
    "there, covered",
    [
        (READ, True),
        (replace(READ, operation="ALL"), True),
        (replace(READ, name="ord", pattern="PREFIXED"), True),
        (replace(READ, name="*"), True),
        (replace(READ, principal="User:*"), True),
        (replace(READ, operation="DESCRIBE"), False),
        (replace(READ, name="order"), False),
        (replace(READ, name="orders2", pattern="PREFIXED"), False),
        (replace(READ, principal="User:another"), False),
        (replace(READ, host="10.0.0.1"), False),
        (replace(READ, permission="DENY"), False),
        (replace(READ, resource="GROUP"), False),
    ],
    ids=str,
)
def test_an_acl_that_gives_the_same_or_more_counts(there: Acl, covered: bool) -> None:
    diff = compare_acls([READ], [there], NAMES, [])

    assert diff.missing == ([] if covered else [READ])
    assert check_acls(diff).status is (Status.PASS if covered else Status.FAIL)


def test_read_gives_describe_but_a_denied_read_does_not_deny_it() -> None:
    describe = replace(READ, operation="DESCRIBE")

    assert READ.covers(describe)
    assert not replace(READ, permission="DENY").covers(replace(describe, permission="DENY"))


def test_a_prefix_is_covered_by_a_shorter_one_and_by_every_topic_only() -> None:
    prefixed = replace(READ, name="ord", pattern="PREFIXED")

    assert replace(prefixed, name="o").covers(prefixed)
    assert replace(READ, name="*").covers(prefixed)
    assert not READ.covers(prefixed)
    assert not replace(prefixed, name="orders").covers(prefixed)


def test_what_is_not_carried_is_named_with_a_command() -> None:
    prefixed = replace(READ, name="ord", pattern="PREFIXED")
    group = Acl("GROUP", "billing", "LITERAL", "User:app", "READ")
    foreign = [
        Acl("GROUP", "another", "LITERAL", "User:app", "READ"),
        Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:app", "DESCRIBE"),
        replace(WRITE, name="another"),
    ]

    check = check_acls(compare_acls([WRITE, prefixed, group, *foreign], [], NAMES, ["billing"]))

    assert check.status is Status.EXPLAINED
    assert len(check.differences) == 3
    told = "\n".join(check.differences)
    assert "--add --allow-principal User:app --operation WRITE --topic orders" in told
    assert "--topic ord --resource-pattern-type prefixed" in told
    assert "--group billing" in told
    assert "cutover" in told
    assert "another" not in told


def test_all_is_carried_as_read_and_the_rest_is_named() -> None:
    every = replace(READ, operation="ALL")

    diff = compare_acls([every], [READ], NAMES, [])

    assert diff.missing == []
    assert [acl for acl, _ in diff.left] == [every]
    assert compare_acls([every], [every], NAMES, []).left == []


def test_what_is_on_the_target_already_is_not_told() -> None:
    group = Acl("GROUP", "billing", "LITERAL", "User:app", "READ")

    check = check_acls(compare_acls([WRITE, group], [WRITE, group], NAMES, ["billing"]))

    assert (check.status, check.differences) == (Status.PASS, [])


def test_a_missing_one_fails_and_says_how_to_make_it() -> None:
    check = check_acls(compare_acls([READ, replace(READ, name="prices")], [READ], NAMES, []))

    assert check.status is Status.FAIL
    assert (check.expected, check.actual) == ("2 ACLs on topics", "1 there")
    assert "ALLOW READ on topic prices for User:app" in check.differences[0]
    assert "acls=copy" in check.differences[0]


def test_a_principal_with_spaces_survives_the_shell() -> None:
    acl = replace(READ, principal="User:CN=a b,O=c", permission="DENY", host="10.0.0.1")

    assert acl.command() == (
        "--add --deny-principal 'User:CN=a b,O=c' --operation READ --topic orders --deny-host 10.0.0.1"
    )
