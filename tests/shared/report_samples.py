"""Runs as the report page meets them: proven, failed, at work, broken early, large."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kafka_ferry.core.checks import Check, GroupLine, Report, Stage, Status, Throughput, TopicLine, complete
from kafka_ferry.core.plan import Plan
from kafka_ferry.jobs.migration.reported import migration
from kafka_ferry.report.run import RunData

DAG, RUN = "mirror_maker2_on_connect", "manual__2026-11-21T08:00:00+00:00"
START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SUMMARY = {"verdict": "PASS", "failures": [], "path": "somewhere/report.json"}
PLAN: dict[str, Any] = {
    "spec": {"migration": "wave-1", "dry_run": False},
    "source": {"conn_id": "kafka_source", "cluster_id": "abc", "brokers": 3},
    "target": {"conn_id": "kafka_target", "cluster_id": "def", "brokers": 3},
    "topics": [{"source": "orders", "target": "orders", "partitions": 6, "records": 900, "bytes": 90_000}],
    "records": 900,
    "bytes": 90_000,
    "estimate": {"seconds": 70, "basis": "measured"},
    "notes": ["topics: 'nothing' matches nothing on the source"],
}


def at(seconds: float) -> str:
    """``seconds`` after the start of the run."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def watched(looks: int) -> list[dict[str, Any]]:
    """watched.jsonl of a copy that goes on: a look each ten seconds, objects once a minute, 5,000 records a second."""
    return [{"at": at(10.0 * i), "behind": 50_000 * (i % 6), "seconds": 10.2 * (i % 6)} for i in range(looks)]


def progress(polls: int, total: int = 1_000_000, converged: bool = True) -> list[dict[str, Any]]:
    """progress.jsonl of a copy that is slow at first: one poll a second."""
    lines = []
    for i in range(polls):
        share = (i / max(1, polls - 1)) ** 1.5 * (1 if converged else 0.43)
        done = round(total * share)
        lines.append(
            {
                "at": at(20 + i), "offsets": done, "total_offsets": total, "bytes": done * 120,
                "total_bytes": total * 120, "partitions": round(27 * share), "total_partitions": 27,
                "offsets_per_second": 31_250.0, "eta_seconds": 95.0, "converged": converged and i == polls - 1,
                "slowest": [["orders.v2", total - done]] if done < total else [],
            }
        )  # fmt: skip
    return lines


def stages(*names: str, broken: str = "", error: str = "") -> list[Stage]:
    """One after the other, five seconds each; ``broken`` is the one that failed."""
    return [
        Stage(
            stage=name, started=at(5 * i), ended=at(5 * i + 4.5), state="failed" if name == broken else "success",
            error=error if name == broken else "",
        )
        for i, name in enumerate(names)
    ]  # fmt: skip


def topic(name: str, records: int = 1000, **other: Any) -> TopicLine:
    defaults = {"partitions": 6, "source_records": records, "target_records": records, "status": Status.PASS}
    return TopicLine(source=name, target=name, **{**defaults, **other})


def group(name: str, partition: int, **other: Any) -> GroupLine:
    defaults = {
        "topic": "orders", "source_offset": 500, "target_offset": 500, "expected_offset": 500, "redelivered": 0,
        "status": Status.PASS,
    }  # fmt: skip
    return GroupLine(group=name, partition=partition, **{**defaults, **other})


def report(topics: list[TopicLine], groups: list[GroupLine], made: list[Check], **other: Any) -> Report:
    defaults: dict[str, Any] = {
        "dag_id": DAG, "run_id": RUN, "engine": DAG, "verdict": "PASS", "source": PLAN["source"],
        "target": PLAN["target"], "started": at(0), "ended": at(75), "topics": topics, "groups": groups,
        "checks": complete(made, {"acls": "this version does not carry ACLs"}, "not made"),
        "timeline": stages("plan", "provision_topics", "deploy", "wait_until_converged", "fingerprint[0]", "validate"),
        "words": migration(DAG).words, "throughput": Throughput(offsets=1_000_000, bytes=120_000_000, seconds=38.0),
    }  # fmt: skip
    return Report(**{**defaults, **other})


def passed(topics: int = 9) -> RunData:
    lines = [topic(f"orders.{i}", 1000 * (i + 1)) for i in range(topics)]
    made = [Check(name=name, status=Status.PASS, expected="9", actual="9") for name in ("topics", "counts", "content")]
    found = report(lines, [group(f"billing-{i}", i) for i in range(8)], made)
    return RunData(DAG, RUN, "success", report=found, summary=SUMMARY, plan=Plan.from_json(PLAN), progress=progress(40))


def failed(name: str = "orders") -> RunData:
    """One record lost and one duplicated in ``name``; a group that would skip."""
    lines = [topic(f"fine-{i}") for i in range(5)]
    lines.append(topic(name, target_records=1000, lost=1, duplicated=1, status=Status.FAIL, detail=f"{name}-3: 2"))
    made = [
        Check(name="topics", status=Status.PASS, expected="6", actual="6"),
        Check(
            name="content", status=Status.FAIL, expected="36 partitions equal", actual="35 equal",
            differences=[f"{name}-3: offset 417 of the source is lost", f"{name}-3: offset 9 came twice"],
        ),
        Check(name="group_offsets", status=Status.FAIL, expected="9 exact", actual="8", differences=["billing: ahead"]),
        Check(name="configs", status=Status.EXPLAINED, detail="the target's own retention was kept"),
    ]  # fmt: skip
    groups = [group("billing", i) for i in range(8)]
    groups.append(group("billing", 8, target_offset=507, redelivered=-7, status=Status.FAIL, detail="skips 7"))
    found = report(lines, groups, made, verdict="FAIL")
    return RunData(DAG, RUN, "failed", report=found, summary=SUMMARY, plan=Plan.from_json(PLAN), progress=progress(40))


def running() -> RunData:
    at_work = Stage(stage="wait_until_converged", started=at(20), state="deferred")
    done = stages("plan", "provision_topics", "deploy", "wait_until_running")
    return RunData(
        DAG, RUN, "running", plan=Plan.from_json(PLAN), progress=progress(40, converged=False), stages=[*done, at_work]
    )


def broken_early(error: str = "orders-0: no leader found. Fix: see the broker's log") -> RunData:
    """No report was written: the run's process was lost, or someone stopped it."""
    done = stages("plan", "provision_topics", broken="provision_topics", error=error)
    return RunData(DAG, RUN, "failed", plan=Plan.from_json(PLAN), stages=done)


def large(topics: int = 2000) -> RunData:
    """The size that the page must carry: thousands of topics, and more group lines than it shows."""
    lines = [topic(f"projects.team-{i % 40}.events-{i:04}", 997 * (i % 89)) for i in range(topics)]
    lines[1234] = topic(lines[1234].source, 1000, target_records=999, lost=1, status=Status.FAIL, detail="one is lost")
    groups = [group(f"consumer-{i // 100}", i % 100, topic=lines[i % topics].source) for i in range(6000)]
    made = [Check(name="content", status=Status.FAIL, differences=[f"difference {i}" for i in range(1000)])]
    found = report(lines, groups, made, verdict="FAIL")
    return RunData(
        DAG, RUN, "failed", report=found, summary=SUMMARY, plan=Plan.from_json(PLAN), progress=progress(20_000)
    )
