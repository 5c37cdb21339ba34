"""Which quotas the target lacks, what is said of it, and whom brokers hold."""

from __future__ import annotations

import pytest

from kafka_ferry.core.changes import Action
from kafka_ferry.core.checks import Status
from kafka_ferry.core.principals import Principals
from kafka_ferry.core.quotas import (
    READING,
    WRITING,
    Quota,
    check_quotas,
    compare_quotas,
    holding,
    number,
    slow_findings,
    stopping_quota_findings,
)

ALICE = Quota.of({"user": "alice"}, "producer_byte_rate", 1000.0)
APP = Quota.of({"client-id": "app", "user": "alice"}, "consumer_byte_rate", 2000.0)


def quota(value: float = 1.0, key: str = "consumer_byte_rate", **entity: str | None) -> Quota:
    return Quota.of({kind.replace("_", "-"): name for kind, name in entity.items()}, key, value)


def test_an_entity_is_the_same_in_whatever_order_the_broker_tells_it() -> None:
    assert Quota.of({"user": "alice", "client-id": "app"}, "consumer_byte_rate", 2000.0) == APP
    assert str(APP) == "consumer_byte_rate=2000 of user alice, client-id app"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1000.0, "1000"),
        (0.5, "0.5"),
        (12.25, "12.25"),
        (1e9, "1000000000"),
        (1e300, "1e+300"),
        (0.1 + 0.2, f"{0.1 + 0.2}"),
    ],
)
def test_numbers_are_told_to_the_last_bit(value: float, told: str) -> None:
    assert number(value) == told
    assert float(told) == value


@pytest.mark.parametrize(
    ("given", "command"),
    [
        (ALICE, "--alter --add-config producer_byte_rate=1000 --entity-type users --entity-name alice"),
        (APP, "--alter --add-config consumer_byte_rate=2000 --entity-type users --entity-name alice "
              "--entity-type clients --entity-name app"),
        (quota(user="a b", client_id=None), "--alter --add-config consumer_byte_rate=1 --entity-type users "
                                            "--entity-name 'a b' --entity-type clients --entity-default"),
        (quota(ip=None), "--alter --add-config consumer_byte_rate=1 --entity-type ips --entity-default"),
    ],
)  # fmt: skip
def test_the_command_that_sets_it(given: Quota, command: str) -> None:
    assert given.command() == command


def test_what_is_missing_what_has_another_value_and_what_only_the_target_has() -> None:
    more, theirs = Quota.of({"user": "alice"}, "producer_byte_rate", 1000.5), quota(ip="10.0.0.1")

    diff = compare_quotas([APP, ALICE], [more, theirs])

    assert (diff.wanted, diff.missing, diff.other, diff.only_there) == (
        [APP, ALICE],
        [APP],
        [(ALICE, 1000.5)],
        [theirs],
    )
    assert diff.to_set == [APP, ALICE]
    assert [(change.action, change.name) for change in diff.changes()] == [
        (Action.CREATE, str(APP)), (Action.UPDATE, str(ALICE)),
    ]  # fmt: skip
    assert diff.changes()[1].detail.startswith("1000.5 now")


def test_a_default_is_no_entity_that_is_called_default() -> None:
    named = quota(user="<default>")

    assert compare_quotas([named], [quota(user=None)]).missing == [named]


def test_the_same_on_both_sides_passes() -> None:
    check = check_quotas(compare_quotas([ALICE, APP], [APP, ALICE]), copied=True, brokers=(3, 3))

    assert (check.status, check.expected, check.actual) == (Status.PASS, "2 quotas, as on the source", "2 there")
    assert (check.detail, check.differences) == ("", [])


def test_a_difference_is_named_with_its_cure_and_fails_only_what_was_asked_for() -> None:
    diff = compare_quotas([ALICE, APP], [Quota.of({"user": "alice"}, "producer_byte_rate", 5.0)])

    compared, copied = check_quotas(diff, copied=False), check_quotas(diff, copied=True)

    assert (compared.status, copied.status) == (Status.EXPLAINED, Status.FAIL)
    assert compared.actual == copied.actual == "0 there"
    assert compared.differences == [
        f"missing on the target: {APP}. Fix: quotas=copy, or kafka-configs {APP.command()}",
        f"on the target it is 5: {ALICE}. Fix: quotas=copy, or kafka-configs {ALICE.command()}",
    ]
    assert "quotas=copy" not in "".join(copied.differences), "it has been tried"


def test_what_the_target_refused_fails() -> None:
    check = check_quotas(compare_quotas([], []), copied=True, refused=["ip x: no such host"])

    assert (check.status, check.differences) == (Status.FAIL, ["ip x: no such host"])


def test_what_only_the_target_has_is_named_as_it_throttles_too() -> None:
    check = check_quotas(compare_quotas([], [ALICE]), copied=True)

    assert (check.status, check.differences) == (Status.EXPLAINED, [f"only on the target, and kept: {ALICE}"])


def test_other_numbers_of_brokers_are_told() -> None:
    same = compare_quotas([ALICE], [ALICE])

    assert "3 on the source and 6 on the target" in check_quotas(same, copied=False, brokers=(3, 6)).detail
    assert check_quotas(compare_quotas([], []), copied=False, brokers=(3, 6)).detail == ""


@pytest.mark.parametrize(
    "loser, winner",
    [
        (quota(client_id=None), quota(user=None)),
        (quota(user=None), quota(user=None, client_id=None)),
        (quota(user=None, client_id=None), quota(user="ferry")),
        (quota(user="ferry"), quota(user="ferry", client_id=None)),
    ],
)
def test_the_most_precise_quota_holds(loser: Quota, winner: Quota) -> None:
    assert holding([winner, loser], "User:ferry", READING) == [winner]
    assert holding([loser, winner], "User:ferry", READING) == [winner]


@pytest.mark.parametrize(
    "other",
    [
        quota(user="another"),
        quota(client_id="another"),
        quota(user="ferry", client_id="another"),
        quota(ip=None),
        quota(key="producer_byte_rate", user="ferry"),
    ],
)
def test_others_quotas_and_other_keys_do_not_hold_us(other: Quota) -> None:
    assert holding([other], "User:ferry", READING) == []


def test_of_an_unknown_user_only_what_holds_everybody_is_told() -> None:
    everybody = quota(5e6, user=None)

    (found,) = slow_findings("kafka_source", "source_conn_id", None, [quota(user="ferry"), everybody], READING)

    assert (found.code, found.param) == ("quotas", "source_conn_id")
    assert "the user of this connection is held to 5000000 on each broker (user <default>)" in found.what
    assert everybody.command() in found.fix


def test_what_would_slow_a_replication_that_goes_on_is_warned_of() -> None:
    mine, theirs = quota(key="producer_byte_rate", user="ferry"), quota(key="producer_byte_rate", user="app")

    (found,) = stopping_quota_findings(compare_quotas([mine, theirs], []), "User:ferry")

    assert str(mine) in found.subject
    assert stopping_quota_findings(compare_quotas([mine, theirs], [mine]), "User:ferry") == []
    assert holding([mine], "User:ferry", WRITING) == [mine]


def test_users_take_their_names_on_the_target() -> None:
    table = Principals({"User:CN=(.*)": r"User:\1", "User:old": ""})
    source = [quota(user="CN=app", client_id="x"), quota(user="old"), quota(user=None), quota(client_id="CN=app")]

    diff = compare_quotas(source, [], table)

    assert set(diff.wanted) == {quota(user="app", client_id="x"), quota(user=None), quota(client_id="CN=app")}
    assert diff.left == []


def test_two_users_of_one_name_and_other_limits_are_told() -> None:
    table = Principals({"User:.*": "User:app"})

    diff = compare_quotas([quota(1.0, user="a"), quota(2.0, user="b"), quota(1.0, user="c")], [], table)

    assert diff.wanted == [quota(1.0, user="app")]
    ((which, why),) = diff.left
    assert (which, "another user of the source is called app there too, with consumer_byte_rate=1" in why) == (
        quota(2.0, user="b"), True,
    )  # fmt: skip
    check = check_quotas(diff, copied=False)
    assert f"not carried: {which}" in "".join(check.differences)
