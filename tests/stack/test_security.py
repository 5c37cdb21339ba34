"""Users, rights and settings of a secured stack, without starting one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from stack import security
from stack.broker import Broker
from stack.state import State
from stack.worker import Worker


@pytest.fixture
def state(tmp_path) -> State:
    state = State(tmp_path / "state.json")
    names = ("source", "source-controller", "target", "target-controller", "worker")
    state.ports = {name: 20000 + i for i, name in enumerate(names)}
    state.secure = True
    return state


def properties(text: str) -> dict[str, str]:
    """As Java reads them: the last line with a key counts."""
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def only_file(files) -> dict[str, str]:
    (text,) = files.values()
    return properties(text)


def test_no_listener_of_a_secured_broker_is_open(tmp_path, state):
    settings = only_file(Broker("target", tmp_path, state, "java", Path("/jars")).files())

    protocols = [entry.split(":")[1] for entry in settings["listener.security.protocol.map"].split(",")]
    assert set(protocols) == {"SASL_PLAINTEXT"}
    assert "PLAINTEXT://" not in settings["listeners"].replace("SASL_PLAINTEXT://", "")
    assert settings["sasl.enabled.mechanisms"] == "PLAIN,SCRAM-SHA-512"
    assert settings["authorizer.class.name"].endswith(".StandardAuthorizer")
    assert settings["super.users"] == "User:admin"
    assert "allow.everyone.if.no.acl.found" not in settings


def test_the_worker_cannot_be_asked_for_its_own_password(tmp_path, state):
    worker = Worker(tmp_path, state, "java", Path("/jars"), Broker("target", tmp_path, state, "java", Path("/jars")))
    own = security.password(state, "target", security.CONNECT)

    readable = {path: text for path, text in worker.files().items() if path.is_relative_to(worker.secrets)}

    assert sorted(path.name for path in readable) == ["source.properties", "target.properties"]
    assert not [path for path, text in readable.items() if own in text]
    assert own in worker.files()[tmp_path / "config" / "worker.properties"]


def test_every_user_of_every_cluster_has_a_password_of_its_own_that_stays(tmp_path, state):
    def passwords(of: State) -> list[str]:
        return [security.password(of, cluster, user) for cluster, users in security.USERS.items() for user in users]

    first = passwords(state)
    state.save()

    assert len(set(first)) == len(first)
    assert passwords(State(tmp_path / "state.json")) == first
    assert State(tmp_path / "state.json").secure


def test_files_with_passwords_are_for_their_owner_only(tmp_path, state, monkeypatch):
    broker = Broker("source", tmp_path, state, "java", Path("/jars"))
    monkeypatch.setattr(broker, "prepare", lambda: None)
    monkeypatch.setattr(broker, "command", lambda: ["true"])

    broker.start()

    (file,) = broker.files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nobody_but_the_admin_may_do_everything():
    operations = {
        operation for grants in security.GRANTS.values() for grant in grants for operation in grant.operations
    }

    assert "ALL" not in operations
    assert not [grant for grants in security.GRANTS.values() for grant in grants if grant.user == security.ADMIN]
