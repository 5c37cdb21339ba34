"""TLS to a real MariaDB server: the right authority and name pass, others are refused; for the binary log too."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.exceptions import BadConnection, BadParam
from kafka_ferry.hooks.database.binlog import last_change
from kafka_ferry.hooks.database.client import DatabaseHook
from stack import jars, mariadb
from stack.java import find_java
from stack.stack import PROJECT
from stack.state import State

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
        self._openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "2", "-extfile", "names", "-out", "server.pem")  # fmt: skip

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
            lines = f"ssl-cert={self.certificates.path('server.pem')}\nssl-key={self.certificates.path('server.key')}\n"
            made[self._config] += lines
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
    def make(server: TlsMariaDb, host: str = "localhost", param: bool | None = None, **extra: Any) -> DatabaseHook:
        login = server.login(mariadb.READER)
        fields = {"conn_type": "mysql", "host": host, "port": server.port, "login": login["user"],
                  "password": login["password"], "extra": extra}  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(fields))
        return DatabaseHook("shop", param)

    return make


def cipher(hook: DatabaseHook) -> str:
    return str(hook._all("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1])


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
    with pytest.raises(BadConnection, match=r"not who it should be.*Cure: ssl_ca"):
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
