"""What a user may do, from the brokers' answers and, where they have none, from ACLs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.rights import CLUSTER, Rights, allowed_by

USER = "User:ferry"
ORDERS = ("TOPIC", "orders")
WRITE = Acl("TOPIC", "orders", "LITERAL", USER, "WRITE")
RIGHTS = Rights("kafka_target", USER)


@pytest.mark.parametrize(
    "acls, allowed",
    [
        ([], False),
        ([WRITE], True),
        ([replace(WRITE, operation="ALL")], True),
        ([replace(WRITE, principal="User:*")], True),
        ([replace(WRITE, name="ord", pattern="PREFIXED")], True),
        ([replace(WRITE, name="*")], True),
        ([replace(WRITE, operation="READ")], False),
        ([replace(WRITE, name="orders2")], False),
        ([replace(WRITE, principal="User:another")], False),
        ([replace(WRITE, resource="GROUP")], False),
        ([WRITE, replace(WRITE, permission="DENY")], False),
        ([WRITE, replace(WRITE, permission="DENY", operation="ALL", principal="User:*")], False),
        ([WRITE, replace(WRITE, permission="DENY", name="o", pattern="PREFIXED")], False),
        ([WRITE, replace(WRITE, permission="DENY", operation="READ")], True),
    ],
)
def test_acls_decide_as_the_brokers_authorizer_does(acls: list[Acl], allowed: bool) -> None:
    assert allowed_by(acls, USER, ORDERS, "WRITE") is allowed


def test_a_right_may_imply_another_and_the_cluster_may_give_create() -> None:
    create = Acl(*CLUSTER, "LITERAL", USER, "CREATE")
    assert allowed_by([WRITE], USER, ORDERS, "DESCRIBE")
    assert allowed_by([create], USER, ORDERS, "CREATE")
    assert not allowed_by([create], USER, ("GROUP", "g"), "CREATE")
    assert not allowed_by([create, replace(WRITE, operation="CREATE", permission="DENY")], USER, ORDERS, "CREATE")


def test_the_brokers_word_counts_before_the_acls() -> None:
    rights = replace(RIGHTS, answers={ORDERS: {"WRITE": False}}).checked([WRITE])
    assert rights.may(ORDERS, "WRITE") is False
    assert rights.may(("TOPIC", "prices"), "WRITE") is False
    assert rights.may(ORDERS, "READ") is False
    assert replace(rights, answers={}).may(ORDERS, "WRITE") is True


def test_without_acls_what_nobody_answered_is_unknown() -> None:
    assert RIGHTS.may(ORDERS, "WRITE") is None
    assert replace(RIGHTS, everything=True).may(ORDERS, "WRITE") is True


def test_acls_that_do_not_explain_a_confirmed_right_prove_nothing() -> None:
    rights = replace(RIGHTS, answers={("TOPIC", "there"): {"WRITE": True}}).checked([WRITE])
    assert rights.may(ORDERS, "READ") is None
    assert "do not explain" in rights.reason


def test_a_super_user_may_everything() -> None:
    rights = replace(RIGHTS, answers={CLUSTER: {"CLUSTER_ACTION": True, "ALTER": True}}).checked([])
    assert rights.may(ORDERS, "WRITE") is True


def test_without_a_principal_acls_say_nothing() -> None:
    rights = Rights("c", None).checked([replace(WRITE, principal="User:*")])
    assert rights.may(ORDERS, "WRITE") is None
    assert "principal" in rights.reason


def test_hosts_are_given_the_benefit_of_the_doubt() -> None:
    assert RIGHTS.checked([replace(WRITE, host="10.0.0.1")]).may(ORDERS, "WRITE") is True
    assert RIGHTS.checked([WRITE, replace(WRITE, permission="DENY", host="10.0.0.1")]).may(ORDERS, "WRITE") is True


def test_what_denies_is_named() -> None:
    deny = replace(WRITE, permission="DENY", name="ord", pattern="PREFIXED")
    rights = RIGHTS.checked([WRITE, deny])
    assert rights.denials(ORDERS, "WRITE") == [deny]
    assert rights.denials(ORDERS, "READ") == []
