"""Which SCRAM users the target lacks, and which of them can be made."""

from __future__ import annotations

from dataclasses import replace

from kafka_ferry.core.changes import Action
from kafka_ferry.core.checks import Status
from kafka_ferry.core.principals import Principals
from kafka_ferry.core.scram_users import ScramUser, check_scram_users, compare_scram_users, needless_findings

APP = ScramUser("app", "SCRAM-SHA-512", 8192)
ALSO = replace(APP, mechanism="SCRAM-SHA-256")
OPS = ScramUser("ops", "SCRAM-SHA-512", 4096)
SAME = Principals()


def test_a_user_is_there_by_its_mechanism_whatever_its_iterations() -> None:
    diff = compare_scram_users([APP, ALSO, OPS], [replace(APP, iterations=4096), OPS], SAME)

    assert (diff.wanted, diff.missing) == (sorted([APP, ALSO, OPS]), [ALSO])


def test_users_take_their_names_on_the_target() -> None:
    table = Principals({"User:app": "User:shop", "User:ops": ""})

    diff = compare_scram_users([APP, OPS], [], table)

    assert diff.missing == [replace(APP, name="shop")]


def test_who_is_missing_is_named_with_the_cure_and_no_run_fails_for_it() -> None:
    check = check_scram_users(compare_scram_users([APP, OPS], [OPS], SAME))

    assert (check.status, check.expected, check.actual) == (Status.EXPLAINED, "2 SCRAM users", "1 there")
    assert check.differences == [
        "missing on the target: app (SCRAM-SHA-512). Fix: scram_users=create with its password, or kafka-configs "
        "--alter --add-config 'SCRAM-SHA-512=[iterations=8192,password=<its password>]' --entity-type users "
        "--entity-name app"
    ]
    assert check_scram_users(compare_scram_users([APP], [APP], SAME)).status is Status.PASS
    assert check_scram_users(compare_scram_users([], [APP], SAME)).status is Status.PASS


def test_who_had_a_password_and_is_not_there_fails_and_who_had_none_is_named() -> None:
    diff = compare_scram_users([APP, OPS], [], SAME)

    failed, named = check_scram_users(diff, {"app"}), check_scram_users(compare_scram_users([OPS], [], SAME), {"app"})

    assert (failed.status, named.status) == (Status.FAIL, Status.EXPLAINED)
    assert "Fix: kafka-configs" in failed.differences[0]
    assert "Fix: a password for it in the connection of scram_conn_id, or kafka-configs" in named.differences[0]
    assert check_scram_users(compare_scram_users([], [], SAME), {"app"}, ["app: no"]).status is Status.FAIL


def test_the_plan_lists_who_would_be_made() -> None:
    diff = compare_scram_users([APP, ALSO, OPS], [ALSO], SAME)

    assert [(one.action, one.name) for one in diff.changes({"app"})] == [(Action.CREATE, "app (SCRAM-SHA-512)")]
    assert diff.changes({}) == []


def test_a_password_of_no_user_is_told() -> None:
    (found,) = needless_findings({"app": "", "typo": ""}, compare_scram_users([APP], [APP], SAME))

    assert (found.subject, found.param) == ("user typo", "scram_conn_id")
