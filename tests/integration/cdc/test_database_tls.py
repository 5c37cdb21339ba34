"""TLS to a real MariaDB server: the right authority and name pass, others are refused; for the binary log too.

And for a real Debezium, which checks with the files of its worker.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pymysql
import pytest
from airflow.sdk.exceptions import AirflowFailException
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from pymysql.constants import CR

from kafka_ferry.exceptions import BadConnection, BadParam, TransientError
from kafka_ferry.jobs.cdc.live.binlog import last_change
from kafka_ferry.jobs.cdc.live.client import DatabaseHook
from stack import Stack, jars, mariadb
from stack.java import find_java
from stack.stack import PROJECT
from stack.state import State
from stream_lab import StreamRun

pytestmark = pytest.mark.integration


class Certificates:
    """An authority, another one, and a certificate of the first for ``localhost``, as PEM files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("ca", "other"):
            usage = ["-addext", "keyUsage=critical,keyCertSign", "-addext", "basicConstraints=critical,CA:TRUE"]
            self._openssl("req", "-x509", *self._new(name), "-subj", f"/CN={name}", *usage, "-out", f"{name}.pem")
        self._openssl("req", *self._new("server"), "-subj", "/CN=localhost", "-out", "server.csr")
        (folder / "names").write_text("subjectAltName=DNS:localhost\n")
        (folder / "usage").write_text("extendedKeyUsage=clientAuth\n")
        self._openssl("req", *self._new("client"), "-subj", "/CN=ferry", "-out", "client.csr")
        self._openssl("req", *self._new("stranger"), "-subj", "/CN=ferry", "-out", "stranger.csr")
        for name, signer, names in (
            ("server", "ca", "names"),
            ("client", "ca", "usage"),
            ("stranger", "other", "usage"),
        ):
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key",
                          "-CAcreateserial", "-days", "2", "-extfile", names, "-out", f"{name}.pem")  # fmt: skip
        for name in ("ca", "other"):  # what a Java worker trusts
            found = [pkcs12.PKCS12Certificate(self._certificate(name), name.encode())]
            store = pkcs12.serialize_java_truststore(found, BestAvailableEncryption(b"secret-of-store"))
            (folder / f"{name}.p12").write_bytes(store)
        key = load_pem_private_key((folder / "client.key").read_bytes(), None)
        store = pkcs12.serialize_key_and_certificates(
            b"client", key, self._certificate("client"), None, BestAvailableEncryption(b"secret-of-store")
        )  # type: ignore[arg-type]
        (folder / "client.p12").write_bytes(store)

    def _certificate(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / f"{name}.pem").read_bytes())

    @staticmethod
    def _new(name: str) -> list[str]:
        return ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key"]

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def path(self, name: str) -> str:
        return str(self.folder / name)


class TlsMariaDb(mariadb.MariaDb):
    """:param certificates: none: a server without TLS."""

    certificates: Certificates | None = None

    def files(self) -> Mapping[Path, str]:
        made = dict(super().files())
        if self.certificates:
            files = {"ca": "ca.pem", "cert": "server.pem", "key": "server.key"}
            made[self._config] += "".join(f"ssl-{key}={self.certificates.path(name)}\n" for key, name in files.items())
        return made


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def _running(folder: Path, certificates: Certificates | None) -> Iterator[TlsMariaDb]:
    if why := mariadb.unavailable():
        pytest.skip(why)
    programs = mariadb.resolve(jars.cache_folder(PROJECT), find_java(), print)
    state = State(folder / "state.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        state.ports["mariadb"] = free.getsockname()[1]
    for name in ("config", "data", "logs", "run"):
        (folder / name).mkdir()
    server = TlsMariaDb(folder, state, programs)
    server.certificates = certificates
    for path, text in server.files().items():
        path.write_text(text)
    server.prepare()
    server.start()
    try:
        assert server.wait(60) is None
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[TlsMariaDb]:
    yield from _running(tmp_path_factory.mktemp("tls"), certificates)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsMariaDb]:
    yield from _running(tmp_path_factory.mktemp("plain"), None)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(
        server: TlsMariaDb, host: str = "localhost", param: bool | None = None, user: str = mariadb.READER, **extra: Any
    ) -> DatabaseHook:
        login = {**server.login(mariadb.READER), "user": user}
        fields = {"conn_type": "mysql", "host": host, "port": server.port, "login": login["user"],
                  "password": login["password"], "extra": extra}  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(fields))
        return DatabaseHook("shop", param)

    return make


def cipher(hook: DatabaseHook) -> str:
    return str(hook.all("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1])


def test_the_right_authority_and_name_pass(server: TlsMariaDb, hook: Any, certificates: Certificates) -> None:
    ca = certificates.path("ca.pem")
    assert cipher(hook(server, param=True, ssl_ca=ca))
    assert cipher(hook(server, ssl_ca=Path(ca).read_text()))  # who names an authority wants TLS
    assert cipher(hook(server, "127.0.0.1", ssl_ca=ca, ssl_verify_identity=False))
    assert not cipher(hook(server, param=False))
    assert not cipher(hook(server, tls="false"))
    found = hook(server, param=True, ssl_ca=ca)
    begin = next(iter(sorted(found.log_files())))
    end = found.position()
    assert last_change(found, type(end)(begin, 4), end, ["none.none"]) is None  # it was read, by TLS


@pytest.mark.parametrize("way", ["another authority", "the system's", "another name"])
def test_every_other_server_is_refused(server: TlsMariaDb, hook: Any, certificates: Certificates, way: str) -> None:
    ca, other = certificates.path("ca.pem"), certificates.path("other.pem")
    refused = {
        "another authority": lambda: hook(server, param=True, ssl_ca=other),
        "the system's": lambda: hook(server, param=True),
        "another name": lambda: hook(server, "127.0.0.1", ssl_ca=ca),
    }[way]()
    with pytest.raises(BadConnection, match=r"identity could not be verified.*Fix: ssl_ca"):
        refused.databases()


def test_a_server_without_tls_is_refused_when_it_is_asked_for(plain: TlsMariaDb, hook: Any) -> None:
    assert not cipher(hook(plain))
    with pytest.raises(BadConnection, match="TLS"):
        hook(plain, param=True).databases()


def test_the_param_does_not_switch_off_what_the_connection_asks_for(server: TlsMariaDb, hook: Any) -> None:
    with pytest.raises(BadParam, match="tls"):
        hook(server, param=False, tls="true").databases()
    with pytest.raises(BadConnection, match="cannot be used"):
        hook(server, ssl_ca="/nowhere.pem").databases()
    with pytest.raises(BadConnection, match="neither true nor false"):
        hook(server, tls="maybe").databases()


CERTIFIED = "certified"  # a user who has to show a certificate of the authority


@pytest.fixture(scope="module")
def certified(server: TlsMariaDb) -> str:
    secret = server.login(mariadb.READER)["password"]
    with pymysql.connect(**server.login(), autocommit=True) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE USER '{CERTIFIED}'@'%' IDENTIFIED BY '{secret}' REQUIRE X509")
        cursor.execute(f"GRANT {mariadb.RIGHTS} ON *.* TO '{CERTIFIED}'@'%'")
    return CERTIFIED


def test_a_client_certificate_is_shown_to_a_server_that_asks_for_one(
    server: TlsMariaDb, certified: str, hook: Any, certificates: Certificates
) -> None:
    ca = certificates.path("ca.pem")
    pair = {"ssl_cert": certificates.path("client.pem"), "ssl_key": certificates.path("client.key")}
    found = hook(server, user=certified, ssl_ca=ca, **pair)
    assert cipher(found)
    begin, end = next(iter(sorted(found.log_files()))), found.position()
    assert last_change(found, type(end)(begin, 4), end, ["none.none"]) is None  # the binary log, by the same

    with pytest.raises(BadConnection, match="was refused"):
        hook(server, user=certified, ssl_ca=ca).databases()
    stranger = {"ssl_cert": certificates.path("stranger.pem"), "ssl_key": certificates.path("stranger.key")}
    with pytest.raises(BadConnection, match=r"refused the client certificate: .*unknown ca.*Fix: ssl_cert"):
        hook(server, user=certified, ssl_ca=ca, **stranger).databases()
    with pytest.raises(BadConnection, match="certificate and key both"):
        hook(server, user=certified, ssl_ca=ca, ssl_cert=pair["ssl_cert"]).databases()


def test_a_refusal_that_looks_like_a_lost_connection_is_asked_for_its_reason(
    server: TlsMariaDb, certified: str, hook: Any, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By TLS 1.3 it is chance which of the two is seen: here the first is the lost connection."""
    stranger = {"ssl_cert": certificates.path("stranger.pem"), "ssl_key": certificates.path("stranger.key")}
    connect, tried = pymysql.connect, []

    def first_lost(**options: Any) -> Any:
        tried.append(options["user"])
        if len(tried) == 1:
            raise pymysql.err.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")
        return connect(**options)

    monkeypatch.setattr(pymysql, "connect", first_lost)
    found = hook(server, user=certified, ssl_ca=certificates.path("ca.pem"), **stranger)
    for _ in range(20):  # chance has no part in it
        tried.clear()
        with pytest.raises(BadConnection, match=r"refused the client certificate: .*unknown ca"):
            found.databases()
    pair = {"ssl_cert": certificates.path("client.pem"), "ssl_key": certificates.path("client.key")}
    tried.clear()
    found = hook(server, user=certified, ssl_ca=certificates.path("ca.pem"), **pair)
    assert cipher(found), "a loss that was none of the certificate's"
    assert len(tried) == 2
    assert cipher(found), "and as ever after it"

    def always_lost(**options: Any) -> Any:
        tried.append(options["user"])
        raise pymysql.err.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")

    tried.clear()
    monkeypatch.setattr(pymysql, "connect", always_lost)
    with pytest.raises(TransientError, match="Lost connection"):
        hook(server, user=certified, ssl_ca=certificates.path("ca.pem"), **stranger).databases()
    assert len(tried) == 2
    tried.clear()
    with pytest.raises(TransientError, match="Lost connection"):
        hook(server, user=certified, ssl_ca=certificates.path("ca.pem")).databases()
    assert len(tried) == 1, "without a certificate there is nothing to refuse"


@pytest.fixture
def stream(
    server: TlsMariaDb, hook: Any, database_stack: Stack, certificates: Certificates, topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> Iterator[Any]:  # fmt: skip
    """``stream(…extra of the connection)``: a run of one table on that server."""
    for name, value in database_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    name, made = topic_prefix.strip("-"), list[StreamRun]()

    def run(user: str = mariadb.READER, **extra: Any) -> StreamRun:
        hook(server, user=user, ssl_ca=certificates.path("ca.pem"), **extra)
        made.append(
            StreamRun(f"run{len(made)}", databases=[name], stream=name, database_conn_id="shop", keep_streaming=False,
                      forget=True, running_timeout=60, no_progress_timeout=60)
        )  # fmt: skip
        return made[-1]

    with pymysql.connect(**server.login(), autocommit=True) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"CREATE TABLE {name}.orders (id INT PRIMARY KEY, v INT)")
        cursor.execute(f"INSERT INTO {name}.orders VALUES (1, 1), (2, 2)")
        yield run
        made[-1].remove()
        cursor.execute(f"DROP DATABASE {name}")


def findings(plan: Mapping[str, Any]) -> dict[str, str]:
    return {one["code"]: one["severity"] for one in plan["findings"]}


def test_debezium_checks_the_server_with_its_workers_truststore(
    stream: Any, certified: str, certificates: Certificates
) -> None:
    stores = {
        "worker_truststore": certificates.path("ca.p12"),
        "worker_truststore_password": "secret-of-store",
        "worker_keystore": certificates.path("client.p12"),
        "worker_keystore_password": "secret-of-store",
    }
    pair = {"ssl_cert": certificates.path("client.pem"), "ssl_key": certificates.path("client.key")}
    run = stream(certified, **pair, **stores)
    assert not {"tls", "client_certificate"} & findings(run.start()).keys()
    assert run.stream.config()["database.ssl.mode"] == "verify-full"
    run.validate()
    run.remove()
    assert run.report()["verdict"] == "PASS", run.report()["failures"]
    files = "".join(
        path.read_text() for path in Path(run.artifacts.path("plan.json")).parent.iterdir() if path.is_file()
    )
    assert "secret-of-store" not in files + "".join(run.seen)


def test_debezium_takes_no_server_of_another_authority(stream: Any, certificates: Certificates) -> None:
    store = {"worker_truststore": certificates.path("other.p12"), "worker_truststore_password": "secret-of-store"}
    run = stream(**store)
    run.plan()
    with pytest.raises(Exception, match=r"certif|PKIX|SSL|trust"):
        run.deploy()


def test_the_plan_says_that_debezium_checks_nobody_and_has_no_certificate(
    stream: Any, certified: str, certificates: Certificates
) -> None:
    pair = {"ssl_cert": certificates.path("client.pem"), "ssl_key": certificates.path("client.key")}
    plan = stream(**pair).plan()
    told = {one["code"]: one for one in plan["findings"]}
    assert findings(plan).items() >= {"tls": "warn", "client_certificate": "warn"}.items()
    assert "does not verify the server's identity" in told["tls"]["what"]
    assert "worker_truststore" in told["tls"]["fix"]
    with pytest.raises(AirflowFailException, match=r"the server asks its user for one.*Fix: .*worker_keystore"):
        stream(certified, **pair).plan()
