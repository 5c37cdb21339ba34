"""What the UUIDs of AWS Glue's schema versions mean. Imported where a connection of type ``aws`` is named."""

from __future__ import annotations

from collections.abc import Collection

from kafka_ferry.core.schema_text import digest
from kafka_ferry.hooks.registry.glue import GlueRegistry
from kafka_ferry.jobs.common.at_once import each
from kafka_ferry.jobs.migration.rules.schemas import Key
from kafka_ferry.records.schema_id_forms import WITH_ID, Form


class GlueMeanings:
    """As ``schema_meanings.Meanings``; Glue has no references.

    :param side: ``source`` or ``target``, for texts.
    """

    def __init__(self, conn_id: str, side: str) -> None:
        self._hook = GlueRegistry(conn_id)
        why = f"{side}_registry_conn_id leads to AWS Glue, which has no such ids"
        self.unable: dict[Form, str] = {form: why for form in WITH_ID if form is not Form.GLUE}

    def of(self, keys: Collection[Key]) -> dict[Key, str | None]:
        asked = [key for key in keys if key[0] not in self.unable]
        _ = self._hook.conn  # made once, before threads would make it eight times
        return dict(zip(asked, each(self._meaning, asked), strict=True))

    def _meaning(self, key: Key) -> str | None:
        schema = self._hook.by_id(str(key[1]))
        return None if schema is None else digest(schema)
