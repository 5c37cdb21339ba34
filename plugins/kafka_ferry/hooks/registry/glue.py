"""AWS Glue Schema Registry, read: what the reader of a registry asks, in the Confluent API's terms where Glue has them.

Its ids are UUIDs of schema versions, its names those of schemas in one registry; it has no references, no deleted
versions whose ids resolve, and no mode or level of all.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from kafka_ferry.core.schemas import Schema, SubjectVersion
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.client import MskClient
from kafka_ferry.hooks.msk_connect.rules.errors import ResourceNotFound
from kafka_ferry.hooks.registry.rest import RegistryNotFound

with brought_by("aws"):
    from botocore.config import Config


class GlueRegistry(MskClient):
    """Client of one registry; made by name, it may be used by several threads.

    :param aws_conn_id: an Airflow connection of type ``aws``. Its extra names the registry, where it is not
        ``default-registry``: ``{"service_config": {"glue": {"registry_name": "orders"}}}``.
    """

    next_page = "NextToken"

    def __init__(self, aws_conn_id: str) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="glue")

    @property
    def config(self) -> Config:
        """The connection's; Glue bounds requests a second, and is asked for thousands of versions."""
        merged: Config = Config(retries={"mode": "adaptive", "total_max_attempts": 10}).merge(super().config)
        return merged

    @cached_property
    def registry(self) -> str:
        """Its name."""
        found: Any = self.conn_config.get_service_config("glue").get("registry_name")
        return str(found or "default-registry")

    def _id(self, subject: str) -> dict[str, str]:
        return {"RegistryName": self.registry, "SchemaName": subject}

    def subjects(self, deleted: bool = False) -> list[str]:
        """Names of all schemas.

        :raises BadConnection: there is no such registry.
        """
        try:
            found = list(self.pages("list_schemas", "Schemas", RegistryId={"RegistryName": self.registry}))
        except ResourceNotFound:
            raise BadConnection(
                f"connection {self.aws_conn_id!r}: AWS Glue has no schema registry {self.registry!r} there. Fix: its "
                'name in the extra, {"service_config": {"glue": {"registry_name": "…"}}}, or region and account'
            ) from None
        return [one["SchemaName"] for one in found if one.get("SchemaStatus") != "DELETING"]

    def versions(self, subject: str, deleted: bool = False) -> list[int]:
        """Numbers of a schema's versions that readers get; none when there is no such schema."""
        try:
            found = list(self.pages("list_schema_versions", "Schemas", SchemaId=self._id(subject)))
        except ResourceNotFound:
            return []
        return sorted(int(one["VersionNumber"]) for one in found if one.get("Status") == "AVAILABLE")

    def version(self, subject: str, version: int, deleted: bool = False) -> SubjectVersion:
        """One version.

        :raises RegistryNotFound: there is none.
        """
        number = {"VersionNumber": version}
        try:
            found = self.call("get_schema_version", SchemaId=self._id(subject), SchemaVersionNumber=number)
        except ResourceNotFound as error:
            raise RegistryNotFound("GET", f"{subject} version {version}", 404, 0, str(error)) from None
        return SubjectVersion(subject, version, str(found["SchemaVersionId"]), _schema(found))

    def by_id(self, version_id: str) -> Schema | None:
        """What the UUID of a schema version stands for, in whichever registry; None: Glue does not know it."""
        try:
            return _schema(self.call("get_schema_version", SchemaVersionId=version_id))
        except ResourceNotFound:
            return None

    def compatibility(self, subject: str = "", inherited: bool = False) -> str | None:
        """A schema's level as the Confluent API calls it; None: versions are not checked, or there are none of all."""
        found = self.call("get_schema", SchemaId=self._id(subject))["Compatibility"] if subject else None
        return None if found in (None, "DISABLED") else str(found).replace("_ALL", "_TRANSITIVE")

    def mode(self, subject: str = "", inherited: bool = False) -> str | None:
        """READONLY: Glue takes no further version of it (DISABLED). Otherwise a schema has none of its own."""
        if not subject:
            return "READWRITE"
        disabled = self.call("get_schema", SchemaId=self._id(subject))["Compatibility"] == "DISABLED"
        return "READONLY" if disabled else None


def _schema(found: dict[str, Any]) -> Schema:
    return Schema(str(found["SchemaDefinition"]), str(found["DataFormat"]))
