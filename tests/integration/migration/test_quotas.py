"""Client quotas on clusters with users: carried, and throttling on the target as on the source."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Producer, ThrottleEvent
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Status
from kafka_ferry.core.quotas import Quota
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.kafka.acls import KafkaAcls
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.quotas import quota_findings, quotas_check
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_tools import CONFIGS, ask
from quotas_by_hand import take_away
from run_by_hand import Run
from stack import Stack

pytestmark = pytest.mark.integration

SIDES = ("source", "target")
RATE = 50_000.0


@pytest.fixture
def clusters(secure_stack: Stack) -> dict[str, KafkaQuotas]:
    return {side: KafkaQuotas(secure_stack.client_settings(side), f"{side} as admin") for side in SIDES}


@pytest.fixture
def set_quotas(clusters: dict[str, KafkaQuotas]) -> Iterator[Callable[..., None]]:
    """``set_quotas("source", Quota…)``; whatever quotas there are on either side at the end is taken away."""

    def make(side: str, *quotas: Quota) -> None:
        assert clusters[side].set_quotas(quotas) == []
        deadline = time.monotonic() + 10
        while not set(quotas) <= set(clusters[side].quotas()):  # a broker reads it from the metadata log
            assert time.monotonic() < deadline
            time.sleep(0.1)

    yield make
    for cluster in clusters.values():
        take_away(cluster, cluster.quotas())


@pytest.fixture
def connections(secure_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    for name, value in secure_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)


_ENTITY = re.compile(r"(user-principal|client-id|ip) '([^']*)'|the default (user-principal|client-id|ip)")


def told_by_kafka(stack: Stack, side: str, tmp_path: Path) -> set[Quota]:
    """What Kafka's own tool says of a cluster's quotas."""
    found = set()
    for kinds in (("users",), ("clients",), ("users", "clients"), ("ips",)):
        entities = [part for kind in kinds for part in ("--entity-type", kind)]
        told = ask(stack, side, tmp_path, CONFIGS, "--describe", *entities)
        for line in told.splitlines():
            if line.startswith("Quota configs for "):
                head, _, values = line.rpartition(" are ")
                names = {
                    (kind or default).replace("user-principal", "user"): None if default else name
                    for kind, name, default in _ENTITY.findall(head)
                }
                pairs = (value.split("=") for value in values.split(", "))
                found |= {Quota.of(names, key, float(value)) for key, value in pairs}
    return found


def throttled(stack: Stack, side: str, topic: str, user: str, password: str) -> int:
    """The longest time in ms for which brokers held back a producer that wants to write 2 MB at once; 0: never."""
    seen: list[ThrottleEvent] = []
    login = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": password}
    settings = {**stack.client_settings(side), **login, "linger.ms": 5, "throttle_cb": seen.append}
    producer = Producer(settings)
    for _ in range(40):
        producer.produce(topic, value=b"x" * 50_000)
        producer.poll(0)
    deadline = time.monotonic() + 20
    while not seen and len(producer) and time.monotonic() < deadline:
        producer.poll(0.1)
    producer.purge()
    producer.flush(5)
    return max((round(event.throttle_time * 1000) for event in seen), default=0)


def test_quotas_are_carried_and_throttle_on_the_target_as_on_the_source(
    secure_stack: Stack,
    clusters: dict[str, KafkaQuotas],
    set_quotas: Callable[..., None],
    connections: None,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
) -> None:
    topic, user, free = (f"{topic_prefix}{name}" for name in ("t", "held", "free"))
    make_topics(secure_stack.client_settings("source"), topic)
    produce(secure_stack.client_settings("source"), topic, 50)
    for side in SIDES:
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        users = [UserScramCredentialUpsertion(name, scram, b"pass-word") for name in (user, free)]
        client = AdminClient(secure_stack.client_settings(side))
        for future in client.alter_user_scram_credentials(users).values():
            future.result(timeout=30)
        mine = [Acl("TOPIC", topic, "LITERAL", f"User:{name}", "WRITE") for name in (user, free)]
        KafkaAdmin(secure_stack.client_settings(side), side).create_acls(mine)
    odd = f"{topic_prefix}CN=a b,O=ü%"
    quotas = [
        Quota.of({"user": user}, "producer_byte_rate", RATE),
        Quota.of({"user": user}, "request_percentage", 12.5),
        Quota.of({"user": odd, "client-id": None}, "consumer_byte_rate", 1e6),
        Quota.of({"user": odd, "client-id": f"{topic_prefix}app"}, "consumer_byte_rate", 2e6),
        Quota.of({"user": None, "client-id": f"{topic_prefix}app"}, "controller_mutation_rate", 7.25),
        Quota.of({"client-id": f"{topic_prefix}app"}, "consumer_byte_rate", 3e6),
        Quota.of({"ip": "10.9.8.7"}, "connection_creation_rate", 11.0),
        Quota.of({"ip": None}, "connection_creation_rate", 100_000.0),
        Quota.of({"user": None}, "producer_byte_rate", 1e9),
        Quota.of({"client-id": None}, "consumer_byte_rate", 1e9),
    ]
    set_quotas("source", *quotas)
    another = Quota.of({"user": user}, "request_percentage", 50.0)
    only_there = Quota.of({"client-id": f"{topic_prefix}theirs"}, "producer_byte_rate", 5e6)
    set_quotas("target", another, only_there)

    plan, report = Run("quotas", topics=[topic], groups=[], migration=f"{topic_prefix}m", quotas="copy").whole()

    check = next(one for one in report["checks"] if one["name"] == "quotas")
    assert report["verdict"] == "PASS", report
    assert (check["status"], check["expected"], check["actual"]) == (
        "explained",
        "10 quotas, as on the source",
        "10 there",
    )
    assert check["differences"] == [f"only on the target, and kept: {only_there}"]
    planned = {(one["action"], one["name"]) for one in plan["changes"] if one["kind"] == "quota"}
    assert planned == {("update" if one == quotas[1] else "create", str(one)) for one in quotas}
    assert sorted(clusters["target"].quotas(), key=str) == sorted([*quotas, only_there], key=str)
    assert told_by_kafka(secure_stack, "target", tmp_path) == {*quotas, only_there}
    # Brokers do as they are told, on both sides alike.
    for side in SIDES:
        assert throttled(secure_stack, side, topic, user, "pass-word") > 0, side
        assert throttled(secure_stack, side, topic, free, "pass-word") == 0, side


def test_what_differs_is_named_and_nothing_is_set_unasked(
    clusters: dict[str, KafkaQuotas], set_quotas: Callable[..., None], connections: None, topic_prefix: str
) -> None:
    mine = Quota.of({"user": f"{topic_prefix}a"}, "consumer_byte_rate", 1000.0)
    set_quotas("source", mine)
    migration = Migration("quotas", MigrationSpec.from_params({"topics": ["t"]}))

    compared = quotas_check(migration, set(), only_compare=False)
    copy = Migration("quotas", MigrationSpec.from_params({"topics": ["t"], "quotas": "copy"}))
    after_a_failure = quotas_check(copy, {"content"}, only_compare=False)

    assert (compared.status, compared.actual) == (Status.EXPLAINED, "0 there")
    assert compared.differences[0].startswith(
        f"missing on the target: {mine}. Fix: quotas=copy, or kafka-configs --alter"
    )
    assert (after_a_failure.status, "content" in after_a_failure.detail) == (Status.SKIPPED, True)
    assert clusters["target"].quotas() == []


def test_a_quota_on_our_own_user_is_told_before_the_copy(set_quotas: Callable[..., None], connections: None) -> None:
    set_quotas("source", Quota.of({"user": "ferry"}, "consumer_byte_rate", 5e8))
    set_quotas("target", Quota.of({"client-id": None}, "producer_byte_rate", 6e8))
    migration = Migration("quotas", MigrationSpec.from_params({"topics": ["t"]}))

    found = quota_findings(migration)

    assert [(one.severity, one.param) for one in found] == [("advise", "source_conn_id"), ("advise", "target_conn_id")]
    assert "User:ferry is held to 500000000 on each broker (user ferry)" in found[0].what
    assert "600000000 on each broker (client-id <default>)" in found[1].what


def test_without_the_right_nothing_is_set_and_the_plan_says_which(
    secure_stack: Stack,
    clusters: dict[str, KafkaQuotas],
    set_quotas: Callable[..., None],
    connections: None,
    topic_prefix: str,
    make_topics: Any,
) -> None:
    make_topics(secure_stack.client_settings("source"), f"{topic_prefix}t")
    set_quotas("source", Quota.of({"user": f"{topic_prefix}a"}, "consumer_byte_rate", 1000.0))
    denied = [
        Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:ferry", "ALTER_CONFIGS", "DENY"),
    ]
    acls = KafkaAcls(secure_stack.client_settings("target"), "target as admin")
    acls.create_acls(denied)
    run = Run("quotas", topics=[f"{topic_prefix}t"], groups=[], migration=f"{topic_prefix}m", quotas="copy")
    try:
        time.sleep(1)
        with pytest.raises(AirflowFailException) as caught:
            run.plan()
        check = quotas_check(run.migration, set(), only_compare=False)
    finally:
        acls.delete_acls(denied)

    assert isinstance(caught.value.__cause__, BadParam)
    assert "User:ferry lacks ALTER_CONFIGS, to set quotas (param quotas is copy)" in str(caught.value)
    assert (check.status, "grant ALTER_CONFIGS on the cluster" in check.detail) == (Status.FAIL, True)
    assert clusters["target"].quotas() == []
