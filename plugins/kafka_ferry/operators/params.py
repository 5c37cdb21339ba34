"""The trigger form of a migration: every param with title, description, examples and limits.

What a user always sets carries no section, so that the form opens on it (a form of sections only opens folded).
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kafka_ferry.migration.arns import CLUSTER_ARN
from kafka_ferry.migration.spec import ComparisonSpec, MigrationSpec

_SELECTION, _ENGINE, _PROOF, _TIMES = "Selection", "Replication", "Proof", "Waiting"


def migration_params() -> dict[str, Param]:
    """Params of every migration DAG, by name; defaults and limits are those of ``MigrationSpec``."""
    return {
        "topics": Param(
            type="array",
            items={"type": "string"},
            minItems=1,
            title="Topics",
            # No examples for lists: with them the form offers those to pick and takes no others (measured, 3.3.2).
            description="Topic names or regular expressions, one per line, such as orders or projects.*. "
            "A name that exists means only itself.",
        ),
        "migration": _param(
            "migration",
            "Migration name",
            "Names the connectors. The same name goes on where it was; use one name per migration.",
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$",
            examples=["event-center", "wave-1"],
        ),
        "source_conn_id": _param(
            "source_conn_id",
            "Source cluster",
            "Airflow connection of type kafka, read from.",
            examples=["kafka_source"],
        ),
        "target_conn_id": _param(
            "target_conn_id",
            "Target cluster",
            "Airflow connection of type kafka, written to.",
            examples=["kafka_target"],
        ),
        "dry_run": _param(
            "dry_run", "Dry run", "Only plan: say what would be done and stop. Nothing is changed.", type="boolean"
        ),
        "keep_replicating": _param(
            "keep_replicating",
            "Keep replicating",
            "Leave the connectors running at the end; the last task says how to stop them.",
            type="boolean",
        ),
        **_selection(),
        **_engine(),
        **_proof(),
        **_times(),
    }


def comparison_params() -> dict[str, Param]:
    """Params of ``verify_clusters``; defaults and limits are those of ``ComparisonSpec``."""
    params = migration_params()
    wanted = ("topics", "source_conn_id", "target_conn_id", "exclude_topics", "groups", "exclude_groups", "naming",
              "topic_rename_format", "source_alias", "isolation_level", "verification", "duplicates",
              "acls")  # fmt: skip
    return {name: params[name] for name in wanted} | {
        "any_partition": Param(
            ComparisonSpec.model_fields["any_partition"].default,
            type="boolean",
            title="In any partition",
            description="Compare whole topics: as a multiset of records, and per key in order. For copies whose "
            "records changed their partition, such as MirrorMaker 1's. Groups are not compared then.",
        ),
        "rename": Param(
            {},
            type="object",
            title="Names on the target",
            description="Source topic, or a regular expression that matches all of it, to target topic.",
            examples=[{"orders": "orders.replica"}, {"(.*)": "\\1.replica"}],
        ),
        "ignore_headers": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Headers to ignore",
            description="Names of headers that whoever copied added to the records, one per line, such as __mskmr "
            "(MSK Replicator).",
            section=_PROOF,
        ),
        "catch_up_timeout": Param(
            ComparisonSpec.model_fields["catch_up_timeout"].default,
            type="number",
            minimum=0,
            title="Time to catch up",
            description="How long to wait for a target that is still being filled. In seconds.",
            section=_TIMES,
        ),
    }


def _selection() -> dict[str, Param]:
    return {
        "exclude_topics": _names(
            "exclude_topics", "Topics to leave out", "Names or regular expressions, one per line, such as .*\\.tmp."
        ),
        "groups": _names(
            "groups",
            "Consumer groups",
            "Groups whose offsets are carried over, one per line; .* is all of them. Empty: none.",
        ),
        "exclude_groups": _names(
            "exclude_groups", "Groups to leave out", "Names or regular expressions, such as test-.*."
        ),
        "naming": _param(
            "naming",
            "Names on the target",
            "Keep the names, put the alias before them, or rename by a format (the workers need Kafka Ferry's JAR).",
            enum=["identity", "prefix", "rename"],
            values_display={
                "identity": "the same names",
                "prefix": "<alias>.<topic>",
                "rename": "by the rename format",
            },
            section=_SELECTION,
        ),
        "topic_rename_format": _param(
            "topic_rename_format",
            "Rename format",
            "How topics are called on the target when names are given by format; ${topic} is the source's name.",
            examples=["${topic}.replica"],
            section=_SELECTION,
        ),
        "source_alias": _param(
            "source_alias",
            "Source alias",
            "MirrorMaker 2's name of the source, and the prefix. Default: the migration's name.",
            type=["null", "string"],
            pattern="^[A-Za-z0-9_-]{1,60}$",
            examples=["old", "event-center"],
            section=_SELECTION,
        ),
    }


def _engine() -> dict[str, Param]:
    return {
        "connect_conn_id": _param(
            "connect_conn_id",
            "Kafka Connect",
            "Airflow connection of type http: a worker of Kafka Connect 3.8 or newer.",
            examples=["kafka_connect"],
            section=_ENGINE,
        ),
        "throughput": _param(
            "throughput",
            "Throughput profile",
            "Client settings that were measured to act.",
            enum=["lan", "wan", "gentle"],
            values_display={
                "lan": "lan: large batches, lz4",
                "wan": "wan: the same, with open receive windows",
                "gentle": "gentle: large batches, lz4, one task",
            },
            section=_ENGINE,
        ),
        "tasks_max": _param(
            "tasks_max", "Tasks", "Parallel tasks per connector (tasks.max).", type="integer", minimum=1, maximum=1000,
            section=_ENGINE,
        ),
        "isolation_level": _param(
            "isolation_level",
            "Isolation level",
            "read_uncommitted copies aborted transactions as if they had been committed.",
            enum=["read_committed", "read_uncommitted"],
            section=_ENGINE,
        ),
        "replication_factor": _param(
            "replication_factor",
            "Replication factor",
            "Of topics made on the target. Empty: the target's default.replication.factor.",
            type=["null", "integer"],
            minimum=1,
            maximum=32767,
            section=_ENGINE,
        ),
        "provision_through": _param(
            "provision_through",
            "Make topics through",
            "The target's brokers, or MSK's topic API: where the target's connection may not make topics.",
            enum=["kafka", "msk_api"],
            values_display={"kafka": "its brokers", "msk_api": "Amazon MSK's topic API"},
            section=_ENGINE,
        ),
        "cluster_arn": _param(
            "cluster_arn",
            "Target cluster's ARN",
            "The MSK cluster that the target connection leads to; for MSK's topic API.",
            type=["null", "string"],
            pattern=CLUSTER_ARN,
            examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
            section=_ENGINE,
        ),
        "aws_conn_id": _param(
            "aws_conn_id",
            "AWS",
            "Airflow connection of type aws, for MSK's topic API.",
            examples=["aws_default"],
            section=_ENGINE,
        ),
        "heartbeats": _param(
            "heartbeats", "Heartbeats", "Run MirrorHeartbeatConnector too.", type="boolean", section=_ENGINE
        ),
        "hold_retention": _param(
            "hold_retention",
            "Hold retention",
            "Lift the target's limits by age and size where they would act on old records during the copy; they are "
            "put back before the last checks.",
            type="boolean",
            section=_ENGINE,
        ),
    }  # fmt: skip


def _proof() -> dict[str, Param]:
    return {
        "verification": _param(
            "verification",
            "Verification",
            "content compares every record by its hash; counts compares numbers of records only.",
            enum=["content", "counts"],
            section=_PROOF,
        ),
        "duplicates": _param(
            "duplicates",
            "Duplicates",
            "MirrorMaker 2 may send records again after a crash. fail: verdict FAIL; explain: named and counted only.",
            enum=["fail", "explain"],
            section=_PROOF,
        ),
        "canary": _param(
            "canary",
            "Canary",
            "Make a topic of our own on the source after the start, and see it arrive: shows that new topics and new "
            "records do. It is deleted on both ends.",
            type="boolean",
            section=_PROOF,
        ),
        "group_offsets": _param(
            "group_offsets",
            "Group offsets",
            "exact: written by record identity; mm2: MirrorMaker 2's own translation, which may deliver again.",
            enum=["exact", "mm2"],
            section=_PROOF,
        ),
        "acls": _param(
            "acls",
            "ACLs",
            "check: the ACLs of the topics must be on the target; copy: make them there, writers' ones excepted.",
            enum=["check", "copy", "skip"],
            section=_PROOF,
        ),
    }


def _times() -> dict[str, Param]:
    def seconds(name: str, title: str, description: str, minimum: float, **limits: Any) -> Param:
        text = f"{description} In seconds."
        return _param(name, title, text, type="number", minimum=minimum, section=_TIMES, **limits)

    return {
        "poll_interval": seconds("poll_interval", "Poll interval", "Between two looks.", 0.5, maximum=3600),
        "running_timeout": seconds("running_timeout", "Time to start", "Until all tasks must run.", 5),
        "convergence_timeout": seconds("convergence_timeout", "Time to copy", "Until all must be there.", 10),
        "no_progress_timeout": seconds("no_progress_timeout", "Patience", "Without any progress the run fails.", 5),
    }


def _param(name: str, title: str, description: str, **schema: Any) -> Param:
    schema.setdefault("type", "string")
    return Param(_default(name), title=title, description=description, **schema)


def _names(name: str, title: str, description: str) -> Param:
    items = {"type": "string"}
    return _param(name, title, description, type="array", items=items, section=_SELECTION)


def _default(name: str) -> Any:
    default = MigrationSpec.model_fields[name].default
    return getattr(default, "value", default)
