"""Links that stall, are cut, slow or far, in each stage: what comes of it is the table of docs/reliability.md."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from airflow.sdk.exceptions import AirflowFailException

from backup_lab import LOCATION
from dags_by_hand import DagRunByHand
from group_offsets import commit
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.tasks.converge import ConvergenceSensor
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.groups import TranslateGroupsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator
from link import Fault, Link, Party
from run_by_hand import Run
from stack import Stack
from stack.stack import PROJECT
from witness import sent_again

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(300)]

SECONDS = 2.0
"""That a stall or a cut lasts, in each stage."""
RECORDS, SIZE = 400, 1_000

MIGRATION = ("plan", "provision_topics", "deploy", "wait_until_running", "wait_until_converged", "fingerprint",
             "translate_groups", "validate", "remove")  # fmt: skip
BACKUP = ("plan", "freeze", "export", "finish", "validate")
RESTORE = ("plan", "provision", "restore", "compare", "groups", "validate", "release")
STAGES = {
    "tasks and brokers": MIGRATION,
    "worker and brokers": MIGRATION,
    "Airflow and Connect": MIGRATION,
    "backup and brokers": BACKUP,
    "backup and S3": BACKUP,
    "restore and brokers": RESTORE,
    "restore and S3": RESTORE,
}
PASSES, RETRY = "passes", "fails by name, its retry passes"


class Links:
    """All that Airflow's tasks and the connectors talk to, behind a link each."""

    def __init__(self, stack: Stack, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._stack, self._monkeypatch = stack, monkeypatch
        monkeypatch.setenv("FERRY_ARTIFACTS", str(folder / "artifacts"))
        self.source, self.target = (
            Link(address, rewrites=True) for address in (stack.source_bootstrap, stack.target_bootstrap)
        )
        self.connect = Link(stack.connect_url.removeprefix("http://"))
        self.s3 = Link(stack.s3.url.removeprefix("http://"))

    @contextmanager
    def open(self) -> Iterator[Links]:
        with self.source, self.target, self.connect, self.s3:
            for name in ("SOURCE", "TARGET"):
                link = self.source if name == "SOURCE" else self.target
                self._change(
                    f"KAFKA_{name}", lambda fields, to=link: fields["extra"].update({"bootstrap.servers": to.address})
                )
            self._change("KAFKA_CONNECT", lambda fields: fields.update(port=self.connect.port))
            s3 = f"http://{self.s3.address}"
            self._change("AWS_DEFAULT", lambda fields: fields["extra"]["service_config"]["s3"].update(endpoint_url=s3))
            yield self

    def _change(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        variable = f"AIRFLOW_CONN_{name}"
        fields = json.loads(self._stack.variables()[variable])
        change(fields)
        self._monkeypatch.setenv(variable, json.dumps(fields))

    def of(self, name: str) -> tuple[list[Link], tuple[Party, ...], set[str]]:
        """Links, who is at their near end, and by what an error names them."""
        brokers = [self.source, self.target]
        words = {"kafka_source", "kafka_target", *(link.address for link in brokers)}
        if name == "worker and brokers":
            return brokers, (Party.WORKER,), words
        if name.endswith("brokers"):
            return brokers, (Party.TASKS,), words
        if name == "Airflow and Connect":
            return [self.connect], (), {"Kafka Connect", self.connect.address}
        return [self.s3], (), {self.s3.address, "s3://"}


@pytest.fixture
def links(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connections: Any) -> Iterator[Links]:
    with Links(stack, monkeypatch, tmp_path).open() as links:
        yield links


class Trial:
    """Stages under a fault of a link; what came of each."""

    def __init__(self, links: Links, name: str, fault: Fault, seconds: float = SECONDS) -> None:
        self._links, self._parties, self._names = links.of(name)
        self._fault, self._seconds = fault, seconds
        self.seen: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.met = set[str]()  # stages in which something came through

    def stage(self, name: str, work: Callable[[], Any]) -> Any:
        begun, before = time.monotonic(), self._carried()
        for link in self._links:
            link.fault(self._fault, *self._parties)
        passing = self._fault in (Fault.STALL, Fault.CUT)
        end = threading.Timer(self._seconds, self._heal)
        if passing:
            end.start()
        try:
            result = work()
        except (FerryError, AirflowFailException) as error:
            assert isinstance(error, FerryError), f"{name}: {error!r} is for good"
            assert error.retriable, f"{name}: {error!r} is not tried again"
            assert any(word in str(error) for word in self._names), f"{name}: {error} names no link"
            print(f"{name}: {time.monotonic() - begun:.1f} s: {error}")
            self.seen[name] = RETRY
        else:
            self.seen[name] = PASSES
        finally:
            end.cancel()
            self._heal()
            self.seconds[name] = time.monotonic() - begun
        if self._carried() > before:
            self.met.add(name)
        return work() if self.seen[name] == RETRY else result

    def _carried(self) -> int:
        return sum(link.carried[party] for link in self._links for party in self._parties or Party)

    def _heal(self) -> None:
        for link in self._links:
            link.heal()


def records(begin: int) -> list[dict[str, Any]]:
    """None of them packs."""
    return [{"key": b"%d" % n, "value": os.urandom(SIZE), "partition": n % 2} for n in range(begin, begin + RECORDS)]


@pytest.fixture
def topic(stack: Stack, topic_prefix: str, make_topics: Any, produce: Any) -> str:
    name = f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, name, partitions=2)
    produce(stack.source_bootstrap, name, records(0))
    commit(stack.client_settings("source"), f"{topic_prefix}g", {(name, 0): 50})
    return name


def migrate(trial: Trial, topic: str, more: Callable[[], None]) -> dict[str, Any]:
    prefix = topic.removesuffix("orders")
    run = Run("mirror_maker2_on_connect", topics=[topic], groups=[f"{prefix}g"], migration=f"{prefix}m",
              canary=False, duplicates="explain")  # fmt: skip
    trial.stage("plan", run.plan)
    try:
        trial.stage("provision_topics", run.provision)
        trial.stage("deploy", run.deploy)
        trial.stage("wait_until_running", run.wait_until_running)
        trial.stage("wait_until_converged", lambda: (more(), run.do(ConvergenceSensor, "wait_until_converged")))
        (shard,) = run.do(ShardsOperator, "shards")
        trial.stage("fingerprint", lambda: run.do(FingerprintOperator, "fingerprint", shard=shard))
        trial.stage("translate_groups", lambda: run.do(TranslateGroupsOperator, "translate_groups"))
        trial.stage("validate", lambda: run.do(ValidateOperator, "validate"))
    finally:
        trial.stage("remove", run.remove)
    assert run.leftovers() == []
    return run.report()


def tried(trial: Trial, dag: str, topic: str, stages: tuple[str, ...], **params: Any) -> dict[str, Any]:
    """A whole DAG, with the fault in these of its tasks."""
    prefix = topic.removesuffix("orders")
    more: dict[str, Any] = {"backup": f"{prefix}b", "location": LOCATION, **params}
    if dag == "backup_topics":
        more |= {"topics": [topic], "groups": [f"{prefix}g"]}
    run = DagRunByHand(dag, f"{prefix}{dag}", **more)
    for task in run.dag.topological_sort():
        work = lambda task=task: run._execute(task)  # noqa: E731
        run.xcoms[task.task_id] = trial.stage(task.task_id, work) if task.task_id in stages else work()
    report: dict[str, Any] = run.artifacts.read_json("report.json") or {}
    return report


class Row(NamedTuple):
    """Of a link and a fault: stages in which the link is used, and what comes of each stage."""

    used: set[str]
    outcome: dict[str, str]


def told() -> dict[tuple[str, str], Row]:
    """The table."""
    text = (PROJECT / "docs" / "reliability.md").read_text().partition("## Links")[2].partition("\n## ")[0]
    found: dict[tuple[str, str], Row] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 4 or cells[0] not in STAGES:
            continue
        link, faults, used, retried = cells[0], *(cell.split(", ") for cell in cells[1:])
        for fault in faults:
            failing = {*retried} - {"none"}
            assert failing | {*used} <= {*STAGES[link]}, line
            outcome = {stage: RETRY if stage in failing else PASSES for stage in STAGES[link]}
            found[link, fault] = Row({*used}, outcome)
    return found


def test_the_table_tells_of_each_link_and_fault() -> None:
    assert told().keys() == {(link, str(fault)) for link in STAGES for fault in Fault}


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("link", list(STAGES))
def test_each_stage_ends_as_the_table_says(
    stack: Stack, links: Links, topic: str, produce: Any, link: str, fault: Fault
) -> None:
    trial, idle = Trial(links, link, fault), Trial(links, link, Fault.FAR)
    if STAGES[link] is MIGRATION:
        # Past the proxy, once the fault is there: the copy has to go on under it.
        report = migrate(trial, topic, lambda: produce(stack.source_bootstrap, topic, records(RECORDS)))
    elif STAGES[link] is BACKUP:
        report = tried(trial, "backup_topics", topic, BACKUP)
    else:
        assert tried(idle, "backup_topics", topic, ())["verdict"] == "PASS"
        report = tried(trial, "restore_topics", topic, RESTORE)
    took = {name: round(seconds, 1) for name, seconds in trial.seconds.items()}
    print(f"{link} {fault}: {trial.seen}, used in {sorted(trial.met)}, {took}")
    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
    assert sum(line["lost"] for line in report["topics"]) == 0
    if STAGES[link] is not BACKUP:
        sent_again(stack, [topic])  # by a reader that is not ours: each record is there, in its order
    row = told()[link, fault]
    assert trial.seen == row.outcome
    assert row.used <= trial.met, "the table says that the link is used there"
    assert max(trial.seconds.values()) < 30


# --- a fault that stays ----------------------------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs of requests are 4 s, where they are 30, 100 and 60."""
    monkeypatch.setattr(KafkaAdmin.__init__, "__defaults__", (4.0,))
    monkeypatch.setattr(ConnectHook.__init__, "__kwdefaults__", {"patience": 4.0, "url": None})
    variable = "AIRFLOW_CONN_KAFKA_CONNECT"
    fields = json.loads(os.environ[variable])
    monkeypatch.setenv(variable, json.dumps({**fields, "extra": {**fields.get("extra", {}), "timeout": 4}}))


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.CUT])
@pytest.mark.parametrize("link", ["tasks and brokers", "Airflow and Connect"])
def test_a_link_that_stays_away_fails_the_plan_by_name_and_its_retry_passes(
    links: Links, soon: None, topic: str, link: str, fault: Fault
) -> None:
    trial, prefix = Trial(links, link, fault, 120), topic.removesuffix("orders")
    run = Run("mirror_maker2_on_connect", topics=[topic], groups=[], migration=f"{prefix}m", canary=False)
    trial.stage("plan", run.plan)
    assert trial.seen == {"plan": RETRY}
    assert trial.seconds["plan"] < 60


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.CUT])
@pytest.mark.parametrize("stage", ["freeze", "export"])
def test_a_store_that_stays_away_fails_a_backup_by_name_and_its_retry_passes(
    links: Links, topic: str, stage: str, fault: Fault
) -> None:
    trial = Trial(links, "backup and S3", fault, 120)
    report = tried(trial, "backup_topics", topic, (stage,), patience=4)
    assert trial.seen == {stage: RETRY}
    assert trial.seconds[stage] < 90
    assert report["verdict"] == "PASS"
