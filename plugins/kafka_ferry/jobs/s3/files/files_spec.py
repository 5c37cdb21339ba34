"""The params of ``import_files_from_s3``, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Regex, Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.spec import RestoreSpec
from kafka_ferry.jobs.s3.files.rules.formats import TEMPLATE, Format, Formats, Layout
from kafka_ferry.jobs.s3.files.rules.formats import Field as CsvField
from kafka_ferry.jobs.s3.files.rules.formats import Kind as Content
from kafka_ferry.jobs.s3.files.rules.losses import LOSSES, Loss
from kafka_ferry.jobs.s3.files.rules.names import MOST_PARTITIONS

_CONTENT: JsonDict = {"section": "What is in the files"}
_TARGET: JsonDict = {"section": "Target topics"}
_FORMATS: JsonDict = {
    "json": "json: the JSON that stands there",
    "string": "string: the text of a JSON string (StringConverter)",
    "base64": "base64: the bytes that a JSON string means (ByteArrayConverter)",
}


class FilesSpec(Spec):
    """Params of ``import_files_from_s3``."""

    form_first = (
        "layout", "location", "aws_conn_id", "topics", "target_conn_id", "rename", "accept_losses", "dry_run",
    )  # fmt: skip
    run_kind = Kind.IMPORT
    named_by = ("location", "layout", "target_conn_id")

    layout: Layout = Field(
        title="Layout",
        description="Whose files they are: which sink connector wrote them.",
        json_schema_extra={
            "values_display": {
                "confluent": "confluent: Confluent's S3 sink connector",
                "aiven": "aiven: Aiven's S3 sink connector",
                "lenses": "lenses: Lenses' Stream Reactor, with its envelope",
            }
        },
    )
    location: str = Field(
        title="Location",
        description="s3://bucket/prefix below which the files are, such as the sink's topics.dir.",
        examples=["s3://my-bucket/topics"],
    )
    aws_conn_id: str | None = Field(
        default="aws_default",
        title="AWS connection",
        description="Airflow connection of type aws. Empty: the host's own credentials.",
    )
    topics: list[Entry] = Field(
        default=[],
        title="Topics",
        description=(
            "Names or regular expressions, one per line, of topics as the files' names have them. Empty: all, except "
            "those that begin with __."
        ),
    )
    target_conn_id: str = Field(
        default="kafka_target",
        title="Target cluster",
        description="Airflow connection of type kafka, written to.",
    )
    rename: dict[Regex, str] = Field(
        default={},
        title="Names on the target",
        description=(
            "Topic of the files, or a regular expression that matches all of it, to target topic. Others keep their "
            "names."
        ),
        examples=[{"orders": "orders.restored"}, {"(.*)": "\\1.restored"}],
    )
    accept_losses: list[Loss] = Field(
        default=[],
        title="Losses accepted",
        description=(
            "What the files may lack. The plan names what they do lack, topic by topic, and the run ends there unless "
            f"all of it is named here. One per line, of: {', '.join(LOSSES)}."
        ),
        examples=[["keys", "headers", "timestamps", "bytes"]],
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Only plan: say what would be done and stop. Nothing is written.",
    )
    value_format: Format = Field(
        default="json",
        title="Values",
        description="How values stand in the files. By the value.converter that the sink had.",
        json_schema_extra={**_CONTENT, "values_display": _FORMATS},
    )
    key_format: Format = Field(
        default="string",
        title="Keys",
        description="How keys stand in the files, where they are. By the key.converter that the sink had.",
        json_schema_extra={**_CONTENT, "values_display": _FORMATS},
    )
    header_format: Format = Field(
        default="string",
        title="Headers",
        description="How values of headers stand in the files. By the header.converter that the sink had.",
        json_schema_extra={**_CONTENT, "values_display": _FORMATS},
    )
    file_name_template: str = Field(
        default=TEMPLATE,
        max_length=500,
        title="Names of files",
        description="Of the layout aiven: the sink's file.name.template, as it stands there, below the location.",
        examples=["{{topic}}/{{partition:padding=true}}-{{start_offset:padding=true}}.jsonl.gz"],
        json_schema_extra=_CONTENT,
    )
    format: Literal["by_name", Content] = Field(
        default="by_name",
        title="Format",
        description="Of the layout aiven: what is in the files, where their names do not end with it.",
        json_schema_extra=_CONTENT,
    )
    csv_fields: list[CsvField] = Field(
        default=[],
        title="Fields of CSV",
        description="Of the layout aiven: the sink's format.output.fields, in their order, one per line.",
        examples=[["key", "value", "offset", "timestamp", "headers"]],
        json_schema_extra=_CONTENT,
    )
    envelope: bool = Field(
        default=True,
        title="Envelope",
        description="Of the layout aiven: the sink's format.output.envelope. Without it a line is a value.",
        json_schema_extra=_CONTENT,
    )
    partitions: dict[str, int] = Field(
        default={},
        title="Partitions",
        description=(
            "Topic of the files to the number of partitions that it had. Others get as many as their files name: too "
            "few where the last ones had no records, and keys then go to other partitions than before."
        ),
        examples=[{"orders": 9}],
        json_schema_extra=_TARGET,
    )
    topic_configs: dict[Entry, str] = Field(
        default={"retention.ms": "-1"},
        title="Configs of new topics",
        description=(
            "Of topics created on the target. By default they keep records for ever: with the target's own retention "
            "Kafka would delete old records as soon as the run has ended. {}: the target's defaults."
        ),
        examples=[{"retention.ms": "-1", "cleanup.policy": "compact"}],
        json_schema_extra=_TARGET,
    )
    replication_factor: int | None = Field(
        default=None,
        ge=1,
        le=32767,
        title="Replication factor",
        description="Of topics created on the target. Empty: the target's default.replication.factor.",
        json_schema_extra=_TARGET,
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        spec = super().from_params(params)
        for topic, count in spec.partitions.items():
            if not 1 <= count <= MOST_PARTITIONS:
                raise BadParam("partitions", f"{topic}: {count} partitions", f"a number from 1 to {MOST_PARTITIONS}")
        if spec.format == "csv" and ("value" not in spec.csv_fields or spec.value_format != "base64"):
            raise BadParam(
                "csv_fields",
                "CSV is read where its values are base64 (format.output.fields.value.encoding): others may have a "
                "comma or a line's end in them",
                "the sink's format.output.fields with value among them, and value_format: base64",
            )
        return spec

    @property
    def formats(self) -> Formats:
        """How files are read."""
        return Formats(
            self.layout,
            self.key_format,
            self.value_format,
            self.header_format,
            self.envelope,
            tuple(self.csv_fields),
            self.file_name_template,
            None if self.format == "by_name" else self.format,
        )

    def restore(self) -> RestoreSpec:
        """What the engine is asked to write."""
        return RestoreSpec(
            backup="files",
            location=self.location,
            aws_conn_id=self.aws_conn_id,
            target_conn_id=self.target_conn_id,
            topics=self.topics,
            rename=self.rename,
            groups=[],
            replication_factor=self.replication_factor,
        )
