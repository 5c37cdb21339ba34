"""The tests' own link: each fault is what it says, for whom it is meant, and ends when it is healed."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from link import Fault, Link, Party


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while piece := self.request.recv(65536):
                self.request.sendall(piece)


@pytest.fixture
def server() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def connect(link: Link, words: bytes = b"librdkafka", timeout: float = 5) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", link.port), timeout)
    one.sendall(words)
    return one


def heard(one: socket.socket, size: int) -> bytes:
    said = b""
    while len(said) < size:
        said += one.recv(65536) or b"#"
    return said


def test_all_comes_as_it_was_sent_and_is_counted(server: str) -> None:
    with Link(server) as link, connect(link) as one:
        assert heard(one, 10) == b"librdkafka"
        one.sendall(b"x" * 100_000)
        assert heard(one, 100_000) == b"x" * 100_000
        assert (link.carried[Party.TASKS], link.carried[Party.WORKER], link.connections) == (200_020, 0, 1)


def test_one_that_is_not_there_yet_is_asked_for_when_somebody_comes(server: str) -> None:
    known: list[str] = []
    with Link(lambda: known[0]) as link:
        known.append(server)
        with connect(link) as one:
            assert heard(one, 10) == b"librdkafka"


def test_a_stall_holds_back_one_party_until_it_is_healed(server: str) -> None:
    with Link(server) as link, connect(link) as tasks, connect(link, b"apache-kafka-java") as worker:
        heard(tasks, 10), heard(worker, 17)
        link.fault(Fault.STALL, Party.WORKER)
        for one in (tasks, worker):
            one.sendall(b"more")
        assert heard(tasks, 4) == b"more"
        worker.settimeout(0.3)
        with pytest.raises(TimeoutError):
            worker.recv(10)
        link.heal()
        worker.settimeout(5)
        assert heard(worker, 4) == b"more"


def test_a_cut_resets_all_refuses_new_ones_and_is_healed_on_the_same_port(server: str) -> None:
    with Link(server) as link:
        with connect(link) as one:
            heard(one, 10)
            link.fault(Fault.CUT)
            with pytest.raises(ConnectionResetError):
                one.recv(10)
        with pytest.raises(ConnectionRefusedError):
            connect(link)
        link.heal()
        with connect(link) as one:
            assert heard(one, 10) == b"librdkafka"


def test_a_cut_of_one_party_leaves_the_other(server: str) -> None:
    with Link(server) as link, connect(link) as tasks:
        heard(tasks, 10)
        link.fault(Fault.CUT, Party.WORKER)
        with connect(link, b"apache-kafka-java") as worker, pytest.raises(ConnectionResetError):
            worker.recv(10)
        tasks.sendall(b"more")
        assert heard(tasks, 4) == b"more"


def test_a_slow_link_takes_its_time_and_a_far_one_answers_later(server: str) -> None:
    with Link(server) as link, connect(link) as one:
        heard(one, 10)
        begun = time.monotonic()
        one.sendall(b"quick")
        heard(one, 5)
        link.fault(Fault.FAR)
        one.sendall(b"far")
        heard(one, 3)
        assert 0.05 <= time.monotonic() - begun < 1
        link.heal()
        link.fault(Fault.SLOW)
        begun = time.monotonic()
        one.sendall(b"x" * 50_000)
        heard(one, 50_000)
        assert time.monotonic() - begun > 0.4, "100 kB at 200 kB/s"


def test_one_party_may_be_slower_than_the_other(server: str) -> None:
    with Link(server, speeds={Party.WORKER: 100_000}) as link:
        check_that_the_worker_is_slower(link, 0.4)
    with Link(server) as link:
        link.fault(Fault.SLOW, Party.WORKER)
        check_that_the_worker_is_slower(link, 0.2)
    with Link(server) as link:
        link.fault(Fault.FAR, Party.WORKER)
        took = {}
        for words in (b"librdkafka", b"apache-kafka-java"):
            begun = time.monotonic()
            with connect(link, words) as one:
                heard(one, len(words))
            took[words] = time.monotonic() - begun
        assert took[b"apache-kafka-java"] >= 0.05 > took[b"librdkafka"]


def check_that_the_worker_is_slower(link: Link, seconds: float) -> None:
    took = {}
    for words in (b"librdkafka", b"apache-kafka-java"):
        with connect(link, words) as one:
            heard(one, len(words))
            begun = time.monotonic()
            one.sendall(b"x" * 25_000)
            heard(one, 25_000)
            took[words] = time.monotonic() - begun
    assert took[b"apache-kafka-java"] > seconds > took[b"librdkafka"]


def test_an_address_in_an_answer_becomes_the_links_even_where_it_comes_in_pieces(server: str) -> None:
    host, port = server.split(":")
    address = host.encode() + int(port).to_bytes(4)
    with Link(server, rewrites=True) as link, connect(link, b"hello") as one:
        heard(one, 5)
        one.sendall(b"at " + address[:7])
        time.sleep(0.02)
        one.sendall(address[7:] + b".")
        own = host.encode() + link.port.to_bytes(4)
        assert heard(one, 3 + len(own) + 1) == b"at " + own + b"."
