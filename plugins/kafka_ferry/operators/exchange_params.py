"""The trigger forms of ``export_topics_to_s3`` and ``import_topics_from_s3``.

What a user always sets carries no section, so that the form opens on it.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kafka_ferry.backup.exchange_spec import ExportSpec, ImportSpec

_SELECTION, _OBJECTS, _FOLLOW, _COPY = "Selection", "Objects", "Follow", "Copy"


def export_params() -> dict[str, Param]:
    """Params of ``export_topics_to_s3``; defaults and limits are those of ``ExportSpec``."""
    return {
        "topics": Param(
            type="array",
            items={"type": "string"},
            minItems=1,
            title="Topics",
            description="Topic names or regular expressions, one per line, such as source-topic-1 or projects.*. "
            "A name that exists means only itself.",
        ),
        **_common(ExportSpec),
        "source_conn_id": _param(
            ExportSpec, "source_conn_id", "Source cluster", "Airflow connection of type kafka, read from."
        ),
        "format": _param(
            ExportSpec,
            "format",
            "Format",
            "Of the objects. All of them keep key, value, headers, timestamp, offset and partition of every record.",
            enum=["parquet", "jsonl", "avro"],
            values_display={
                "parquet": "Parquet, zstd: smallest and fastest",
                "jsonl": "JSON lines, gzip: text where it is UTF-8, else base64",
                "avro": "Avro, deflate",
            },
        ),
        **_follow(ExportSpec, "Export what is written meanwhile too, as increments, for so long. 0: end with what is "
                  "there at the start."),
        "exclude_topics": _param(
            ExportSpec,
            "exclude_topics",
            "Topics to leave out",
            "Names or regular expressions, one per line, such as .*\\.tmp.",
            type="array",
            items={"type": "string"},
            section=_SELECTION,
        ),
        "mode": _param(
            ExportSpec,
            "mode",
            "Mode",
            "incremental goes on where the last export of this name ended; full begins at the log start.",
            enum=["incremental", "full"],
            section=_SELECTION,
        ),
        "isolation_level": _param(
            ExportSpec,
            "isolation_level",
            "Isolation level",
            "read_uncommitted exports aborted transactions as if they had been committed.",
            enum=["read_committed", "read_uncommitted"],
            section=_SELECTION,
        ),
        "segment_mb": _param(
            ExportSpec,
            "segment_mb",
            "Object size",
            "An object is cut when it holds so many MB of keys and values. Memory: about five times as much a process.",
            type="integer",
            minimum=1,
            maximum=512,
            section=_OBJECTS,
        ),
        "verify": _param(
            ExportSpec,
            "verify",
            "Read back",
            "Read every object back and hold it against the fingerprints taken while exporting.",
            type="boolean",
            section=_OBJECTS,
        ),
    }  # fmt: skip


def import_params() -> dict[str, Param]:
    """Params of ``import_topics_from_s3``; defaults and limits are those of ``ImportSpec``."""
    return {
        "topics": _param(
            ImportSpec,
            "topics",
            "Topics",
            "Source names or regular expressions, one per line. Empty: all topics of the export.",
            default=[],
            type=["null", "array"],
            items={"type": "string"},
        ),
        **_common(ImportSpec),
        "rename": _param(
            ImportSpec,
            "rename",
            "Names at the sink",
            "Source topic, or a regular expression that matches all of it, to sink topic. Others keep their names.",
            type="object",
            examples=[{"source-topic-1": "sink-topic-1"}, {"source-(.*)": "sink-\\1"}],
        ),
        "target_conn_id": _param(
            ImportSpec, "target_conn_id", "Sink cluster", "Airflow connection of type kafka, written to."
        ),
        **_follow(ImportSpec, "Import increments as they are exported too, for so long. 0: end with the export that is "
                  "there at the start."),
        "export_id": _param(
            ImportSpec,
            "export_id",
            "As of export",
            "Id of an export of this name. Empty: the latest.",
            type=["null", "string"],
            section=_SELECTION,
        ),
        "replication_factor": _param(
            ImportSpec,
            "replication_factor",
            "Replication factor",
            "Of topics made at the sink. Empty: the sink's default.replication.factor.",
            type=["null", "integer"],
            minimum=1,
            maximum=32767,
            section=_SELECTION,
        ),
        "copy_to": _param(
            ImportSpec,
            "copy_to",
            "Copy to",
            "s3://bucket/prefix near the sink, in another region or account: the export is copied there first.",
            type=["null", "string"],
            examples=["s3://sink-bucket/exports"],
            section=_COPY,
        ),
        "copy_aws_conn_id": _param(
            ImportSpec,
            "copy_aws_conn_id",
            "S3 there",
            "Airflow connection of type aws for the copy.",
            type=["null", "string"],
            section=_COPY,
        ),
    }  # fmt: skip


def _common(spec: type[ExportSpec | ImportSpec]) -> dict[str, Param]:
    return {
        "export": _param(
            spec,
            "export",
            "Export name",
            "Exports of one name go on from one another. One run at a time works on a name.",
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        ),
        "location": _param(spec, "location", "Location", "s3://bucket/prefix, or file:///folder that workers share."),
        "aws_conn_id": _param(
            spec,
            "aws_conn_id",
            "S3",
            "Airflow connection of type aws. Empty: boto3's own chain (role, environment).",
            type=["null", "string"],
        ),
        "dry_run": _param(
            spec, "dry_run", "Dry run", "Only plan: say what would be done and stop. Nothing is written.",
            type="boolean",
        ),
    }  # fmt: skip


def _follow(spec: type[ExportSpec | ImportSpec], description: str) -> dict[str, Param]:
    return {
        "follow_for": _param(
            spec, "follow_for", "Follow for", f"{description} In seconds.", type="number", minimum=0, section=_FOLLOW
        ),
        "follow_interval": _param(
            spec,
            "follow_interval",
            "Look every",
            "Between two looks for something new. In seconds.",
            type="number",
            minimum=1,
            maximum=3600,
            section=_FOLLOW,
        ),
    }


def _param(spec: type[ExportSpec | ImportSpec], name: str, title: str, description: str, **schema: Any) -> Param:
    schema.setdefault("type", "string")
    default = schema.pop("default", spec.model_fields[name].default)
    return Param(default, title=title, description=description, **schema)
