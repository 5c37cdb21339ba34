"""Who is who on the target, by expressions."""

from __future__ import annotations

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.principals import Principals, name_problem

TABLE = Principals({"User:CN=([^,]+),.*": r"User:\1", "User:old-.*": "", "Group:(?P<name>.*)": r"User:g-\g<name>"})


@pytest.mark.parametrize(
    ("principal", "target"),
    [
        ("User:CN=app,O=Corp", "User:app"),
        ("User:old-app", None),
        ("Group:ops", "User:g-ops"),
        ("User:app", "User:app"),
        ("user:CN=app,O=Corp", "user:CN=app,O=Corp"),
        ("User:xCN=app,O=Corp", "User:xCN=app,O=Corp"),
        ("User:*", "User:*"),
    ],
)
def test_the_first_expression_that_matches_the_whole_principal_names_it(principal: str, target: str | None) -> None:
    assert TABLE.target(principal) == target


def test_everybody_stays_everybody_whatever_the_expressions_say() -> None:
    assert Principals({"User:(.*)": r"User:\1@corp"}).target("User:*") == "User:*"
    assert Principals({".*": ""}).target("User:*") == "User:*"


def test_users_of_quotas_have_no_type() -> None:
    assert [TABLE.user(name) for name in ("CN=app,O=Corp", "old-app", "app")] == ["app", None, "app"]
    assert Principals({"User:ops": "Group:ops"}).user("ops") is None, "a group has no quota"


def test_acls_take_the_names_also_where_a_user_is_the_resource() -> None:
    token = Acl("USER", "User:CN=app,O=Corp", "LITERAL", "User:CN=ops,O=Corp", "CREATE_TOKENS")
    everyone = Acl("USER", "*", "LITERAL", "User:CN=ops,O=Corp", "CREATE_TOKENS")
    topic = Acl("TOPIC", "User:CN=x,y", "LITERAL", "User:old-a", "READ")

    assert TABLE.acls([token, everyone, topic]) == [
        Acl("USER", "User:app", "LITERAL", "User:ops", "CREATE_TOKENS"),
        Acl("USER", "*", "LITERAL", "User:ops", "CREATE_TOKENS"),
    ]


def test_an_expression_that_matches_nobody_is_found() -> None:
    assert TABLE.unmatched(["User:CN=a,b", "User:c"]) == ["User:old-.*", "Group:(?P<name>.*)"]


@pytest.mark.parametrize(
    ("pattern", "name", "problem"),
    [
        ("User:(.*)", r"User:\1", ""),
        ("User:(?P<a>.*)-(b)", r"User:\g<a>\2", ""),
        ("User:old", "", ""),
        ("User:old", "User:new", ""),
        ("User:(.*)", r"\1", "is no principal: it has a type"),
        ("User:(.*)", "new", "such as User:new"),
        ("User:.*", r"User:\1", "does not go with the expression"),
        ("User:(.*)", r"User:\2", "does not go with the expression"),
        ("User:(.*)", r"User:\g<name>", "does not go with the expression"),
        ("User:(.*)", r"User:\q", "does not go with the expression"),
    ],
)
def test_a_name_that_cannot_be_made_is_refused_before_any_principal_is_seen(
    pattern: str, name: str, problem: str
) -> None:
    assert problem in (name_problem(pattern, name) or "")
    assert bool(name_problem(pattern, name)) is bool(problem)
