"""Secured clusters: SASL users, ACLs and secrets, on real Kafka with an authorizer. The DAG's own tasks, in order."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
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

from group_offsets import commit
from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Status
from kafka_ferry.core.finding import Finding
from kafka_ferry.exceptions import BadConnection, BadParam, NotAuthorized
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_connect import MirrorMaker2OnConnect
from kafka_ferry.jobs.migration.live.acls import acls_check, copy_acls
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.permissions import Permissions
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from run_by_hand import Run
from stack import Stack, security

pytestmark = pytest.mark.integration

SIDES = ("source", "target")


def run_of(**params: Any) -> Run:
    return Run("secure", **params)


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in report["checks"] if entry["name"] == name)


@pytest.fixture
def admins(secure_stack: Stack) -> dict[str, KafkaAdmin]:
    return {side: KafkaAdmin(secure_stack.client_settings(side), f"{side} as admin") for side in SIDES}


@pytest.fixture
def connections(secure_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Set the stack's own connections (user ``ferry``); ``connections(kafka_source={...})`` changes an extra."""
    values = secure_stack.variables()
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    for name, value in values.items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)

    def change(**extras: dict[str, Any]) -> None:
        for name, extra in extras.items():
            variable = f"AIRFLOW_CONN_{name.upper()}"
            fields = json.loads(values[variable])
            monkeypatch.setenv(variable, json.dumps(fields | {"extra": {**fields.get("extra", {}), **extra}}))

    return change


def least_rights(topics: str, groups: str, migration: str, user: str) -> dict[str, list[Acl]]:
    """The table of docs/security.md, for topics and groups by their prefixes."""

    def acls(resource: str, name: str, pattern: str, *operations: str) -> list[Acl]:
        return [Acl(resource, name, pattern, user, operation) for operation in operations]

    def cluster(*operations: str) -> list[Acl]:
        return acls("CLUSTER", "kafka-cluster", "LITERAL", *operations)

    mine = ("CREATE", "WRITE", "READ", "DESCRIBE_CONFIGS", "DELETE")
    own = (f"mm2-offset-syncs.{migration}.internal", f"{migration}.checkpoints.internal")
    return {
        "source": [
            *acls("TOPIC", topics, "PREFIXED", "READ", "DESCRIBE_CONFIGS"),
            *acls("GROUP", groups, "PREFIXED", "DESCRIBE"),
            *cluster("DESCRIBE", "DESCRIBE_CONFIGS"),
        ],
        "target": [
            *acls("TOPIC", topics, "PREFIXED", "CREATE", "WRITE", "READ", "ALTER", "ALTER_CONFIGS"),
            *(acl for name in own for acl in acls("TOPIC", name, "LITERAL", *mine)),
            *acls("GROUP", groups, "PREFIXED", "READ"),
            *cluster("DESCRIBE", "DESCRIBE_CONFIGS", "ALTER"),
        ],
    }


@pytest.fixture
def least(
    secure_stack: Stack, admins: dict[str, KafkaAdmin], connections: Callable[..., None], topic_prefix: str
) -> Iterator[Callable[..., str]]:
    """``least(topics, groups, migration) -> principal``: connections of a user with exactly the documented rights."""
    name, password = f"{topic_prefix}user", f"{topic_prefix}pässword'\"\\${{file:x:y}}"
    principal = f"User:{name}"
    clients = {side: AdminClient(secure_stack.client_settings(side)) for side in SIDES}

    def make(topics: str, groups: str, migration: str) -> str:
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        extra = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": name, "sasl.password": password}
        for side, acls in least_rights(topics, groups, migration, principal).items():
            user = UserScramCredentialUpsertion(name, scram, password.encode())
            for future in clients[side].alter_user_scram_credentials([user]).values():
                future.result(timeout=30)
            admins[side].create_acls(acls)
        # The connectors get the password itself: the way of those who have no ConfigProvider.
        connections(kafka_source=extra, kafka_target=extra, kafka_connect={"config_provider": {}})
        return principal

    yield make
    every = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, principal, None, AclOperation.ANY, AclPermissionType.ANY
    )
    for client in clients.values():
        for future in client.delete_acls([every]).values():
            future.result(timeout=30)


def deny(admin: KafkaAdmin, principal: str, topic: str, operation: str) -> None:
    admin.create_acls([Acl("TOPIC", topic, "LITERAL", principal, operation, "DENY")])


# --- the seed's case --------------------------------------------------------------------------------------------------


def test_projects_migrate_with_the_least_rights_and_their_acls(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    least: Callable[..., str],
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
) -> None:
    topics, migration = ["projects.alpha", "projects.beta"], f"{topic_prefix}seed"
    source = secure_stack.client_settings("source")
    make_topics(source, *topics, partitions=2)
    make_topics(source, f"{topic_prefix}other")
    for topic in topics:
        produce(source, topic, 300)
    commit(source, "projects-billing", {("projects.alpha", 0): 20})
    app = f"User:{topic_prefix}app"
    admins["source"].create_acls(Acl("TOPIC", "projects.alpha", "LITERAL", app, op) for op in ("READ", "WRITE"))
    # Frozen for the switch, as far as its reader may be denied: what comes too early stops the copy.
    frozen = [Acl("TOPIC", "projects.alpha", "LITERAL", "User:*", op, "DENY") for op in ("WRITE", "ALTER_CONFIGS")]
    admins["source"].create_acls(frozen)
    least("projects.", "projects-", migration)

    plan, report = run_of(topics=["projects.*"], groups=["projects-.*"], migration=migration, acls="copy").whole()

    assert report["verdict"] == "PASS", report
    assert [line["source"] for line in report["topics"]] == topics
    assert {line["source"]: line["target"] for line in report["topics"]} == {name: name for name in topics}
    assert sum(line["target_records"] for line in report["topics"]) == 600
    assert [(line["group"], line["status"]) for line in report["groups"]] == [("projects-billing", "pass")]
    read, write = (Acl("TOPIC", "projects.alpha", "LITERAL", app, op) for op in ("READ", "WRITE"))
    assert str(read) in [change["name"] for change in plan["changes"] if change["kind"] == "acl"]
    there = admins["target"].acls() or []
    assert read in there
    assert write not in there
    assert set(frozen) <= set(there)
    acls = check(report, "acls")
    assert acls["status"] == "explained"
    assert [text for text in acls["differences"] if str(write) in text and "cutover" in text]
    canary = check(report, "new_topics")
    assert canary["status"] == "skipped"
    assert "kafka_source: not allowed to delete topic 'ferry-canary-" in canary["detail"]


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_password_is_seen_anywhere(
    secure_stack: Stack,
    connections: Callable[..., None],
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    topic, source = f"{topic_prefix}t", secure_stack.client_settings("source")
    make_topics(source, topic)
    produce(source, topic, 50)
    commit(source, f"{topic_prefix}g", {(topic, 0): 10})
    state = secure_stack.broker("source").state
    passwords = {security.password(state, side, user) for side, users in security.USERS.items() for user in users}
    run = run_of(topics=[topic], groups=[f"{topic_prefix}g"], migration=f"{topic_prefix}secrets")
    connectors: dict[str, str] = {}

    def look() -> None:
        for name in MirrorMaker2OnConnect(run.migration).mirror.wanted:
            connectors[name] = json.dumps(ConnectHook("kafka_connect").config(name))

    with caplog.at_level(logging.DEBUG):
        _, report = run.whole(meanwhile=look)

    artifacts = {path.name: path.read_text() for path in (tmp_path / "artifacts").rglob("*") if path.is_file()}
    seen = {**artifacts, **connectors, "log": caplog.text, "stdout": "".join(capfd.readouterr()), "xcom": str(run.seen)}
    assert report["verdict"] == "PASS"
    assert check(report, "new_topics")["status"] == check(report, "new_records")["status"] == "pass"
    # What is searched really holds what a run leaves.
    assert {"plan.json", "report.json", "progress.jsonl"} <= artifacts.keys()
    assert len(connectors) == 2
    assert all("${file:" in config for config in connectors.values())
    assert topic in seen["log"] + seen["stdout"]
    assert run.migration.source.extra["sasl.password"] in passwords
    assert [place for place, text in seen.items() if any(password in text for password in passwords)] == []


def test_a_wrong_password_is_refused_by_the_plan_at_once(connections: Callable[..., None]) -> None:
    connections(kafka_source={"sasl.password": "not-the-pass-word"})
    begun = time.monotonic()

    with pytest.raises(AirflowFailException) as caught:
        run_of(topics=["projects.*"], migration="wrong").plan()

    assert time.monotonic() - begun < 15
    assert isinstance(caught.value.__cause__, BadConnection)
    assert "'kafka_source'" in str(caught.value)
    assert "uthentication" in str(caught.value)
    assert "not-the-pass-word" not in str(caught.value)


def test_a_wrong_secret_on_the_worker_alone_fails_the_wait_and_leaves_nothing(
    secure_stack: Stack, connections: Callable[..., None], topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, source = f"{topic_prefix}t", secure_stack.client_settings("source")
    make_topics(source, topic)
    produce(source, topic, 5)
    secret = secure_stack.worker.secrets / f"{topic_prefix}wrong.properties"
    secret.write_text("password=not-the-pass-word\n")
    references = json.loads(secure_stack.variables()["AIRFLOW_CONN_KAFKA_CONNECT"])["extra"]["config_provider"]
    wrong = {"kafka_source": {"sasl.password": f"${{file:{secret}:password}}"}}
    connections(kafka_connect={"config_provider": references | wrong})
    run = run_of(topics=[topic], groups=[], migration=f"{topic_prefix}w", running_timeout=8, canary=False)
    run.plan()
    run.provision()
    begun = time.monotonic()

    try:
        run.deploy()
        with pytest.raises(AirflowFailException, match="RUNNING with no tasks is not running") as caught:
            run.wait_until_running()
    finally:
        run.remove()

    assert time.monotonic() - begun < 60
    assert "not-the-pass-word" not in str(caught.value)
    assert run.leftovers() == []


# --- rights -----------------------------------------------------------------------------------------------------------


def until_seen(look: Callable[[], list[Finding]]) -> list[Finding]:
    """An ACL takes a moment to reach the broker."""
    deadline = time.monotonic() + 10
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_the_documented_rights_are_enough_for_the_preflight(
    secure_stack: Stack,
    least: Callable[..., str],
    connections: Callable[..., None],
    topic_prefix: str,
    make_topics: Any,
) -> None:
    topic, group, name = f"{topic_prefix}t", f"{topic_prefix}g", f"{topic_prefix}m"
    make_topics(secure_stack.client_settings("source"), topic)
    commit(secure_stack.client_settings("source"), group, {(topic, 0): 0})
    params = {"topics": [topic], "groups": [group], "migration": name}

    # The stack's own user may make canaries, too.
    own = Permissions(Migration("secure", MigrationSpec.from_params(params)))
    admin = {side: secure_stack.client_settings(side) for side in SIDES}
    assert own.findings() + own.findings_for([], [group]) == []

    least(topic_prefix, topic_prefix, name)
    without = Permissions(Migration("secure", MigrationSpec.from_params({**params, "canary": False, "acls": "copy"})))
    assert until_none(without) == []
    assert without.findings_for([], [group]) == []

    connections(kafka_source=admin["source"], kafka_target=admin["target"])  # super users
    assert Permissions(Migration("secure", MigrationSpec.from_params(params))).findings() == []


def until_none(permissions: Permissions) -> list[Finding]:
    deadline = time.monotonic() + 10
    while (found := permissions.findings()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


@pytest.mark.parametrize(
    "side, resource, name, operation, severity",
    [
        ("source", "TOPIC", "{t}", "READ", "refuse"),
        ("source", "TOPIC", "{t}", "DESCRIBE_CONFIGS", "refuse"),
        ("source", "GROUP", "{g}", "DESCRIBE", "refuse"),
        ("source", "CLUSTER", "kafka-cluster", "DESCRIBE_CONFIGS", "refuse"),
        ("source", "CLUSTER", "kafka-cluster", "DESCRIBE", "warn"),
        ("target", "CLUSTER", "kafka-cluster", "DESCRIBE_CONFIGS", "refuse"),
        ("target", "TOPIC", "{t}", "CREATE", "refuse"),
        ("target", "TOPIC", "{t}", "WRITE", "refuse"),  # not there yet: known from the ACLs
        ("target", "TOPIC", "{t}", "READ", "refuse"),
        ("target", "TOPIC", "{t}", "DESCRIBE_CONFIGS", "refuse"),
        ("target", "TOPIC", "{there}", "WRITE", "refuse"),  # there: the broker tells
        ("target", "TOPIC", "mm2-offset-syncs.{m}.internal", "CREATE", "refuse"),
        ("target", "TOPIC", "{m}.checkpoints.internal", "DELETE", "refuse"),
    ],
)
def test_each_missing_right_is_named_with_its_cure_before_anything_changes(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    least: Callable[..., str],
    topic_prefix: str,
    make_topics: Any,
    side: str,
    resource: str,
    name: str,
    operation: str,
    severity: str,
) -> None:
    names = {key: f"{topic_prefix}{key}" for key in ("t", "there", "g", "m")}
    make_topics(secure_stack.client_settings("source"), names["t"], names["there"])
    make_topics(secure_stack.client_settings("target"), names["there"])
    commit(secure_stack.client_settings("source"), names["g"], {(names["t"], 0): 0})
    principal = least(topic_prefix, topic_prefix, names["m"])
    acl = Acl(resource, name.format(**names), "LITERAL", principal, operation, "DENY")
    params = {"topics": [names["t"], names["there"]], "groups": [names["g"]], "migration": names["m"], "canary": False}
    permissions = Permissions(Migration("secure", MigrationSpec.from_params(params)))
    assert until_none(permissions) == []
    before = admins["target"].topic_names()
    admins[side].create_acls([acl])

    found = until_seen(permissions.findings)

    finding = next(item for item in found if item.severity == severity)
    what = "the cluster" if resource == "CLUSTER" else f"{resource.lower()} {acl.name}"
    assert (finding.subject, finding.param) == (f"{what} on kafka_{side}", f"{side}_conn_id")
    assert f"{principal} lacks {operation}" in finding.what
    assert f"{principal} --operation {operation}" in finding.fix
    # Nothing else is refused, but what nobody may know without the right to see ACLs is said.
    assert {item.severity for item in found if item != finding} <= {"advise"}
    assert admins["target"].topic_names() == before


def test_rights_for_what_a_run_changes_are_looked_at_when_it_does(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    least: Callable[..., str],
    topic_prefix: str,
    make_topics: Any,
) -> None:
    topic, group, name = f"{topic_prefix}t", f"{topic_prefix}g", f"{topic_prefix}m"
    make_topics(secure_stack.client_settings("source"), topic, partitions=2, config={"compression.type": "lz4"})
    make_topics(secure_stack.client_settings("target"), topic, partitions=1)
    commit(secure_stack.client_settings("source"), group, {(topic, 0): 0})
    principal = least(topic_prefix, topic_prefix, name)
    admins["target"].create_acls(
        [
            *(Acl("TOPIC", topic, "LITERAL", principal, op, "DENY") for op in ("ALTER", "ALTER_CONFIGS")),
            Acl("GROUP", group, "LITERAL", principal, "READ", "DENY"),
        ]
    )
    run = run_of(topics=[topic], groups=[group], migration=name, canary=False)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with pytest.raises(AirflowFailException) as caught:
            run.plan()
        if all(word in str(caught.value) for word in (f"group {group}", "ALTER_CONFIGS")):
            break

    assert "param 'target_conn_id'" in str(caught.value)
    assert f"group {group} on kafka_target: {principal} lacks READ, to commit its offsets" in str(caught.value)
    assert f"topic {topic} on kafka_target: {principal} lacks ALTER, to grow it to 2 partitions" in str(caught.value)
    assert "ALTER_CONFIGS, to set compression.type" in str(caught.value)
    assert admins["target"].topics([topic])[topic].partitions == 1
    assert run.leftovers() == []


def test_a_topic_that_cannot_be_seen_is_no_topic_that_is_not_there(
    secure_stack: Stack,
    least: Callable[..., str],
    topic_prefix: str,
    make_topics: Any,
) -> None:
    seen, hidden = f"{topic_prefix}seen", f"hidden-{topic_prefix}"
    make_topics(secure_stack.client_settings("source"), seen, hidden)
    principal = least(topic_prefix, topic_prefix, f"{topic_prefix}m")

    def findings(*topics: str) -> list[tuple[str, str]]:
        params = {"topics": [*topics], "groups": [], "migration": f"{topic_prefix}m", "canary": False}
        found = Permissions(Migration("secure", MigrationSpec.from_params(params))).findings()
        assert all(f"{principal} lacks DESCRIBE" in item.what for item in found)
        return [(str(item.severity), item.subject) for item in found]

    assert findings(hidden) == [("refuse", f"topic {hidden} on kafka_source")]
    assert findings(seen, hidden) == [("warn", f"topic {hidden} on kafka_source")]
    assert findings(seen, f"{topic_prefix}absent") == []  # our user would see it


def test_no_right_to_create_a_topic_stops_the_plan_and_provisioning_before_anything_runs(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    least: Callable[..., str],
    topic_prefix: str,
    make_topics: Any,
) -> None:
    topic = f"{topic_prefix}t"
    make_topics(secure_stack.client_settings("source"), topic)
    principal = least(topic_prefix, topic_prefix, f"{topic_prefix}m")
    run = run_of(topics=[topic], groups=[], migration=f"{topic_prefix}m", canary=False)
    run.plan()
    deny(admins["target"], principal, topic, "CREATE")  # between the plan and the work

    with pytest.raises(AirflowFailException, match=f"kafka_target: not allowed to create topic '{topic}'") as caught:
        run.provision()
    with pytest.raises(AirflowFailException, match=f"topic {topic} on kafka_target: {principal} lacks CREATE"):
        run.plan()

    assert isinstance(caught.value.__cause__, NotAuthorized)
    assert "Fix: grant CREATE on the topic" in str(caught.value)
    assert run.leftovers() == []


def test_missing_acls_are_named_and_copied_when_asked(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    connections: Callable[..., None],
    topic_prefix: str,
    make_topics: Any,
) -> None:
    topic, group, app = f"{topic_prefix}t", f"{topic_prefix}g", f"User:{topic_prefix}app"
    make_topics(secure_stack.client_settings("source"), topic)
    commit(secure_stack.client_settings("source"), group, {(topic, 0): 0})
    mine = [
        Acl("TOPIC", topic, "LITERAL", app, "ALL"),
        Acl("TOPIC", topic, "LITERAL", "User:*", "READ", "DENY", "10.9.9.9"),
        Acl("TOPIC", topic_prefix, "PREFIXED", app, "READ"),
        Acl("GROUP", group, "LITERAL", app, "READ"),
    ]
    admins["source"].create_acls(mine)
    migration = Migration("secure", MigrationSpec.from_params({"topics": [topic], "groups": [group]}))

    before = acls_check(migration, {topic: topic})
    copy_acls(migration, {topic: topic})
    copy_acls(migration, {topic: topic})  # a retry
    after = acls_check(migration, {topic: topic})

    assert before.status is Status.FAIL
    assert (before.expected, before.actual) == ("2 ACLs on topics", "0 there")
    there = [acl for acl in admins["target"].acls() or [] if topic_prefix in acl.name]
    assert sorted(there) == sorted([Acl("TOPIC", topic, "LITERAL", app, "READ"), mine[1]])
    assert after.status is Status.EXPLAINED
    told = "\n".join(after.differences)
    for acl in (mine[0], mine[2], mine[3]):
        assert str(acl) in told
        assert acl.command() in told


def test_without_the_right_to_see_acls_the_check_is_skipped_and_says_so(
    secure_stack: Stack,
    admins: dict[str, KafkaAdmin],
    least: Callable[..., str],
    topic_prefix: str,
    make_topics: Any,
) -> None:
    make_topics(secure_stack.client_settings("source"), f"{topic_prefix}t")
    principal = least(topic_prefix, topic_prefix, "m")
    admins["source"].create_acls([Acl("CLUSTER", "kafka-cluster", "LITERAL", principal, "DESCRIBE", "DENY")])
    migration = Migration("secure", MigrationSpec.from_params({"topics": [f"{topic_prefix}t"], "groups": []}))
    deadline = time.monotonic() + 10

    found = acls_check(migration, migration.topics.targets(migration.spec))
    while found.status is Status.PASS and time.monotonic() < deadline:  # an ACL takes a moment to reach the broker
        found = acls_check(migration, migration.topics.targets(migration.spec))

    assert found.status is Status.SKIPPED
    assert "kafka_source: not allowed to read the ACLs" in found.detail
    assert "grant DESCRIBE on the cluster" in found.detail


def test_clusters_without_authorizer_have_no_acls(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str, make_topics: Any
) -> None:
    for name, value in stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    topic = f"{topic_prefix}t"
    make_topics(stack.source_bootstrap, topic)
    migration = Migration("secure", MigrationSpec.from_params({"topics": [topic]}))

    found = acls_check(migration, {topic: topic})
    with pytest.raises(AirflowFailException) as caught:
        run_of(topics=[topic], migration=f"{topic_prefix}m", acls="copy").plan()

    assert (found.status, found.detail) == (Status.SKIPPED, "kafka_source: SECURITY_DISABLED: no authorizer")
    assert isinstance(caught.value.__cause__, BadParam)
    assert "param 'acls'" in str(caught.value)
