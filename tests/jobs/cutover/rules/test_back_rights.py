"""Which rights a way back needs, and that the cutover's own fence is not mistaken for a missing one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.needs import Need, permission_findings
from kafka_ferry.core.rights import CLUSTER, Rights
from kafka_ferry.jobs.cutover.rules.back_rights import needs_gone_back_to, needs_left, once_lifted
from kafka_ferry.jobs.cutover.rules.fence import fence_acls
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

USER, SYNCS = "User:ferry", "mm2-offset-syncs.w.internal"
ORDERS = ("TOPIC", "orders")
READS = [Acl("TOPIC", "*", "LITERAL", USER, one) for one in ("READ", "DESCRIBE_CONFIGS")] + [
    Acl("CLUSTER", "kafka-cluster", "LITERAL", USER, one) for one in ("DESCRIBE", "DESCRIBE_CONFIGS", "ALTER")
]
WRITES = Acl("TOPIC", "orders", "LITERAL", USER, "WRITE")


def spec(**params: Any) -> CutoverSpec:
    return CutoverSpec.from_params({"topics": ["orders"], "fence": "prove", **params})


def of(needs: list[Need], resource: tuple[str, str]) -> set[str]:
    return {need.operation for need in needs if need.resource == resource}


def gone_back_to(*, there: tuple[str, ...] = (), lifts: bool = False) -> list[Need]:
    return needs_gone_back_to(spec(), ["orders"], ["billing"], [SYNCS], there, lifts=lifts)


def test_the_cluster_that_is_left_is_read_and_fenced() -> None:
    assert of(needs_left(spec(), ["orders"]), ORDERS) == {"READ", "DESCRIBE_CONFIGS"}
    assert "ALTER" not in of(needs_left(spec(), ["orders"]), CLUSTER)
    assert "ALTER" in of(needs_left(spec(fence="acl"), ["orders"]), CLUSTER)


def test_the_one_that_is_gone_back_to_is_written() -> None:
    needs = gone_back_to()
    assert of(needs, ORDERS) == {"WRITE", "READ", "DESCRIBE_CONFIGS"}
    assert of(needs, ("GROUP", "billing")) == {"READ"}
    assert of(needs, ("TOPIC", SYNCS)) == {"CREATE", "WRITE", "DELETE"}
    assert of(gone_back_to(there=(SYNCS,)), ("TOPIC", SYNCS)) == {"WRITE", "DELETE"}
    assert "ALTER" not in of(needs, CLUSTER)
    assert "ALTER" in of(gone_back_to(lifts=True), CLUSTER)


def test_a_user_that_only_reads_there_is_told_each_right_with_its_command() -> None:
    rights = Rights("kafka_source", USER).checked(READS)
    found = permission_findings(rights, gone_back_to(), "source_conn_id")
    add = "kafka-acls --add --allow-principal User:ferry"
    assert {item.fix for item in found} == {
        f"{add} --operation WRITE --topic orders",
        f"{add} --operation READ --group billing",
        f"{add} --operation CREATE --operation WRITE --operation DELETE --topic {SYNCS}",
    }


@pytest.mark.parametrize(("grants", "lacks"), [([WRITES], []), ([], ["WRITE"])])
def test_what_only_the_fence_takes_away_is_not_missing(grants: list[Acl], lacks: list[str]) -> None:
    fence = fence_acls(["orders"])
    # As brokers answer while the fence is up, whoever may write otherwise.
    answers = {ORDERS: {"READ": True, "WRITE": False, "DESCRIBE_CONFIGS": True}}
    rights = replace(Rights("kafka_source", USER), answers=answers).checked([*READS, *grants, *fence])
    needs = [need for need in gone_back_to() if need.resource == ORDERS]
    (blamed,) = permission_findings(rights, needs, "source_conn_id")
    assert "--remove" in blamed.fix
    found = permission_findings(once_lifted(rights, fence), needs, "source_conn_id")
    assert [item.fix for item in found] == [
        f"kafka-acls --add --allow-principal {USER} --operation {one} --topic orders" for one in lacks
    ]


def test_where_acls_cannot_be_read_a_fenced_topic_is_not_known() -> None:
    rights = Rights("kafka_source", USER, {ORDERS: {"READ": True, "WRITE": False}}, reason="not readable")
    lifted = once_lifted(rights, fence_acls(["orders"]))
    assert lifted.may(ORDERS, "WRITE") is None
    assert lifted.may(ORDERS, "READ") is True
