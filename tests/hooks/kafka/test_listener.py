"""What listens at an address: a real server of TLS, one that knows nothing of it, and none."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.authorized_operations import RightsSurvey
from kafka_ferry.hooks.kafka.listener import speaks_tls
from kafka_ferry.hooks.kafka.survey import KafkaSurvey


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of nobody's authority, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "b")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "server.pem"
    path.write_bytes(private + made.public_bytes(form))
    return path


Answer = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Makes a server of an answer to each connection; its address."""
    servers = []

    def served(answer: Answer) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def work() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        threading.Thread(target=work, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield served
    for server in servers:
        server.close()


def tls(certificate: Path, *, asks_clients: bool) -> Answer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if asks_clients:
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # in which the client hears of it within the handshake
        context.load_verify_locations(certificate)
        context.verify_mode = ssl.CERT_REQUIRED

    def answer(connection: socket.socket) -> None:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            return  # the client went, or had no certificate

    return answer


@pytest.mark.parametrize("asks_clients", [False, True])
@pytest.mark.parametrize("protocol", [None, "sasl_plaintext"])
def test_tls_is_found_where_none_was_asked_for(
    serve: Callable[[Answer], str], certificate: Path, asks_clients: bool, protocol: str | None
) -> None:
    address = serve(tls(certificate, asks_clients=asks_clients))
    config = {"bootstrap.servers": f"127.0.0.1:1, PLAINTEXT://{address}"}
    assert speaks_tls({**config, "security.protocol": protocol} if protocol else config) == address
    assert speaks_tls({**config, "security.protocol": "SSL"}) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda config: KafkaAdmin(config, "near", timeout=1).describe_cluster(),
        lambda config: RightsSurvey(config, "near", timeout=1).ping(),
        lambda config: KafkaSurvey(config, "near", timeout=1).brokers(),
    ],
    ids=["describe", "ping", "brokers"],
)
def test_whoever_asks_is_told(
    serve: Callable[[Answer], str], certificate: Path, ask: Callable[[dict[str, str]], object]
) -> None:
    address = serve(tls(certificate, asks_clients=False))
    with pytest.raises(
        BadConnection, match=f"'near': {address} speaks TLS, and security.protocol asks for none. Fix: SSL"
    ):
        ask({"bootstrap.servers": address})


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00\x04\x00\x00\x00\x00"])
def test_what_is_no_tls_is_not_taken_for_it(serve: Callable[[Answer], str], said: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(said)

    assert speaks_tls({"bootstrap.servers": serve(answer)}) is None


@pytest.mark.parametrize("servers", ["", "nowhere.invalid:9092", "[::1]:1", "127.0.0.1", "127.0.0.1:99999999"])
def test_an_address_that_nobody_listens_at_says_nothing(servers: str) -> None:
    assert speaks_tls({"bootstrap.servers": servers}) is None
