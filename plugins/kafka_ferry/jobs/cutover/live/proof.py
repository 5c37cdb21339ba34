"""The proof that producers have stopped: two moments between which nobody wrote, and no transaction is open."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.standstill import Look, open_transactions, told, writers

log = logging.getLogger(__name__)

_POLL = 0.25


class NotStopped(FerryError):
    """The source is not at rest.

    :param named: who keeps it from that, in words.
    """

    def __init__(self, text: str, named: Iterable[object] = ()) -> None:
        super().__init__(text)
        self.named = [str(one) for one in named]


class StillWriting(NotStopped):
    """A producer writes to the source though it should have stopped."""


class TransactionOpen(NotStopped):
    """A transaction on the source did not end."""


def prove_stopped(wave: Wave, seconds: float, timeout: float, transaction_timeout: float) -> Look:
    """Wait until nobody has written for so long, and every transaction has ended. The look that saw it.

    :param seconds: between the two moments. ``timeout``: until when writers must have stopped.
    :param transaction_timeout: for which open transactions are waited for, from when all else stands still.
    :raises StillWriting: names each producer. ``TransactionOpen``: each transaction.
    """
    deadline = time.monotonic() + timeout
    first = wave.look(time.monotonic())
    still_since: float | None = None
    while True:
        time.sleep(_POLL)
        beat()
        now = wave.look(time.monotonic())
        if writers(first, now):
            if now.at > deadline:
                found = writers(first, now, wave.transactional_ids())
                raise StillWriting(
                    f"still written on the source after {timeout:g} s: {told(found)}. Fix: stop "
                    "these producers (a super user is stopped by no ACL), then clear window",
                    found,
                )
            first, still_since = now, None
            continue
        if now.at - first.at < seconds:
            continue
        still_since = still_since or now.at
        left = open_transactions(now)
        if not left:
            return now
        if now.at - still_since > transaction_timeout:
            left = open_transactions(now, wave.transactional_ids())
            raise TransactionOpen(
                f"open transactions on the source, waited for {transaction_timeout:g} s: "
                f"{told(left)}. Fix: end them (their application commits or aborts; where it is gone, start it again, "
                f"which aborts what it left, or {left[0].abort}), or a larger transaction_timeout, then clear window",
                left,
            )
        log.info("waiting for open transactions: %s", told(left))


def assert_still(wave: Wave, proven: Look, *, when: str) -> Look:
    """A look more, that nobody wrote since.

    :raises StillWriting: somebody did.
    """
    now = wave.look(time.monotonic())
    if found := writers(proven, now, {}):
        raise StillWriting(
            f"written on the source again, {when}: {told(found)}. Fix: stop these producers, clear window", found
        )
    return now
