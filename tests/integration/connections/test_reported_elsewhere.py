"""Connections as public reports on Kafka clients tell of them: each is refused with its cure, or passes.

Reports: librdkafka 1301, 2759, 4837 and 4889; confluent-kafka-python 1296, 1485, 1610 and 2130 (tokens: see
``test_listeners``); vector 19165 and 20511; bitnami/charts 19266.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connections_by_hand import CheckRun
from own_stacks import own_stack, use
from stack import Stack
from stack.certificates import Certificates
from stack.listeners import MTLS

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(600)]

#: Takes what the stack's connection says of certificates out of it.
NONE = dict.fromkeys(
    ["ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location", "ssl.certificate.pem", "ssl.key.location",
     "ssl.key.pem", "ssl.key.password"]
)  # fmt: skip


@pytest.fixture(scope="module")
def secured() -> Iterator[Stack]:
    with own_stack("reported", listener=MTLS) as stack:
        yield stack


def encrypted(key: Path) -> str:
    """It, with a passphrase that nobody is told."""
    words = ["openssl", "pkcs8", "-topk8", "-in", str(key), "-passout", "pass:not-told"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def planted(stack: Stack, servers: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Connection to what is changed in it, and a part of what is said; empty: it passes."""
    certificates = Certificates(stack.broker("source").state)
    ca, certificate = certificates.ca.read_text(), certificates.certificate("ferry").read_text()
    key = certificates.key("ferry").read_text()
    pems = {"ssl.ca.pem": ca, "ssl.certificate.pem": certificate, "ssl.key.pem": key}
    plain, store = {"security.protocol": "PLAINTEXT", **NONE}, stack.variables()["FERRY_S3_ENDPOINT"].rpartition("/")[2]
    port = servers.rpartition(":")[2]

    def written(change: str) -> dict[str, Any]:
        return {**NONE, **{name: text.replace("\n", change) for name, text in pems.items()}}

    return {
        "no_tls_to_tls": (plain, "speaks TLS, and security.protocol asks for none. Fix: SSL"),
        "no_tls_to_http": ({**plain, "bootstrap.servers": store}, "is the address right"),  # it waits for more
        "tls_to_http": ({"bootstrap.servers": store}, "speaks no TLS"),
        "login_where_none_is": (
            {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "ferry",
             "sasl.password": "a-password"},
            "that listener lets nobody log in by SASL",
        ),
        "escaped_twice": (written("\\n"), "has lost its line breaks. Fix: in the JSON"),
        "on_one_line": (written(" "), "has lost its line breaks"),
        "written_on_windows": (written("\r\n"), ""),
        "text_for_a_path": ({"ssl.ca.location": ca, "ssl.ca.pem": None}, "a text belongs into ssl.ca.pem"),
        "no_such_file": ({"ssl.ca.location": "/nowhere/ca.pem"}, "no such file or directory. Fix: the file must be"),
        "phrase_unknown": (
            {**NONE, **pems, "ssl.key.pem": encrypted(certificates.key("ferry"))},
            "ssl.key.password must be the key's passphrase",
        ),
        "no_ca": ({"ssl.ca.location": None, "ssl.ca.pem": None}, "the CA that signed the brokers' certificates"),
        "first_is_dead": ({"bootstrap.servers": f"127.0.0.1:1,{servers}"}, ""),
        "with_scheme": ({"bootstrap.servers": f"SSL://{servers}"}, ""),
        "with_spaces": ({"bootstrap.servers": f" {servers} , {servers},"}, ""),
        "by_name": ({"bootstrap.servers": f"localhost:{port}"}, ""),
        "in_small_letters": ({"security.protocol": "ssl"}, ""),
        "nobody_there": ({"bootstrap.servers": "broker.invalid:9092"}, "Failed to resolve 'broker.invalid:9092'"),
        "java_truststore": ({**NONE, "ssl.truststore.location": "/x/trust.jks"}, "Fix: ssl.ca.location"),
        "protocol_mistyped": ({"security.protocol": "TLS"}, "Fix: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
        "key_mistyped": ({"security_protocol": "SSL"}, "Fix: settings have librdkafka's names"),
        "a_list": ({"bootstrap.servers": [servers, servers]}, "it must be a text, such as b1:9092,b2:9092"),
    }  # fmt: skip


def test_each_is_told_its_cure_or_passes(secured: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(secured, monkeypatch, tmp_path)
    fields = json.loads(secured.variables()["AIRFLOW_CONN_KAFKA_SOURCE"])
    wanted = planted(secured, fields["extra"]["bootstrap.servers"])
    for name, (keys, _) in wanted.items():
        extra = {key: value for key, value in {**fields["extra"], **keys}.items() if value is not None}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({**fields, "extra": extra}))
    checks = CheckRun("reported", connections=list(wanted), patience=10).checks()
    told = {name: (check["status"], " ".join(check["differences"])) for name, check in checks.items()}
    wrong = {
        name: told[name]
        for name, (_, said) in wanted.items()
        if told[name][0] != ("fail" if said else "pass") or said not in told[name][1]
    }
    assert not wrong
    assert "a-password" not in json.dumps(checks)
    assert "PRIVATE KEY" not in json.dumps(checks)
