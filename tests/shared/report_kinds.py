"""More runs for the report page: of each kind of job, and what a user meets less often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import report_samples as samples
from kafka_ferry.report.build import ENDED_BEFORE
from kafka_ferry.report.leftovers import leftovers_check
from kafka_ferry.report.model import BackupLine, Check, Report, Stage, Status, complete
from kafka_ferry.report.run import RunData

CONNECTOR = "mirror_maker2_on_connect.live.Mirror{}Connector"
KEPT = (
    f"keep_replicating: replication goes on with connector {CONNECTOR.format('Source')}, connector "
    f"{CONNECTOR.format('Checkpoint')}. To stop it and clean up, trigger this DAG again with the same params and "
    "keep_replicating off; or end it by hand:\n"
    f"curl -X DELETE -u ferry https://connect-1.prod.example.org:8083/connectors/{CONNECTOR.format('Source')}\n"
    f"curl -X DELETE -u ferry https://connect-1.prod.example.org:8083/connectors/{CONNECTOR.format('Checkpoint')}\n"
    "# then, on kafka_target\n"
    "kafka-topics.sh --bootstrap-server b-1.prod.example.org:9092,b-2.prod.example.org:9092 --delete --topic "
    "mm2-offset-syncs.live.internal"
)
FINDINGS = [
    {"severity": "advise", "code": "idle", "subject": "group hard.tx-reader_1", "what": "has not committed for 40 days",
     "cure": "exclude it, or leave it", "param": "groups"},
    {"severity": "warn", "code": "retention", "subject": "topic shop.clicks-7d", "what": "loses its oldest records in "
     "2 h, the copy takes about 3 h", "cure": "raise retention.ms on the source while it is copied", "param": "topics"},
    {"severity": "warn", "code": "replicators", "subject": "connector other.MirrorSourceConnector",
     "what": "writes topic shop.orders.v1 on the target too", "cure": "stop it, or leave the topic out",
     "param": "topics"},
]  # fmt: skip


def kept() -> RunData:
    """A PASS after which replication goes on."""
    run = samples.passed(2)
    assert run.report
    checks = [check for check in run.report.checks if check.name != "leftovers"]
    found = run.report.model_copy(update={"checks": [*checks, leftovers_check(kept=KEPT)]})
    return replace(run, report=found)


def dry() -> RunData:
    """A dry run whose plan found something."""
    change = {"action": "create", "kind": "connector", "name": CONNECTOR.format("Checkpoint"), "detail": "25 keys"}
    made = {"action": "create", "kind": "topic", "name": "shop.payments_avro", "detail": "3 partitions"}
    line = {"group": "flights.dashboard", "topic": "shop.payments_avro", "partition": 3, "source_offset": 1740,
            "source_end": 3480, "lag": 1740, "target_offset": None, "action": "compute"}  # fmt: skip
    commits = {"lines": 1, "actions": [{"action": "compute", "lines": 1, "meaning": "no commit on the target"}],
               "active_groups": [], "first": [line], "more": 0, "artifact": None}  # fmt: skip
    topics = [{**samples.PLAN["topics"][0], "source": "shop.payments_avro", "target": "shop.payments_avro",
               "already_there": 0}]  # fmt: skip
    plan = {**samples.PLAN, "spec": {"dry_run": True, "migration": "ferry"}, "findings": FINDINGS, "topics": topics,
            "changes": [made, change], "group_offsets": commits,
            "skipped_topics": {"__consumer_offsets": "internal"}}  # fmt: skip
    return replace(samples.broken_early(), state="success", stages=samples.stages("plan"), plan=plan)


def never_began() -> RunData:
    """The process of ``plan`` was never seen; every check waits for it."""
    said = "plan: it never began its work (in Airflow: failed). Cure: see its log in Airflow, then clear it"
    own = Stage(stage="report", started=samples.at(0))
    found = samples.report(
        [], [], [], verdict="FAIL", failures=[said], timeline=[own], checks=complete([], {}, ENDED_BEFORE)
    )
    return replace(samples.broken_early(), report=found)


def ahead() -> RunData:
    """Groups that stand ahead on the target: the remarks say what is lost."""
    lines = [
        samples.group("billing-nightly", i, topic="shop.payments_avro", target_offset=3000, status=Status.FAIL,
                      detail=f"ahead: {1300 + i:,} records would never be delivered. Cure: reset it by hand")
        for i in range(4)
    ]  # fmt: skip
    made = [Check(name="content", status=Status.PASS, expected="6", actual="6"),
            Check(name="group_offsets", status=Status.FAIL, expected="4 exact", actual="0 exact",
                  differences=[line.detail for line in lines])]  # fmt: skip
    found = samples.report([samples.topic("shop.payments_avro")], lines, made, verdict="FAIL")
    return replace(samples.failed(), report=found)


def _job(dag: str, engine: str, names: tuple[str, ...], **other: Any) -> RunData:
    made = [Check(name=name, status=Status.PASS, expected="6,500", actual="6,500") for name in names]
    found = samples.report([samples.topic("shop.payments_avro")], [], made, dag_id=dag, engine=engine,
                           checks=made, **other)  # fmt: skip
    return RunData(dag, samples.RUN, "success", report=found, summary=samples.SUMMARY)


def imported() -> RunData:
    """An import that passed."""
    note = "An import is of records: consumer groups, access rights and schemas of a Schema Registry were not carried."
    names = ("topics", "partitions", "configs", "counts", "content")
    return _job("import_topics_from_s3", "import_topics_from_s3", names, notes=[note])


def backed_up() -> RunData:
    """A backup that passed, with those before it."""
    lines = [
        BackupLine(backup_id=f"2026112{i}T020000Z", mode="incremental" if i else "full", created=samples.at(i),
                   seconds=9, parent=f"2026112{i - 1}T020000Z" if i else None, records=1_000_000, bytes=120_000_000,
                   size=40_000_000, objects=27, growth=1_000_000 if i else None, own=i == 3,
                   status=Status.PASS, detail="content PASS on 2026-11-22 05:00:04 UTC")
        for i in (3, 2, 1, 0)
    ]  # fmt: skip
    sentence = "1,000,000 records in 9 topics: in backup 20261123T020000Z, whose objects are all there."
    names = ("topics", "counts", "gaps", "objects", "groups")
    return _job("backup_topics", "kafka_ferry", names, backups=lines, sentence=sentence)


KINDS = {
    "kept": kept, "dry": dry, "never_began": never_began, "ahead": ahead, "imported": imported,
    "backed_up": backed_up,
}  # fmt: skip


def report_of(run: RunData) -> Report:
    """Its report, which must be there."""
    assert run.report
    return run.report
