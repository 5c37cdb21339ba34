"""Whose memory it was: processes are called by their task."""

from __future__ import annotations

from bench.scale import task_peaks

ID = "019aa5b2-0000-7000-8000-0123456789ab"


def test_processes_are_called_by_their_task() -> None:
    peaks = {
        f"airflow-scheduler: airflow worker -- {ID}": 5,
        f"airflow-scheduler: airflow supervisor {ID}": 3,
        "airflow-scheduler: airflow worker -- LocalExecutor: <idle>": 2,
        "airflow-triggerer: airflow triggerer": 4,
        "airflow-scheduler: python -m kafka_ferry.jobs.migration.live.fingerprint_process": 7,
    }
    assert task_peaks(peaks, {ID: "fingerprint[0]"}) == {
        "task fingerprint[0]": 5,
        "airflow-scheduler": 2,
        "airflow-triggerer": 4,
        "reader process": 7,
    }
