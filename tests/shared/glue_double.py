"""A double of AWS Glue Schema Registry: boto3's own client, whose requests are answered here instead of being sent.

NOT AWS, to which no test has access. botocore checks each request and each answer by its model of Glue, so that names
and types are those of the service; what Glue does beyond that follows its API reference: lists are paged, a version has
a UUID that nobody else's has, and what is not there is an ``EntityNotFoundException``.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator

from kafka_ferry.hooks.msk.client import MskClient
from kafka_ferry.hooks.registry.glue import GlueRegistry

REGISTRY = "shop"


@dataclass
class GlueSchema:
    """One schema: its versions' texts by number, and the UUID of each."""

    data_format: str
    compatibility: str
    versions: dict[int, str] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    status: dict[int, str] = field(default_factory=dict)


class Refused(Exception):
    """An error of the service's model."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass
class GlueDouble:
    """What one account has.

    :param page: items of one answer. ``faults``: operation to the codes that its next calls are answered with.
    """

    page: int = 2
    registries: dict[str, dict[str, GlueSchema]] = field(default_factory=lambda: {REGISTRY: {}})
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def put(self, name: str, text: str, data_format: str = "AVRO", compatibility: str = "BACKWARD") -> str:
        """A version more; its UUID."""
        schema = self.registries[REGISTRY].setdefault(name, GlueSchema(data_format, compatibility))
        number = max(schema.versions, default=0) + 1
        schema.versions[number], schema.status[number] = text, "AVAILABLE"
        schema.ids[number] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{number}"))
        return schema.ids[number]

    def answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """What it says.

        :raises Refused: an error.
        """
        if codes := self.faults.get(operation):
            raise Refused(codes.pop(0), 500 if codes else 400)
        match operation:
            case "ListSchemas":
                schemas = self._registry(given["RegistryId"]["RegistryName"])
                found = [
                    {"RegistryName": REGISTRY, "SchemaName": name, "SchemaStatus": "AVAILABLE"} for name in schemas
                ]
                return self._paged(given, "Schemas", found)
            case "ListSchemaVersions":
                schema = self._schema(given["SchemaId"])
                rows = [{"SchemaVersionId": schema.ids[number], "VersionNumber": number, "Status": status}
                        for number, status in sorted(schema.status.items(), reverse=True)]  # fmt: skip
                return self._paged(given, "Schemas", rows)
            case "GetSchema":
                schema = self._schema(given["SchemaId"])
                return {"DataFormat": schema.data_format, "Compatibility": schema.compatibility}
            case "GetSchemaVersion":
                schema, number = self._version(given)
                return {"SchemaVersionId": schema.ids[number], "SchemaDefinition": schema.versions[number],
                        "DataFormat": schema.data_format, "VersionNumber": number,
                        "Status": schema.status[number]}  # fmt: skip
        raise AssertionError(f"{operation} is not read by anybody")

    def _registry(self, name: str) -> dict[str, GlueSchema]:
        if name not in self.registries:
            raise Refused("EntityNotFoundException")
        return self.registries[name]

    def _schema(self, given: dict[str, str]) -> GlueSchema:
        found = self._registry(given["RegistryName"]).get(given["SchemaName"])
        if found is None:
            raise Refused("EntityNotFoundException")
        return found

    def _version(self, given: dict[str, Any]) -> tuple[GlueSchema, int]:
        if "SchemaId" in given:
            schema, number = self._schema(given["SchemaId"]), given["SchemaVersionNumber"]["VersionNumber"]
            if number in schema.versions:
                return schema, number
        for schemas in self.registries.values():
            for schema in schemas.values():
                for number, version_id in schema.ids.items():
                    if version_id == given.get("SchemaVersionId"):
                        return schema, number
        raise Refused("EntityNotFoundException")

    def _paged(self, given: dict[str, Any], member: str, items: list[Any]) -> dict[str, Any]:
        begin = int(given.get("NextToken", 0))
        more = {"NextToken": str(begin + self.page)} if len(items) > begin + self.page else {}
        return {member: items[begin : begin + self.page], **more}

    # --- in boto3's place ---------------------------------------------------------------------------------------------

    def use(self, monkeypatch: pytest.MonkeyPatch, *conn_ids: str, registry: str = REGISTRY) -> None:
        """It is what these Airflow connections of type ``aws`` lead to."""
        extra = {"region_name": "eu-west-1", "service_config": {"glue": {"registry_name": registry}}}
        keys = {"conn_type": "aws", "login": "AKIDEXAMPLE", "password": "none", "extra": extra}
        for conn_id in conn_ids:
            monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(keys))
        plain = MskClient.conn.func  # type: ignore[attr-defined]

        def conn(hook: GlueRegistry) -> Any:
            client = plain(hook)
            client.meta.events.register("before-call.glue", self._instead)
            return client

        monkeypatch.setattr(
            GlueRegistry,
            "conn",
            property(lambda hook: hook.__dict__.get("double") or hook.__dict__.setdefault("double", conn(hook))),
        )

    def _instead(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        given = json.loads(params["body"])
        self.requests.append((model.name, given))
        try:
            answer, status = self.answer(model.name, given), 200
        except Refused as refused:
            error = {"Error": {"Code": refused.code, "Message": "not now"}}
            return AWSResponse("", refused.status, {}, None), error
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return AWSResponse("", status, {}, None), answer
