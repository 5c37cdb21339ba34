"""From what a file says of a key, a value or a header to the bytes that a record gets. Pure."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from kafka_ferry.jobs.s3.files.rules.formats import Format

_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class NotOfFormat(ValueError):
    """What stands there is not of the format that the params say."""


def parsed(line: bytes) -> Any:
    """JSON of a line; fractions keep all their digits.

    :raises ValueError: it is none.
    """
    return json.loads(line, parse_float=Decimal, parse_constant=_no_number)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def as_bytes(node: Any, kind: Format, what: str) -> bytes | None:
    """What a record gets; null is null.

    :param what: ``key``, ``value`` or ``header``: for the error text.
    :raises NotOfFormat: it is of another format.
    """
    if node is None:
        return None
    if isinstance(node, bytes) and (kind == "base64" or what == "header"):
        return node
    if kind == "json":
        return json_text(node).encode()
    if not isinstance(node, str):
        raise NotOfFormat(f"a {what} is {_kind_of(node)}, not a string: param {what}_format says {kind}")
    if kind == "string":
        return node.encode()
    try:
        return base64.b64decode(node, validate=True)
    except ValueError:
        raise NotOfFormat(f"a {what} is not base64: param {what}_format says so") from None


def header_bytes(node: Any, kind: Format) -> bytes | None:
    """Of a header: bytes as they are, a string by the params, and of all else the JSON, as Connect writes headers."""
    return as_bytes(node, "json" if kind != "base64" and not isinstance(node, str) else kind, "header")


def _kind_of(node: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "a boolean", bytes: "bytes"}
    return names.get(type(node), "a number" if isinstance(node, int | float | Decimal) else type(node).__name__)


def json_text(node: Any) -> str:
    """JSON in one line as Kafka Connect's JsonConverter would write it: bytes as base64, no blanks, fields in order.

    Decimals are numbers with all their digits; numbers that JSON lacks are strings.
    """
    try:
        return _COMPACT.encode(node)
    except (TypeError, ValueError):  # it has what json does not know
        parts: list[str] = []
        _write(node, parts.append)
        return "".join(parts)


def _write(node: Any, out: Callable[[str], None]) -> None:
    if isinstance(node, Mapping):
        out("{")
        for at, (name, value) in enumerate(node.items()):
            out(f"{',' if at else ''}{_COMPACT.encode(str(name))}:")
            _write(value, out)
        out("}")
    elif isinstance(node, list):
        out("[")
        for at, value in enumerate(node):
            if at:
                out(",")
            _write(value, out)
        out("]")
    else:
        out(_plain(node))


def _plain(node: Any) -> str:
    if isinstance(node, bytes):
        return f'"{base64.b64encode(node).decode()}"'
    if isinstance(node, Decimal):
        return f"{node:f}" if node.is_finite() and abs(node.adjusted()) < 100 else str(node)
    if isinstance(node, float) and not math.isfinite(node):
        return '"NaN"' if math.isnan(node) else '"Infinity"' if node > 0 else '"-Infinity"'
    if isinstance(node, datetime | date | time):
        return f'"{node.isoformat()}"'
    return _COMPACT.encode(node)
