"""Ways that lead records back to where they were taken from are found, whatever their length; all others are let be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.migration.rules.flow import Flow, FlowRecord, connector_flow
from kafka_ferry.jobs.migration.rules.loops import find_loop, loop_findings, shared_target_findings
from kafka_ferry.jobs.migration.rules.replicators import OtherConnector

MIRROR = "org.apache.kafka.connect.mirror"


def flow(
    way: str,
    topics: Sequence[str] = ("orders",),
    patterns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    **more: Any,
) -> Flow:
    """``flow("A B")``: a migration from cluster A to cluster B."""
    source, target = way.split()
    params = {"topics": list(patterns or topics), "migration": f"{source}to{target}"} | more
    names = [topic.replace(".", r"\.") for topic in topics]
    ends = [[f"id:{cluster}", f"{cluster}:9092".lower()] for cluster in (source, target)]
    kept = list(patterns or names), list(exclude)
    record = FlowRecord("dag", "run", "mirror_maker2_on_connect", params, list(topics), *kept, *ends)
    return FlowRecord.from_json(json.loads(json.dumps(record.to_json()))).flow()


def severities(ours: Flow, *others: Flow) -> list[Severity]:
    return [found.severity for found in loop_findings(ours, others)]


def test_there_and_back_under_equal_names_is_refused_naming_both_and_the_cure() -> None:
    (found,) = loop_findings(flow("A B", ["orders", "users"]), [flow("B A", ["orders", "users", "else"])])
    assert (found.severity, found.param, found.subject) == (Severity.REFUSE, "topics", "topic orders, users")
    assert "the same records would come back and be copied again, for ever: by migration 'AtoB'" in found.what
    assert "by migration 'AtoB' of DAG dag" in found.what
    assert "then migration 'BtoA' of DAG dag" in found.what
    assert found.fix.startswith("end migration 'BtoA' of DAG dag (kafka_source to kafka_target) first, or leave the")


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_ring_of_any_length(length: int) -> None:
    ring = [flow(f"{at} {(at + 1) % length}") for at in range(length)]
    for place, ours in enumerate(ring):
        (found,) = loop_findings(ours, [*ring[place + 1 :], *ring[:place]])
        assert found.severity is Severity.REFUSE
        assert found.what.count("migration '") == length
    assert severities(ring[0], *ring[1:-1]) == [], "it is not closed"


def test_chains_fans_and_other_topics_are_no_loops() -> None:
    ours = flow("A B")
    assert severities(ours, flow("B C"), flow("A C"), flow("C D")) == [], "a chain and a fan-out"
    assert severities(ours, flow("C B"), flow("D A")) == [], "fan-in, and a chain into our source"
    assert severities(ours, flow("B A", ["users"])) == [], "other topics"
    assert severities(ours, flow("A B")) == [], "the same way twice is another fault"
    assert severities(flow("A B", naming="prefix"), flow("B A")) == [], "there it is called AtoB.orders"
    assert severities(ours, flow("B A", ["nothing"], [".*"], exclude=["orders"])) == []


def test_regexes_take_what_comes_later() -> None:
    ours = flow("A B", ["orders"], ["o.*"])
    assert severities(ours, flow("B A", ["users"], [".*"])) == [Severity.REFUSE]
    # Nobody has seen it on A yet, but the way back brings it there, and then we take it.
    (found,) = loop_findings(flow("A B", ["orders"], [".*"]), [flow("B A", ["onlyB"])])
    assert found.subject == "topic onlyB"


def test_prefixes_both_ways_grow_without_an_end_when_each_takes_the_others() -> None:
    """MirrorMaker 2 sees no cycle there: its target alias is none of the prefixes."""
    ours, back = flow("A B", patterns=[".*"], naming="prefix"), flow("B A", ["AtoB.orders"], [".*"], naming="prefix")
    (found,) = loop_findings(ours, [back])
    assert found.severity is Severity.REFUSE
    assert "each copy would come back and be copied again under another name, without an end" in found.what
    assert "('orders' -> 'AtoB.orders' -> 'BtoA.AtoB.orders' -> …)" in found.what
    assert severities(flow("A B", patterns=[".*"], exclude=[r"BtoA\..*"], naming="prefix"), back) == []
    assert severities(flow("A B", naming="prefix"), back) == [], "orders alone does not match the copies"


def test_new_names_there_and_the_old_ones_back_are_a_loop() -> None:
    ours = flow("A B", ["orders"], naming="rename", topic_rename_format="eu.${topic}")
    keys = {
        "connector.class": "EMRReplicatorSourceConnector",
        "topic.whitelist": r"eu\.orders",
        "topic.rename.format": "${topic}",
        "src.kafka.bootstrap.servers": "B:9092",
        "dest.kafka.bootstrap.servers": "A:9092",
    }
    back = OtherConnector("back", "RUNNING", keys)
    there = connector_flow(back, (), "connector back")
    assert there is not None
    assert loop_findings(ours, [there]) == [], "it comes back as eu.orders, which we do not take"
    greedy = flow("A B", ["orders"], [".*orders"], naming="rename", topic_rename_format="eu.${topic}")
    assert find_loop(greedy, [there], "orders") is None, "then as eu.eu.orders, which the way back does not take"
    keys["topic.regex"] = ".*"
    assert find_loop(greedy, [there], "orders") is not None, "eu.eu.eu.orders, and so on"


def connector(state: str = "RUNNING", policy: str = "Identity", **config: str) -> Flow:
    """From B to A, with the passwords that configs have."""
    keys = {
        "connector.class": f"{MIRROR}.MirrorSourceConnector",
        "topics": ".*",
        "replication.policy.class": f"{MIRROR}.{policy}ReplicationPolicy",
        "source.cluster.bootstrap.servers": "SASL_SSL://b:9092, b2:9092",
        "source.cluster.alias": "B",
        "target.cluster.alias": "A",
        "source.cluster.sasl.jaas.config": "planted-password",
    } | {key.replace("_", "."): value for key, value in config.items()}
    made = connector_flow(OtherConnector("back", state, keys), {"id:A", "a:9092"}, "connector back")
    assert made is not None
    return made


def test_a_connector_on_its_way_back() -> None:
    (found,) = loop_findings(flow("A b"), [connector()])
    assert found.severity is Severity.REFUSE
    assert "connector back" in found.what
    assert "planted-password" not in str(found) + repr(connector())
    (found,) = loop_findings(flow("A b"), [connector("STOPPED")])
    assert (found.severity, "it is STOPPED now" in found.what) == (Severity.WARN, True)
    assert severities(flow("A b"), connector(producer_override_bootstrap_servers="c:9092")) == []
    assert severities(flow("A C"), connector()) == []
    assert severities(flow("A b"), connector("PAUSED"), connector()) == [Severity.REFUSE], "the worst of two ways"


def test_the_default_policy_sees_a_cycle_when_the_aliases_agree() -> None:
    ours = flow("A b", patterns=[".*"], naming="prefix", source_alias="A")
    assert severities(ours, connector(policy="Default")) == [], "A.orders is not copied to A"
    assert severities(ours, connector(policy="Default", target_cluster_alias="other")) == [Severity.REFUSE]
    assert severities(ours, connector(policy="Identity")) == [Severity.REFUSE], (
        "A.orders comes to A, and on as A.A.orders"
    )


def test_what_copies_no_records_is_no_flow() -> None:
    other = OtherConnector("c", "RUNNING", {"connector.class": "MirrorCheckpoint"})
    assert connector_flow(other, {"id:A"}, "connector c") is None


def test_two_migrations_into_one_topic() -> None:
    (same,) = shared_target_findings(flow("A B"), [flow("A B", ["orders", "users"], migration="twin")])
    assert (same.severity, same.code) == (Severity.REFUSE, "other_replicators")
    assert "copies orders too: each record would be written twice" in same.what
    (fan_in,) = shared_target_findings(flow("A C"), [flow("B C")])
    assert (fan_in.severity, fan_in.code, fan_in.param) == (Severity.WARN, "aggregation", "naming")
    assert "neither can be compared with its source alone" in fan_in.what
    assert shared_target_findings(flow("A C", naming="prefix"), [flow("B C", naming="prefix")]) == []
    assert shared_target_findings(flow("A C"), [flow("A B"), flow("C A"), flow("B C", ["users"])]) == []
