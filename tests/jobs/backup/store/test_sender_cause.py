"""librdkafka may take no more records before it tells which one the broker refused: the cause is waited for."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.jobs.backup.store import senders
from kafka_ferry.jobs.backup.store.senders import Failure, RecordRefused, Sender


class Late(Sender):
    """Told the cause only after a while."""

    def __init__(self, *told: Failure) -> None:
        super().__init__()
        self.told = list(told)

    def _wait(self, seconds: float) -> int:
        if self.told:
            self._on_failed(self.told.pop(0))
        return 0

    def cause(self, code: int) -> FerryError:
        """Of a record that librdkafka did not take."""
        try:
            return self._not_taken("t", 0, KafkaError(code))
        except FerryError as error:
            return error


TOO_LARGE = Failure("t", 0, KafkaError.MSG_SIZE_TOO_LARGE, "Broker: Message size too large")
BEHIND = Failure("t", 0, KafkaError._PURGE_QUEUE, "Local: Purged in queue")


@pytest.mark.parametrize("code", [KafkaError._FATAL, KafkaError._GAPLESS_GUARANTEE])
def test_the_refused_record_is_named_though_it_is_told_later(code: int) -> None:
    found = Late(BEHIND, TOO_LARGE).cause(code)
    assert isinstance(found, RecordRefused)
    assert found.failure == TOO_LARGE


def test_without_a_cause_it_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "_CAUSE_SECONDS", 0.1)
    assert isinstance(Late(BEHIND).cause(KafkaError._GAPLESS_GUARANTEE), TransientError)


def test_another_code_is_said_as_it_is() -> None:
    assert "cannot send" in str(Late().cause(KafkaError._INVALID_ARG))
