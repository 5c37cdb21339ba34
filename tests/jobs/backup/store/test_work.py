"""How the work of a task is spread: over processes, or done where it is."""

from __future__ import annotations

import os
from typing import Any

import pytest

from kafka_ferry.jobs.backup.store import export, process, work
from kafka_ferry.jobs.backup.store.export import ExportRange

PLAIN = {"bootstrap.servers": "127.0.0.1:1"}
LARGE = 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("machine", "each", "count"), [(2, 1, 2), (2, 2, 1), (1, 2, 1), (8, 1, 4), (8, 2, 4), (6, 2, 3), (None, 1, 1)]
)
def test_as_many_processes_as_keep_the_machine_busy(monkeypatch, machine, each, count):
    monkeypatch.setattr(os, "cpu_count", lambda: machine)
    assert work.processes(each) == count


def test_items_are_spread_over_the_processes(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(work, "run", lambda orders: [{"items": order["items"]} for order in orders])
    items = ["a", "b", "c"]

    def spread(cores: int, weight: int) -> list[list[str]]:
        answers = work.in_processes(items, lambda _: weight, lambda some: {"items": list(some)}, cores)
        return [answer["items"] for answer in answers]

    assert sorted(map(len, spread(1, LARGE))) == [1, 2]
    assert spread(2, LARGE) == [items], "one process keeps both cores busy"
    assert spread(1, 10) == [items], "too little to start another"


def test_a_single_order_is_done_here_as_if_it_had_been_sent(monkeypatch):
    def work_on(order: Any) -> dict[str, Any]:
        assert order["pair"] == ["topic", 1], "as a process would have read it"
        return {"pid": os.getpid(), "pair": (1, 2)}

    monkeypatch.setitem(process._KINDS, "test", work_on)
    monkeypatch.setattr(process, "run_children", lambda *_: pytest.fail("a process was started"))
    assert process.run([{"kind": "test", "pair": ("topic", 1)}]) == [{"pid": os.getpid(), "pair": [1, 2]}]


def test_several_orders_have_a_process_each(monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr(process, "run_children", lambda _module, _what, orders: seen.extend(orders) or ["a", "b"])
    assert process.run([{"kind": "export", "config": {"sasl.password": "hush-hush"}}, {"kind": "export"}]) == ["a", "b"]
    assert [secrets for _, secrets in seen] == [{"hush-hush"}, set()]


def spans(records: int) -> list[ExportRange]:
    return [ExportRange("t", "id", 0, 0, records)]


def test_an_export_in_machine_code_keeps_two_cores_busy(monkeypatch):
    monkeypatch.setenv("FERRY_NATIVE", "auto")
    assert export.cores(PLAIN, spans(1_000_000)) == 2
    assert export.cores(PLAIN, spans(1000)) == 1, "read from messages"
    assert export.cores(PLAIN, spans(1_000_000), "jsonl") == 1, "written by Python"
    monkeypatch.setenv("FERRY_NATIVE", "never")
    assert export.cores(PLAIN, spans(1_000_000)) == 1
