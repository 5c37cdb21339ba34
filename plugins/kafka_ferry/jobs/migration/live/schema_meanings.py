"""What ids of a schema registry mean: a digest of the schema's content, with all it refers to."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, Protocol
from urllib.parse import quote

from kafka_ferry.core.schema_text import digest
from kafka_ferry.core.schemas import Reference, Schema
from kafka_ferry.hooks.registry.hook import RegistryError, RegistryHook, RegistryNotFound
from kafka_ferry.hooks.registry.rest import RegistryRest
from kafka_ferry.jobs.common.at_once import each
from kafka_ferry.jobs.migration.rules.schemas import Key
from kafka_ferry.records.schema_id_forms import Form

#: A chain of references as long as nobody writes one; a circle ends here too.
_DEEPEST = 50
#: What registries answer to an id that none of theirs can be, beside 404.
_NO_ID: Final = (400, 422)


class Meanings(Protocol):
    """Asks one registry; each schema once.

    :ivar unable: forms of ids that it does not have, with the reason; what is known of them is known when it was asked.
    """

    unable: dict[Form, str]

    def of(self, keys: Collection[Key]) -> dict[Key, str | None]:
        """Id to the digest of its schema; None: the registry does not know the id."""
        ...


class SchemaMeanings:
    """Of a registry with the Confluent API.

    :param side: ``source`` or ``target``, for texts.
    """

    def __init__(self, hook: RegistryHook, side: str) -> None:
        self._hook, self._side = hook, side
        self._known: dict[tuple[str, int], str] = {}
        self._of_artifacts: dict[str, str] = {}
        self.unable: dict[Form, str] = {
            Form.GLUE: f"these are AWS Glue's, and {side}_registry_conn_id is no connection of type aws"
        }

    def of(self, keys: Collection[Key]) -> dict[Key, str | None]:
        asked = [key for key in keys if key[0] not in self.unable]
        return dict(zip(asked, each(self._meaning, asked), strict=True))

    def _meaning(self, key: Key) -> str | None:
        form, number = key
        if form in self.unable:  # by the answer to one before
            return None
        try:
            if form in (Form.CONTENT_ID, Form.GLOBAL_ID):
                return self._of_apicurio(form, int(number))
            schema = self._by_guid(str(number)) if form is Form.GUID else self._hook.by_id(int(number))
        except RegistryError as error:
            if error.status in _NO_ID:
                return None
            raise
        return None if schema is None else self._digest(schema, 0)

    def _by_guid(self, guid: str) -> Schema | None:
        try:
            return self._hook.by_guid(guid)
        except RegistryNotFound:
            self.unable[Form.GUID] = f"the {self._side} registry has no GUIDs, as Confluent's has since version 8"
            return None

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

    # -- Apicurio's own ids --------------------------------------------------------------------------------------------

    @cached_property
    def _apicurio(self) -> RegistryRest | None:
        """Its own API, version 2, which Apicurio 3 has too; None: there is none. By the Confluent one a content id is
        found as well, or a global id: that is a setting of the registry."""
        root, there, _ = self._hook.url.partition("/apis/ccompat/")
        own = replace(self._hook.rest, base_url=f"{root}/apis/registry/v2")
        try:
            return own if there and own.request("GET", "/system/info") else None
        except RegistryNotFound:
            return None

    def _of_apicurio(self, form: Form, number: int) -> str | None:
        own = self._apicurio
        if own is None:
            why = f"the {self._side} registry has no API of Apicurio's beside the Confluent one"
            self.unable |= {Form.CONTENT_ID: why, Form.GLOBAL_ID: why}
            return None
        path = f"/ids/{'contentIds' if form is Form.CONTENT_ID else 'globalIds'}/{number}"
        try:
            return self._content(own, path, path, 0)
        except RegistryNotFound:
            return None

    def _content(self, own: RegistryRest, path: str, references_at: str, depth: int) -> str:
        """The digest of what is at a path. Neither tells its type; Apicurio gives schemas as it got them, so JSON is
        compared as such, Avro or not."""
        text = own.request("GET", path, text=True)
        return digest(Schema(text, _type_of(text)), dict(self._artifacts(own, f"{references_at}/references", depth)))

    def _artifacts(self, own: RegistryRest, path: str, depth: int) -> Iterator[tuple[str, str]]:
        for ref in own.request("GET", path) or []:
            at = _place_of(ref)
            if at not in self._of_artifacts:
                self._of_artifacts[at] = self._artifact(own, at, depth)
            yield str(ref.get("name")), self._of_artifacts[at]

    def _artifact(self, own: RegistryRest, at: str, depth: int) -> str:
        if depth >= _DEEPEST:
            return "too deep"
        try:
            return self._content(own, at, at, depth + 1)
        except RegistryNotFound:
            return f"? {at}"


def _type_of(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return "PROTOBUF"
    return "JSON"


def _place_of(reference: dict[str, Any]) -> str:
    """Where Apicurio has what a reference leads to; one without a group is of the group default."""
    group, artifact = str(reference.get("groupId") or "default"), str(reference.get("artifactId"))
    version = quote(str(reference.get("version") or "latest"), safe="")
    return f"/groups/{quote(group, safe='')}/artifacts/{quote(artifact, safe='')}/versions/{version}"
