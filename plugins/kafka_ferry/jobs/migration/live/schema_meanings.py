"""What ids of a schema registry mean: a digest of the schema's content, with all it refers to."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kafka_ferry.core.schema_text import digest
from kafka_ferry.core.schemas import Reference, Schema
from kafka_ferry.hooks.registry.hook import RegistryHook, RegistryNotFound
from kafka_ferry.jobs.common.at_once import each

#: A chain of references as long as nobody writes one; a circle ends here too.
_DEEPEST = 50


class SchemaMeanings:
    """Asks one registry; each schema once."""

    def __init__(self, hook: RegistryHook) -> None:
        self._hook = hook
        self._known: dict[tuple[str, int], str] = {}

    def of(self, ids: Collection[int]) -> dict[int, str | None]:
        """Id to the digest of its schema; None: the registry does not know the id."""
        found = dict(zip(ids, each(self._hook.by_id, ids), strict=True))
        return {number: None if schema is None else self._digest(schema, 0) for number, schema in found.items()}

    def _digest(self, schema: Schema, depth: int) -> str:
        return digest(schema, dict(self._references(schema, depth)))

    def _references(self, schema: Schema, depth: int) -> Iterator[tuple[str, str]]:
        for ref in schema.references:
            place = ref.subject, ref.version
            if place not in self._known:
                self._known[place] = self._referred_to(ref, depth)
            yield ref.name, self._known[place]

    def _referred_to(self, ref: Reference, depth: int) -> str:
        if depth >= _DEEPEST:
            return "too deep"
        try:
            found = self._hook.version(ref.subject, ref.version, deleted=True)
        except RegistryNotFound:
            return f"? {ref.subject} {ref.version}"
        return self._digest(found.schema, depth + 1)
