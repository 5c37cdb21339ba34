"""What is said about a missing right: whose it is, what for, and the command that gives it."""

from __future__ import annotations

from dataclasses import replace

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.finding import Severity
from kafka_ferry.core.needs import Need, permission_findings
from kafka_ferry.core.rights import CLUSTER, Rights

USER = "User:ferry"
ORDERS = ("TOPIC", "orders")
RIGHTS = Rights("kafka_target", USER)


def test_a_missing_right_is_named_with_whose_it_is_and_the_command_that_gives_it() -> None:
    rights = replace(RIGHTS, answers={ORDERS: {"WRITE": False, "CREATE": False, "READ": True}})
    needs = [
        Need(ORDERS, "CREATE", "to create it"),
        Need(ORDERS, "WRITE", "to fill it"),
        Need(ORDERS, "READ", "to see"),
    ]
    (found,) = permission_findings(rights, needs, "target_conn_id")
    assert (found.severity, found.subject, found.param) == (
        Severity.REFUSE,
        "topic orders on kafka_target",
        "target_conn_id",
    )
    assert found.what == "User:ferry lacks CREATE, to create it; WRITE, to fill it"
    assert found.fix == (
        "kafka-acls --add --allow-principal User:ferry --operation CREATE --operation WRITE --topic orders"
    )


def test_the_cluster_and_an_unknown_principal() -> None:
    rights = Rights("kafka_target", None, {CLUSTER: {"ALTER": False}})
    (found,) = permission_findings(rights, [Need(CLUSTER, "ALTER", "to create ACLs")], "target_conn_id")
    assert found.subject == "the cluster on kafka_target"
    assert found.what.startswith("the user of connection kafka_target lacks ALTER")
    assert found.fix == "kafka-acls --add --allow-principal 'User:<its principal>' --operation ALTER --cluster"


def test_a_denial_is_to_be_taken_away() -> None:
    deny = Acl("TOPIC", "ord", "PREFIXED", USER, "WRITE", "DENY")
    rights = RIGHTS.checked([deny])
    needs = [Need(ORDERS, "WRITE", "to fill it"), Need(ORDERS, "READ", "to compare")]
    (found,) = permission_findings(rights, needs, "target_conn_id")
    removal, grant = found.fix.split(" && ")
    assert removal == (
        "kafka-acls --remove --deny-principal User:ferry --operation WRITE --topic ord --resource-pattern-type prefixed"
    )
    assert grant == "kafka-acls --add --allow-principal User:ferry --operation READ --topic orders"


def test_what_nobody_can_tell_is_said_once() -> None:
    rights = replace(RIGHTS, reason="the connection's user may not read the ACLs")
    needs = [Need(("TOPIC", f"t{i}"), operation, "") for i in range(5) for operation in ("READ", "WRITE")]
    (found,) = permission_findings(rights, needs, "target_conn_id")
    assert found.severity is Severity.ADVISE
    assert "READ, WRITE on topic t0, topic t1, topic t2 and 2 more" in found.what
    assert "the connection's user may not read the ACLs" in found.what
