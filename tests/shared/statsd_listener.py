"""A StatsD server as far as tests need it: a UDP socket that keeps what Kafka Ferry's metrics say."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self


class StatsdListener:
    """Listens on 127.0.0.1 while it is a context.

    :ivar port: to send to. ``lines``: ``name:value|kind`` of ours, in order; all else is thrown away.
    """

    def __init__(self, word: str = "kafka_ferry.") -> None:
        self._word, self.lines = word, list[str]()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = int(self._socket.getsockname()[1])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    @property
    def variables(self) -> dict[str, str]:
        """What makes an Airflow send here."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.port),
        }

    def said(self, name: str) -> list[float]:
        """Values of a metric so far, oldest first; its name is without Airflow's prefix."""
        start = f"airflow.{name}:"
        return [
            float(line.removeprefix(start).partition("|")[0]) for line in list(self.lines) if line.startswith(start)
        ]

    def wait(self, name: str, seconds: float = 20) -> float:
        """The last value of a metric, once there is one."""
        deadline = time.monotonic() + seconds
        while not (found := self.said(name)):
            assert time.monotonic() < deadline, f"{name} did not come, but {sorted(set(self.lines))}"
            time.sleep(0.05)
        return found[-1]

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                text = self._socket.recv(65_536).decode()
            except TimeoutError:
                continue
            self.lines += [line for line in text.splitlines() if self._word in line]
