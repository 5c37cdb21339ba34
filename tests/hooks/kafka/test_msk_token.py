"""Tokens of MSK IAM by a connection of type ``aws``: signed by the real signer, roles assumed at the double's STS."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from confluent_kafka.admin import AdminClient

from kafka_ferry.core.msk_iam import AWS_CONNECTION
from kafka_ferry.core.redaction import secret_values
from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized, TransientError
from kafka_ferry.hooks.kafka import msk_token
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings, only_librdkafka_knows
from kafka_ferry.jobs.common.child_process import run_children
from stack.msk.server import MskConnectDouble

MSK = "b-1.demo.abc.c2.kafka.eu-west-1.amazonaws.com:9098"
IAM = {"bootstrap.servers": MSK, "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}
ROLE = "arn:aws:iam::123456789012:role/kafka-reader"
SECRET = "hunter2-of-the-connection"


@pytest.fixture(autouse=True)
def hosts_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Credentials of the process, which must never be taken for those of a connection; no profile, no metadata."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEHOST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    msk_token._of_connection.cache_clear()
    yield
    msk_token._of_connection.cache_clear()


def connect(monkeypatch: pytest.MonkeyPatch, said: str = "", name: str = "AWS_MSK", **extra: Any) -> KafkaClusterHook:
    """The ``kafka`` connection, and the ``aws`` one that it names."""
    aws = {"conn_type": "aws", "login": "AKIAOFTHECONN", "password": SECRET, "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(aws))
    kafka = IAM | ({"sasl.oauthbearer.config": f"AWS_MSK_IAM {said}"} if said else {})
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_TARGET", json.dumps({"conn_type": "kafka", "extra": kafka}))
    return KafkaClusterHook("kafka_target")


def assuming(aws: MskConnectDouble, **kwargs: Any) -> dict[str, Any]:
    """Extra of a connection that assumes a role."""
    once = {"config_kwargs": {"retries": {"total_max_attempts": 1}}}
    own = {"service_config": {"sts": {"endpoint_url": aws.url}}}
    return {"role_arn": ROLE, "region_name": "eu-west-1", **own, **once, **kwargs}


def signed(token: str) -> dict[str, str]:
    """What a token says: the query of the URL that it is."""
    url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    query = {key: values[0] for key, values in parse_qs(urlparse(url).query).items()}
    assert query["Action"] == "kafka-cluster:Connect"
    return {**query, "host": str(urlparse(url).hostname), "key": query["X-Amz-Credential"].split("/")[0]}


def token_of(hook: KafkaClusterHook) -> tuple[dict[str, str], float]:
    token, ends = client_config(hook.extra)["oauth_cb"]("")
    return signed(token), ends


def test_the_connections_keys_sign_and_not_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    found, ends = token_of(connect(monkeypatch, "aws_conn_id=aws_msk"))
    assert (found["key"], found["host"]) == ("AKIAOFTHECONN", "kafka.eu-west-1.amazonaws.com")
    assert "/eu-west-1/kafka-cluster/" in found["X-Amz-Credential"]
    assert 890 < ends - time.time() <= 901, "seconds, as librdkafka wants them"


def test_without_a_connection_the_process_signs_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert token_of(connect(monkeypatch))[0]["key"] == "AKIAOFTHEHOST"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAROTATED")  # looked up with each token
    assert token_of(connect(monkeypatch, "awsRoleArn=" + ROLE))[0]["key"] == "AKIAROTATED"


def test_a_role_is_assumed_once_for_all_clients(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"assume_role_kwargs": {"ExternalId": "ours"}}
    hook = connect(monkeypatch, "aws_conn_id=aws_msk", **assuming(aws, **more))
    first, second = token_of(hook), token_of(hook)
    assert first[0]["X-Amz-Security-Token"] == "session-token-1"
    assert first[0]["key"] == second[0]["key"] == "ASIADOUBLE0000000001"
    (asked,) = aws.sts.assumed
    assert (asked["RoleArn"], asked["ExternalId"]) == (ROLE, "ours")
    assert asked["RoleSessionName"].lower() == "airflow_aws_msk", (
        "no client may change its principal when it logs in again"
    )


def test_a_token_is_good_no_longer_than_what_signed_it(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.sts.seconds = 700  # botocore renews in the last ten minutes at the latest, and a token is good for fifteen
    _, ends = token_of(connect(monkeypatch, "aws_conn_id=aws_msk", **assuming(aws)))
    assert 600 < ends - time.time() <= 700


def test_credentials_that_end_are_renewed_under_the_same_name(
    aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.sts.seconds = 300  # less than botocore waits for
    sign = client_config(connect(monkeypatch, "aws_conn_id=aws_msk", **assuming(aws)).extra)["oauth_cb"]
    keys = [signed(sign("")[0])["key"] for _ in range(3)]
    assert len(set(keys)) == 3
    assert len({one["RoleSessionName"] for one in aws.sts.assumed}) == 1


def test_a_profile_of_the_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[msk]\naws_access_key_id=AKIAPROFILE\naws_secret_access_key=s\n")
    extra = json.dumps({"profile_name": "msk", "region_name": "eu-west-1"})
    hook = connect(monkeypatch, "aws_conn_id=aws_msk")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_MSK", json.dumps({"conn_type": "aws", "extra": extra}))
    assert token_of(hook)[0]["key"] == "AKIAPROFILE"


def test_a_role_by_web_identity_as_pods_have_it(
    aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """aws-msk-iam-sasl-signer-python 30: the signer's own way to a role knows no other than AssumeRole."""
    (tmp_path / "token").write_text("a.web.identity")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", aws.url)  # the provider takes no endpoint of the connection for it
    federation = {"federation": "file", "token_file": str(tmp_path / "token")}
    identity = {f"assume_role_with_web_identity_{key}": value for key, value in federation.items()}
    more = {"assume_role_method": "assume_role_with_web_identity", **identity, "region_name": "eu-west-1"}
    found, _ = token_of(connect(monkeypatch, "aws_conn_id=aws_msk", role_arn=ROLE, **more))
    assert found["key"] == "ASIADOUBLE0000000001"
    assert aws.sts.assumed[0]["WebIdentityToken"] == "a.web.identity"


@pytest.mark.parametrize(("said", "region"), [("", "us-east-1"), (" region=eu-central-1", "eu-central-1")])
def test_a_host_that_is_not_msks_takes_the_region_from_where_it_is(
    said: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, region_name="us-east-1")
    extra = {
        **IAM,
        "bootstrap.servers": "kafka.corp:9098",
        "sasl.oauthbearer.config": "AWS_MSK_IAM aws_conn_id=aws_msk",
    }
    extra["sasl.oauthbearer.config"] += said
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_TARGET", json.dumps({"conn_type": "kafka", "extra": extra}))
    assert token_of(KafkaClusterHook("kafka_target"))[0]["host"] == f"kafka.{region}.amazonaws.com"


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("aws_conn_id=aws_msc", BadConnection, "connection 'aws_msc' does not exist"),
        ("aws_conn_id=kafka_target", BadConnection, "connection 'kafka_target' is of type 'kafka'"),
        ("aws_connection=aws_msk", BadConnection, "'aws_connection' is no option. Fix: <option>=<value>"),
        ("aws_conn_id=", BadConnection, "'aws_conn_id' is no option"),
    ],
)
def test_what_cannot_be_is_named(
    said: str, kind: type[FerryError], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(kind, match=words):
        token_of(connect(monkeypatch, said))


def test_a_host_without_a_region_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    extra = {
        **IAM,
        "bootstrap.servers": "kafka.corp:9098",
        "sasl.oauthbearer.config": "AWS_MSK_IAM aws_conn_id=aws_msk",
    }
    with pytest.raises(BadConnection, match=r"the host name has no region\. Fix: .* region=<region>, or region_name"):
        client_config(extra)


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(BadConnection, match=r"the process's own credentials: no credentials\. Fix: .*aws_conn_id="):
        token_of(connect(monkeypatch))
    hook = connect(monkeypatch, "aws_conn_id=aws_default")
    with pytest.raises(BadConnection, match="aws_conn_id=aws_default: no credentials"):
        token_of(hook)  # the one that need not exist


def test_sts_that_says_no_or_nothing(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.sts.denied.add(ROLE)
    with pytest.raises(
        NotAuthorized, match=r"aws_conn_id=aws_msk: .*AccessDenied.* Fix: let its user assume"
    ) as refusal:
        token_of(connect(monkeypatch, "aws_conn_id=aws_msk", **assuming(aws)))
    assert SECRET not in str(refusal.value)
    aws.sts.denied.clear()
    aws.faults.plan({"errors": [{"operation": "AssumeRole", "code": "Throttling"}]})
    with pytest.raises(TransientError, match="Throttling"):
        token_of(connect(monkeypatch, "aws_conn_id=aws_msk", **assuming(aws)))
    away = assuming(aws)
    away["service_config"]["sts"]["endpoint_url"] = "http://127.0.0.1:1"
    with pytest.raises(TransientError, match="aws_conn_id=aws_msk: no credentials: Could not connect"):
        token_of(connect(monkeypatch, "aws_conn_id=aws_msk", **away))


def test_no_secret_is_shown(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    masked: list[str] = []
    monkeypatch.setattr("kafka_ferry.hooks.kafka.cluster.mask_secret", masked.append)
    extra = connect(monkeypatch, "aws_conn_id=aws_msk", **assuming(aws)).extra
    assert SECRET in secret_values(extra)
    assert SECRET in masked
    config = client_config(extra)
    assert AWS_CONNECTION not in config, "librdkafka knows no such key"
    assert SECRET not in repr(config)
    assert SECRET not in repr(WireSettings.of(config))


_CHILD = """
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.jobs.common.child_process import answer_order

answer_order(lambda order: client_config(order["extra"])["oauth_cb"]("")[0])
"""


def test_a_process_that_cannot_ask_airflow_signs_all_the_same(
    aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    extra = connect(monkeypatch, "aws_conn_id=aws_msk", **assuming(aws)).extra
    (tmp_path / "child_of_this_test.py").write_text(_CHILD)
    monkeypatch.delenv("AIRFLOW_CONN_AWS_MSK")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////nowhere/none.db")
    [token] = run_children("child_of_this_test", "a child", [({"extra": extra}, secret_values(extra))])
    assert signed(token)["key"] == "ASIADOUBLE0000000001"
    assert SECRET not in caplog.text


class Broker:
    """As much of a broker as a login wants: ApiVersions, SaslHandshake, SaslAuthenticate; loopback only."""

    VERSIONS = ((18, 0, 0), (17, 0, 1), (36, 0, 0))

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.tokens: list[str] = []
        self.open = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def wait_for(self, connections: int) -> None:
        deadline = time.monotonic() + 10
        while self.open != connections:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _serve(self) -> None:
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        self.open += 1
        with client, client.makefile("rb") as asked:
            while length := asked.read(4):
                request = asked.read(struct.unpack(">i", length)[0])
                key, version, number = struct.unpack(">hhi", request[:8])
                if b"auth=Bearer " in request:
                    self.tokens.append(request.partition(b"auth=Bearer ")[2].split(b"\x01")[0].decode())
                known = b"".join(struct.pack(">hhh", *one) for one in self.VERSIONS)
                if key not in (18, 17, 36):
                    return
                answer = {
                    # What is newer than it knows is answered as by the oldest: UNSUPPORTED_VERSION (KIP-511).
                    18: struct.pack(">hi", 35 * (version > 0), len(self.VERSIONS)) + known,
                    17: struct.pack(">hih", 0, 1, 11) + b"OAUTHBEARER",
                    36: struct.pack(">hhi", 0, -1, 0),
                }[key]
                client.sendall(struct.pack(">ii", len(answer) + 4, number) + answer)
        self.open -= 1


def test_our_own_requests_log_in_by_the_same_token(monkeypatch: pytest.MonkeyPatch) -> None:
    config = client_config(connect(monkeypatch, "aws_conn_id=aws_msk").extra)
    assert only_librdkafka_knows(config) == []
    broker = Broker()
    settings = WireSettings.of({**config, "security.protocol": "SASL_PLAINTEXT"})
    settings = replace(settings, servers=f"127.0.0.1:{broker.port}")
    assert settings.mechanism == "OAUTHBEARER"

    async def log_in() -> None:
        wire = BrokerWire(settings)
        first = await wire.any()
        assert await wire.any() is first
        first.ends = time.time() + 59  # what a broker closes at its end is not asked amid a question
        assert await wire.any() is not first
        await asyncio.to_thread(broker.wait_for, 1)  # the old one is closed
        wire.close()

    asyncio.run(asyncio.wait_for(log_in(), 20))
    assert [signed(token)["key"] for token in broker.tokens] == ["AKIAOFTHECONN"] * 2


def test_librdkafka_logs_in_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker()
    config = client_config(connect(monkeypatch, "aws_conn_id=aws_msk").extra)
    servers = {"bootstrap.servers": f"127.0.0.1:{broker.port}", "security.protocol": "SASL_PLAINTEXT"}
    admin = AdminClient({**config, **servers, "log_level": 0})
    deadline = time.monotonic() + 20
    while not broker.tokens:
        admin.poll(0.1)
        assert time.monotonic() < deadline
    assert signed(broker.tokens[0])["key"] == "AKIAOFTHECONN"


def test_a_callback_of_anothers_stays_librdkafkas() -> None:
    config = {**IAM, "oauth_cb": lambda _: ("token", 0.0)}
    assert only_librdkafka_knows(config) == ["oauth_cb", "sasl.mechanism"]
