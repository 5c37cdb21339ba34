"""The PostgreSQL server of a stack's Airflow, without Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from stack import jars, postgres
from stack.java import find_java
from stack.ports import PortLease
from stack.stack import PROJECT
from stack.state import State

pytestmark = pytest.mark.integration


@pytest.fixture
def server(tmp_path: Path) -> Iterator[postgres.Postgres]:
    if why := postgres.unavailable():
        pytest.skip(why)
    programs = postgres.resolve(jars.cache_folder(PROJECT), find_java(), print)
    state = State(tmp_path / "state.json")
    with PortLease() as lease:
        state.keep_port(postgres.NAME, lease, in_use=False)
        server = postgres.Postgres(tmp_path, state, programs)
        server.restart()
        yield server
        server.stop()


def test_what_was_committed_outlives_a_kill(server: postgres.Postgres) -> None:
    with psycopg2.connect(postgres.address(server.state)) as connection:
        connection.cursor().execute("CREATE TABLE kept AS SELECT 7 AS number")
    server.kill9()
    with pytest.raises(OSError, match="refused"):
        server.rows("SELECT number FROM kept")
    server.restart()
    assert server.rows("SELECT number FROM kept") == [(7,)]


def test_nobody_comes_in_without_the_password(server: postgres.Postgres) -> None:
    address, known = postgres.address(server.state), server.state.secret("postgres_airflow")
    for password in ("", "wrong"):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(address.replace(known, password))


def test_it_does_not_run_as_root_and_is_found_as_ours(server: postgres.Postgres) -> None:
    running = server.running
    assert running is not None
    status = Path(f"/proc/{running.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    server.stop()
    assert running.process() is None
