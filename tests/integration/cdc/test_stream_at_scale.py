"""100,000 rows and 10,000 changes, with the Connect worker killed in the middle of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from dag_runs import WriteQuota
from stack import Stack
from stream_lab import Shop, StreamRun, checks_of, differences_of

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1_200)]

ROWS, PATIENCE = 100_000, 300
SLOW = {"running_timeout": PATIENCE, "convergence_timeout": 600, "no_progress_timeout": 240}


@pytest.fixture
def quota(database_stack: Stack) -> Iterator[WriteQuota]:
    quota = WriteQuota(database_stack)
    yield quota
    database_stack.up()
    quota(0)


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_worker_loses_and_invents_nothing(
    database_stack: Stack,
    quota: WriteQuota,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    for name, value in database_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path_factory.mktemp("artifacts")))
    shop = Shop(database_stack, topic_prefix.strip("-"))
    shop.do("CREATE TABLE orders (id INT PRIMARY KEY, item VARCHAR(200), price DECIMAL(8,2), at DATETIME)")
    for first in range(0, ROWS, 5000):
        values = ",".join(
            f"({n}, 'item {n}', '{n % 1000}.50', '2024-01-01 00:00:00')" for n in range(first, first + 5000)
        )
        shop.do(f"INSERT INTO orders VALUES {values}")
    run = StreamRun("scale", databases=[shop.name], stream=shop.name, keep_streaming=False, **SLOW)
    stream = run.stream
    run.plan()

    # The quota lets the first 5 MB through at once; the snapshot has ten times that.
    quota(500_000)
    run.deploy()
    until(lambda: stream.events() > 5_000)
    database_stack.worker.kill9()
    assert stream.events() < ROWS, "the snapshot was over before the kill"
    quota(0)
    database_stack.up()
    run.deploy()
    run.converge()
    before = stream.events()
    assert before >= ROWS

    quota(100_000)
    shop.do(
        "UPDATE orders SET price = price + 1 WHERE id < 5000",
        "DELETE FROM orders WHERE id BETWEEN 3000 AND 4999",
        "INSERT INTO orders SELECT id + 200000, item, price, at FROM orders LIMIT 2500",
        "UPDATE orders SET item = 'again' WHERE id < 500",
    )
    until(lambda: stream.events() > before + 300)
    database_stack.worker.kill9()
    assert stream.events() < before + 10_000, "the changes were over before the kill"
    quota(0)
    database_stack.up()
    run.deploy()
    run.converge()
    run.validate()
    run.remove()
    report = run.report()
    shop.close()

    assert report["verdict"] == "PASS", differences_of(report)[:5]
    made = checks_of(report)
    assert made["counts"] in ("pass", "explained"), "a snapshot that was begun again is told"
    assert made["content"] == "pass"
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["counts"]["expected"] == "100,000 rows"
    assert checks["changes"]["expected"] == checks["changes"]["actual"] == "10,000"
    (line,) = report["topics"]
    assert (line["lost"], line["reordered"]) == (0, 0)
