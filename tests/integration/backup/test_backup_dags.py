"""Backups in a real Airflow scheduler: schedule, backfill, restore, verification, kill -9, a store that is down."""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

import nasty
from dag_runs import Runs, fill
from demo.airflow_api import FINISHED, AirflowApi
from group_offsets import commit
from kafka_ferry.hooks.objects.store import S3Store
from kafka_ferry.jobs.backup.rules.manifest import State
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.verify import verify_segments
from own_dags import own_dags_folder
from s3_faults import S3Faults
from stack import Stack, s3

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1_800)]

LOCATION = f"s3://{s3.BUCKET}/dag-tests"
TIMEOUT = 560
#: What a user writes for backups of their own (docs/backup_topics.md). With a start date the run of the last tick comes
#: as soon as the DAG is unpaused; an interval without one ticks whenever Airflow parses the file.
OWN = '''"""Backups of our own: Airflow DAGs."""
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from kafka_ferry.jobs.backup.dag import back_up, verify
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, VerifySpec

LOCATION = "{location}"
nights = params_of(BackupSpec, backup="nights", topics=["nights[.].*"], location=LOCATION, patience=2)
once = task_defaults("kafka_ferry") | {{"retries": 0}}
soon = task_defaults("kafka_ferry") | {{"retry_delay": timedelta(seconds=1)}}
paused = {{"catchup": False, "max_active_runs": 1, "is_paused_upon_creation": True}}

since = datetime(2026, 1, 1, tzinfo=UTC)
with DAG("own_nights", schedule="0 2 * * *", start_date=since, params=nights, default_args=once, **paused):
    back_up()
with DAG("own_next_night", schedule=timedelta(hours=6), params=nights, default_args=once, **paused):
    back_up()
with DAG("own_backup", schedule=None, params=params_of(BackupSpec, location=LOCATION), default_args=soon):
    back_up()
with DAG("own_verify", schedule=None, params=params_of(VerifySpec, location=LOCATION), default_args=soon):
    verify()
'''


@dataclass
class BackupRuns(Runs):
    """Runs of one of the DAGs above, or of ours."""

    def start(self, run_id: str, **conf: Any) -> str:
        self.api.trigger(self.dag, run_id, conf)
        return run_id

    def wait(self, run_id: str, timeout: float = TIMEOUT) -> str:
        return super().wait(run_id, timeout)

    def next_tick(self) -> str:
        """Of a schedule, ISO 8601 in UTC; the scheduler makes its run when it has come."""
        return str(self.api._get(f"/api/v2/dags/{self.dag}")["next_dagrun_run_after"])

    def of(self, kind: str) -> dict[str, str]:
        """Runs of a kind (scheduled, backfill, manual) with their states, oldest first."""
        found = self.api._get(f"/api/v2/dags/{self.dag}/dagRuns?order_by=run_after&limit=100")["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in found if run["run_type"] == kind}

    def backup_id(self, run_id: str) -> str:
        return str(self.artifact(run_id, "plan.json")["archive"]["backup_id"])

    def passed(self, run_id: str) -> dict[str, Any]:
        """The report of a run that must pass."""
        state, report = self.wait(run_id), self.report(run_id)
        assert (state, report["verdict"]) == ("success", "PASS"), report["failures"]
        return report


@dataclass
class Lab:
    """The DAGs on the stack, and the store they write to."""

    stack: Stack
    api: AirflowApi

    def runs(self, dag: str) -> BackupRuns:
        return BackupRuns(self.stack, self.api, dag)

    def store(self) -> S3Store:
        settings = {
            "endpoint_url": self.stack.s3.url,
            "region_name": "us-east-1",
            "aws_access_key_id": s3.ACCESS_KEY,
            "aws_secret_access_key": s3.SECRET,
        }
        return S3Store(LOCATION, settings, patience=30)

    def catalogue(self, backup: str) -> Catalogue:
        return Catalogue(self.store(), backup)


@pytest.fixture(scope="module")
def lab(airflow_stack: Stack, airflow_api: AirflowApi) -> Lab:
    (own_dags_folder() / "own_backups.py").write_text(OWN.format(location=LOCATION))
    deadline = time.monotonic() + 180
    while not all(airflow_api.dag_is_known(f"own_{name}") for name in ("nights", "next_night", "backup", "verify")):
        assert time.monotonic() < deadline, airflow_api.import_errors()
        time.sleep(0.5)
    return Lab(airflow_stack, airflow_api)


@pytest.fixture
def healed(lab: Lab) -> Iterator[None]:
    yield
    lab.stack.up()
    for dag in ("own_nights", "own_next_night"):
        lab.api.pause(dag, True)


def until(what: Callable[[], Any], why: str, timeout: float = TIMEOUT) -> Any:
    deadline = time.monotonic() + timeout
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.5)
    return found


def status(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


def test_backed_up_restored_under_new_names_verified_and_a_damaged_object_named(lab, make_topics, produce) -> None:
    source = lab.stack.source_bootstrap
    prefix = "round.trip-"
    nasty.make(source, prefix, make_topics, produce)
    marks = {(f"{prefix}plain", 0): 5, (f"{prefix}trimmed", 0): 50}
    commit(source, "round-trip", marks)
    backup, verify = lab.runs("own_backup"), lab.runs("own_verify")
    conf = {"backup": "trip", "location": LOCATION}
    run = backup.start("trip", **conf, topics=[f"{prefix}.*"], groups=["round-trip"], source_conn_id="kafka_source")
    made = backup.passed(run)
    assert made["backups"][0]["own"]
    assert status(made)["gaps"] == "explained", "the head of one topic was deleted, and that is said"

    restore = lab.runs("restore_topics")
    restored = restore.start("trip", **conf, rename={"(.*)": "\\1.back"}, source_conn_id="kafka_source")
    whole = verify.start("whole", **conf)
    report = restore.passed(restored)
    assert status(verify.passed(whole)) == {
        "manifests": "pass", "objects": "pass", "counts": "pass", "orphans": "pass", "clocks": "pass",
        "registry": "skipped",
    }  # fmt: skip
    assert {name: status(report)[name] for name in ("content", "counts", "groups", "group_offsets", "leftovers")} == (
        dict.fromkeys(("content", "counts", "groups", "group_offsets", "leftovers"), "pass")
    )
    assert status(report)["source"] in ("pass", "explained")
    records = sum(line["source_records"] for line in made["topics"])
    assert records == sum(line["target_records"] for line in report["topics"]) > 100
    assert {line["source"]: line["target"] for line in report["topics"]} == {
        line["source"]: f"{line['source']}.back" for line in made["topics"]
    }
    offsets = {(line["topic"], line["partition"]): line["target_offset"] for line in report["groups"]}
    assert offsets == {(f"{prefix}plain.back", 0): 5, (f"{prefix}trimmed.back", 0): 10}

    # Repeated, it finds all there; what was put back is held and put back again.
    assert restore.clear(restored, "restore") == "success"
    again = restore.report(restored)
    assert again["topics"] == report["topics"]
    assert again["throughput"]["records"] == 0

    catalogue = lab.catalogue("trip")
    (manifest,) = catalogue.complete().values()
    topic, partition, segment = max(manifest.segments(), key=lambda one: one[2].size)
    data = bytearray(catalogue.store.get(segment.key))
    data[len(data) // 2] ^= 1
    catalogue.store.put(segment.key, bytes(data))
    damaged = verify.start("damaged", **conf)
    assert verify.wait(damaged) == "failed"
    report = verify.report(damaged)
    (named,) = next(check for check in report["checks"] if check["name"] == "objects")["differences"]
    assert segment.key in named
    assert f"{topic.name}-{partition.partition} offsets {segment.begin} to {segment.end - 1}" in named
    assert report["backups"][0]["status"] == "fail"
    assert no_secret_in(lab, backup.path(run), restore.path(restored), verify.path(whole)) > 10


def no_secret_in(lab: Lab, *folders: Path) -> int:
    """Files of these runs, artifacts and logs, without the store's key; how many."""
    logs = Path(lab.stack.variables()["AIRFLOW_HOME"]) / "logs"
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    own = [path for path in logs.rglob("*.log") if "dag_id=own_" in str(path) or "dag_id=restore_topics" in str(path)]
    assert own
    for path in [*files, *own]:
        assert s3.SECRET not in path.read_text(errors="replace"), path
    return len(files)


def test_nights_that_fail_are_made_up_for_a_backfill_has_nothing_to_do_and_pruning_keeps_what_is_needed(
    lab, healed
) -> None:
    source = lab.stack.source_bootstrap
    fill(source, "nights.a", 1000)
    nights, later = lab.runs("own_nights"), lab.runs("own_next_night")

    # The first night: the store is away. On unpausing, the scheduler makes the run of the last tick.
    lab.stack.s3.kill9()
    lab.api.pause(nights.dag, False)
    (first,) = until(lambda: nights.of("scheduled"), "no scheduled run")
    assert nights.wait(first) == "failed"
    assert "plan: s3://ferry-backups/dag-tests: cannot" in nights.report(first)["failures"][0]
    lab.stack.up()
    assert nights.clear(first, "plan") == "success"
    made = nights.passed(first)
    assert made["backups"][0]["backup_id"] == nights.backup_id(first)
    assert made["backups"][0]["records"] == 1000

    # Three nights before it: Kafka cannot show them, and they are covered.
    night = nights.backup_id(first)
    end = calendar.timegm(time.strptime(night[:8], "%Y%m%d"))
    days = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end + hours * 3600)) for hours in (-72, -1)]
    window = {"from_date": days[0], "to_date": days[1], "run_backwards": False, "dag_run_conf": {}}
    choice = {"reprocess_behavior": "none", "max_active_runs": 3, "run_on_latest_version": True}
    # Paused while Airflow makes the runs: one that SQLite's lock makes it take away again ends its scheduler (3.3.2:
    # ObjectDeletedError in _schedule_all_dag_runs, HTTP 503 to the caller).
    lab.api.pause(nights.dag, True)
    lab.api._call("POST", "/api/v2/backfills", {"dag_id": nights.dag, **window, **choice})
    lab.api.pause(nights.dag, False)
    backfilled = until(
        lambda: (found := nights.of("backfill")) and len(found) == 3 and set(found.values()) <= set(FINISHED) and found,
        "the backfill did not end",
    )
    for run in backfilled:
        report = nights.passed(run)
        assert f"covered by backup {night}" in report["sentence"]
        assert report["backups"] == []
    assert list(lab.catalogue("nights").complete()) == [night]
    lab.api.pause(nights.dag, True)

    # The next night. It must come after the first backup, else it would be covered: so Airflow shall parse again.
    fill_more(source, "nights.a", 500)
    before = datetime.now(UTC)
    (own_dags_folder() / "own_backups.py").touch()
    until(lambda: datetime.fromisoformat(later.next_tick()) > before, "Airflow did not look at the file again")
    lab.api.pause(later.dag, False)
    (second,) = until(lambda: later.of("scheduled"), "no scheduled run")
    report = later.passed(second)
    own = next(line for line in report["backups"] if line["own"])
    assert (own["mode"], own["parent"], own["records"]) == ("incremental", night, 500)
    assert own["growth"] == own["bytes"] > 0

    # A full backup, of which one is kept, leaves nobody who needs the others.
    backup = lab.runs("own_backup")
    about = {"backup": "nights", "location": LOCATION, "topics": ["nights[.].*"], "mode": "full"}
    dry = backup.passed(backup.start("prune-dry", **about, keep_last=1, prune_dry_run=True))
    assert f"would delete {night}" in check(dry, "pruning")["differences"]
    catalogue = lab.catalogue("nights")
    assert night in catalogue.complete()
    pruned = backup.passed(backup.start("prune", **about, keep_last=1))
    assert f"deleted {night}" in check(pruned, "pruning")["differences"]
    (kept,) = catalogue.complete().values()
    assert kept.backup_id == backup.backup_id("prune")
    lines = [(topic.name, one.partition, segment) for topic, one, segment in kept.segments()]
    assert verify_segments(catalogue.store, lines) == []
    assert sum(segment.records for _, _, segment in lines) == 1500
    assert catalogue.orphans() == {}


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["checks"] if one["name"] == name)


def fill_more(bootstrap: str, topic: str, records: int) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": bootstrap})
    for number in range(records):
        producer.produce(topic, value=f"more {number}", partition=number % 2)
    assert producer.flush(60) == 0


def test_a_killed_export_goes_on_and_only_then_there_is_a_backup(lab) -> None:
    fill(lab.stack.source_bootstrap, "kill.export", 20_000)
    backup, catalogue = lab.runs("own_backup"), lab.catalogue("killed")
    away = {"data": True}

    def fault(method: str, path: str) -> int | None:
        return 503 if away["data"] and method in ("PUT", "POST") and "/data/" in path else None

    with S3Faults(lab.stack.s3.url, fault) as proxy:
        extra = {"region_name": "us-east-1", "service_config": {"s3": {"endpoint_url": proxy.url}}}
        connection = {"connection_id": "s3_slow", "conn_type": "aws", "login": s3.ACCESS_KEY, "password": s3.SECRET}
        lab.api._call("POST", "/api/v2/connections", {**connection, "extra": json.dumps(extra)})
        run = backup.start(
            "kill", backup="killed", location=LOCATION, topics=["kill[.]export"], aws_conn_id="s3_slow", patience=600
        )
        backup.until(run, lambda: proxy.faults > 0, TIMEOUT)  # no segment can be finished: it is in mid-run
        backup.until(run, lambda: backup.kill(run, "export/0"), TIMEOUT)
        manifest = catalogue.read(backup.backup_id(run))
        assert manifest is not None
        assert manifest.state is State.IN_PROGRESS
        assert catalogue.complete() == {}
        away["data"] = False

        report = backup.passed(run)
        assert backup.task(run, "export").try_number >= 2
        (done,) = catalogue.complete().values()
        assert done.totals.records == 20_000
        lines = [(topic.name, one.partition, segment) for topic, one, segment in done.segments()]
        assert verify_segments(catalogue.store, lines) == []

        assert backup.clear(run, "export") == "success"
        again = backup.report(run)
        assert (again["verdict"], again["topics"]) == ("PASS", report["topics"])
        assert catalogue.complete() == {done.backup_id: done}, "a COMPLETE backup is not written again"


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown": ("own_backup", {"topic": ["x"]}, "param 'topic' is unknown"),
    "nothing": ("own_backup", {"topics": ["no[.]such[.]topic"]}, "nothing on the cluster matches"),
    "bucket": ("own_backup", {"location": "s3://no-such-bucket/x"}, "there is no bucket 'no-such-bucket'"),
    "restore": (
        "restore_topics",
        {"location": LOCATION, "backup": "no-such"},
        "there is no backup 'no-such' in",
    ),
    "verify": ("own_verify", {"backup": "no-such"}, "there is no backup 'no-such' in"),
}


def test_what_cannot_work_is_refused_at_once(lab) -> None:
    for name, (dag, conf, _) in REFUSED.items():
        lab.runs(dag).start(f"refused-{name}", **conf)
    for name, (dag, _, said) in REFUSED.items():
        runs, run = lab.runs(dag), f"refused-{name}"
        assert runs.wait(run) == "failed", name
        assert said in runs.report(run)["failures"][0], name
        runs.refused_at_once(run, said)
    target = AdminClient({"bootstrap.servers": lab.stack.target_bootstrap}).list_topics(timeout=30).topics
    assert not [name for name in target if "no-such" in name]
