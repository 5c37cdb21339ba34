"""What the plan says of topics without ACLs and of transactions that nobody works on."""

from __future__ import annotations

from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.cutover.rules.plan import first_acls, open_for_long, seldom_writers
from kafka_ferry.jobs.cutover.rules.standstill import OpenTransaction


def test_a_fence_that_would_be_the_first_acl_of_a_topic_is_refused() -> None:
    assert first_acls([], may_be_open=True) == []
    (one,) = first_acls(["bills", "orders"], may_be_open=True)
    assert (one.severity, one.param) == (Severity.REFUSE, "fence")
    assert "nobody could read them either" in one.what
    assert "--allow-principal 'User:*' --operation All --topic bills" in one.fix


def test_where_only_super_users_may_it_is_said() -> None:
    (one,) = first_acls(["bills"], may_be_open=False)
    assert (one.severity, "only super users" in one.what) == (Severity.WARN, True)


def test_a_transaction_that_was_left_open_is_told_with_its_age_and_its_end() -> None:
    left = OpenTransaction("orders", 3, 8, 4, 500, "billing")
    (one,) = open_for_long([(left, 1_000)], 20)
    assert one.severity is Severity.WARN
    assert "transactional id billing" in one.subject
    assert "its last record is of 1970-01-01T00:00:01+00:00" in one.what
    assert "waits 20 s" in one.what
    assert "abort --topic orders --partition 3 --start-offset 500" in one.fix
    assert len(open_for_long([(left, 1_000)] * 50, 20)) == 20


def test_who_writes_more_seldom_than_the_proof_waits_is_told() -> None:
    assert seldom_writers({}, {}, 3) == []
    (one,) = seldom_writers({7: 12.4, 8: 40.0}, {8: "billing"}, 3)
    assert "producer id 7 (12 s ago), transactional id billing (40 s ago)" in one.what
    assert (one.subject, one.param) == ("2 producers", "proof_seconds")
