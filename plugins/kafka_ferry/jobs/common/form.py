"""Trigger forms: the params of a DAG, made from its spec, where all that is said of a param stands once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Param
from pydantic_core import PydanticUndefined

from kafka_ferry.core.spec import Spec, words_of
from kafka_ferry.jobs.common.deployment import allowed

_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "minLength", "minItems", "maxItems", "pattern", "enum"
)  # fmt: skip


def params_of(spec: type[Spec], /, **defaults: Any) -> dict[str, Param]:
    """The params of a DAG, in the order of its form.

    Descriptions name the param where its title does not, as pages, logs and the API do. Examples stand in them:
    ``examples`` of the schema make Airflow's field for text say "Start typing to see options", and for lists it takes
    no others (3.3.2). So the schema keeps the text and the examples as ``text`` and ``suggestions``.

    Example::

        with DAG("backup_orders", schedule="30 1 * * *", params=params_of(BackupSpec, topics=["orders.*"])):
            back_up()

    :param defaults: in place of the spec's: a scheduled run takes the defaults.
    :raises TypeError: a default of no param.
    """
    if unknown := defaults.keys() - spec.model_fields.keys():
        raise TypeError(f"{spec.__name__} has no param {', '.join(sorted(unknown))}")
    schema = spec.model_json_schema()
    definitions: dict[str, Any] = schema.get("$defs", {})
    shapes = {name: _shape(found, definitions) for name, found in schema["properties"].items()}
    return {name: _param(spec, name, shapes[name], defaults) for name in _asked(spec)}


def _asked(spec: type[Spec]) -> list[str]:
    apart = {*spec.form_first, *spec.form_last, *spec.form_without}
    return [*spec.form_first, *(name for name in spec.model_fields if name not in apart), *spec.form_last]


def _param(spec: type[Spec], name: str, shape: Mapping[str, Any], defaults: Mapping[str, Any]) -> Param:
    words = words_of(spec, name)
    more = dict(words.more)
    section, environment, option = (more.pop(word, None) for word in ("section", "environment", "allowed"))
    default = os.environ.get(environment or "") or defaults.get(name, PydanticUndefined)
    if default is PydanticUndefined and option:
        # Where the deployment allows none by name there is no default: who triggers has to say.
        default = [entry for entry in allowed(option) if "*" not in entry][:1] or PydanticUndefined
    elif default is PydanticUndefined:
        default = spec.model_fields[name].default
    value: dict[str, Any] = {} if default is PydanticUndefined else {"default": getattr(default, "value", default)}
    schema = {
        "section": section, **shape, "title": words.title, **more,
        "text": words.description, "suggestions": words.examples or None,
    }  # fmt: skip
    said = [one for one in words.examples if one != value.get("default")]
    description = described(name, words.title, words.description, said)
    return Param(**value, description=description, **{word: said for word, said in schema.items() if said is not None})


def _shape(found: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Type, choices and limits in JSON schema, as Airflow's form takes them."""
    if "$ref" in found:
        return _shape(definitions[found["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in found:  # what may be null; Airflow's form wants that first
        parts = [_shape(part, definitions) for part in found["anyOf"]]
        kinds = sorted((part["type"] for part in parts), key=lambda kind: str(kind != "null"))
        return {name: value for part in parts for name, value in part.items()} | {"type": kinds}
    schema = {name: found[name] for name in ("type", *_LIMITS) if name in found}
    if schema.get("type") in ("array", "object") and not schema.get("minItems"):
        schema["type"] = ["null", schema["type"]]  # else Airflow marks it as required; null is empty (``Spec``)
    return schema | {"items": {"type": found["items"]["type"]}} if "items" in found else schema


def described(name: str, title: str, text: str, examples: Sequence[Any]) -> str:
    """What stands under a field: the param's name where the title says it in other words, the text, examples."""
    said = title.lower().replace(" ", "_") == name
    shown = [_shown(one) for one in examples if f" {one}" not in text]
    end = f" For example {' or '.join(shown)}." if shown else ""
    return f"{'' if said else f'{name}: '}{text}{end}"


def _shown(example: Any) -> str:
    if isinstance(example, list):  # the field takes one per line: a bracket or quote typed into it is part of a name
        return ", ".join(map(str, example))
    return example if isinstance(example, str) else json.dumps(example)
