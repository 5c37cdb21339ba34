"""A cutover that is taken back, and made again, on real secured clusters."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from cutover_lab import QUICK, Application, CutoverRun, Hook, Lab, defaults, ids_from
from kafka_ferry.core.acls import Acl
from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec
from kafka_ferry.jobs.cutover.tasks.fail_back import (
    BackLagGateOperator,
    BackShardsOperator,
    BackWindowOperator,
    DeployBackOperator,
    EndBackOperator,
    EndForwardOperator,
    FailBackReportOperator,
    PlanFailBackOperator,
)
from kafka_ferry.jobs.cutover.tasks.work import (
    CutoverFingerprintOperator,
    PrepareOperator,
    UnfenceOperator,
    ValidateCutoverOperator,
    WatchOperator,
)
from tasks_by_hand import TasksByHand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

Replicate = Callable[..., Any]


class FailBackRun(TasksByHand):
    """One run of the DAG ``fail_back``."""

    def __init__(self, run_id: str, **params: Any) -> None:
        own = {name: field.default for name, field in FailBackSpec.model_fields.items()
               if name not in FailBackSpec.form_without}  # fmt: skip
        shown = {name: value for name, value in defaults().items() if name in own}
        super().__init__("fail_back", run_id, "fail_back", {**shown, **own, **QUICK, **params})

    def open(self) -> None:
        """Until the way back is there."""
        self.do(PlanFailBackOperator, "plan")
        self.do(EndForwardOperator, "end_forward")
        self.do(DeployBackOperator, "deploy_back")

    def prepare(self) -> None:
        for shard in self.do(BackShardsOperator, "shards"):
            self.do(CutoverFingerprintOperator, "fingerprint", shard=shard)
        self.do(PrepareOperator, "prepare")
        self.do(BackLagGateOperator, "lag_gate")

    def window(self) -> Any:
        return self.do(BackWindowOperator, "window")

    def close(self) -> str:
        self.do(UnfenceOperator, "unfence")
        return str(self.do(EndBackOperator, "end_back"))

    def finish(self) -> dict[str, Any]:
        self.do(WatchOperator, "watch")
        self.do(ValidateCutoverOperator, "validate")
        self.close()
        self.do(FailBackReportOperator, "report")
        return self.written("report.json")


@pytest.fixture
def rights(lab: Lab) -> Any:
    """Our user may write this test's topics on the source: only for the way back."""
    user = json.loads(lab.stack.variables()["AIRFLOW_CONN_KAFKA_SOURCE"])["extra"]["sasl.username"]
    made = [Acl("TOPIC", lab.prefix, "PREFIXED", f"User:{user}", one) for one in ("WRITE", "CREATE", "ALTER_CONFIGS")]
    made += [Acl("TOPIC", "mm2-offset-syncs.", "PREFIXED", f"User:{user}", one)
             for one in ("WRITE", "CREATE", "DELETE", "DESCRIBE_CONFIGS")]  # fmt: skip
    made += [Acl("GROUP", lab.prefix, "PREFIXED", f"User:{user}", "READ")]
    lab.admins["source"].create_acls(made)
    yield made
    lab.admins["source"].delete_acls(made)


def cut_over(lab: Lab, run_id: str, **params: Any) -> CutoverRun:
    run = CutoverRun(f"{lab.prefix}{run_id}", topics=[f"{lab.prefix}t.*"], groups=[f"{lab.prefix}.*"],
                     migration=wave_of(lab), **params)  # fmt: skip
    run.prepare()
    run.gate()
    run.window()
    return run


def wave_of(lab: Lab) -> str:
    return f"{lab.prefix}wave"[:40]


def forward_of(migration: Any, lab: Lab) -> list[str]:
    return [name for name in migration.connect.connectors() if lab.prefix in name and not name.startswith("fail_back")]


def state_of(lab: Lab, run: CutoverRun) -> str:
    from kafka_ferry.jobs.common.wave_journals import Journals

    cluster = lab.admins["source"].describe_cluster().cluster_id
    found = Journals(cluster).read(wave_of(lab))
    assert found is not None
    return found.state.value


@pytest.mark.parametrize("seconds", [0, pytest.param(60, marks=pytest.mark.nightly)])
def test_applications_go_back_and_then_move_again(
    lab: Lab, replicate: Replicate, make_topics: Any, rights: None, seconds: int
) -> None:
    """What was written on the target comes to the source, once; groups go on at their record; then all again."""
    topics = [f"{lab.prefix}t{number}" for number in range(2)]
    make_topics(lab.stack.client_settings("source"), *topics, partitions=2)
    application = Application(lab, topics, 2, rate=100)
    application.start(["plain", "idempotent", "transactional"], [f"{lab.prefix}billing"])
    migration = replicate().migration
    application.wait_for(600)
    first = cut_over(lab, "first", keep_fence=True)
    application.switch()
    first.end()
    assert len(lab.fences()) == len(topics)
    time.sleep(seconds)
    application.wait_for(len(application.written) + 600)
    last = (topics[1], 1)
    end = lab.admins["target"].offsets([last], "latest", "read_committed")[last]
    resting = {(topics[0], 0): 5, last: end - 3}
    lab.commit(f"{lab.prefix}resting", resting, "target")

    forward = forward_of(migration, lab)
    back = FailBackRun(
        f"{lab.prefix}back", migration=wave_of(lab), forward_connectors=forward, watch_seconds=2, lag_timeout=90
    )
    back.open()
    assert lab.fences() == [], "the way back has to write"
    back.prepare()
    back.window()
    application._side = "source"
    report = back.finish()
    assert report["verdict"] == "PASS", report["failures"]
    print("window back:", report["cutover"])
    assert state_of(lab, first) == "failed_back"
    assert lab.fences("target") == []
    assert [name for name in migration.connect.connectors() if name.startswith(f"fail_back.{lab.prefix}")] == []
    here = lab.admins["source"].committed([f"{lab.prefix}resting"])[f"{lab.prefix}resting"]
    assert ids_from(lab, "source", here) == ids_from(lab, "target", resting)
    application.wait_for(len(application.written) + 300)

    # The same replication again: it goes on behind the last record that the target has.
    again = replicate()
    assert forward_of(again.migration, lab) == forward
    second = cut_over(lab, "second", keep_fence=True)
    application.switch()
    assert second.finish()["verdict"] == "PASS"
    application.wait_for(len(application.written) + 300)
    application.stop()
    application.wait_until_consumed()
    assert application.errors == []
    assert application.written - application.consumed.keys() == set(), "lost"
    assert {number for number, times in application.consumed.items() if times > 1} == set(), "delivered again"

    # And a second way back finds the first one over.
    own = {"groups": [f"{lab.prefix}.*"], "forward_connectors": forward}
    more = FailBackRun(f"{lab.prefix}more", migration=wave_of(lab), **own)
    more.open()
    more.prepare()
    more.window()
    assert "the way back has ended" in more.close()


def test_both_ways_at_once_are_refused_and_a_failure_leaves_all_as_it_was(
    lab: Lab, replicate: Replicate, make_topics: Any, produce: Any, webhooks: Any, rights: list[Acl]
) -> None:
    topics = [f"{lab.prefix}t0"]
    make_topics(lab.stack.client_settings("source"), *topics, partitions=2)
    produce(lab.client("source"), topics[0], ({"value": b"%d" % n, "partition": n % 2} for n in range(50)))
    run = replicate()
    migration = run.migration
    first = cut_over(lab, "first", keep_fence=True)
    first.end()

    (there,) = forward_of(migration, lab)
    for dry_run in (True, False):
        back = FailBackRun(f"{lab.prefix}back", migration=wave_of(lab), dry_run=dry_run)
        with pytest.raises(
            AirflowFailException,
            match=rf'the same records would come back.* Fix: forward_connectors: \["{re.escape(there)}"\]',
        ):
            back.open()
    assert len(lab.fences()) == 1, "nothing was lifted"
    assert [name for name in migration.connect.connectors() if name.startswith(f"fail_back.{lab.prefix}")] == []

    back = FailBackRun(f"{lab.prefix}next", migration=wave_of(lab), forward_connectors=forward_of(migration, lab))
    back.open()
    name = f"fail_back.{wave_of(lab)}.MirrorSourceConnector"
    notes = "\n".join(back.written("plan.json")["notes"])
    denial = f"DENY WRITE on topic {topics[0]} for User:*"
    for change in (
        f"update connector {there}", f"delete acl {denial}", f"create connector {name}", f"update topic {topics[0]}",
        f"create topic mm2-offset-syncs.{wave_of(lab)}.internal", f"create acl {denial}",
    ):  # fmt: skip
        assert f"will {change} (" in notes
    assert migration.connect.status(name).state.value == "RUNNING"
    assert lab.fences() == []
    # The way there cannot be opened again now: neither by our DAG nor unseen by the window. There is no record yet that
    # could go round.
    with pytest.raises(AirflowFailException, match=r"the same records would come back"):
        run.deploy()
    migration.connect.resume(forward_of(migration, lab)[0])
    with pytest.raises(AirflowFailException, match="the same records would come back"):
        back.do(BackLagGateOperator, "lag_gate")
    migration.connect.stop(forward_of(migration, lab)[0])
    produce(lab.client("target"), topics[0], ({"value": b"n%d" % n, "partition": n % 2} for n in range(10)))

    said = back.close()
    assert f"connector {name} is stopped" in said
    assert len(lab.fences()) == 1, "the cutover's fence is there again"
    with pytest.raises(AirflowFailException, match="verdict FAIL"):
        back.do(FailBackReportOperator, "report")
    told = back.written("report.json")["cutover"]
    assert (told["wave"], told["state"], told["applications_on"]) == (wave_of(lab), "not_begun", "target")
    assert (told["way_back"], told["connectors_stopped"]) == ({name: "STOPPED"}, [there])
    assert state_of(lab, first) == "handed_over"

    # A right that is taken away behind the plan: the task fails, and nobody waits for what does not come.
    produce(lab.client("target"), topics[0], ({"value": b"d%d" % n, "partition": n % 2} for n in range(4)))
    back = FailBackRun(f"{lab.prefix}denied", migration=wave_of(lab), forward_connectors=forward_of(migration, lab))
    back.do(PlanFailBackOperator, "plan")
    may_write = [acl for acl in rights if (acl.name, acl.operation) == (lab.prefix, "WRITE")]
    lab.admins["source"].delete_acls(may_write)
    back.do(EndForwardOperator, "end_forward")
    with pytest.raises(
        AirflowFailException, match=r"(?s)the way back (has failed|does not run).*TopicAuthorizationException"
    ):
        back.do(DeployBackOperator, "deploy_back")
        back.do(BackShardsOperator, "shards")
    lab.admins["source"].create_acls(may_write)
    assert f"connector {name} is stopped" in back.close()

    with Hook().serving() as hook:
        webhooks("back", hook.connection())
        params = {"migration": wave_of(lab), "forward_connectors": forward_of(migration, lab), "fence_timeout": 2,
                  "handover_webhook_conn_id": "back"}  # fmt: skip
        back = FailBackRun(f"{lab.prefix}last", **params)
        back.open()
        back.prepare()
        hook.answers = [500] * 50
        with pytest.raises(Exception, match="answered 500"):
            back.window()
        assert "the way back has ended" in back.close()
        produce(lab.client("source"), topics[0], 1)  # somebody has heard of it
        hook.answers = []
        back = FailBackRun(f"{lab.prefix}after", **params)  # as when that run is gone from Airflow
        back.open()
        back.prepare()
        back.window()
    assert len({post["id"] for post in hook.posts}) == 1
    report = back.finish()
    assert report["verdict"] == "PASS"
    assert (report["cutover"]["applications_on"], report["cutover"]["way_back"]) == ("source", {})
    acls = next(one for one in report["checks"] if one["name"] == "acls")
    assert "are left out: the run works as that user" in acls["detail"]
    assert rights[0].principal not in "\n".join(acls["differences"])
    ends = lab.admins["source"].offsets([(topics[0], 0), (topics[0], 1)], "latest", "read_committed")
    assert sum(ends.values()) == 65
    with pytest.raises(AirflowFailException, match="is failed_back, not handed over"):
        FailBackRun(f"{lab.prefix}over", migration=wave_of(lab)).do(PlanFailBackOperator, "plan")


def test_missing_rights_are_named_and_a_source_that_was_written_since_is_refused(
    lab: Lab, replicate: Replicate, make_topics: Any, produce: Any, caplog: pytest.LogCaptureFixture
) -> None:
    topics = [f"{lab.prefix}t0"]
    make_topics(lab.stack.client_settings("source"), *topics)
    produce(lab.client("source"), topics[0], 5)
    migration = replicate().migration
    with pytest.raises(AirflowFailException, match="knows no wave"):
        FailBackRun(f"{lab.prefix}none", migration=wave_of(lab)).do(PlanFailBackOperator, "plan")
    cut_over(lab, "first").end()
    for name in forward_of(migration, lab):
        migration.connect.stop(name)
    lab.commit(f"{lab.prefix}resting", {(topics[0], 0): 2}, "target")
    asked = {"migration": wave_of(lab), "groups": [f"{lab.prefix}.*"], "dry_run": True}
    with (
        caplog.at_level("INFO"),
        pytest.raises(AirflowFailException, match=f"topic {topics[0]} on kafka_source: .* lacks WRITE"),
    ):
        FailBackRun(f"{lab.prefix}rights", **asked).do(PlanFailBackOperator, "plan")
    for needed in (
        f"--operation WRITE --topic {topics[0]}",
        f"--operation READ --group {lab.prefix}resting",
        f"--operation CREATE --operation WRITE --operation DELETE --topic mm2-offset-syncs.{wave_of(lab)}.internal",
    ):
        assert needed in caplog.text
    produce(lab.client("source"), topics[0], 1)
    with pytest.raises(
        AirflowFailException, match=rf"written on the source since the hand-over: {topics[0]}-0 from offset 5"
    ):
        FailBackRun(f"{lab.prefix}late", migration=wave_of(lab)).do(PlanFailBackOperator, "plan")
