"""Whoever writes on the target beside the replication is named, and the replication itself never is."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from cutover_lab import Application, CutoverRun, Lab

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def told(run: CutoverRun) -> list[dict[str, Any]]:
    return [one for one in run.plan()["findings"] if one["code"] == "target_written"]


def test_who_writes_on_the_target_is_named_by_the_plan_and_by_prepare(
    lab: Lab, replicate: Any, make_topics: Any, produce: Any
) -> None:
    topics = [f"{lab.prefix}t{number}" for number in range(2)]
    make_topics(lab.stack.client_settings("source"), *topics, partitions=2)
    produce(lab.client("source"), topics[0], ({"value": str(n).encode(), "partition": n % 2} for n in range(3_000)))
    busy = Application(lab, topics[1:], 2, rate=100)
    busy.start(["plain", "idempotent", "transactional"], [])
    replicate()
    run = CutoverRun(f"{lab.prefix}run", topics=[f"{lab.prefix}t.*"], groups=[], migration=f"{lab.prefix}w"[:40],
                     fence="prove")  # fmt: skip
    for _ in range(3):
        assert told(run) == [], "the replication, ahead of nobody and behind by whatever it is"
        time.sleep(2)
    late = Application(lab, topics[:1], 2, rate=20)
    late.switch()
    late.start(["idempotent"], [])
    late.wait_for(30)
    (finding,) = told(run)
    assert finding["severity"] == "warn"
    assert finding["subject"] == f"topic {topics[0]} on kafka_target"
    place = rf"{topics[0]}-\d: \d+ records at offsets \d+ to \d+ by producer id \d+, ([\d.]+) records/s now"
    rates = [float(rate) for rate in re.findall(place, finding["what"])]
    assert len(rates) == 2, finding["what"]
    assert all(2 < rate < 30 for rate in rates), "20 records/s on two partitions"
    assert topics[1] not in finding["what"]
    late.stop()
    with pytest.raises(
        AirflowFailException, match=r"(?s)\d+ unexpected.*by producer id \d+, nothing now.*stop whoever"
    ):
        run.prepare()
    busy.stop()
    assert (late.errors, busy.errors) == ([], [])
