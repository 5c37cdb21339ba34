"""The wire format of a rest-json service, driven by botocore's model of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from botocore.validate import ParamValidator

Answer = tuple[int, bytes, dict[str, str]]


class Refused(Exception):
    """An error that the service's model has, such as ``NotFoundException``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class BrokenDouble(Exception):
    """The double gave an answer that its service's model does not allow: a bug of the double."""


@cache
def service_model(service: str) -> Any:
    """botocore's model of a service; reading it costs a quarter of a second."""
    return botocore.session.get_session().get_service_model(service)


class Wire:
    """Parses requests of a service and writes its answers.

    :param service: name in botocore, such as ``kafkaconnect``.
    """

    def __init__(self, service: str) -> None:
        self.model = service_model(service)
        self._routes = []
        for name in self.model.operation_names:
            operation = self.model.operation_model(name)
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(operation.http["requestUri"]))
            self._routes.append((operation.http["method"], re.compile(pattern), operation))

    def parse(self, method: str, path: str, query: str, body: bytes) -> tuple[Any, dict[str, Any]]:
        """The operation's model and its checked params.

        :param path: as it was sent: an ARN in it has its slashes escaped.
        :raises Refused: it does not fit the model.
        """
        for wanted, pattern, operation in self._routes:
            if wanted == method and (found := pattern.fullmatch(path)):
                params = self._located(operation.input_shape, found.groupdict(), parse_qs(query))
                params |= self._from_body(operation.input_shape, body)
                self._fits(params, operation.input_shape)
                return operation, params
        raise Refused("NotFoundException", f"no operation {method} {path}")

    def answer(self, operation: Any, result: Mapping[str, Any]) -> Answer:
        """An answer that fits the model.

        :raises BrokenDouble: it does not.
        """
        shape = operation.output_shape
        if shape is None:
            return 200, b"{}", {}
        broken(result, shape, operation.name)
        return 200, json.dumps(_written(result, shape)).encode(), {}

    def error(self, refusal: Refused) -> Answer:
        """An error of the model, with its status."""
        status = self.model.shape_for(refusal.code).metadata["error"]["httpStatusCode"]
        return status, json.dumps({"message": refusal.message}).encode(), {"x-amzn-ErrorType": refusal.code}

    def _located(self, shape: Any, uri: Mapping[str, str], query: Mapping[str, list[str]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            where, key = member.serialization.get("location"), member.serialization.get("name", name)
            if where == "uri":
                found[name] = unquote(uri[key])
            elif where == "querystring" and key in query:
                found[name] = _from_text(query[key], member)
        return found

    def _from_body(self, shape: Any, body: bytes) -> dict[str, Any]:
        try:
            sent = json.loads(body) if body else {}
        except ValueError as error:
            raise Refused("BadRequestException", "the body is no JSON") from error
        inside = {n: m for n, m in shape.members.items() if "location" not in m.serialization}
        by_key = {member.serialization.get("name", name): (name, member) for name, member in inside.items()}
        if unknown := sent.keys() - by_key.keys():
            raise Refused("BadRequestException", f"unknown members {sorted(unknown)}")
        return {by_key[key][0]: _read(value, by_key[key][1]) for key, value in sent.items()}

    @staticmethod
    def _fits(params: dict[str, Any], shape: Any) -> None:
        if problem := misfit(params, shape, "request"):
            raise Refused("BadRequestException", problem)


def broken(result: Mapping[str, Any], shape: Any, name: str) -> None:
    """:raises BrokenDouble: an answer does not fit its model."""
    if problem := misfit(result, shape, name):
        raise BrokenDouble(f"{name}: {problem}")


def misfit(value: Mapping[str, Any], shape: Any, path: str) -> str | None:
    """What of a value its model does not allow; None when it fits."""
    report = ParamValidator().validate(dict(value), shape)
    if report.has_errors():
        return str(report.generate_report())
    # botocore's validator knows no enums, patterns and maxima; the service does.
    return _problem(value, shape, path)


def _problem(value: Any, shape: Any, path: str) -> str | None:
    """What of enums, patterns, sizes and members does not fit; None when all does."""
    if shape.type_name == "structure":
        if unknown := set(value) - set(shape.members):
            return f"{path}: unknown members {sorted(unknown)}"
        found = (_problem(value[name], shape.members[name], f"{path}.{name}") for name in value)
    elif shape.type_name == "list":
        found = (_problem(item, shape.member, f"{path}[{number}]") for number, item in enumerate(value))
    elif shape.type_name == "map":
        found = (_problem(item, shape.value, f"{path}.{key}") for key, item in value.items())
    else:
        return _scalar_problem(value, shape, path)
    return next((problem for problem in found if problem), None)


def _scalar_problem(value: Any, shape: Any, path: str) -> str | None:
    limits = shape.metadata
    if limits.get("enum") and value not in limits["enum"]:
        return f"Invalid parameter {path}: {value!r} is none of {limits['enum']}"
    if limits.get("pattern") and not re.search(limits["pattern"], str(value)):
        return f"Invalid parameter {path}: it does not match {limits['pattern']}"
    size = len(value) if isinstance(value, str) else value
    if limits.get("max") is not None and isinstance(size, int) and size > limits["max"]:
        return f"Invalid parameter {path}: more than {limits['max']}"
    return None


def _from_text(values: list[str], shape: Any) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "boolean":
        return values[0] == "true"
    return int(values[0]) if shape.type_name in ("integer", "long") else values[0]


def _read(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        return {names[k][0] if k in names else k: _read(v, names[k][1]) if k in names else v for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_read(item, shape.member) for item in value]
    return value


def _written(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure":
        members = ((shape.members[name], name, item) for name, item in value.items() if item is not None)
        return {member.serialization.get("name", name): _written(item, member) for member, name, item in members}
    if shape.type_name == "list":
        return [_written(item, shape.member) for item in value]
    if shape.type_name == "map":
        return {key: _written(item, shape.value) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value
