"""What a run is of, as its first task tells Airflow: the kind of its job, and the name that it works on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError

from kafka_ferry.core.redaction import redact_text
from kafka_ferry.core.spec import Spec
from kafka_ferry.core.tolerant import Tolerant

#: Tag of all DAGs of ours.
TAG: Final = "kafka-ferry"
#: Of the XCom.
KEY: Final = "kafka_ferry_job"
#: Characters of a name, and of where it is.
LONGEST: Final = 300


class JobName(Tolerant, BaseModel):
    """
    :param kind: as ``Kind`` has it. ``name``: of the migration, the backup, the export, the stream; the topics, where
        a job has no name.
    :param where: what else tells two of one name apart: a location, connections.
    """

    schema_: Literal["kafka-ferry.job/1"] = "kafka-ferry.job/1"
    kind: str
    name: str
    where: str = ""
    dry_run: bool = False

    @classmethod
    def of(cls, spec: type[Spec], params: Mapping[str, Any]) -> JobName:
        """Of a run by what it is asked, whether or not it can be done.

        :param spec: what its params are checked by.
        """
        fields = {param: spec.model_fields[param] for param in spec.named_by}
        otherwise = {param: None if field.is_required() else field.default for param, field in fields.items()}
        name, *where = [_text(params.get(param, default)) for param, default in otherwise.items()] or [""]
        return cls(
            kind=spec.run_kind or "",
            name=name,
            where=_cut(" → ".join(filter(None, where))),
            dry_run=params.get("dry_run") is True,
        )

    @classmethod
    def from_json(cls, value: Any) -> JobName | None:
        """What an XCom holds; None: nothing of this version."""
        try:
            return cls.read({"schema_" if key == "schema" else key: one for key, one in value.items()})
        except (ValidationError, AttributeError):
            return None

    def to_json(self) -> dict[str, Any]:
        """Small whatever the params are."""
        return {"schema": self.schema_, **self.model_dump(mode="json", exclude={"schema_"})}


def _text(value: Any) -> str:
    # Params that are refused are named too, and may be anything.
    return _cut(", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value))


def _cut(text: str) -> str:
    text = redact_text(text[: 100 * LONGEST])
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"
