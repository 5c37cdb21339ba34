"""``mirror_maker2_on_msk_connect`` in a real Airflow scheduler, on the double of MSK Connect with real workers."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from dag_runs import FAST, ReadQuota, Runs, fill
from demo.airflow_api import AirflowApi
from group_offsets import commit
from stack import Stack
from stack.msk_double import BUCKET

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(3_000)]

DAG = "mirror_maker2_on_msk_connect"
#: Connect workers start beside Airflow, on a machine that may have other work.
PATIENT = {**FAST, "running_timeout": 300, "no_progress_timeout": 180, "convergence_timeout": 480}
TIMEOUT = 900


class MskRuns(Runs):
    """Runs of the DAG; what it needs of AWS are its defaults on the stack."""

    def base(self, run: str) -> str:
        """What names on MSK Connect begin with."""
        return f"{self.dag}-{run}".replace("_", "-")

    def params(self, topic: str, **conf: Any) -> dict[str, Any]:
        return {**PATIENT, "topics": [topic], "groups": [f"{topic}-.*"], "log_group": "/ferry", "tasks_max": 2, **conf}

    def leaves_nothing(self, run: str) -> None:
        topics = AdminClient({"bootstrap.servers": self.stack.target_bootstrap}).list_topics(timeout=30).topics
        own = {
            f"mm2-offset-syncs.{run}.internal",
            f"{run}.checkpoints.internal",
            f"mm2-offsets.{self.dag}.{run}.internal",
        }
        assert not own & topics.keys()
        assert not [name for name in topics if name.startswith("__amazon_msk_connect_") and self.base(run) in name]
        assert not [name for name in self.stack.msk.workers() if name.startswith(f"{self.base(run)}-")]
        assert not list((self.stack.folder / "data" / "s3" / BUCKET).glob(f"{self.base(run)}-*"))


@pytest.fixture(scope="module")
def runs(airflow_stack: Stack, airflow_api: AirflowApi) -> MskRuns:
    return MskRuns(airflow_stack, airflow_api, DAG)


def copied(runs: MskRuns, report: dict[str, Any], topic: str, records: int) -> None:
    (row,) = [row for row in report["topics"] if row["source"] == topic]
    assert (row["source_records"], row["target_records"]) == (records, records)
    assert (row["lost"], row["duplicated"], row["reordered"]) == (0, 0, 0)


def test_a_run_with_groups_then_a_clear_then_another_run(runs: MskRuns) -> None:
    topic, run, records = "msk-orders", "msk-a", 20_000
    fill(runs.stack.source_bootstrap, topic, records)
    commit(runs.stack.source_bootstrap, f"{topic}-billing", {(topic, 0): 3_000, (topic, 1): 10_000})
    runs.trigger(run, **runs.params(topic))
    assert runs.wait(run, TIMEOUT) == "success", runs.api.tasks(runs.dag, run)
    report = runs.report(run)
    assert report["verdict"] == "PASS", report
    copied(runs, report, topic, records)
    assert {(row["partition"], row["target_offset"]) for row in report["groups"]} == {(0, 3_000), (1, 10_000)}
    runs.leaves_nothing(run)
    # Everything was taken away: the connectors made by the clear go on behind what the target holds.
    assert runs.clear(run, "fingerprint", wait=False) == "running"
    assert runs.wait(run, TIMEOUT) == "success", runs.api.tasks(runs.dag, run)
    report = runs.report(run)
    assert report["verdict"] == "PASS", report
    copied(runs, report, topic, records)
    runs.leaves_nothing(run)


def test_every_task_can_be_cleared_and_nothing_is_left(runs: MskRuns) -> None:
    topic, run, records = "msk-cleared", "msk-d", 2_000
    fill(runs.stack.source_bootstrap, topic, records)
    runs.trigger(run, **runs.params(topic, groups=[], canary=False))
    assert runs.wait(run, TIMEOUT) == "success", runs.api.tasks(runs.dag, run)
    for task in sorted({one.task_id for one in runs.api.tasks(runs.dag, run)}):
        runs.clear(run, task, wait=False)
        assert runs.wait(run, TIMEOUT) == "success", (task, runs.report(run)["failures"])
        report = runs.report(run)
        assert report["verdict"] == "PASS", (task, report)
        copied(runs, report, topic, records)
        runs.leaves_nothing(run)


def test_a_worker_killed_in_mid_copy_fails_the_run_with_its_words_and_a_clear_completes_it(
    runs: MskRuns, slow_source: ReadQuota
) -> None:
    topic, run, records = "msk-killed", "msk-b", 60_000
    fill(runs.stack.source_bootstrap, topic, records)
    slow_source(100_000)  # of some 8 MB: more than a minute
    runs.trigger(run, **runs.params(topic, groups=[], canary=False))
    runs.until(run, lambda: 0 < runs.copied(run) < records, TIMEOUT)
    os.kill(runs.stack.msk.workers()[f"{runs.base(run)}-source"]["pid"], signal.SIGKILL)
    assert runs.wait(run, TIMEOUT) == "failed"
    slow_source(0)
    report = runs.report(run)
    assert report["verdict"] == "FAIL"
    assert "WorkerEnded" in str(report["failures"])
    assert runs.task(run, "remove").state == "success"
    runs.leaves_nothing(run)
    runs.clear(run, "provision_topics", wait=False)
    assert runs.wait(run, TIMEOUT) == "success", runs.api.tasks(runs.dag, run)
    report = runs.report(run)
    assert report["verdict"] == "PASS", report
    copied(runs, report, topic, records)
    runs.leaves_nothing(run)
