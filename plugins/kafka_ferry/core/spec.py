"""What the specs of all DAGs share: params are checked once, typed from then on, refused in the same words. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from kafka_ferry.core.expression import problem_of
from kafka_ferry.core.redaction import redact_text, redact_value
from kafka_ferry.exceptions import BadParam


def _compiles(pattern: str) -> str:
    # Debezium matches the names of tables in any case.
    if problem := problem_of(pattern) or problem_of(pattern, re.IGNORECASE):
        raise ValueError(problem)
    return pattern


Entry = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Regex = Annotated[Entry, AfterValidator(_compiles)]
#: Of seconds and days: three years at least.
MOST = 10**8
#: What names connectors and files.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$")]
Isolation = Literal["read_committed", "read_uncommitted"]

#: What a user has to write where there is no default that could work.
_WANTED = {
    "topics": 'a list of topic names or regexes, e.g. ["projects.*"]',
    "databases": 'a list of database names, e.g. ["ecommerce"]',
    "source_cluster_arn": "the ARN of the MSK cluster that source_conn_id leads to",
    "cluster_arn": "the ARN of the MSK cluster that target_conn_id leads to",
    "service_execution_role_arn": "the ARN of the role that connectors or the replicator run with",
}
_SEE_FORM = "see the description in the trigger form"


class Spec(BaseModel):
    """Base of the specs, in the names of the trigger form. Lists and mappings that are null are empty.

    Usage::

        spec = MigrationSpec.from_params(context["params"])
    """

    # Pydantic's own words would show the value, which may be a secret, in every traceback.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any, info: ValidationInfo) -> Any:
        kind = get_origin(cls.model_fields[info.field_name or ""].annotation)
        return kind() if value is None and kind in (list, dict) else value

    @field_validator("*")
    @classmethod
    def _within_reason(cls, value: Any) -> Any:
        # JSON has numbers of any size (1e400 is infinity), a span of time in Python has not.
        if isinstance(value, float) and not abs(value) <= MOST:
            raise ValueError(f"is larger than {MOST:,}")
        return value

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Check params and return the spec.

        :raises BadParam: the first param that is unknown, missing or has a bad value; nothing has been changed.
        """
        try:
            return cls.model_validate(dict(params))
        except ValidationError as error:
            # A name that was misspelt explains why another is missing, so it comes first.
            found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
            raise _bad_param(found[0], sorted(cls.model_fields)) from error


def _bad_param(first: ErrorDetails, fields: list[str]) -> BadParam:
    """In the words of the form; a value that may be a secret is masked."""
    param, *inside = map(str, first["loc"])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(param, fields, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return BadParam(param, f"is unknown{hint}", f"one of: {', '.join(fields)}")
    given = first["input"]
    if not inside and (first["type"] == "missing" or (first["type"] == "too_short" and not given)):
        return BadParam(param, "is missing", _WANTED.get(param, _SEE_FORM))
    shown = redact_text(repr(_open(".".join([param, *inside]), given)))
    place = f"{inside[0]}: " if inside and inside[-1] != "[key]" else ""
    return BadParam(param, f"{place}{first['msg']}, got {shown}", _SEE_FORM)


def _open(key: str, given: Any) -> Any:
    return [_open(key, one) for one in given] if isinstance(given, list) else redact_value(key, given)
