"""Which rights a run needs, and what is said about a missing one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Severity
from kafka_ferry.core.needs import Need, permission_findings
from kafka_ferry.core.rights import CLUSTER, Rights
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec
from kafka_ferry.jobs.migration.rules.permissions import (
    canary_needs,
    idempotent_needs,
    invisible,
    source_needs,
    target_needs,
    work_needs,
)
from kafka_ferry.jobs.migration.rules.preflight import TopicFacts
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

USER = "User:ferry"
ORDERS = ("TOPIC", "orders")
CANARY = "ferry-canary-ferry"
RIGHTS = Rights("kafka_target", USER)
SYNCS, CHECKPOINTS = ("TOPIC", "mm2-offset-syncs.ferry.internal"), ("TOPIC", "ferry.checkpoints.internal")


def spec(**params: Any) -> MigrationSpec:
    return MigrationSpec.from_params({"topics": ["orders"], **params})


def of(needs: list[Need], resource: tuple[str, str]) -> dict[str, str]:
    return {need.operation: str(need.severity) for need in needs if need.resource == resource}


def state(partitions: int = 3, **configs: str) -> TopicState:
    return TopicState("orders", "id", partitions, 1, configs, configs)


def facts(existing: TopicState | None, soon: int = 0, **configs: str) -> TopicFacts:
    desired = DesiredTopic("orders", "orders", 3, None, configs)
    return TopicFacts(state(**configs), desired, existing, {"retention.ms": "1000", **configs}, soon=soon)


def test_the_source_is_read_only() -> None:
    needs = source_needs(spec(), ["orders"], ["billing"])
    assert of(needs, ORDERS) == {"READ": "refuse", "DESCRIBE_CONFIGS": "refuse"}
    assert of(needs, ("GROUP", "billing")) == {"DESCRIBE": "refuse"}
    assert of(needs, CLUSTER) == {"DESCRIBE_CONFIGS": "refuse", "DESCRIBE": "warn"}


@pytest.mark.parametrize(
    "acls, source, target",
    [
        ("skip", {}, {}),
        ("check", {"DESCRIBE": "warn"}, {"DESCRIBE": "warn"}),
        ("copy", {"DESCRIBE": "refuse"}, {"DESCRIBE": "refuse", "ALTER": "refuse"}),
    ],
)
def test_acls_take_rights_on_the_clusters(acls: str, source: dict[str, str], target: dict[str, str]) -> None:
    always = {"DESCRIBE_CONFIGS": "refuse"}
    assert of(source_needs(spec(acls=acls), [], []), CLUSTER) == always | source
    assert of(target_needs(spec(acls=acls), [], []), CLUSTER) == always | target


def test_quotas_and_users_take_rights_only_where_they_are_set() -> None:
    always = {"DESCRIBE_CONFIGS": "refuse"}
    quotas, users = spec(acls="skip", quotas="copy"), spec(acls="skip", scram_users="create", scram_conn_id="c")
    assert of(source_needs(quotas, [], []), CLUSTER) == always
    assert of(target_needs(quotas, [], []), CLUSTER) == always | {"ALTER_CONFIGS": "refuse"}
    assert of(source_needs(users, [], []), CLUSTER) == always | {"DESCRIBE": "refuse"}
    assert of(target_needs(users, [], []), CLUSTER) == always | {"DESCRIBE": "refuse", "ALTER": "refuse"}


def test_a_target_topic_is_made_only_where_it_is_not() -> None:
    assert of(target_needs(spec(), ["orders"], []), ORDERS).keys() == {"CREATE", "WRITE", "READ", "DESCRIBE_CONFIGS"}
    assert of(target_needs(spec(), ["orders"], ["orders"]), ORDERS).keys() == {"WRITE", "READ", "DESCRIBE_CONFIGS"}


def test_topics_that_msk_makes_take_no_right_of_ours_to_make_them() -> None:
    through_msk = spec(provision_through="msk_api")
    assert "CREATE" not in of(target_needs(through_msk, ["orders"], []), ORDERS)
    lifted = {"ALTER_CONFIGS": "warn"}
    assert of(work_needs(through_msk, [facts(state(2), cleanup_policy="compact")], []), ORDERS) == lifted


def test_an_engine_with_a_login_of_its_own_takes_no_right_of_ours_to_write() -> None:
    arn = "arn:aws:kafka:eu-west-1:123456789012:cluster"
    own = MskReplicatorSpec.from_params(
        {
            "topics": ["orders"],
            "source_cluster_arn": f"{arn}/a/1",
            "cluster_arn": f"{arn}/b/2",
            "service_execution_role_arn": "arn:aws:iam::123456789012:role/r",
        }
    )
    assert "WRITE" not in of(target_needs(own, ["orders"], []), ORDERS)
    _, there = canary_needs(own, CANARY, RIGHTS)
    assert {need.operation for need in there} == {"READ", "DELETE"}
    assert "WRITE" in of(target_needs(spec(), ["orders"], []), ORDERS)


def test_mirror_makers_own_topics() -> None:
    def rights(topic: tuple[str, str], *existing: str, **params: Any) -> set[str]:
        return {*of(target_needs(spec(**params), [], existing, [SYNCS[1], CHECKPOINTS[1]]), topic)}

    assert rights(SYNCS) == {"CREATE", "DELETE"}
    assert rights(CHECKPOINTS) == {"DELETE"}
    assert rights(SYNCS, group_offsets="mm2") == {"CREATE", "DELETE", "WRITE", "READ"}
    assert rights(SYNCS, keep_replicating=True) == {"CREATE"}
    assert rights(SYNCS, SYNCS[1]) == {"DELETE"}


def test_work_on_the_target_takes_what_it_changes() -> None:
    def needs(*found: TopicFacts, **params: Any) -> dict[str, str]:
        return {need.operation: need.why for need in work_needs(spec(**params), found, [])}

    lifted = {
        "ALTER_CONFIGS": "to lift max.message.bytes during the copy: without it a batch that compresses worse than on "
        "the source stops the copy"
    }
    assert needs(facts(None)) == lifted
    assert of(work_needs(spec(), [facts(None)], []), ORDERS) == {"ALTER_CONFIGS": "warn"}
    assert needs(facts(state()), hold_retention=False) == {}
    assert needs(facts(state(partitions=2))) == {"ALTER": "to grow it to 3 partitions"} | lifted
    assert needs(facts(state(), **{"compression.type": "lz4"}), hold_retention=False) == {
        "ALTER_CONFIGS": "to set compression.type"
    }
    held = {"ALTER_CONFIGS": "to hold retention.ms during the copy (hold_retention)"}
    assert needs(facts(None, soon=5)) == held
    assert needs(facts(None, soon=5), hold_retention=False) == {}
    assert needs(facts(None, soon=5), keep_replicating=True) == {}
    assert of(work_needs(spec(), [], ["billing"]), ("GROUP", "billing")) == {"READ": "refuse"}


def test_a_canary_that_may_not_be_made_is_done_without() -> None:
    canary = ("TOPIC", CANARY)
    for missing in ("CREATE", "DELETE"):
        here, there = canary_needs(spec(), CANARY, replace(RIGHTS, answers={canary: {missing: False}}))
        assert of(here, canary) == {"CREATE": "warn", "DELETE": "warn"}
        assert there == []
    here, there = canary_needs(spec(naming="prefix"), CANARY, replace(RIGHTS, everything=True))
    assert of(here, canary)["WRITE"] == "refuse"
    assert of(there, ("TOPIC", "ferry.ferry-canary-ferry")).keys() == {"CREATE", "WRITE", "READ", "DELETE"}
    assert canary_needs(spec(canary=False), CANARY, RIGHTS) == ([], [])


def test_an_idempotent_producer_takes_a_right_on_the_cluster_of_old_brokers() -> None:
    (found,) = permission_findings(
        replace(RIGHTS, answers={CLUSTER: {"IDEMPOTENT_WRITE": False}}), idempotent_needs(), "target_conn_id"
    )
    assert found.severity is Severity.REFUSE
    assert found.fix.endswith("--operation IDEMPOTENT_WRITE --cluster")
    assert "before Kafka 2.8" in found.what


def test_with_all_rights_nothing_is_said() -> None:
    everything = replace(RIGHTS, everything=True)
    needs = source_needs(spec(), ["orders"], ["g"]) + target_needs(spec(acls="copy"), ["orders"], [])
    assert permission_findings(everything, needs, "p") == []


def test_a_topic_named_in_full_that_cannot_be_seen() -> None:
    (found,) = invisible(RIGHTS, [ORDERS], "source_conn_id", Severity.WARN)
    assert "lacks DESCRIBE" in found.what
    assert found.fix.endswith("--operation READ --topic orders")


def test_a_group_that_the_engine_reads_as_is_its_own() -> None:
    needs = source_needs(spec(), [], [], ["mirror_maker1.m"])
    assert {need.operation for need in needs if need.resource == ("GROUP", "mirror_maker1.m")} == {"READ", "DELETE"}
