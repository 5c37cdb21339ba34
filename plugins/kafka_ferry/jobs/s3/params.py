"""The trigger forms of ``export_topics_to_s3`` and ``import_topics_from_s3``."""

from __future__ import annotations

from airflow.sdk import Param

from kafka_ferry.jobs.common.form import Form
from kafka_ferry.jobs.s3.exchange_spec import ExportSpec, ImportSpec


def export_params() -> dict[str, Param]:
    """Params of ``export_topics_to_s3``."""
    form = Form(ExportSpec)
    form(
        "topics",
        "Topics",
        "Topic names or regular expressions, one per line, such as source-topic-1 or projects.*. "
        "A name that exists means only itself.",
    )
    _common(form)
    form("source_conn_id", "Source cluster", "Airflow connection of type kafka, read from.")
    form(
        "format",
        "Format",
        "Of the objects. All of them keep key, value, headers, timestamp, offset and partition of every record.",
        values_display={
            "parquet": "Parquet, zstd: smallest and fastest",
            "jsonl": "JSON lines, gzip: text where it is UTF-8, else base64",
            "avro": "Avro, deflate",
        },
    )
    _follow(
        form,
        "Export what is written meanwhile too, as increments, for so long. 0: end with what is there at the start.",
    )
    form.section = "Selection"
    form("exclude_topics", "Topics to leave out", "Names or regular expressions, one per line, such as .*\\.tmp.")
    form("mode", "Mode", "incremental goes on where the last export of this name ended; full begins at the log start.")
    form(
        "isolation_level",
        "Isolation level",
        "read_uncommitted exports aborted transactions as if they had been committed.",
    )
    form.section = "Objects"
    form(
        "segment_mb",
        "Object size",
        "An object is cut when it holds so many MB of keys and values. Memory: about five times as much a process.",
    )
    form("verify", "Read back", "Read every object back and hold it against the fingerprints taken while exporting.")
    _signing(form)
    return form.params


def import_params() -> dict[str, Param]:
    """Params of ``import_topics_from_s3``."""
    form = Form(ImportSpec)
    form(
        "topics",
        "Topics",
        "Source names or regular expressions, one per line. Empty: all topics of the export.",
        type=["null", "array"],
    )
    _common(form)
    form(
        "rename",
        "Names at the sink",
        "Source topic, or a regular expression that matches all of it, to sink topic. Others keep their names.",
        examples=[{"source-topic-1": "sink-topic-1"}, {"source-(.*)": "sink-\\1"}],
    )
    form("target_conn_id", "Sink cluster", "Airflow connection of type kafka, written to.")
    _follow(
        form,
        "Import increments as they are exported too, for so long. 0: end with the export that is there at the start.",
    )
    form.section = "Selection"
    form(
        "export_id",
        "As of export",
        "Id of an export of this name. Empty: the latest. The report of each export says its id.",
        examples=["20261121T020000Z"],
    )
    form(
        "replication_factor",
        "Replication factor",
        "Of topics made at the sink. Empty: the sink's default.replication.factor.",
    )
    form.section = "Copy"
    form(
        "copy_to",
        "Copy to",
        "s3://bucket/prefix near the sink, in another region or account: the export is copied there first.",
        examples=["s3://sink-bucket/exports"],
    )
    form("copy_aws_conn_id", "S3 there", "Airflow connection of type aws for the copy.")
    _signing(form)
    return form.params


def _common(form: Form) -> None:
    form("export", "Export name", "Exports of one name go on from one another. One run at a time works on a name.")
    form("location", "Location", "s3://bucket/prefix, or file:///folder that workers share.")
    form("aws_conn_id", "S3", "Airflow connection of type aws. Empty: boto3's own chain (role, environment).")
    form("dry_run", "Dry run", "Only plan: say what would be done and stop. Nothing is written.")


def _follow(form: Form, description: str) -> None:
    form.section = "Follow"
    form("follow_for", "Follow for", f"{description} In seconds.")
    form("follow_interval", "Look every", "Between two looks for something new. In seconds.")
    form.section = None


def _signing(form: Form) -> None:
    form.section = "Signatures"
    form(
        "signing_conn_id",
        "Signing key",
        "Airflow connection whose password is the key: manifests are signed with it, and one that is unsigned or "
        "altered is refused. Empty: no signatures.",
    )
