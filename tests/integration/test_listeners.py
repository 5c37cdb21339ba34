"""The product over listeners of TLS, mTLS and OAuth: migrations and backups pass, and no secret is seen anywhere."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import psutil
import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from backup_lab import LOCATION
from dags_by_hand import DagRunByHand
from group_offsets import commit
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_connect import MirrorMaker2OnConnect
from own_stacks import own_stack, use
from run_by_hand import Run
from stack import Stack, tokens
from stack.certificates import Certificates, issue
from stack.listeners import MTLS, OAUTH, TLS
from stack.process import MARK

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(900)]

RECORDS = 400


@pytest.fixture(scope="module", params=[TLS, MTLS, OAUTH])
def secured(request: pytest.FixtureRequest) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        # Gone several times in a run: clients that do not ask for another are a complaint of many.
        patch.setenv("FERRY_TOKEN_SECONDS", "15")
        with own_stack(f"listener-{request.param}", listener=request.param) as stack:
            yield stack


class Witness:
    """Looks for secrets in all that a run leaves and shows."""

    def __init__(self, stack: Stack, folder: Path, extras: list[dict[str, str]]) -> None:
        self.folder, self.command_lines, self.connectors = folder, set[str](), dict[str, str]()
        state = stack.broker("source").state
        keys = {extra["ssl.key.pem"] for extra in extras if "ssl.key.pem" in extra}
        files = {extra["ssl.key.location"] for extra in extras if "ssl.key.location" in extra}
        self.secrets = {Certificates(state).password, *tokens.users(state).values()}
        self.secrets |= {extra["ssl.key.password"] for extra in extras if "ssl.key.password" in extra}
        for text in keys | {Path(file).read_text() for file in files}:
            key = text[text.index("PRIVATE KEY") :]
            self.secrets |= {line for line in key[: key.index("-----END")].splitlines() if len(line) > 40}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Witness:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        """Command lines of all processes of this machine."""
        while not self._over.wait(0.2):
            for process in psutil.process_iter():
                try:
                    self.command_lines.add(" ".join(process.cmdline()))
                except psutil.Error:
                    continue

    def sees(self, **texts: str) -> list[str]:
        """Places where a secret stands."""
        artifacts = {str(path): path.read_text() for path in (self.folder / "artifacts").rglob("*") if path.is_file()}
        assert {"plan.json", "report.json"} <= {Path(name).name for name in artifacts}
        assert any("kafka.Kafka" in line for line in self.command_lines), "it looks at the machine's processes"
        places = {**artifacts, **self.connectors, **texts, "command lines": "\n".join(self.command_lines)}
        return [place for place, text in places.items() if any(secret in text for secret in self.secrets)]


@pytest.fixture
def ready(secured: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stack:
    use(secured, monkeypatch, tmp_path)
    monkeypatch.setenv(MARK, secured.service("source").state.mark("hosts"))
    return secured


@pytest.fixture
def witness(ready: Stack, tmp_path: Path) -> Iterator[Witness]:
    extras = [KafkaClusterHook(f"kafka_{side}").extra for side in ("source", "target")]
    with Witness(ready, tmp_path, extras) as one:
        yield one


@pytest.fixture
def orders(ready: Stack, topic_prefix: str, make_topics: Any, produce: Any) -> str:
    """A topic with records, and a group that has read half of them."""
    topic, source = f"{topic_prefix}orders", ready.client_settings("source")
    make_topics(source, topic, partitions=2)
    produce(source, topic, RECORDS)
    commit(source, f"{topic_prefix}g", {(topic, 0): 20})
    return topic


def names(topic: str) -> dict[str, Any]:
    prefix = topic.removesuffix("orders")
    return {"topics": [topic], "groups": [f"{prefix}g"], "migration": f"{prefix}m"}


def proved(report: dict[str, Any]) -> None:
    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
    assert sum(line["target_records"] for line in report["topics"]) == RECORDS
    made = {check["name"]: check["status"] for check in report["checks"]}
    assert (made["content"], made["group_offsets"]) == ("pass", "pass")


def test_migrations_on_connect(
    ready: Stack, orders: str, witness: Witness, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Run("mirror_maker2_on_connect", **names(orders))

    def look() -> None:
        for name in MirrorMaker2OnConnect(run.migration).mirror.wanted:
            witness.connectors[name] = json.dumps(ConnectHook("kafka_connect").config(name))

    with caplog.at_level(logging.DEBUG):
        _, report = run.whole(meanwhile=look)

    proved(report)
    assert {check["name"]: check["status"] for check in report["checks"]}["new_records"] == "pass"
    assert run.leftovers() == []
    assert len(witness.connectors) == 2
    seen = witness.sees(log=caplog.text, output="".join(capfd.readouterr()), xcom=str(run.seen))
    assert seen == []


def test_migrations_by_a_dedicated_mirror_maker(
    ready: Stack,
    orders: str,
    witness: Witness,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    variables = ready.variables()
    own = {
        "host_folder": str(tmp_path / "hosts"),
        "kafka_libs": variables["FERRY_KAFKA_LIBS"],
        "java": variables["FERRY_JAVA"],
        "jvm_options": "-Xms64m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "running_timeout": 120,
    }
    run, logs = Run("mirror_maker2_dedicated", "mirror_maker2_dedicated", **names(orders), **own), ""

    def look() -> None:
        nonlocal logs
        folder = tmp_path / "hosts"
        logs = "\n".join(path.read_text() for path in folder.rglob("*.log"))
        witness.connectors |= {path.name: path.read_text() for path in folder.rglob("mm2.properties")}

    with caplog.at_level(logging.DEBUG):
        _, report = run.whole(meanwhile=look)

    proved(report)
    assert run.leftovers() == []
    assert "MirrorSourceConnector" in logs
    assert any("kafka.ferry=" in line for line in witness.command_lines)
    assert witness.connectors.keys() == {"mm2.properties"}
    assert witness.sees(log=caplog.text, output="".join(capfd.readouterr()), xcom=str(run.seen), process=logs) == []


def test_backups_and_restores(
    ready: Stack, orders: str, witness: Witness, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    prefix = orders.removesuffix("orders")
    common = {"backup": f"{prefix}b", "location": LOCATION}
    with caplog.at_level(logging.DEBUG):
        made = DagRunByHand("backup_topics", "b", **common, topics=[orders], groups=[f"{prefix}g"]).whole()
        back = DagRunByHand("restore_topics", "r", **common).whole()

    assert (made["verdict"], back["verdict"]) == ("PASS", "PASS"), (made, back)
    assert sum(line["target_records"] for line in back["topics"]) == RECORDS
    assert [line["status"] for line in back["groups"]] == ["pass"]
    assert witness.sees(log=caplog.text, output="".join(capfd.readouterr())) == []


def test_brokers_know_users_by_their_certificates_or_tokens(ready: Stack, orders: str) -> None:
    """Who may not write to the source is named as the broker names him."""
    listener = ready.broker("source").state.listener
    if listener == TLS:
        assert "kafka_source_admin" not in str(ready.variables()), "with TLS alone nobody is known"
        return
    admin = KafkaClusterHook("kafka_source").admin
    who = {MTLS: "User:CN=ferry,O=Kafka Ferry", OAUTH: "User:ferry"}[listener]
    assert who in {acl.principal for acl in admin.acls() or []}
    assert "AUTHORIZATION_FAILED" in str(refusal_of_a_write(ready, orders))


def refusal_of_a_write(stack: Stack, topic: str) -> list[str]:
    errors: list[str] = []
    producer = Producer({**stack.client_settings("source", "ferry"), "log_level": 2})
    producer.produce(topic, b"x", on_delivery=lambda error, _: errors.append(error.name() if error else ""))
    assert producer.flush(30) == 0
    return errors


# --- what is wrong with a connection is said --------------------------------------------------------------------------

Change = Callable[..., None]


@pytest.fixture
def change(ready: Stack, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Of the connection ``kafka_source``: keys of its extra; None takes one away."""

    def changed(**keys: str | None) -> None:
        fields = json.loads(ready.variables()["AIRFLOW_CONN_KAFKA_SOURCE"])
        extra = {**fields["extra"], **{key.replace("__", "."): value for key, value in keys.items()}}
        fields["extra"] = {key: value for key, value in extra.items() if value is not None}
        monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", json.dumps(fields))

    return changed


def refused(topic: str) -> str:
    """What the plan says; soon."""
    begun = time.monotonic()
    with pytest.raises(AirflowFailException) as caught:
        Run("mirror_maker2_on_connect", **names(topic)).plan()
    assert isinstance(caught.value.__cause__, BadConnection), caught.value
    said = str(caught.value)
    print(f"{time.monotonic() - begun:.1f} s: {said}")
    assert time.monotonic() - begun < 20
    assert "'kafka_source'" in said
    return said


def pem(name: str, authority: Any, days: tuple[int, int] = (-1, 10)) -> dict[str, str]:
    key, certificate = issue(name, authority, days)
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "ssl__certificate__pem": certificate.public_bytes(form).decode(),
        "ssl__key__pem": private.decode(),
    }


def authority_of(stack: Stack) -> Any:
    certificates = Certificates(stack.broker("source").state)
    key = serialization.load_pem_private_key((certificates.folder / "ca.key").read_bytes(), None)
    return key, x509.load_pem_x509_certificate(certificates.ca.read_bytes())


def test_a_wrong_ca_is_named_by_the_plan(ready: Stack, orders: str, change: Change, tmp_path: Path) -> None:
    _, certificate = issue("Another authority", None)
    other = tmp_path / "other.pem"
    other.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    change(ssl__ca__location=str(other))
    said = refused(orders)
    assert "certificate verify failed" in said
    assert "Fix: the CA that signed the brokers' certificates belongs into ssl.ca.location or ssl.ca.pem" in said


def test_client_certificates_that_are_not_good_are_named_by_the_plan(ready: Stack, orders: str, change: Change) -> None:
    if ready.broker("source").state.listener != MTLS:
        return  # brokers that ask for none look at none
    change(**pem("ferry", authority_of(ready), (-20, -10)))
    assert "refused: the client certificate CN=ferry,O=Kafka Ferry expired at 2" in refused(orders)
    change(**pem("ferry", (issue("Another authority", None))))
    assert "Fix: the brokers want a client certificate of a CA that their truststore has" in refused(orders)
    change(ssl__certificate__pem=None, ssl__key__pem=None)
    assert "Fix: the brokers want a client certificate of a CA that their truststore has" in refused(orders)


def test_a_key_with_a_passphrase(
    ready: Stack, orders: str, change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the form that Java reads (docs/connections.md); sent to the worker, which has no file of it."""
    if ready.broker("source").state.listener != MTLS:
        return
    phrase, certificates = f"pass-{os.urandom(8).hex()}", Certificates(ready.broker("source").state)
    command = ["openssl", "pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", str(certificates.key("ferry"))]
    made = subprocess.run([*command, "-passout", "env:PHRASE"], env={**os.environ, "PHRASE": phrase}, check=True,
                          capture_output=True, text=True)  # fmt: skip
    change(ssl__key__pem=made.stdout, ssl__key__password=phrase)
    fields = json.loads(ready.variables()["AIRFLOW_CONN_KAFKA_CONNECT"])
    del fields["extra"]["config_provider"]
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_CONNECT", json.dumps(fields))
    extras = [KafkaClusterHook("kafka_source").extra]
    with Witness(ready, tmp_path, extras) as witness:
        run = Run("mirror_maker2_on_connect", **names(orders))
        _, report = run.whole()
        proved(report)
        assert phrase in witness.secrets
        assert witness.sees(xcom=str(run.seen)) == []
        change(ssl__key__pem=made.stdout, ssl__key__password="another")
        with pytest.raises(AirflowFailException, match=r"'kafka_source'.*ssl\.key") as caught:
            Run("mirror_maker2_on_connect", **names(orders)).plan()
        assert phrase not in str(caught.value)


def test_a_worker_whose_certificate_is_not_believed(ready: Stack, orders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and whatever the environment says: REQUESTS_CA_BUNDLE has another CA than the connection names."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    assert ConnectHook("kafka_connect").health()[0]
    fields = json.loads(ready.variables()["AIRFLOW_CONN_KAFKA_CONNECT"])
    del fields["extra"]["verify"]
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_CONNECT", json.dumps(fields))
    begun = time.monotonic()
    with pytest.raises(AirflowFailException, match=r"its certificate is not believed: .*Fix: verify in the connection"):
        Run("mirror_maker2_on_connect", **names(orders)).plan()
    assert time.monotonic() - begun < 20


def test_a_wrong_client_secret_is_named_by_the_plan(ready: Stack, orders: str, change: Change) -> None:
    if ready.broker("source").state.listener != OAUTH:
        return
    change(sasl__oauthbearer__client__secret="not-the-secret")
    said = refused(orders)
    assert "invalid_client" in said
    assert "Fix: the token endpoint knows no such client or another secret" in said
    assert "not-the-secret" not in said
    change(https__ca__location=None)
    assert "Fix: https.ca.location must be the CA of the token endpoint's certificate" in refused(orders)


# --- racks ------------------------------------------------------------------------------------------------------------


def test_a_follower_of_ones_own_rack_answers(topic_prefix: str) -> None:
    topic = f"{topic_prefix}near"
    with own_stack("racks", source="x3", racks=["a", "b", "c"]) as stack:
        settings = stack.client_settings("source")
        admin = AdminClient(settings)
        admin.create_topics([NewTopic(topic, 1, 3)])[topic].result(30)
        producer = Producer({**settings, "acks": "all"})
        for _ in range(100):
            producer.produce(topic, b"x")
        assert producer.flush(30) == 0
        leader = admin.list_topics(topic, timeout=10).topics[topic].partitions[0].leader
        follower = leader % 3 + 1
        assert {read_from(settings, topic, "abc"[broker - 1]) for broker in (leader, follower)} == {leader, follower}


def read_from(settings: dict[str, str], topic: str, rack: str) -> int:
    """The broker that answers a consumer of that rack, once it has read and been sent there."""
    found: list[int] = []

    def note(text: str) -> None:
        partition = json.loads(text)["topics"].get(topic, {}).get("partitions", {}).get("0", {})
        found.append(partition.get("broker", -1))

    more = {"client.rack": rack, "group.id": f"{topic}-{rack}", "statistics.interval.ms": 200, "stats_cb": note}
    consumer = Consumer({**settings, **more})
    consumer.assign([TopicPartition(topic, 0, 0)])
    begun = time.monotonic()
    while time.monotonic() - begun < 6:
        consumer.poll(0.1)
    consumer.close()
    return found[-1]
