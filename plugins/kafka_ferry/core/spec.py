"""What the specs of all DAGs share: params are checked once, typed from then on, refused in the same words. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, get_origin

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
from kafka_ferry.core.plan import Kind
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

    All that is said of a param stands at its field, and the trigger form, the DAG's page in Airflow and the tables in
    docs/ are made from it: type, limits and default, ``title``, ``description``, ``examples``, and in
    ``json_schema_extra``

    - ``section``: of the form. What a user always sets has none: a form whose params all have sections opens folded;
    - ``environment``: the variable of Airflow's environment in which an installation may set the default;
    - ``allowed``: the option of the deployment whose first entry is the default (``jobs/common/deployment.py``);
    - ``values_display`` and other words of JSON schema, in place of those that follow from the type.

    The texts are Airflow's users': what only a maintainer needs is a comment. A field that a subclass declares again
    without a title keeps the texts, and without ``json_schema_extra`` that too.

    Usage::

        spec = MigrationSpec.from_params(context["params"])

    :cvar form_first: what comes first in the form, which else has the order of the fields. ``form_last``: last.
    :cvar form_without: what the form does not ask for, as it has no use there.
    :cvar run_kind: what its runs are. ``named_by``: the params that a run is known by beside its DAG, the name first.
    """

    form_first: ClassVar[tuple[str, ...]] = ()
    form_last: ClassVar[tuple[str, ...]] = ()
    form_without: ClassVar[tuple[str, ...]] = ()
    run_kind: ClassVar[Kind | None] = None
    named_by: ClassVar[tuple[str, ...]] = ()

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


class Words(NamedTuple):
    """What is said of a param; ``more`` is its ``json_schema_extra``."""

    title: str
    description: str
    examples: list[Any]
    more: Mapping[str, Any]


def words_of(spec: type[Spec], name: str) -> Words:
    """What a spec, or the one it is made from, says of a param.

    :raises TypeError: none gives it a title and a description.
    """
    fields = [kind.model_fields[name] for kind in spec.__mro__ if issubclass(kind, Spec) and name in kind.model_fields]
    said = next((field for field in fields if field.title), None)
    if said is None or not said.title or not said.description:
        raise TypeError(f"{spec.__name__}.{name} has no title or no description")
    more = next(field.json_schema_extra for field in fields if field.title or field.json_schema_extra is not None)
    return Words(said.title, said.description, said.examples or [], more if isinstance(more, dict) else {})


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
