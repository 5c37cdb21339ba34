"""A PostgreSQL server that the stack's Airflow keeps its metadata in, where SQLite would not do.

SQLite lets one write at a time: with several runs at once a task, the API server or the scheduler now and then waits
longer than it may ("database is locked") and ends, or gets a second try for no reason of its own. The server's programs
come out of a jar from Maven, for Linux, so no container is needed. Measured: a new data folder in 1 s, ready in 0.2 s.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import socket
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stack import jars
from stack.errors import StackError
from stack.ports import HOST
from stack.service import Service
from stack.state import State

NAME = "postgres"
POM = Path(__file__).parent / "airflow-database" / "pom.xml"
#: ``platform.machine()`` to what the jar calls it.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64v8"}
USER = DATABASE = "airflow"

# PostgreSQL refuses to run as root. In a user namespace of its own root is "nobody" and has no rights beyond those of
# the files' owner; outside it is the same user as before, so that marks, files and signals are as those of all others.
AS_NOBODY = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
# fsync=off: what was committed outlives a kill of the server, not one of the machine; a commit waits for no disk.
CONFIG = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 200
password_encryption = scram-sha-256
"""


@functools.cache
def unavailable() -> str | None:
    """Why there is no server for this machine; None: there is one."""
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in ARCHITECTURES:
        return f"the embedded PostgreSQL is for Linux on {' and '.join(ARCHITECTURES)}, this is {system} on {machine}"
    try:
        done = subprocess.run([*_as_nobody(), "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "PostgreSQL does not run as root. Fix: install unshare (util-linux), or use another user than root"
    if done.returncode:
        said = done.stderr.strip()
        return f"PostgreSQL does not run as root, and user namespaces are refused here ({said}). Fix: another user"
    return None


def folder(cache: Path) -> Path:
    """Where :func:`resolve` puts its programs."""
    return jars.jars_folder(cache, POM, f"postgres-{ARCHITECTURES.get(platform.machine(), 'none')}")


def resolve(cache: Path, java: str, report: Callable[[str], None]) -> Path:
    """Folder with ``bin/``, ``lib/`` and ``share/``; downloads (15 MB) and unpacks them the first time.

    :raises StackError: no server for this machine, or Maven could not fetch it.
    """
    if why := unavailable():
        raise StackError(f"postgres: {why}")
    architecture = ARCHITECTURES[platform.machine()]
    proof, wanted = f"embedded-postgres-binaries-linux-{architecture}", {"postgres.architecture": architecture}
    made = folder(cache)
    return jars.fetch(cache, java, report, POM, made, proof, "PostgreSQL", "15 MB", _unpack, wanted)


def _unpack(into: Path) -> None:
    (jar,) = into.glob("embedded-postgres-binaries-*.jar")
    with zipfile.ZipFile(jar) as opened:
        (archive,) = [name for name in opened.namelist() if name.endswith(".txz")]
        with opened.open(archive) as file, tarfile.open(fileobj=file, mode="r:xz") as tar:
            tar.extractall(into, filter="data")
    jar.unlink()


def url(state: State) -> str:
    """For SQLAlchemy."""
    return address(state).replace("postgresql:", "postgresql+psycopg2:", 1)


def address(state: State) -> str:
    """For PostgreSQL's own clients."""
    return f"postgresql://{USER}:{state.secret('postgres_airflow')}@{HOST}:{state.ports[NAME]}/{DATABASE}"


class Postgres(Service):
    """The server, with the database ``airflow`` and its owner."""

    start_timeout = 60.0  # seconds; measured 0.2

    def __init__(self, folder: Path, state: State, programs: Path) -> None:
        super().__init__(NAME, folder, state)
        self._programs = programs

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data" / "postgres"

    @property
    def _config(self) -> Path:
        return self.folder / "config" / "postgresql.conf"

    @property
    def _port(self) -> int:
        return self.state.ports[NAME]

    def files(self) -> Mapping[Path, str]:
        return {self._config: CONFIG.format(host=HOST, port=self._port)}

    def prepare(self) -> None:
        if self.data.is_dir():
            return
        new = self.data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        new.parent.mkdir(parents=True, exist_ok=True)
        password = self.folder / "config" / "postgres-password"
        password.touch(mode=0o600)
        password.write_text(self.state.secret("postgres_airflow"))
        try:
            options = ["--encoding=UTF8", "--no-locale", "--auth=scram-sha-256", f"--username={USER}", "--no-sync"]
            self._run(["initdb", f"--pgdata={new}", f"--pwfile={password}", *options])
        finally:
            password.unlink()
        self._run(["postgres", "--single", "-D", str(new), "postgres"], f"CREATE DATABASE {DATABASE};\n")
        new.rename(self.data)  # all or nothing

    def _run(self, words: Sequence[str], statements: str = "") -> None:
        program, *arguments = words
        command = [*_as_nobody(), str(self._programs / "bin" / program), *arguments]
        done = subprocess.run(command, input=statements, capture_output=True, text=True, check=False)
        if done.returncode:
            end = f"{done.stdout}{done.stderr}"[-2000:]
            raise StackError(f"postgres: its data folder could not be made ({program}: exit {done.returncode}):\n{end}")

    def command(self) -> list[str]:
        program = str(self._programs / "bin" / "postgres")
        return [*_as_nobody(), program, "-D", str(self.data), f"--config-file={self._config}"]

    def problem(self) -> str | None:
        with socket.create_connection((HOST, self._port), timeout=5) as connection:
            words = b"".join(word + b"\0" for word in (b"user", USER.encode(), b"database", DATABASE.encode(), b""))
            connection.sendall(struct.pack(">ii", 8 + len(words), 3 << 16) + words)
            answer = connection.recv(1024)
        # It asks for the password, or tells why it lets nobody in.
        return None if answer[:1] == b"R" else f"it answers {answer!r}"

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What a query answers.

        :raises OSError: it cannot be asked.
        """
        import psycopg2  # only who asks for this server needs its driver

        try:
            connection = psycopg2.connect(address(self.state), connect_timeout=5)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(query)
                    return list(cursor.fetchall())
            finally:
                connection.close()
        except psycopg2.Error as error:
            raise OSError(str(error).strip()) from error


def _as_nobody() -> tuple[str, ...]:
    return AS_NOBODY if os.geteuid() == 0 else ()
