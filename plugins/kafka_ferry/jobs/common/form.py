"""Trigger forms: the params of a DAG, made from its spec, which alone knows types, choices, limits and defaults."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from pydantic import BaseModel

#: Ours, beside JSON schema's words: what a text is made of, for forms that take it over, and for tests.
_HIDDEN = ("text", "suggestions")
_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "minLength", "minItems", "maxItems", "pattern", "enum"
)  # fmt: skip
_WORDS = ("title", "values_display", *_HIDDEN)


class Form:
    """Collects the params of one spec, in the order of the form.

    What a user always sets gets no section: a form whose params all have sections opens folded. Texts name the param
    where its title does not, as pages, logs and the API do. Examples stand in the text: ``examples`` of the schema
    make Airflow's field for text say "Start typing to see options", and for lists it takes no others (3.3.2).

    Example::

        form = Form(MigrationSpec)
        form.section = "Replication"
        form("tasks_max", "Tasks", "Parallel tasks per connector.")
        form.params

    :cvar section: of the params that are added from now on.
    :param defaults: in place of the spec's.
    :param environment: param to the variable in which an installation may set its default once.
    """

    def __init__(
        self,
        spec: type[BaseModel],
        *,
        defaults: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.spec = spec
        self.section: str | None = None
        self.params: dict[str, Param] = {}
        self._defaults, self._environment = defaults or {}, environment or {}
        schema = spec.model_json_schema()
        self._properties: dict[str, Any] = schema["properties"]
        self._definitions: dict[str, Any] = schema.get("$defs", {})

    def __call__(self, name: str, title: str, description: str, **more: Any) -> None:
        """Add a param; one that is there gets these words, where it stands.

        :param more: words of JSON schema, and Airflow's own, beside or in place of what the spec says.
        """
        self._add(name, description, {"title": title, **more})

    def like(self, other: Mapping[str, Param], *names: str, **more: Any) -> None:
        """Add params in the words of another form."""
        for name in names:
            words = {word: value for word, value in other[name].schema.items() if word in _WORDS}
            self._add(name, words.pop("text"), {"examples": words.pop("suggestions", None), **words, **more})

    def first(self, *names: str) -> None:
        """Put these before the others."""
        self.params = {name: self.params[name] for name in names} | self.params

    def keep(self, *names: str) -> None:
        """Only these, in this order."""
        self.params = {name: self.params[name] for name in names}

    def leave_out(self, *names: str) -> None:
        """All but these."""
        self.params = {name: param for name, param in self.params.items() if name not in names}

    def _add(self, name: str, description: str, given: dict[str, Any]) -> None:
        examples = given.pop("examples", None)
        schema = {
            "section": self.section, **self._schema(self._properties[name]), **given,
            "text": description, "suggestions": examples,
        }  # fmt: skip
        schema = {word: value for word, value in schema.items() if value is not None}
        description = described(name, schema["title"], description, examples or ())
        default = os.environ.get(self._environment.get(name, "")) or self._default(name)
        value: dict[str, Any] = {} if default is PydanticUndefined else {"default": default}
        self.params[name] = Param(**value, description=description, **schema)

    def _default(self, name: str) -> Any:
        default = self._defaults.get(name, self.spec.model_fields[name].default)
        return getattr(default, "value", default)

    def _schema(self, found: Mapping[str, Any]) -> dict[str, Any]:
        if "$ref" in found:
            return self._schema(self._definitions[found["$ref"].rpartition("/")[2]])
        if "anyOf" in found:  # what may be null; Airflow's form wants that first
            parts = [self._schema(part) for part in found["anyOf"]]
            kinds = sorted((part["type"] for part in parts), key=lambda kind: str(kind != "null"))
            return {name: value for part in parts for name, value in part.items()} | {"type": kinds}
        schema = {name: found[name] for name in ("type", *_LIMITS) if name in found}
        if schema.get("type") in ("array", "object") and not schema.get("minItems"):
            schema["type"] = ["null", schema["type"]]  # else Airflow marks it as required; null is empty (``Spec``)
        return schema | {"items": {"type": found["items"]["type"]}} if "items" in found else schema


def described(name: str, title: str, text: str, examples: Sequence[Any]) -> str:
    """What stands under a field: the param's name where the title says it in other words, the text, examples."""
    said = title.lower().replace(" ", "_") == name
    shown = [one if isinstance(one, str) else json.dumps(one) for one in examples if f" {one}" not in text]
    end = f" For example {' or '.join(shown)}." if shown else ""
    return f"{'' if said else f'{name}: '}{text}{end}"
