"""The wire format of a query service (form fields in, XML out), driven by botocore's model of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from stack.msk.wire import Answer, Refused, broken, misfit, service_model

#: Errors that every service may send and no model has.
_COMMON = {"AccessDenied": 403, "Throttling": 400, "InvalidAction": 400, "ValidationError": 400}
_DOCUMENT = "policyDocumentType"  # IAM sends policies percent-encoded (RFC 3986); botocore decodes them


class QueryWire:
    """Parses requests of a service and writes its answers.

    :param service: name in botocore, such as ``iam``.
    """

    def __init__(self, service: str) -> None:
        self.model = service_model(service)
        self._errors = {
            shape.metadata["error"]["code"]: shape.metadata["error"]["httpStatusCode"]
            for shape in map(self.model.shape_for, self.model.shape_names)
            if "code" in shape.metadata.get("error", {})
        }

    def parse(self, body: bytes) -> tuple[Any, dict[str, Any]]:
        """The operation's model and its checked params.

        :raises Refused: it does not fit the model.
        """
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        name = fields.pop("Action", "")
        if fields.pop("Version", "") != self.model.api_version or name not in self.model.operation_names:
            raise Refused("InvalidAction", f"Could not find operation {name or '(none)'}")
        operation = self.model.operation_model(name)
        params = _read(fields, "", operation.input_shape)
        if unknown := [key for key in fields if key.split(".")[0] not in operation.input_shape.members]:
            raise Refused("ValidationError", f"unknown members {sorted(unknown)}")
        if problem := misfit(params, operation.input_shape, "request"):
            raise Refused("ValidationError", problem)
        return operation, params

    def answer(self, operation: Any, result: Mapping[str, Any]) -> Answer:
        """An answer that fits the model.

        :raises BrokenDouble: it does not.
        """
        shape, name = operation.output_shape, operation.name
        broken(result, shape, name)
        inner = _written(result, shape)
        wrapper = shape.serialization["resultWrapper"]
        text = f'<{name}Response xmlns="{self.model.metadata["xmlNamespace"]}"><{wrapper}>{inner}</{wrapper}>'
        return (
            200,
            f"{text}<ResponseMetadata><RequestId>double</RequestId></ResponseMetadata></{name}Response>".encode(),
            _XML,
        )

    def error(self, refusal: Refused) -> Answer:
        """An error of the model, or one that every service has."""
        status = self._errors.get(refusal.code) or _COMMON[refusal.code]
        inner = f"<Type>Sender</Type><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
        return (
            status,
            f"<ErrorResponse><Error>{inner}</Error><RequestId>double</RequestId></ErrorResponse>".encode(),
            _XML,
        )


_XML = {"Content-Type": "text/xml"}


def _read(fields: Mapping[str, str], prefix: str, shape: Any) -> Any:
    """What stands under a name: ``A``, ``A.B``, ``A.member.1``."""
    if shape.type_name == "structure":
        names = {name: f"{prefix}.{name}" if prefix else name for name in shape.members}
        there = {name: key for name, key in names.items() if any(f == key or f.startswith(f"{key}.") for f in fields)}
        return {name: _read(fields, key, shape.members[name]) for name, key in there.items()}
    if shape.type_name == "list":
        numbers = {int(found[1]) for key in fields if (found := re.match(rf"{re.escape(prefix)}\.member\.(\d+)", key))}
        return [_read(fields, f"{prefix}.member.{number}", shape.member) for number in sorted(numbers)]
    value = fields[prefix]
    if shape.type_name == "integer":
        return int(value)
    return value == "true" if shape.type_name == "boolean" else value


def _written(value: Any, shape: Any) -> str:
    if shape.type_name == "structure":
        return "".join(f"<{name}>{_written(item, shape.members[name])}</{name}>" for name, item in value.items())
    if shape.type_name == "list":
        return "".join(f"<member>{_written(item, shape.member)}</member>" for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return quote(value, safe="") if shape.name == _DOCUMENT else escape(str(value))
