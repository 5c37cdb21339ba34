"""A header's name of any bytes never reaches the client that it would crash."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.backup.store import senders
from kafka_ferry.jobs.backup.store.senders import BATCH_BYTES, MessageSender
from kafka_ferry.records.rows import Rows

NOBODY: dict[str, Any] = {"bootstrap.servers": "127.0.0.1:1"}


def rows(*names: str) -> Rows:
    return Rows([0], [1], [b"k"], [b"v"], [[(name, b"x") for name in names]])


@pytest.mark.parametrize("name", ["caf\udce9", "a\0b"])
@pytest.mark.parametrize(
    ("config", "native", "fix"),
    [
        (
            {"oauth_cb": lambda _: ("token", 0.0)},
            "auto",
            "only librdkafka supports oauth_cb, and it cannot send this. Fix: a target connection without it",
        ),
        (
            {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI"},
            "auto",
            "only librdkafka supports sasl.mechanism, and",
        ),
        ({}, "never", "Fix: set FERRY_NATIVE to auto"),
    ],
)
def test_a_name_that_is_no_text_is_refused_before_the_client_has_it(
    name: str, config: dict[str, Any], native: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRY_NATIVE", native)
    monkeypatch.setattr(senders, "Producer", lambda _: Nothing())
    with (
        MessageSender({**NOBODY, **config}) as sender,
        pytest.raises(FerryError, match=f"t-3: a header's name is not UTF-8, or has a NUL; .*{fix}"),
    ):
        sender.send("t", 3, rows("h", name))


def test_the_other_sender_takes_over_when_all_before_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Other:
        def __init__(self, _: Any, batch_bytes: int) -> None:
            assert batch_bytes == BATCH_BYTES
            done.append("other made")

        def send(self, topic: str, partition: int, rows: Rows) -> None:
            done.append(f"other sends {topic}-{partition} {rows.headers[0][0][0]!a}")

        def flush(self) -> None:
            done.append("other flushed")

        def close(self) -> None:
            done.append("other closed")

    monkeypatch.setattr(senders, "NativeSender", Other)
    monkeypatch.setattr(senders, "Producer", lambda _: Nothing(done))
    with MessageSender(NOBODY) as sender:
        sender.send("t", 0, rows("a"))
        sender.send("t", 0, rows("caf\udce9"))
        sender.send("t", 1, rows("b"))
        sender.flush()
    assert [one for one in done if one not in ("flushed", "polled")] == [
        "a", "other made", "other sends t-0 'caf\\udce9'", "other sends t-1 'b'", "other flushed", "other closed"
    ]  # fmt: skip
    assert done.index("other made") > done.index("a")
    assert "flushed" in done[done.index("other made") : done.index("other sends t-0 'caf\\udce9'")]


class Nothing:
    """A producer that delivers all."""

    def __init__(self, done: list[str] | None = None) -> None:
        self._done = [] if done is None else done

    def __len__(self) -> int:
        return 0

    def produce(self, *_: Any, headers: Any, **__: Any) -> None:
        self._done.append(headers[0][0])

    def flush(self, _: float) -> None:
        self._done.append("flushed")

    def poll(self, _: float) -> None:
        self._done.append("polled")

    def purge(self) -> None:
        pass
