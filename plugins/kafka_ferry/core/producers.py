"""What a partition's leader knows of who writes to it (KIP-664). Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProducerState:
    """An idempotent or transactional producer on one partition; brokers know no other kind.

    :param last_sequence: of its last batch; -1: none since its transaction ended. ``last_timestamp``: of that batch's
        records, ms since 1970; -1: not known.
    :param transaction_start: first offset of its open transaction; -1: none is open.
    """

    producer_id: int
    epoch: int
    last_sequence: int
    last_timestamp: int
    coordinator_epoch: int = -1
    transaction_start: int = -1

    @property
    def is_transactional(self) -> bool:
        """As far as the partition shows: a transaction is open or has ended here."""
        return self.transaction_start >= 0 or self.coordinator_epoch >= 0
