"""Which rights are needed on a cluster, and what is told of those that are there."""

from __future__ import annotations

from kafka_ferry.core.rights import CLUSTER, Rights
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.kafka import needs_of, tell_age, tell_rights

ORDERS, NEW = ("TOPIC", "orders"), ("TOPIC", "new")
ALL = dict.fromkeys(("READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"), True)
MANAGED = {CLUSTER: {"DESCRIBE": True, "DESCRIBE_CONFIGS": True}}


def told(rights: Rights, *topics: str, written_to: bool = False, existing: set[str] | None = None,
         groups: tuple[str, ...] = ()) -> Answer:  # fmt: skip
    answer = Answer(conn_id=rights.conn_id)
    there = {"orders", "payments"}
    tell_rights(answer, rights, written_to, topics, existing or {"orders"}, groups, there)
    return answer


def operations(written_to: bool) -> set[tuple[tuple[str, str], str]]:
    return {(need.resource, need.operation) for need in needs_of(written_to, ["orders", "new"], {"orders"}, ["g"])}


def test_reading_takes_no_right_to_write() -> None:
    on_topics = {operation for resource, operation in operations(False) if resource == ORDERS}
    assert on_topics == {"READ", "DESCRIBE_CONFIGS"}
    assert (("GROUP", "g"), "DESCRIBE") in operations(False)


def test_writing_takes_create_only_where_a_topic_is_not_there() -> None:
    assert (ORDERS, "CREATE") not in operations(True)
    assert (NEW, "CREATE") in operations(True)
    assert {(ORDERS, "WRITE"), (ORDERS, "ALTER_CONFIGS"), (("GROUP", "g"), "READ")} <= operations(True)


def test_each_missing_right_is_named_with_whose_it_is_and_the_command() -> None:
    lacks = Rights("kafka_source", "User:ferry", {**MANAGED, ORDERS: ALL | {"READ": False}})
    found = told(lacks, "orders")
    assert found.missing == [
        "topic orders on kafka_source: User:ferry lacks READ, to copy its records. Fix: kafka-acls --add "
        "--allow-principal User:ferry --operation READ --topic orders"
    ]
    assert "as User:ferry" in found.notes
    assert "it may DESCRIBE, DESCRIBE_CONFIGS on the cluster" in found.notes


def test_describe_on_the_cluster_is_a_limit_and_no_failure() -> None:
    found = told(Rights("kafka_source", "User:f", {CLUSTER: {"DESCRIBE": False, "DESCRIBE_CONFIGS": True}}))
    assert found.missing == []
    assert "ACLs are neither compared nor kept" in found.limits[0]


def test_a_topic_that_is_read_has_to_exist_and_one_that_is_written_has_not() -> None:
    free = Rights("kafka", "User:f", everything=True)
    assert told(free, "order").missing == ["topic order does not exist on it; did you mean orders?"]
    assert told(free, "order", written_to=True).missing == []


def test_a_topic_that_may_not_be_seen_is_not_called_absent() -> None:
    hidden = dict.fromkeys(ALL, False)
    found = told(Rights("kafka", "User:f", {**MANAGED, NEW: hidden}), "new")
    assert "does not exist" not in found.missing[0]
    assert "lacks READ" in found.missing[0]


def test_what_nobody_can_tell_is_a_note() -> None:
    unknown = Rights("kafka", "User:f", {**MANAGED, NEW: {"CREATE": True, "ALTER_CONFIGS": True}}, reason="no ACLs")
    found = told(unknown, "new", written_to=True)
    assert found.missing == []
    assert any("could not be checked" in note and "WRITE" in note for note in found.notes)


def test_many_topics_do_not_make_a_long_answer() -> None:
    names = [f"t{i}" for i in range(300)]
    rights = Rights("kafka", "User:f", {**MANAGED, **{("TOPIC", name): ALL for name in names}})
    found = told(rights, *names, existing=set(names))
    assert found.missing == []
    assert len(found.notes) < 10
    assert found.notes[-1] == "and so on for 296 more"


def test_what_old_brokers_cannot_do_is_told() -> None:
    def of(written_to: bool, for_kafka_4: bool, newer: bool) -> Answer:
        answer = Answer(conn_id="kafka")
        tell_age(answer, written_to, for_kafka_4=for_kafka_4, changes_configs=newer, tells_rights=newer)
        return answer

    assert of(True, True, True) == Answer(conn_id="kafka")
    source = of(False, False, False)
    assert source.missing == []
    assert "older than Kafka 2.1" in source.limits[0]
    assert "tell no rights" in source.notes[0]
    assert "single topic config" in of(True, True, False).missing[0]
