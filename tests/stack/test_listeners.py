"""Listeners of TLS, mTLS and OAuth, and racks: settings and certificates, without starting anything."""

from __future__ import annotations

import json
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from stack import Stack, StackError, env, listeners, security, tokens
from stack.broker import Broker
from stack.certificates import Certificates
from stack.cluster import Cluster, Kind
from stack.state import State
from stack.worker import Worker


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state.json")
    names = [f"{name}{more}" for name in ("source", "target") for more in ("", "-controller", "-internal")]
    state.ports = {name: 20000 + number for number, name in enumerate([*names, "worker", "s3", "tokens"])}
    return state


def properties(text: str) -> dict[str, str]:
    """As Java reads them: the last line with a key counts."""
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def settings_of(state: State, folder: Path, kind: str = "", number: int = 1) -> dict[str, str]:
    (text,) = Broker("source", folder, state, "java", Path("/jars"), Kind.parse(kind), number).files().values()
    return properties(text)


@pytest.mark.parametrize("listener", listeners.KINDS)
def test_no_listener_is_without_tls(tmp_path: Path, state: State, listener: str) -> None:
    state.listener = listener
    settings = settings_of(state, tmp_path)
    protocols = dict(entry.split(":") for entry in settings["listener.security.protocol.map"].split(","))
    assert protocols == {
        "CLIENT": "SASL_SSL" if listener == "oauth" else "SSL",
        "BROKER": "SSL",
        "CONTROLLER": "SSL",
    }
    assert {entry.split(":")[0] for entry in settings["listeners"].split(",")} == protocols.keys()
    assert settings["listener.name.client.ssl.client.auth"] == ("required" if listener == "mtls" else "none")
    for inner in ("broker", "controller"):
        assert settings[f"listener.name.{inner}.ssl.client.auth"] == "required"
    assert ("authorizer.class.name" in settings) == (listener != "tls")
    assert "allow.everyone.if.no.acl.found" not in settings


@pytest.mark.parametrize("listener", listeners.KINDS)
def test_connections_and_worker_speak_as_the_brokers_do(tmp_path: Path, state: State, listener: str) -> None:
    state.listener = listener
    listeners.make_certificates(state)
    values = env.variables(tmp_path, tmp_path, state, airflow=False, java="java")
    source, target, connect = (
        json.loads(values[f"AIRFLOW_CONN_KAFKA_{name}"]) for name in ("SOURCE", "TARGET", "CONNECT")
    )
    assert connect["schema"] == "https" and values["FERRY_CONNECT_URL"].startswith("https://")
    assert Path(connect["extra"]["verify"]).read_text() == Certificates(state).ca.read_text()
    protocol = "SASL_SSL" if listener == "oauth" else "SSL"
    assert {source["extra"]["security.protocol"], target["extra"]["security.protocol"]} == {protocol}
    broker = Broker("target", tmp_path, state, "java", Path("/jars"))
    files = Worker(tmp_path, state, "java", Path("/jars"), broker).files()
    worker = properties(files[tmp_path / "config" / "worker.properties"])
    assert worker["listeners"].startswith("https://") and worker["security.protocol"] == protocol
    # What connectors read is theirs, not the worker's own login.
    own = {"tls": {}, "mtls": {"source.properties"}, "oauth": {"source.properties", "target.properties"}}[listener]
    secrets = {path.name: text for path, text in files.items() if path.parent.name == "connect-secrets"}
    assert secrets.keys() == set(own)
    assert not [text for text in secrets.values() if tokens.users(state)["connect"] in text]


def test_users_of_certificates_have_the_documented_rights(state: State) -> None:
    assert listeners.principal("mtls", security.FERRY) == "CN=ferry,O=Kafka Ferry"
    assert listeners.principal("oauth", security.FERRY) == "ferry"


def test_certificates_are_made_once_and_signed_by_the_stacks_own_authority(tmp_path: Path, state: State) -> None:
    made = Certificates(state)
    made.make(["ferry"])
    before = made.key("ferry").read_text()
    made.make(["ferry", "other"])
    assert made.key("ferry").read_text() == before
    ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
    for name in ("ferry", "other"):
        one = x509.load_pem_x509_certificate(made.certificate(name).read_bytes())
        one.verify_directly_issued_by(ca)
        assert one.subject.rfc4514_string() == f"CN={name},O=Kafka Ferry"
        ssl.create_default_context(cafile=str(made.ca)).load_cert_chain(made.both(name))
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.folder.iterdir()} == {0o600}


def test_what_cannot_be_is_refused(tmp_path: Path, state: State) -> None:
    with pytest.raises(StackError, match="tls, mtls, oauth"):
        listeners.check("ssl", [])
    with pytest.raises(StackError, match=r"needs Kafka 3\.4 or newer, and no 2\.6\.0x2"):
        listeners.check("oauth", [Cluster("source", state, Kind.parse("2.6.0x2"))])
    listeners.check("mtls", [Cluster("source", state, Kind.parse("2.6.0x2"))])
    for more in ({"secure": True}, {"msk": True}, {"advertised": {"source": 1}}):
        with pytest.raises(StackError, match="goes with no other login"):
            Stack(tmp_path, listener="tls", **more)


def test_racks_are_given_in_turn_and_followers_answer(tmp_path: Path, state: State) -> None:
    state.ports |= {f"source-{number}{more}": 21000 + number for number in (2, 3) for more in ("", "-controller")}
    numbers = (1, 2, 3)
    assert [settings_of(state, tmp_path, "x3", number)["broker.rack"] for number in numbers] == [
        "rack-1",
        "rack-2",
        "rack-3",
    ]
    state.racks = ["a", "b"]
    found = [settings_of(state, tmp_path, "x3", number) for number in numbers]
    assert [settings["broker.rack"] for settings in found] == ["a", "b", "a"]
    assert {settings["replica.selector.class"].rpartition(".")[2] for settings in found} == {"RackAwareReplicaSelector"}
