"""SCRAM users on real clusters: listed, made with new passwords that nobody sees, and able to log in."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from kafka_ferry.core.checks import Status
from kafka_ferry.core.scram_users import ScramUser
from kafka_ferry.exceptions import BadConnection, FerryError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.scram_users import KafkaScramUsers
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.scram_users import scram_users_check
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from run_by_hand import Run
from stack import Stack

pytestmark = pytest.mark.integration

SIDES = ("source", "target")
MECHANISMS = {"SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256, "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512}


@pytest.fixture
def clusters(secure_stack: Stack, topic_prefix: str) -> Iterator[dict[str, KafkaScramUsers]]:
    """Both clusters, asked as their admin; users of the test are deleted at its end."""
    found = {side: KafkaScramUsers(secure_stack.client_settings(side), f"{side} as admin") for side in SIDES}
    yield found
    for side, cluster in found.items():
        client = AdminClient(secure_stack.client_settings(side))
        for user in cluster.users():
            if user.name.startswith(topic_prefix):
                gone = UserScramCredentialDeletion(user.name, MECHANISMS[user.mechanism])
                for future in client.alter_user_scram_credentials([gone]).values():
                    future.result(timeout=30)


@pytest.fixture
def connections(secure_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    for name, value in secure_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)


def make(stack: Stack, side: str, *users: ScramUser) -> None:
    client = AdminClient(stack.client_settings(side))
    for user in users:
        info = ScramCredentialInfo(MECHANISMS[user.mechanism], user.iterations)
        wanted = UserScramCredentialUpsertion(user.name, info, b"the old pass-word")
        for future in client.alter_user_scram_credentials([wanted]).values():
            future.result(timeout=30)


def may_log_in(stack: Stack, side: str, user: str, password: str) -> bool:
    """A broker may know a user a moment after its controller."""
    login = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": password}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            return bool(KafkaAdmin({**stack.client_settings(side), **login}, side).topic_names() is not None)
        except BadConnection:
            time.sleep(0.5)
    return False


def test_users_are_made_with_new_passwords_and_these_are_seen_nowhere(
    secure_stack: Stack,
    clusters: dict[str, KafkaScramUsers],
    connections: None,
    monkeypatch: pytest.MonkeyPatch,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    topic, app, there, bare = (f"{topic_prefix}{name}" for name in ("t", "app", "there", "bare"))
    make_topics(secure_stack.client_settings("source"), topic)
    produce(secure_stack.client_settings("source"), topic, 20)
    old = f"{topic_prefix}CN=app"
    users = [
        ScramUser(old, "SCRAM-SHA-512", 8192), ScramUser(old, "SCRAM-SHA-256", 4097),
        ScramUser(there, "SCRAM-SHA-512", 4096), ScramUser(bare, "SCRAM-SHA-512", 4096),
    ]  # fmt: skip
    make(secure_stack, "source", *users)
    make(secure_stack, "target", users[2])
    passwords = {app: "a-new-pass-wörd'\"\\{}", there: "must-not-be-set", f"{topic_prefix}typo": "of-no-use-1"}
    held = {"conn_type": "generic", "password": json.dumps(passwords)}
    monkeypatch.setenv("AIRFLOW_CONN_NEW_USERS", json.dumps(held))
    run = Run(
        "users", topics=[topic], groups=[], migration=f"{topic_prefix}m", canary=False, scram_users="create",
        scram_conn_id="new_users", principals={f"User:{topic_prefix}CN=(.*)": f"User:{topic_prefix}\\1"},
    )  # fmt: skip

    with caplog.at_level(logging.DEBUG):
        plan, report = run.whole()

    check = next(one for one in report["checks"] if one["name"] == "scram_users")
    assert report["verdict"] == "PASS", report
    assert check["status"] == "explained"
    mine = [text for text in check["differences"] if topic_prefix in text]
    assert [text.partition(". Fix")[0] for text in mine] == [f"missing on the target: {bare} (SCRAM-SHA-512)"]
    planned = [one["name"] for one in plan["changes"] if one["kind"] == "SCRAM user"]
    assert planned == [f"{app} (SCRAM-SHA-256)", f"{app} (SCRAM-SHA-512)"]
    assert [one["subject"] for one in plan["findings"] if one["code"] == "scram_users"] == [f"user {topic_prefix}typo"]
    made = [user for user in clusters["target"].users() if user.name.startswith(topic_prefix)]
    assert made == [
        ScramUser(app, "SCRAM-SHA-256", 4097), ScramUser(app, "SCRAM-SHA-512", 8192), users[2],
    ]  # fmt: skip
    # What counts: they can log in with what was given, and who was there with what it had.
    assert may_log_in(secure_stack, "target", app, passwords[app])
    assert may_log_in(secure_stack, "target", there, "the old pass-word")
    artifacts = {path.name: path.read_text() for path in (tmp_path / "artifacts").rglob("*") if path.is_file()}
    seen = {**artifacts, "log": caplog.text, "stdout": "".join(capfd.readouterr()), "xcom": str(run.seen)}
    assert {"plan.json", "report.json", "report.html"} <= artifacts.keys()
    assert f"made the SCRAM user {app}" in seen["log"] + seen["stdout"], "the log is searched that tells of it"
    spellings = {text for one in passwords.values() for text in (one, json.dumps(one)[1:-1], repr(one)[1:-1])}
    assert [place for place, text in seen.items() if any(one in text for one in spellings)] == []


def test_who_is_missing_is_named_and_nobody_is_made_unasked(
    secure_stack: Stack, clusters: dict[str, KafkaScramUsers], connections: None, topic_prefix: str
) -> None:
    user = ScramUser(f"{topic_prefix}app", "SCRAM-SHA-512", 4096)
    make(secure_stack, "source", user)

    check = scram_users_check(Migration("users", MigrationSpec.from_params({"topics": ["t"]})), [], only_compare=False)

    assert check.status is Status.EXPLAINED
    (line,) = [text for text in check.differences if topic_prefix in text]
    assert line.startswith(
        f"missing on the target: {user}. Fix: scram_users=create with its password, or kafka-configs"
    )
    assert not [one for one in clusters["target"].users() if one.name.startswith(topic_prefix)]


def test_what_a_broker_does_not_take_is_an_error_without_the_password(
    clusters: dict[str, KafkaScramUsers], topic_prefix: str
) -> None:
    few = ScramUser(f"{topic_prefix}few", "SCRAM-SHA-512", 5)
    with pytest.raises(FerryError) as caught:
        clusters["target"].make({few: "hunter2-hunter2"})
    assert f"make the SCRAM user '{few.name}'" in str(caught.value)
    assert "hunter2" not in str(caught.value)
