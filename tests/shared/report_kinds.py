"""More runs for the report page: of each kind of job, and what a user meets less often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import report_samples as samples
from kafka_ferry.core.checks import ENDED_BEFORE, BackupLine, Check, Report, Stage, Status, Throughput, complete
from kafka_ferry.core.leftovers import leftovers_check
from kafka_ferry.core.plan import Plan
from kafka_ferry.jobs.backup.reported import BACKUP, RESTORE, VERIFICATION
from kafka_ferry.jobs.cdc.reported import STREAM
from kafka_ferry.jobs.common.by_hand import delete_msk_connectors, delete_replicator, end_process
from kafka_ferry.jobs.connections.reported import CONNECTIONS
from kafka_ferry.jobs.cutover.reported import CUTOVER_JOB
from kafka_ferry.jobs.migration.reported import COMPARISON, migration
from kafka_ferry.jobs.s3.files.reported import FILES
from kafka_ferry.jobs.s3.files.rules.losses import loss_findings
from kafka_ferry.jobs.s3.reported import EXPORT, IMPORT
from kafka_ferry.report.run import RunData

CONNECTOR = "mirror_maker2_on_connect.live.Mirror{}Connector"
KEPT = (
    f"keep_replicating: replication continues with connector {CONNECTOR.format('Source')}, connector "
    f"{CONNECTOR.format('Checkpoint')}. To stop it and clean up, trigger this DAG again with the same params and "
    "keep_replicating off. Once a cutover has handed topics of it over, that is refused: stop it by hand then, which "
    "leaves the topics that were copied alone:\n"
    f"curl -X DELETE -u ferry https://connect-1.prod.example.org:8083/connectors/{CONNECTOR.format('Source')}\n"
    f"curl -X DELETE -u ferry https://connect-1.prod.example.org:8083/connectors/{CONNECTOR.format('Checkpoint')}\n"
    "# then, on kafka_target\n"
    "kafka-topics.sh --bootstrap-server b-1.prod.example.org:9092,b-2.prod.example.org:9092 --delete --topic "
    "mm2-offset-syncs.live.internal"
)
FINDINGS = [
    {"severity": "advise", "code": "idle", "subject": "group hard.tx-reader_1", "what": "has not committed for 40 days",
     "fix": "exclude it, or leave it", "param": "groups"},
    {"severity": "warn", "code": "retention", "subject": "topic shop.clicks-7d", "what": "loses its oldest records in "
     "2 h, the copy takes about 3 h", "fix": "raise retention.ms on the source while it is copied", "param": "topics"},
    {"severity": "warn", "code": "replicators", "subject": "connector other.MirrorSourceConnector",
     "what": "writes topic shop.orders.v1 on the target too", "fix": "stop it, or leave the topic out",
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
    return replace(samples.broken_early(), state="success", stages=samples.stages("plan"), plan=Plan.from_json(plan))


def never_began() -> RunData:
    """The process of ``plan`` was never seen; every check waits for it."""
    said = "plan: it never started (in Airflow: failed). Fix: see its log in Airflow, then clear it"
    own = Stage(stage="report", started=samples.at(0))
    found = samples.report(
        [], [], [], verdict="FAIL", failures=[said], timeline=[own], checks=complete([], {}, ENDED_BEFORE)
    )
    return replace(samples.broken_early(), report=found)


def ahead() -> RunData:
    """Groups that stand ahead on the target: the remarks say what is lost."""
    lines = [
        samples.group("billing-nightly", i, topic="shop.payments_avro", target_offset=3000, status=Status.FAIL,
                      detail=f"ahead: {1300 + i:,} records would never be delivered. Fix: reset it by hand")
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
                           words=(_JOBS.get(dag) or migration(engine)).words, checks=made, **other)  # fmt: skip
    return RunData(dag, samples.RUN, "success", report=found, summary=samples.SUMMARY)


def imported() -> RunData:
    """An import that passed."""
    note = "An import brings records: consumer groups, ACLs and schemas of a Schema Registry were not imported."
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
    sentence = "1,000,000 records in 9 topics: in backup 20261123T020000Z, whose objects all exist."
    names = ("topics", "counts", "gaps", "objects", "groups")
    return _job("backup_topics", "kafka_ferry", names, backups=lines, sentence=sentence)


#: When pages of runs at work are looked at.
NOW = samples.START + timedelta(seconds=47)
#: Names as people give them: dots, long, Java's.
_LONG = "legal_entity.eu-central.customer-registrations.v12.changelog-compacted"
_ROGUE = (
    "producers did not stop within 30 s: shop.orders.v1-3: 12.4 records/s by producer id 4711, epoch 0. Fix: stop "
    "them, then clear window"
)
_TOPICS = ("shop.orders.v1", "shop.payments_avro", _LONG, "clicks")
_CLUSTERS = {
    "source": {"conn_id": "kafka_source", "cluster_id": "5L6g3nShT-eMCtK--X86sw", "brokers": 3},
    "target": {"conn_id": "kafka_target", "cluster_id": "MkU3OEVBNTcwNTJENDM2Qk", "brokers": 1},
}
_NO_CLUSTERS: dict[str, Any] = {"source": {}, "target": {}}
_ARCHIVE = {
    "backup": "nightly-orders", "backup_id": "20261123T020000Z", "location": "s3://backups.prod.example.org/kafka/shop"
}  # fmt: skip
_EXCHANGE = "s3://exchange.prod.example.org/kafka"
_KILLED = "\n".join(
    end_process(host, "/var/lib/kafka-ferry/mirror_maker1.live", "-Dkafka.ferry=mirror_maker1.live")
    for host in ("kafka-connect-01.prod.example.org", "kafka-connect-02.prod.example.org")
)
#: Tasks of a run of each kind, in order.
_TASKS = {
    "verify_clusters": ("plan", "shards", "fingerprint[0]", "fingerprint[1]", "validate"),
    "export_topics_to_s3": ("plan", "freeze", "export[0]", "finish", "verify[0]", "follow", "validate"),
    "import_topics_from_s3": ("plan", "copy_objects", "provision_topics", "shards", "import[0]", "follow", "validate",
                              "release"),
    "import_files_from_s3": ("plan", "shards", "read[0]", "read[1]", "provision_topics", "import[0]", "validate",
                             "release"),
    "backup_topics": ("plan", "freeze", "shards", "export[0]", "finish", "copy", "prune", "validate"),
    "restore_topics": ("plan", "provision", "shards", "restore[0]", "compare[0]", "groups", "validate", "acls",
                       "release"),
    "verify_backup": ("plan", "shards", "verify[0]", "validate"),
    "stream_database_changes": ("plan", "deploy", "wait_until_running", "wait_until_converged", "validate", "remove"),
    "cutover": ("plan", "shards", "fingerprint[0]", "fingerprint[1]", "prepare", "lag_gate", "approval", "window",
                "watch", "end_replication", "validate", "unfence"),
    "check_connections": ("plan", "ask[0]", "ask[1]", "ask[2]", "ask[3]", "validate"),
}  # fmt: skip
_MIGRATION_TASKS = ("plan", "provision_topics", "canary", "deploy", "wait_until_running", "wait_until_converged",
                    "translate_groups", "shards", "fingerprint[0]", "fingerprint[1]", "validate",
                    "remove_engine")  # fmt: skip
_COPIED = Throughput(records=1_000_000, bytes=120_000_000, seconds=38.0)
#: Jobs of ours that no engine does.
_OURSELVES = ("backup_topics", "restore_topics", "verify_backup")
#: Those that are no migration.
_JOBS = {
    "verify_clusters": COMPARISON,
    "cutover": CUTOVER_JOB,
    "backup_topics": BACKUP,
    "restore_topics": RESTORE,
    "verify_backup": VERIFICATION,
    "export_topics_to_s3": EXPORT,
    "import_topics_from_s3": IMPORT,
    "import_files_from_s3": FILES,
    "stream_database_changes": STREAM,
    "check_connections": CONNECTIONS,
}


def _own(dag: str, plan: dict[str, Any]) -> None:
    """What only this job's plan has, or has otherwise."""
    lines = plan["topics"]
    if dag == "backup_topics":
        plan |= {"source": _CLUSTERS["source"], "mode": "incremental", "parent": "20261122T020000Z"}
        lines[2]["bytes"] = None
    if dag == "restore_topics":
        plan |= {"target": _CLUSTERS["target"], "chain": [_ARCHIVE["backup_id"]]}
    if dag == "export_topics_to_s3":
        plan |= {"target": {"conn_id": _EXCHANGE}, "mode": "full", "export_id": "20261121T080000Z"}
        for line in lines:
            line["target"] = f"{_EXCHANGE}/shop/data/{line['source']}/"
    if dag == "import_topics_from_s3":
        plan |= {"source": {"conn_id": _EXCHANGE}, "export_id": "20261121T080000Z"}
    if dag == "import_files_from_s3":
        plan |= {"source": {"conn_id": _EXCHANGE}, "spec": {**plan["spec"], "layout": "confluent"}, "files": 48}
        for line in lines:
            line["target"], line["records"] = f"{line['source']}.restored", None  # known once they are read
    if dag == "stream_database_changes":
        plan["source"] = {"conn_id": "mariadb_shop", "server": "11.4.2-MariaDB-log", "server_id": "1", "position": "x"}
        plan["connector"] = "stream_database_changes.shop"
        for line in lines:
            line.update(source=f"shop.{line['source']}", target=f"shop.shop.{line['target']}", bytes=0)


def _plan(dag: str, **more: Any) -> dict[str, Any]:
    """plan.json as the DAG writes it, as far as the page reads it."""
    lines: list[dict[str, Any]] = [
        {"source": name, "target": name, "partitions": 3 * i + 1, "records": 1740 * i, "bytes": 208_800 * i,
         "already_there": 0}
        for i, name in enumerate(_TOPICS)
    ]  # fmt: skip
    archive = dag in _OURSELVES
    if dag == "verify_clusters":
        lines = [{"source": line["source"], "target": line["target"]} for line in lines]
    if dag != "verify_clusters" and ("topics" in dag or archive or dag == "stream_database_changes"):
        for line in lines:
            del line["already_there"]
    if dag == "replicate_topics":
        lines = [line | {"target": f"eu.{line['source']}", "already_there": 0} for line in lines]
    plan: dict[str, Any] = {
        "planned": samples.at(1),
        "spec": {"dry_run": False, **({} if archive or "s3" in dag else {"migration": "ferry"})},
        **(_NO_CLUSTERS if archive else _CLUSTERS),
        **({"archive": _ARCHIVE, "backup_id": _ARCHIVE["backup_id"]} if archive else {}),
        "topics": lines,
        "notes": [],
    }
    _own(dag, plan)
    if dag not in ("verify_clusters", "import_files_from_s3"):
        plan["records"] = sum(line["records"] for line in lines)
    if dag != "verify_clusters":
        plan["bytes"] = sum(line["bytes"] or 0 for line in lines)
    return {**plan, **more}


def _at_work(dag: str, done: int, **more: Any) -> RunData:
    """A run of this DAG after so many of its tasks."""
    tasks = _TASKS.get(dag, _MIGRATION_TASKS)
    own = Stage(stage=tasks[done], started=samples.at(5 * done), state="running")
    states = dict.fromkeys(tasks[:done], "success") | {tasks[done]: "running"}
    known: dict[str, Any] = {
        "plan": Plan.from_json(_plan(dag)), "stages": [*samples.stages(*tasks[:done]), own], "tasks": states
    }  # fmt: skip
    return RunData(dag, samples.RUN, "running", **{**known, **more})


def _ended(dag: str, made: Sequence[Check], *, verdict: str = "PASS", **other: Any) -> RunData:
    """A run with its report: checks of its own list, those not made as such."""
    engine = "kafka_ferry" if dag in _OURSELVES else dag
    plan = other.pop("plan", None) or _plan(dag)
    job = _JOBS.get(dag) or migration(engine)
    checks = list(made) if dag in (*_OURSELVES, "stream_database_changes") else complete(
        list(made), {}, ENDED_BEFORE, job.checklist
    )  # fmt: skip
    lines = [
        samples.topic(line["source"], 1740 * i).model_copy(update={"target": line["target"]})
        for i, line in enumerate(plan["topics"])
    ]
    told: dict[str, Any] = {
        "dag_id": dag, "engine": job.engine or engine, "words": job.words, "verdict": verdict,
        "source": plan["source"], "target": plan["target"], "checks": checks, "topics": lines, "groups": [],
        "notes": [job.never_carried] if job.never_carried else [],
        "timeline": [*samples.stages(*_TASKS.get(dag, _MIGRATION_TASKS)),
                     Stage(stage="report", started=samples.at(70), state="running")],
    }  # fmt: skip
    told |= {"throughput": _COPIED} if dag in _OURSELVES else {}
    told |= other
    found = samples.report(told.pop("topics"), told.pop("groups"), [], **told)
    state = "success" if verdict == "PASS" else "failed"
    return RunData(dag, samples.RUN, state, report=found, summary=samples.SUMMARY, plan=Plan.from_json(plan))


def _made(**found: tuple[str, str, str] | tuple[str, str, str, Sequence[str]]) -> list[Check]:
    """``name=(expected, actual, detail)``: passed; with differences: failed."""
    return [
        Check(name=name, status=Status.FAIL if len(told) > 3 else Status.PASS, expected=told[0], actual=told[1],
              detail=told[2], differences=list(told[3]) if len(told) > 3 else [])
        for name, told in found.items()
    ]  # fmt: skip


def _window(**other: Any) -> dict[str, Any]:
    """``cutover`` of report.json: a window of 3.2 s, and how far the replication was behind around it."""
    stages, at = [], 0.0
    for name, seconds in (("fence", 0.31), ("prove", 1.12), ("drain", 0.64), ("groups", 0.58), ("verify", 0.42),
                          ("hand_over", 0.13)):  # fmt: skip
        stages.append({"stage": name, "started": samples.at(60 + at), "ended": samples.at(60 + at + seconds),
                       "seconds": seconds, "detail": ""})  # fmt: skip
        at += seconds
    lag: list[list[float]] = [[second, 900 + 40 * (second % 3)] for second in range(-40, 0)]
    lag += [[tenth / 10, max(0, 900 - 60 * tenth)] for tenth in range(20)]
    return {
        "wave": "orders", "state": "handed_over", "fence": "acl", "fenced_at": samples.at(60),
        "handed_over_at": samples.at(60 + at), "write_downtime_seconds": at, "longest_producer_pause_seconds": 3.4,
        "stages": stages, "rolled_back": False, "failure": "", "fence_left": True, "acls_added": 40, "acls_kept": 2,
        "partitions": 200, "groups": 12, "lag": lag, **other,
    }  # fmt: skip


def _migrated(dag: str, kept: str = "", **other: Any) -> RunData:
    """A migration that passed."""
    made = _made(
        topics=("4 topics", "4 there", ""),
        partitions=("22", "22", ""),
        configs=("31 settings", "31 equal", ""),
        counts=("10,440 records", "10,440", "2 compacted topics counted by keys"),
        content=("22 partitions equal", "22 equal", "record hash v1"),
        new_records=("1 record", "1", "arrived after 0.8 s"),
        groups=("2 groups", "2 there", ""),
        group_offsets=("44 exact", "44 exact", ""),
        acls=("7 ACLs", "7 there", ""),
        quotas=("3 quotas, as on the source", "3 there", ""),
        scram_users=("2 SCRAM users", "2 there", ""),
        other_replicators=("none", "none", ""),
    )
    left_out = Check(name="groups_left_out", status=Status.EXPLAINED, expected="each with a reason",
                     actual="2 groups named", detail="1 group of other types not copied; 1 left out by exclude_groups",
                     differences=["streams.billing: a streams group (KIP-1071), which MirrorMaker 2 does not copy",
                                  "console-consumer-48211: left out by exclude_groups"])  # fmt: skip
    groups = [samples.group(f"billing-{i}", i, topic=_TOPICS[i % 4]) for i in range(6)]
    known = {"groups": groups, **other}
    return _ended(dag, [*made, left_out, leftovers_check(kept=kept)], **known)


def _broken(dag: str, stage: str, error: str) -> RunData:
    """A run that broke in the middle, with the report that says so."""
    tasks = _TASKS.get(dag, _MIGRATION_TASKS)
    at = tasks.index(stage)
    timeline = samples.stages(*tasks[: at + 1], broken=stage, error=error)
    own = Stage(stage="report", started=samples.at(70), state="running")
    return _ended(dag, [], verdict="FAIL", failures=[f"{stage}: {error}"], topics=[], timeline=[*timeline, own])


def _kept_by(dag: str, names: str, commands: str) -> RunData:
    kept = (
        f"keep_replicating: replication continues with {names}. To stop it and clean up, trigger this DAG again "
        "with the same params and keep_replicating off. Once a cutover has handed topics of it over, that is refused: "
        f"stop it by hand then, which leaves the topics that were copied alone:\n{commands}"
    )
    return _migrated(dag, kept)


def _failed_migration() -> RunData:
    """Every column has something to say."""
    lines = [samples.topic(name, 1740 * (i + 1)) for i, name in enumerate(_TOPICS)]
    lines[2] = samples.topic(_LONG, 5220, target_records=5216, lost=5, duplicated=1, reordered=2, status=Status.FAIL,
                             detail="partition 3: 5 lost, 1 duplicated, 2 reordered; partition 7: offsets of an "
                             "aborted transaction are on the target")  # fmt: skip
    lines[3] = samples.topic("clicks", 0, source_records=None, target_records=None, status=Status.SKIPPED,
                             detail="3 of 10 partitions could not be compared")  # fmt: skip
    made = _made(
        topics=("4 topics", "3 there", "", ["clicks is missing on kafka_target"]),
        content=("22 partitions equal", "20 equal", "record hash v1",
                 [f"{_LONG}-3: offset {417 + i} of the source is lost" for i in range(12)]),
        configs=("31 settings", "30 equal", "",
                 [f"{_LONG}: min.insync.replicas is 1, source {_LONG} has 2"]),
        acls=("1 ACL", "0 there", "",
              ["User:CN=billing.prod.example.org,OU=Payments,O=Example AG,C=CH: ALLOW READ on topic literal "
               f"{_LONG} from host * is missing"]),
    )  # fmt: skip
    return _ended(
        "mirror_maker2_on_connect",
        made,
        verdict="FAIL",
        topics=lines,
        groups=[
            samples.group(
                "g",
                0,
                topic=_LONG,
                target_offset=None,
                expected_offset=None,
                redelivered=None,
                status=Status.FAIL,
                detail="has no commit on the target",
            )
        ],
    )


def _refused() -> RunData:
    error = ("topics: 'shop.order.v1' matches nothing on the source; did you mean 'shop.orders.v1'? Fix: a name or "
             "regular expression of topics there")  # fmt: skip
    own = Stage(stage="report", started=samples.at(7), state="running")
    return _ended("mirror_maker2_on_connect", [], verdict="FAIL", failures=[f"plan: {error}"], topics=[],
                  timeline=[*samples.stages("plan", broken="plan", error=error), own])  # fmt: skip


def _backup_lines(own: bool = True) -> list[BackupLine]:
    return [
        BackupLine(backup_id=f"2026112{i}T020000Z", mode="incremental" if i else "full", created=samples.at(i),
                   seconds=9, parent=f"2026112{i - 1}T020000Z" if i else None, records=1_000_000, bytes=120_000_000,
                   size=40_000_000, objects=27, growth=1_000_000 if i else None, own=own and i == 3,
                   status=Status.SKIPPED if i == 2 else Status.PASS,
                   detail="" if i == 2 else "content PASS on 2026-11-22 05:00:04 UTC")
        for i in (3, 2, 1, 0)
    ]  # fmt: skip


def _dry(dag: str, **more: Any) -> RunData:
    plan = _plan(dag, **more)
    plan["spec"] = {**plan["spec"], "dry_run": True}
    return RunData(
        dag, samples.RUN, "success", plan=Plan.from_json(plan), stages=samples.stages("plan"), tasks={"plan": "success"}
    )


_EXCHANGED = {"topics": ("4", "4", ""), "partitions": ("22", "22", "")}


def _connections_plan() -> dict[str, Any]:
    kinds = {"kafka_source": "kafka", "kafka_target": "kafka", "kafka_connect": "connect", "aws_default": "aws"}
    lines = [
        {"conn_id": name, "kind": kind, "written_to": name == "kafka_target", "named": True, "problem": ""}
        for name, kind in kinds.items()
    ]
    return {"planned": samples.at(1), "spec": {}, "source": {}, "target": {}, "connections": lines, "notes": [],
            "topics": [{"source": name, "target": name} for name in _TOPICS]}  # fmt: skip


def _asked(**found: Any) -> RunData:
    made = _made(
        kafka_source=("kafka_source: a Kafka cluster to read from", "cluster 5L6g3nShT-eMCtK--X86sw, 3 brokers",
                      "it sees 417 topics; as User:ferry; it may DESCRIBE, DESCRIBE_CONFIGS on the cluster; it may "
                      f"READ, DESCRIBE, DESCRIBE_CONFIGS on topic {_LONG}"),
        kafka_connect=("kafka_connect: a Kafka Connect cluster", "Kafka Connect 4.3.1", "it can load MirrorMaker 2"),
        **found,
    )  # fmt: skip
    absent = Check(name="database_source", status=Status.SKIPPED, detail="there is no such connection")
    failed = any(check.status is Status.FAIL for check in made)
    return _ended("check_connections", [*made, absent], verdict="FAIL" if failed else "PASS", topics=[],
                  plan=_connections_plan(), sentence="2 connections answer, and nothing that was asked for is missing "
                  "(1 more does not exist).")  # fmt: skip


_RESTORED = {"action": "rewind", "group": "billing", "topic": "shop.orders.v1", "partition": 0, "source_offset": 1500,
             "target_offset": 3000, "would_get": 1500, "about": True}  # fmt: skip

#: Every kind of page: job by verdict, dry run, at work, broken in the middle, and replication that goes on.
PAGES: dict[str, Callable[[], RunData]] = {
    "connect_pass": lambda: _migrated("mirror_maker2_on_connect"),
    "connect_fail": _failed_migration,
    "connect_running": lambda: _at_work(
        "mirror_maker2_on_connect", 5, progress=samples.progress(40, converged=False)
    ),
    "connect_planning": lambda: _at_work("mirror_maker2_on_connect", 0, plan=Plan()),
    "connect_broken": lambda: _broken(
        "mirror_maker2_on_connect", "wait_until_converged",
        "connector mirror_maker2_on_connect.ferry.MirrorSourceConnector task 0 FAILED: org.apache.kafka.connect.errors."
        "ConnectException: Unrecoverable exception from producer send callback\n\tat org.apache.kafka.connect.runtime."
        "WorkerSourceTask.maybeThrowProducerSendException(WorkerSourceTask.java:334)\nCaused by: org.apache.kafka."
        "common.errors.TopicAuthorizationException: Not authorized to access topics: [shop.orders.v1]. Fix: grant "
        "WRITE on it to the worker's user, then clear wait_until_running with its downstream tasks",
    ),
    "connect_refused": _refused,
    # As long as Kafka lets a name be, and without a place to break it.
    "connect_longest": lambda: _migrated(
        "mirror_maker2_on_connect", topics=[samples.topic("t" * 249), samples.topic("a.b-" * 62)],
        groups=[samples.group("g" * 249, 0, topic="t" * 249, status=Status.EXPLAINED, detail="d" * 300)],
    ),
    "connect_kept": kept,
    "mm1_kept": lambda: _kept_by(
        "mirror_maker1", "process mirror_maker1.live on host kafka-connect-01.prod.example.org, process "
        "mirror_maker1.live on host kafka-connect-02.prod.example.org",
        f"{_KILLED}\n# then, on kafka_source\nkafka-consumer-groups.sh --bootstrap-server b-1.prod.example.org:9092 "
        "--delete --group mirror_maker1.live",
    ),
    "dedicated_pass": lambda: _migrated("mirror_maker2_dedicated"),
    "standalone_pass": lambda: _migrated("mirror_maker2_standalone"),
    "msk_connect_kept": lambda: _kept_by(
        "mirror_maker2_on_msk_connect", "connector ferry-live-source, connector ferry-live-checkpoint",
        delete_msk_connectors("eu-central-1", ["ferry-live-source", "ferry-live-checkpoint"]),
    ),
    "msk_replicator_kept": lambda: _kept_by(
        "msk_replicator", "replicator ferry-live", delete_replicator("eu-central-1", "ferry-live"),
    ),
    "replicate_pass": lambda: _migrated("replicate_topics"),
    "replicate_dry": lambda: _dry("replicate_topics", changes=[], findings=FINDINGS[:1]),
    "clusters_running": lambda: _at_work("verify_clusters", 2),
    "clusters_pass": lambda: _ended("verify_clusters", _made(
        topics=("4 topics", "4 there", ""), partitions=("22", "22", ""), configs=("31 settings", "31 equal", ""),
        counts=("1 record", "1", ""), content=("1 partition equal", "1 equal", "record hash v1"),
        groups=("1 group", "1 there", ""), group_offsets=("1 exact", "1 exact", ""), acls=("1 ACL", "1 there", ""),
        quotas=("3 quotas, as on the source", "3 there", ""), scram_users=("2 SCRAM users", "2 there", ""),
    )),
    "clusters_broken": lambda: _broken("verify_clusters", "fingerprint[0]", "shop.orders.v1-0: no leader found"),
    "cutover_pass": lambda: _ended("cutover", _made(
        topics=("4 topics", "4 there", ""), partitions=("22", "22", ""), configs=("31 settings", "31 equal", ""),
        counts=("10,440 records", "10,440", ""), acls=("9 ACLs", "9 there", ""),
        content=("22 partitions equal", "22 equal", "record hash v1"), groups=("12 groups", "12 there", ""),
        group_offsets=("44 exact", "44 exact", ""),
        producers_stopped=("nobody writes, no transaction is open", "200 partitions at rest",
                           "fence acl: 40 ACLs made, 2 there before"),
        handed_over=("the applications were told", f"at {samples.at(63.2)}",
                     "by webhook and asset event; nobody could write for 3.2 s"),
        late_writers=("nobody writes or commits on the source", "0 offsets, 0 commits", "watched for 60 s"),
    ), cutover=_window()),
    "cutover_rolled_back": lambda: _ended("cutover", [], verdict="FAIL", topics=[], failures=[
        f"window: {_ROGUE}"], cutover=_window(state="rolled_back", rolled_back=True, failure=_ROGUE,
                                              handed_over_at=None, write_downtime_seconds=None, fence_left=False,
                                              longest_producer_pause_seconds=None, partitions=0, groups=0,
                                              stages=_window()["stages"][:2])),
    "export_running": lambda: _at_work("export_topics_to_s3", 2),
    "export_dry": lambda: _dry("export_topics_to_s3"),
    "export_pass": lambda: replace(_ended("export_topics_to_s3", _made(
        **_EXCHANGED, counts=("10,440", "10,440", "every offset of the frozen ranges is in an object, or its absence "
                              "has a reason"),
        content=("31 objects", "31 objects as they were written", "each was read back and compared with the "
                 "fingerprint taken from the source"),
    ), throughput=_COPIED), watched=samples.watched(120)),
    "export_fail": lambda: _ended("export_topics_to_s3", _made(
        **_EXCHANGED, content=("31 objects", "30 objects as they were written", "", ["shop.orders.v1-0 "
                               "orders/data/shop.orders.v1/0-0000.avro: SHA-256 is another"]),
    ), verdict="FAIL"),
    "import_running": lambda: _at_work("import_topics_from_s3", 5, watched=samples.watched(9)),
    "import_dry": lambda: _dry("import_topics_from_s3", changes=[
        {"action": "create", "kind": "topic", "name": "shop.orders.v1", "detail": "3 partitions, compacted"}
    ]),
    "import_pass": lambda: _ended("import_topics_from_s3", _made(
        **_EXCHANGED, configs=("31", "31", ""), counts=("10,440", "10,440", ""),
        content=("10,440 records", "10,440 records", "each was read back"),
    )),
    "import_fail": lambda: _ended("import_topics_from_s3", _made(
        **_EXCHANGED, configs=("31", "30", "", [f"{_LONG}: retention.ms is 604800000, on the source -1"]),
    ), verdict="FAIL"),
    "files_running": lambda: _at_work("import_files_from_s3", 3),
    "files_dry": lambda: _dry("import_files_from_s3", findings=[
        asdict(one) for one in loss_findings({"clicks": {"keys": "in 1 of 2 files", "timestamps": ""}}, ["timestamps"])
    ], changes=[{"action": "create", "kind": "topic", "name": "clicks.restored", "detail": "10 partitions"}]),
    "files_pass": lambda: _ended("import_files_from_s3", [*_made(
        **_EXCHANGED, counts=("10,440", "10,440", ""), content=("10,440 records", "10,440 records", ""),
        others=("only files of the layout", "only such files", ""),
    ), Check(name="losses", status=Status.EXPLAINED, expected="key, value, headers and timestamp of every record",
             actual="not all of it", differences=["clicks: timestamps: there are no timestamps (48 files)"]),
       Check(name="gaps", status=Status.EXPLAINED, expected="no offset is missing",
             actual="5 offsets missing", differences=["clicks-0: offsets 80 to 84"])]),
    "backup_running": lambda: _at_work("backup_topics", 3),
    "backup_dry": lambda: _dry("backup_topics", skipped_groups={"console-consumer-1": "left out by exclude_groups"}),
    "backup_pass": lambda: _ended("backup_topics", [*_made(
        topics=("4 topics selected", "4 in the manifest", "incremental, builds on 20261122T020000Z"),
        counts=("10,440 offsets frozen", "10,440 records", "each record was counted as it was written"),
        gaps=("none", "none", ""), objects=("27 objects as they were written", "27", "each was looked at in the store"),
        groups=("every group with a commit", "2 groups, 44 committed offsets", ""),
        acls=("the cluster's ACLs", "7", ""), pruning=("3 backups kept", "1 deleted", "40.0 MB freed"),
    ), Check(name="copy", status=Status.SKIPPED, detail="param copy_to is empty")],
        backups=_backup_lines(), sentence="10,440 records in 4 topics: in backup 20261123T020000Z, whose objects are "
        "all there."),
    "backup_covered": lambda: _ended("backup_topics", [Check(
        name="counts", status=Status.EXPLAINED, expected="a backup of this data interval", actual="20261122T020000Z",
        detail="nothing to do: covered by backup 20261122T020000Z, begun 2026-11-22 02:00:00 UTC")],
        topics=[], sentence="Nothing to do: this data interval is covered by backup 20261122T020000Z."),
    "backup_broken": lambda: _broken("backup_topics", "copy", "s3://copy.example.org/kafka: Access Denied (403)"),
    "restore_running": lambda: _at_work("restore_topics", 3),
    "restore_dry": lambda: _dry(
        "restore_topics", changes=[], group_offsets={
            "lines": 1, "actions": [{"action": "rewind", "lines": 1, "meaning": "is ahead on the target"}],
            "active_groups": ["billing"], "first": [_RESTORED], "more": 0, "artifact": None},
    ),
    "restore_pass": lambda: _ended("restore_topics", [*_made(
        topics=("4 topics", "4 there", ""), counts=("10,440 records", "10,440 records", ""),
        content=("22 partitions as in the manifest", "the same, by fingerprint", "every restored record was read back "
                 "and hashed"),
        groups=("2 groups", "2 there", ""), group_offsets=("44 exact", "all exact", ""),
        leftovers=("none", "none", ""),
    ), Check(name="source", status=Status.SKIPPED, detail="no source_conn_id: compared with the manifest only")],
        groups=[samples.group("billing", i, topic="shop.orders.v1") for i in range(3)]),
    "restore_fail": lambda: _ended("restore_topics", _made(
        topics=("4 topics", "4 there", ""), content=("22 partitions as in the manifest", "1 topic differs", "",
                                                     [f"{_LONG}: partition 3: 5 lost"]),
    ), verdict="FAIL"),
    "verify_running": lambda: _at_work("verify_backup", 2),
    "verify_pass": lambda: _ended("verify_backup", _made(
        manifests=("4 backups that can be restored", "4", ""), objects=("108 objects", "108", ""),
        counts=("108 objects", "108 objects read, 10,440 records in them by the manifests", ""),
        orphans=("none", "none", ""), clocks=("4 backups", "4 made in the past", ""),
    ), backups=_backup_lines(own=False), sentence="10,440 records in 108 objects of 4 backups were read and are as "
        "they were written."),
    "verify_fail": lambda: _ended("verify_backup", _made(
        manifests=("4 backups that can be restored", "1 problem", "", ["20261121T020000Z cannot be restored: its "
                                                                        "parent 20261120T020000Z is not there"]),
        objects=("108 objects as they were written", "1 damaged", "", [f"nightly-orders/data/{_LONG}/3/00000000000000"
                                                                        "000417.parquet: SHA-256 is another"]),
    ), verdict="FAIL", backups=_backup_lines(own=False)),
    "stream_running": lambda: _at_work("stream_database_changes", 3),
    "stream_dry": lambda: _dry("stream_database_changes"),
    "stream_pass": lambda: _ended("stream_database_changes", _made(
        topics=("4 topics", "4 there", ""), counts=("10,440 rows", "10,440 read events", ""),
        content=("10,440 rows", "10,440 rows the same", "as of mysql-bin.000042:1874"),
        changes=("27", "27", "in order per key"), schema_changes=("2", "2", ""), leftovers=("none", "none", ""),
    ), sentence="10,440 rows of 4 tables are in Kafka as in the database."),
    "stream_fail": lambda: _ended("stream_database_changes", _made(
        content=("10,440 rows", "10,439 rows the same", "", [
            "shop.orders, row id=417: total is 18446744073709551615, in Kafka -1 (column total, BIGINT UNSIGNED). "
            "Fix: bigint.unsigned.handling.mode=precise"]),
        changes=("27", "26", "", ["shop.orders: UPDATE of row id=417 at mysql-bin.000042:1874 did not arrive"]),
    ), verdict="FAIL"),
    "stream_kept": lambda: _ended("stream_database_changes", [*_made(
        topics=("1 topic", "1 there", ""), counts=("1 row", "1 read event", ""),
    ), leftovers_check(kept="keep_streaming: connector stream_database_changes.shop goes on. To stop it, trigger this "
                       "DAG again with the same params and keep_streaming off; or stop it by hand:\ncurl -X DELETE "
                       "http://connect:8083/connectors/stream_database_changes.shop")],
        sentence="1 row of 1 table is in Kafka as the database has it."),
    "connections_running": lambda: _at_work("check_connections", 2, plan=Plan.from_json(_connections_plan())),
    "connections_pass": _asked,
    "connections_fail": lambda: _asked(
        kafka_target=("kafka_target: a Kafka cluster to write to", "cluster MkU3OEVBNTcwNTJENDM2Qk, 1 broker", "", [
            f"topic {_LONG} on kafka_target: User:ferry lacks WRITE, to copy records into it. Fix: kafka-acls --add "
            f"--allow-principal User:ferry --operation WRITE --topic {_LONG}"]),
        aws_default=("aws_default: AWS, or a store like S3", "account 123456789012", "", [
            "s3:PutObject on s3://backups.prod.example.org/kafka/shop did not work: AccessDenied. Fix: allow "
            "s3:PutObject to it, or correct what is named"]),
    ),
    "broken_without_report": samples.broken_early,
}  # fmt: skip


KINDS = {
    "kept": kept, "dry": dry, "never_began": never_began, "ahead": ahead, "imported": imported,
    "backed_up": backed_up,
}  # fmt: skip


def report_of(run: RunData) -> Report:
    """Its report, which must be there."""
    assert run.report
    return run.report
