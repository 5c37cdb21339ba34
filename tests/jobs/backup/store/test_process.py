"""Backup work in this process: errors are a child's, and show no secret."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.jobs.backup.store import process

ORDER = {"kind": "export", "config": {"sasl.password": "hush-hush"}, "ranges": ((1, 2),)}


def test_a_single_order_is_done_here_as_a_process_would_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(process._KINDS, "export", lambda order: {"ranges": tuple(order["ranges"])})
    assert process.run([ORDER]) == [{"ranges": [[1, 2]]}], "tuples are lists, on both ways"


def test_an_error_of_ours_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_order: Any) -> dict[str, Any]:
        raise BadConnection("the cluster refuses us")

    monkeypatch.setitem(process._KINDS, "export", work)
    with pytest.raises(BadConnection, match="refuses us"):
        process.run([ORDER])


def test_any_other_error_shows_where_it_was_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(order: Any) -> dict[str, Any]:
        raise KeyError(f"a library quotes {order['config']}")

    monkeypatch.setitem(process._KINDS, "export", work)
    with pytest.raises(TransientError, match=r"(?s)the backup's process ended: .*in work") as caught:
        process.run([ORDER])
    assert "KeyError" in str(caught.value)
    assert "hush-hush" not in "".join(traceback.format_exception(caught.value)), "nor in what it came from"
