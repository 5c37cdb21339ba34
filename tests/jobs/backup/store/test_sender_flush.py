"""How long deliveries are waited for: for as long as there are some."""

from __future__ import annotations

import time

import pytest

from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.backup.store import senders
from kafka_ferry.jobs.backup.store.senders import Sender


class Slow(Sender):
    """Of so many records one arrives each tenth of a second, until ``stuck`` are left."""

    def __init__(self, left: int, stuck: int = 0) -> None:
        super().__init__()
        self.left, self._stuck = left, stuck

    def _wait(self, seconds: float) -> int:
        time.sleep(0.1)
        self.left = max(self._stuck, self.left - 1)
        return self.left


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "_FLUSH_SECONDS", 0.5)


def test_a_slow_link_is_no_stalled_one() -> None:
    sender, begun = Slow(15), time.monotonic()
    sender.flush()
    assert time.monotonic() - begun > 1
    assert sender.left == 0


def test_what_is_acknowledged_no_more_ends_it() -> None:
    begun = time.monotonic()
    with pytest.raises(TransientError, match=r"3 records are waiting, none was acknowledged within 0\.5 s"):
        Slow(5, stuck=3).flush()
    assert time.monotonic() - begun < 5
