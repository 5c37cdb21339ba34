"""A link of the tests' own: a proxy on loopback that stalls, is cut, is slow or far away, and is healed again.

Brokers tell clients where they are, past any proxy. Either the broker tells of the proxy (``Stack(advertised=…)``), or
the proxy's port is put in the place of the broker's in what it answers (``rewrites``), which is as long.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from queue import Queue
from types import TracebackType
from typing import Self

from stack.ports import HOST, PortLease

_PIECE = 8192
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: closing says RST
_JAVA = b"apache-kafka-java"  # what a Java client calls itself in its first request (KIP-511)


class Fault(StrEnum):
    """What may happen to a link."""

    STALL = "stall"
    """Connections stay open, nothing comes through."""

    CUT = "cut"
    """Connections are reset, and new ones refused; where only one party is cut off, theirs are reset at once."""

    SLOW = "slow"
    """200 kB/s, both ways together; of one party, where it is named, else of all."""

    FAR = "far"
    """Each answer comes 50 ms later."""


class Party(StrEnum):
    """Who is at the near end of a connection."""

    WORKER = "worker"
    """A Java client: a Connect worker with its connectors."""

    TASKS = "tasks"
    """Anybody else: tasks and the triggerer."""


SLOW, FAR = 200_000.0, 0.05
BOTH = frozenset(Party)


class Link:
    """One link for all connections to one server.

    :param to: ``host:port``; or what says it, asked when somebody connects: the server may not be there yet.
    :param bytes_per_second: both ways together; None: as they come.
    :param speeds: bytes a second of one party, where it is not slower anyway.
    :param delay: seconds that each answer comes later.
    :param stall_at: after so many bytes nothing comes for ``stall_seconds``, once.
    :param rewrites: what the server says of its own address becomes the link's. A server that speaks of the link by
        itself needs no such thing.
    :ivar address: ``host:port`` of the near end. ``port``: of it.
    :ivar carried: bytes, of each party; ``connections``: that were made.
    """

    def __init__(
        self,
        to: str | Callable[[], str],
        bytes_per_second: float | None = None,
        delay: float = 0,
        stall_at: int | None = None,
        stall_seconds: float = 0,
        rewrites: bool = False,
        speeds: Mapping[Party, float] | None = None,
    ) -> None:
        self._to = to if callable(to) else lambda: to
        self._usual = bytes_per_second, delay
        self.speed, self.delay = self._usual
        self._stall_at, self._stall_seconds, self._rewrites = stall_at, stall_seconds, rewrites
        self._lease = PortLease()  # below the range of outgoing connections: while it is cut nobody else takes it
        self.port = self._lease.take()
        self.address = f"{HOST}:{self.port}"
        self.carried, self.connections = dict.fromkeys(Party, 0), 0
        self._stalled, self._cut = set[Party](), set[Party]()
        self._usual_speeds, self._far = dict(speeds or {}), set[Party]()
        self._change, self._turn, self._speeds = threading.Condition(), threading.Lock(), dict(speeds or {})
        self._turns = {party: threading.Lock() for party in Party}
        self._open: list[_Pair] = []
        self._listening: socket.socket | None = None
        self._over = False

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over = True
        self._deafen()
        self._reset(BOTH)
        with self._change:
            self._change.notify_all()
        self._lease.release()

    @property
    def total(self) -> int:
        """Bytes of all parties."""
        return sum(self.carried.values())

    def fault(self, fault: Fault, *parties: Party) -> None:
        """It begins, for these parties; without any, for all, who then share what is ``SLOW``."""
        who = frozenset(parties) or BOTH
        if fault is Fault.SLOW and who == BOTH:
            self.speed = SLOW
        elif fault is Fault.SLOW:
            self._speeds |= dict.fromkeys(who, SLOW)
        elif fault is Fault.FAR:
            self._far |= who
        elif fault is Fault.STALL:
            self._stalled |= who
        else:
            self._cut |= who
            if self._cut == BOTH:
                self._deafen()
            self._reset(who)

    def heal(self) -> None:
        """All faults end; what was held back comes."""
        self.speed, self.delay = self._usual
        self._speeds = dict(self._usual_speeds)
        self._far.clear()
        self._cut.clear()
        with self._change:
            self._stalled.clear()
            self._change.notify_all()
        if self._listening is None:
            self._listen()

    # --- how ----------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        self._listening = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _deafen(self) -> None:
        if self._listening is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._begin, args=(client,), daemon=True).start()

    def _begin(self, client: socket.socket) -> None:
        """The first words say who it is."""
        try:
            first = client.recv(_PIECE)
            host, port = self._to().split(":")
            server = socket.create_connection((host, int(port)))
        except OSError:
            client.close()
            return
        pair = _Pair(client, server, Party.WORKER if _JAVA in first else Party.TASKS)
        self._open.append(pair)
        if pair.party in self._cut or self._over:
            pair.reset()
            return
        own = _told(host, self.port) if self._rewrites else b""
        threading.Thread(target=self._carry, args=(pair, client, server, first), daemon=True).start()
        answers = (pair, server, client, b"", _told(host, int(port)), own)
        threading.Thread(target=self._carry, args=answers, daemon=True).start()

    def _carry(
        self,
        pair: _Pair,
        source: socket.socket,
        sink: socket.socket,
        first: bytes = b"",
        theirs: bytes = b"",
        own: bytes = b"",
    ) -> None:
        """One way: what arrives is handed on when it is due."""
        waiting: Queue[tuple[float, bytes]] = Queue(32)
        threading.Thread(target=self._hand_on, args=(pair, sink, waiting), daemon=True).start()
        with contextlib.suppress(OSError):
            piece = first or source.recv(_PIECE)
            while piece:
                while own and _cut_off(piece, theirs) and select.select([source], [], [], 0.05)[0]:
                    if not (more := source.recv(_PIECE)):
                        break
                    piece += more
                late = max(self.delay, FAR if pair.party in self._far else 0) if theirs else 0
                waiting.put((time.monotonic() + late, piece.replace(theirs, own or theirs)))
                piece = source.recv(_PIECE)
        waiting.put((0, b""))

    def _hand_on(self, pair: _Pair, sink: socket.socket, waiting: Queue[tuple[float, bytes]]) -> None:
        while True:
            due, piece = waiting.get()
            if not piece:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            self._slowed(pair.party, len(piece))
            with self._change:
                self._change.wait_for(lambda: pair.party not in self._stalled or self._over or pair.is_reset)
            try:
                sink.sendall(piece)
            except OSError:
                break
        pair.end()
        while piece:  # whoever still reads must not wait for room in the queue
            _, piece = waiting.get()

    def _slowed(self, party: Party, size: int) -> None:
        if not self.speed and (own := self._speeds.get(party)):
            with self._turns[party]:
                time.sleep(size / own)
        with self._turn:
            if self.speed:
                time.sleep(size / self.speed)
            before, self.carried[party] = self.total, self.carried[party] + size
            if self._stall_at is not None and before <= self._stall_at < before + size:
                time.sleep(self._stall_seconds)

    def _reset(self, who: frozenset[Party]) -> None:
        for pair in [pair for pair in self._open if pair.party in who]:
            pair.reset()
            self._open.remove(pair)
        with self._change:
            self._change.notify_all()


class _Pair:
    """One connection of a client, and ours to the server for it."""

    def __init__(self, client: socket.socket, server: socket.socket, party: Party) -> None:
        self._both, self.party, self.is_reset = (client, server), party, False

    def end(self) -> None:
        """As one side has ended it."""
        for one in self._both if not self.is_reset else ():
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Without a farewell."""
        self.is_reset = True
        for one in self._both:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RD)  # says nothing to the other side; who waits for it in recv wakes up
            one.close()


def _told(host: str, port: int) -> bytes:
    """How Kafka's protocol says an address: the host's last letters and the port, INT32."""
    return host.encode() + port.to_bytes(4)


def _cut_off(piece: bytes, address: bytes) -> bool:
    """Whether it ends in the midst of an address, perhaps."""
    return any(piece.endswith(address[:size]) for size in range(1, len(address)))
