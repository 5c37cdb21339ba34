"""ACLs in both words, and the right that each admin call takes."""

from __future__ import annotations

import inspect
import re

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.hooks.kafka import acl_calls
from kafka_ferry.hooks.kafka import admin as kafka_admin
from kafka_ferry.hooks.kafka.acl_bindings import from_binding, right_to, to_binding


@pytest.mark.parametrize(
    "acl",
    [
        Acl("TOPIC", "orders", "LITERAL", "User:app", "READ"),
        Acl("TOPIC", "projects.", "PREFIXED", "User:app", "ALTER_CONFIGS", "DENY", "10.0.0.1"),
        Acl("GROUP", "*", "LITERAL", "User:*", "ALL"),
        Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:app", "IDEMPOTENT_WRITE"),
        Acl("TRANSACTIONAL_ID", "tx", "LITERAL", "User:app", "WRITE"),
    ],
)
def test_there_and_back(acl: Acl) -> None:
    assert from_binding(to_binding(acl)) == acl


def test_every_admin_call_that_can_be_denied_names_its_right() -> None:
    source = inspect.getsource(kafka_admin) + inspect.getsource(acl_calls)
    named = re.findall(r'self\._(?:result|fail)\(\s*[^"]*?f?"([^"]+)"', source)

    assert len(named) > 12, "the expression above must find the calls"
    # Anyone who is let in may ask for the first two; the last is no call.
    free = ("list topics", "describe the cluster", "{self.name}: no answer")
    named = [what for what in named if not what.startswith(free)]
    assert [what for what in named if right_to(what) == "it"] == []
