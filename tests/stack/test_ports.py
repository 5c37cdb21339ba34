"""Ports: never one that is taken, never one that another launcher was just given."""

from __future__ import annotations

import socket

import pytest

from stack import ports
from stack.errors import StackError
from stack.ports import HOST, PortLease


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_in_use_is_not_free(listener):
    assert not ports.is_free(listener)


def test_a_preferred_port_is_kept_when_it_is_free_only(listener, tmp_path):
    with PortLease(tmp_path) as lease:
        free = lease.take()
    with PortLease(tmp_path) as lease:
        assert lease.take(free) == free
        assert lease.take(listener) != listener


def test_two_launchers_get_different_ports_before_any_server_listens(monkeypatch, tmp_path):
    monkeypatch.setattr(ports, "RANGE", range(20000, 20040))

    with PortLease(tmp_path) as one, PortLease(tmp_path) as two:
        taken = [one.take() for _ in range(8)] + [two.take() for _ in range(8)]

    assert len(set(taken)) == 16


def test_a_preferred_port_that_another_launcher_holds_is_not_given_twice(tmp_path):
    with PortLease(tmp_path) as one, PortLease(tmp_path) as two:
        port = one.take()
        assert two.take(port) != port
        one.release()
        assert two.take(port) == port


def test_a_full_range_is_an_error(monkeypatch, tmp_path, listener):
    monkeypatch.setattr(ports, "RANGE", range(listener, listener + 1))

    with PortLease(tmp_path) as lease, pytest.raises(StackError, match="no free port"):
        lease.take()
