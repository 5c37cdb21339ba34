"""The trigger form of a migration: every param with title, description and examples."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kafka_ferry.jobs.common.form import Form
from kafka_ferry.jobs.migration.rules.spec import ComparisonSpec, MigrationSpec


def migration_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_on_connect``, by name."""
    return migration_form(MigrationSpec).params


def migration_form(spec: type[MigrationSpec], **how: Any) -> Form:
    """The form that every migration DAG begins with.

    :param how: further arguments of ``Form``.
    """
    form = Form(spec, **how)
    # No examples for lists: with them the form offers those to pick and takes no others (measured, 3.3.2).
    form(
        "topics",
        "Topics",
        "Topic names or regular expressions, one per line, such as orders or projects.*. "
        "A name that exists means only itself.",
    )
    form(
        "migration",
        "Migration name",
        "Names the connectors. The same name goes on where it was; use one name per migration.",
        examples=["event-center", "wave-1"],
    )
    form("source_conn_id", "Source cluster", "Airflow connection of type kafka, read from.", examples=["kafka_source"])
    form("target_conn_id", "Target cluster", "Airflow connection of type kafka, written to.", examples=["kafka_target"])
    form("dry_run", "Dry run", "Only plan: say what would be done and stop. Nothing is changed.")
    form(
        "keep_replicating",
        "Keep replicating",
        "Leave the connectors running at the end; the last task says how to stop them.",
    )
    _selection(form)
    _engine(form)
    _proof(form)
    _times(form)
    form.section = None
    return form


def comparison_params() -> dict[str, Param]:
    """Params of ``verify_clusters``."""
    form = migration_form(ComparisonSpec)
    form.keep(
        "topics", "source_conn_id", "target_conn_id", "exclude_topics", "groups", "exclude_groups", "naming",
        "topic_rename_format", "source_alias", "isolation_level", "verification", "duplicates", "acls",
    )  # fmt: skip
    form(
        "any_partition",
        "In any partition",
        "Compare whole topics: as a multiset of records, and per key in order. For copies whose "
        "records changed their partition, such as MirrorMaker 1's. Groups are not compared then.",
    )
    form(
        "rename",
        "Names on the target",
        "Source topic, or a regular expression that matches all of it, to target topic.",
        examples=[{"orders": "orders.replica"}, {"(.*)": "\\1.replica"}],
    )
    form.section = "Proof"
    form(
        "ignore_headers",
        "Headers to ignore",
        "Names of headers that whoever copied added to the records, one per line, such as __mskmr (MSK Replicator).",
    )
    form.section = "Waiting"
    form(
        "catch_up_timeout", "Time to catch up", "How long to wait for a target that is still being filled. In seconds."
    )
    return form.params


def connect_to_look_at(form: Form) -> None:
    """For engines that need no Kafka Connect of their own."""
    form(
        "connect_conn_id",
        "Kafka Connect to look at",
        "A Connect cluster whose connectors may copy the same topics. Empty: none.",
        examples=["kafka_connect"],
    )


def _selection(form: Form) -> None:
    form.section = "Selection"
    form("exclude_topics", "Topics to leave out", "Names or regular expressions, one per line, such as .*\\.tmp.")
    form(
        "groups",
        "Consumer groups",
        "Groups whose offsets are carried over, one per line; .* is all of them. Empty: none.",
    )
    form("exclude_groups", "Groups to leave out", "Names or regular expressions, such as test-.*.")
    form(
        "naming",
        "Names on the target",
        "Keep the names, put the alias before them, or rename by a format (the workers need Kafka Ferry's JAR).",
        values_display={
            "identity": "the same names",
            "prefix": "<alias>.<topic>",
            "rename": "by the rename format",
        },
    )
    form(
        "topic_rename_format",
        "Rename format",
        "How topics are called on the target when names are given by format; ${topic} is the source's name.",
        examples=["${topic}.replica"],
    )
    form(
        "source_alias",
        "Source alias",
        "MirrorMaker 2's name of the source, and the prefix. Default: the migration's name.",
        examples=["old", "event-center"],
    )


def _engine(form: Form) -> None:
    form.section = "Replication"
    form(
        "connect_conn_id",
        "Kafka Connect",
        "Airflow connection of type http: a worker of Kafka Connect 3.8 or newer.",
        type="string",
        examples=["kafka_connect"],
    )
    form(
        "throughput",
        "Throughput profile",
        "Client settings that were measured to act.",
        values_display={
            "lan": "lan: large batches, lz4",
            "wan": "wan: the same, with open receive windows",
            "gentle": "gentle: large batches, lz4, one task",
        },
    )
    form("tasks_max", "Tasks", "Parallel tasks per connector (tasks.max).")
    form(
        "isolation_level",
        "Isolation level",
        "read_uncommitted copies aborted transactions as if they had been committed.",
    )
    form(
        "replication_factor",
        "Replication factor",
        "Of topics made on the target. Empty: the target's default.replication.factor.",
    )
    form(
        "provision_through",
        "Make topics through",
        "The target's brokers, or MSK's topic API: where the target's connection may not make topics.",
        values_display={"kafka": "its brokers", "msk_api": "Amazon MSK's topic API"},
    )
    form(
        "cluster_arn",
        "Target cluster's ARN",
        "The MSK cluster that the target connection leads to; for MSK's topic API.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
    )
    form("aws_conn_id", "AWS", "Airflow connection of type aws, for MSK's topic API.", examples=["aws_default"])
    form("heartbeats", "Heartbeats", "Run MirrorHeartbeatConnector too.")
    form(
        "hold_retention",
        "Hold retention",
        "Lift the target's limits by age and size where they would delete or reject records during the copy; they "
        "are put back before the last checks.",
    )


def _proof(form: Form) -> None:
    form.section = "Proof"
    form(
        "verification",
        "Verification",
        "content compares every record by its hash; counts compares numbers of records only.",
    )
    form(
        "duplicates",
        "Duplicates",
        "MirrorMaker 2 may send records again after a crash. fail: verdict FAIL; explain: named and counted only.",
    )
    form(
        "canary",
        "Canary",
        "Make a topic of our own on the source after the start, and see it arrive: shows that new topics and new "
        "records do. It is deleted on both ends.",
    )
    form(
        "group_offsets",
        "Group offsets",
        "exact: written by record identity; mm2: MirrorMaker 2's own translation, which may deliver again.",
    )
    form(
        "acls",
        "ACLs",
        "check: the ACLs of the topics must be on the target; copy: make them there, writers' ones excepted.",
    )


def _times(form: Form) -> None:
    form.section = "Waiting"
    form("poll_interval", "Poll interval", "Between two looks. In seconds.")
    form("running_timeout", "Time to start", "Until all tasks must run. In seconds.")
    form("convergence_timeout", "Time to copy", "Until all must be there. In seconds.")
    form("no_progress_timeout", "Patience", "Without any progress the run fails. In seconds.")
