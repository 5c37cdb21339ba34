"""A slow link to a broker: a proxy that hands on so many bytes a second, and may stand still for a while.

Brokers tell clients where they are, past any proxy; so its port is put in the place of theirs in what they answer,
which is as long: the host is the same.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self

_PIECE = 8192


class SlowLink:
    """One link for all connections.

    :param bootstrap: of a cluster of one broker, on 127.0.0.1.
    :param bytes_per_second: both ways together.
    :param stall_at: after so many bytes nothing comes for ``stall_seconds``; then as before.
    """

    def __init__(
        self, bootstrap: str, bytes_per_second: float, stall_at: int | None = None, stall_seconds: float = 0
    ) -> None:
        host, port = bootstrap.split(":")
        self._broker, self._speed = (host, int(port)), bytes_per_second
        self._stall_at, self._stall_seconds = stall_at, stall_seconds
        self._listening = socket.create_server(("127.0.0.1", 0))
        own = self._listening.getsockname()[1]
        self._from, self._to = (host.encode() + number.to_bytes(4) for number in (int(port), own))
        self.bootstrap = f"127.0.0.1:{own}"
        self.carried, self.connections = 0, 0
        self._sockets: list[socket.socket] = []
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for one in (self._listening, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                broker = socket.create_connection(self._broker)
            except OSError:
                return
            self.connections += 1
            self._sockets += client, broker
            threading.Thread(target=self._carry, args=(client, broker), daemon=True).start()
            threading.Thread(target=self._carry, args=(broker, client), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                sink.sendall(self._slowed(piece))
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _slowed(self, piece: bytes) -> bytes:
        with self._turn:
            time.sleep(len(piece) / self._speed)
            if self._stall_at is not None and self.carried <= self._stall_at < self.carried + len(piece):
                time.sleep(self._stall_seconds)
            self.carried += len(piece)
        return piece.replace(self._from, self._to)
