"""ACLs of every kind on clusters with an authorizer: carried, and seen by Kafka's own tool."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Status
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.live.acls import acls_check, copied_acls_check
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_tools import ACLS, ask
from run_by_hand import Run
from stack import Stack

pytestmark = pytest.mark.integration

SIDES = ("source", "target")


@pytest.fixture
def admins(secure_stack: Stack) -> dict[str, KafkaAdmin]:
    return {side: KafkaAdmin(secure_stack.client_settings(side), f"{side} as admin") for side in SIDES}


@pytest.fixture
def connections(secure_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    for name, value in secure_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)


@pytest.fixture
def no_others(secure_stack: Stack) -> Iterator[None]:
    """ACLs of all users but the stack's own are taken away, before and after: what other tests left is not ours."""

    def clear() -> None:
        for side in SIDES:
            client = AdminClient(secure_stack.client_settings(side))
            found = KafkaAdmin(secure_stack.client_settings(side), side).acls() or []
            for who in {acl.principal for acl in found} - {"User:ferry", "User:connect"}:
                every = AclBindingFilter(
                    ResourceType.ANY, None, ResourcePatternType.ANY, who, None, AclOperation.ANY, AclPermissionType.ANY
                )
                for future in client.delete_acls([every]).values():
                    future.result(timeout=30)

    clear()
    yield
    clear()


_RESOURCE = re.compile(r"ResourcePattern\(resourceType=(\w+), name=(.*), patternType=(\w+)\)")
_ENTRY = re.compile(r"\(principal=(.*), host=(\S+), operation=(\w+), permissionType=(\w+)\)")


def told_by_kafka(stack: Stack, side: str, tmp_path: Path) -> set[Acl]:
    """What Kafka's own tool says of a cluster's ACLs."""
    found, about = set(), ("", "", "")
    for line in ask(stack, side, tmp_path, ACLS, "--list").splitlines():
        if resource := _RESOURCE.search(line):
            about = resource[1], resource[2], resource[3]
        elif entry := _ENTRY.search(line):
            found.add(Acl(*about, entry[1], entry[3], entry[4], entry[2]))
    return found


def test_acls_of_every_kind_are_carried_under_the_targets_names(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    connections: None,
    no_others: None,
    topic_prefix: str,
    make_topics: Any,
    tmp_path: Path,
) -> None:
    topic, app = f"{topic_prefix}t", f"{topic_prefix}app"
    make_topics(secure_stack.client_settings("source"), topic)
    make_topics(secure_stack.client_settings("target"), topic)

    def acls(who: str, other: str) -> list[Acl]:
        return [
            *(Acl("TOPIC", topic, "LITERAL", who, operation) for operation in ("WRITE", "READ", "ALL")),
            Acl("TOPIC", f"{topic_prefix}not-copied", "LITERAL", who, "ALTER_CONFIGS", "DENY", "10.9.9.9"),
            Acl("TOPIC", topic_prefix, "PREFIXED", who, "CREATE"),
            Acl("TOPIC", "*", "LITERAL", who, "DESCRIBE"),
            Acl("GROUP", topic_prefix, "PREFIXED", who, "READ"),
            Acl("GROUP", f"{topic_prefix}ü g", "LITERAL", who, "DELETE"),
            Acl("TRANSACTIONAL_ID", topic_prefix, "PREFIXED", who, "WRITE"),
            Acl("TRANSACTIONAL_ID", topic_prefix, "LITERAL", who, "TWO_PHASE_COMMIT"),
            Acl("CLUSTER", "kafka-cluster", "LITERAL", who, "IDEMPOTENT_WRITE"),
            Acl("DELEGATION_TOKEN", "*", "LITERAL", who, "DESCRIBE"),
            Acl("USER", other, "LITERAL", who, "CREATE_TOKENS"),
            Acl("USER", other, "LITERAL", who, "DESCRIBE_TOKENS"),
        ]

    token = Acl("DELEGATION_TOKEN", f"{topic_prefix}id", "LITERAL", f"User:CN={app}-b,O=Corp", "DESCRIBE")
    theirs = Acl("TOPIC", f"{topic_prefix}theirs", "LITERAL", f"User:{app}", "READ")
    admins["source"].create_acls([*acls(f"User:CN={app},O=Corp", f"User:CN={app}-b,O=Corp"), token])
    admins["source"].create_acls([Acl("TOPIC", topic, "LITERAL", f"User:{topic_prefix}gone", "READ")])
    leaver = f"User:{topic_prefix}leaver"
    gone = [
        Acl("TOPIC", topic, "LITERAL", leaver, "WRITE"),
        Acl("TOPIC", topic, "LITERAL", leaver, "READ", "DENY", "10.9.9.9"),
        Acl("USER", f"User:{app}", "LITERAL", leaver, "CREATE_TOKENS"),
        Acl("DELEGATION_TOKEN", "*", "LITERAL", leaver, "DESCRIBE"),
    ]
    # Beside it what deleting by a pattern would hit.
    beside = Acl("TOPIC", topic, "PREFIXED", f"{leaver}-not", "WRITE")
    admins["target"].create_acls([theirs, beside, *gone])
    params = {
        "topics": [topic],
        "groups": [],
        "acls": "copy",
        "acl_scope": "cluster",
        "delete_acls_of": [leaver],
        "principals": {"User:CN=([^,]+),O=Corp": r"User:\1", f"User:{topic_prefix}gone": "", "User:typo": ""},
    }
    before = told_by_kafka(secure_stack, "target", tmp_path)
    run = Run("acls", migration=f"{topic_prefix}m", canary=False, **params)

    plan = run.plan()
    check = copied_acls_check(run.migration, {topic: topic}, [])
    again = copied_acls_check(run.migration, {topic: topic}, [])

    wanted = set(acls(f"User:{app}", f"User:{app}-b"))
    told = told_by_kafka(secure_stack, "target", tmp_path)
    made = told - before
    assert {acl for acl in made if topic_prefix in acl.principal} == wanted
    # The stack's own users are the source's, too.
    assert {acl.principal for acl in made - wanted} <= {"User:ferry"}
    planned = {(change["action"], change["name"]) for change in plan["changes"] if change["kind"] == "acl"}
    assert planned == {("create", str(acl)) for acl in made} | {("delete", str(acl)) for acl in gone}
    assert (check.status, again.status) == (Status.EXPLAINED, Status.EXPLAINED)
    assert before - told == set(gone), "nothing else is taken away"
    left, *extra = check.differences
    assert {f"only on the target, and kept: {acl}" for acl in (theirs, beside)} <= set(extra)
    assert not [text for text in extra if "User:ferry" in text], "our own user needs what it has"
    assert left.startswith(f"not copied: {token}".replace(f"CN={app}-b,O=Corp", f"{app}-b"))
    assert "one made on the target has an id of its own" in left
    (typo,) = [one for one in plan["findings"] if one["code"] == "principals"]
    assert typo["subject"] == "expression User:typo"


def test_a_client_may_do_on_the_target_what_it_may_on_the_source(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    connections: None,
    no_others: None,
    topic_prefix: str,
    make_topics: Any,
) -> None:
    topic, user = f"{topic_prefix}t", f"{topic_prefix}app"
    for side in SIDES:
        make_topics(secure_stack.client_settings(side), topic)
        client = AdminClient(secure_stack.client_settings(side))
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        for future in client.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(user, scram, b"pass-word")]
        ).values():
            future.result(timeout=30)
    admins["source"].create_acls([Acl("TOPIC", topic_prefix, "PREFIXED", f"User:{user}", "WRITE")])
    params = {"topics": [topic], "groups": [], "acls": "copy"}

    def write() -> int:
        errors: list[KafkaError | None] = []
        login = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": "pass-word"}
        producer = Producer({**secure_stack.client_settings("target"), **login})
        producer.produce(topic, value=b"v", on_delivery=lambda error, _: errors.append(error))
        producer.flush(20)
        return errors[0].code() if errors[0] else 0

    # As MirrorMaker 2 would: no prefix, and nobody may write.
    topics_only = Migration("acls", MigrationSpec.from_params(params))
    assert copied_acls_check(topics_only, {topic: topic}, []).status is Status.EXPLAINED
    assert write() == KafkaError.TOPIC_AUTHORIZATION_FAILED

    whole = Migration("acls", MigrationSpec.from_params({**params, "acl_scope": "cluster"}))
    assert acls_check(whole, {topic: topic}).status is Status.FAIL
    made = copied_acls_check(whole, {topic: topic}, [])
    assert made.status is Status.EXPLAINED
    assert all(text.startswith("only on the target, and kept: ") for text in made.differences)
    deadline = time.monotonic() + 10
    while (code := write()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert code == 0
