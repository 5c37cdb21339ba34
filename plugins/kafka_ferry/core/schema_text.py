"""What a schema says, whatever its spelling. Pure.

A registry may give a schema back otherwise than it was given: Confluent's in Avro's own spelling (``{"type":
"string"}`` as ``"string"``), Apicurio's letter by letter. So schemas are compared by a form that differs only where
what they say differs. Where that cannot be known the forms differ: two schemas that are called the same are the same.

Nothing that is said is left out, as the fingerprints of Avro's "parsing canonical form" leave out defaults, logical
types and documentation.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kafka_ferry.core.schemas import AVRO, Schema

PRIMITIVE: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_NAMED: Final = ("record", "enum", "fixed", "error")
#: Of text: a schema of a registry is one of kilobytes, and a parser's stack ends.
_DEEPEST: Final = 200

_TOKEN = re.compile(
    r"""\s+ | //[^\n]* | /\*.*?\*/ | (?P<token> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | [\w.+-]+ | . )""",
    re.VERBOSE | re.DOTALL,
)


def digest(schema: Schema, references: Mapping[str, str] | None = None) -> str:
    """A digest of what a schema says, with all that it refers to.

    :param references: the digest of each, by the name that the schema calls it by.
    """
    said = json.dumps([schema.type, canonical(schema), sorted((references or {}).items())])
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()


def canonical(schema: Schema) -> str:
    """One text for all spellings; the text itself, without blanks at its ends, where it cannot be read."""
    try:
        if schema.type == "PROTOBUF":
            return json.dumps(_statements(_tokens(schema.text)))
        value = json.loads(schema.text, parse_float=_number)
        return json.dumps(_avro(value, "", 0) if schema.type == AVRO else value, sort_keys=True)
    except (ValueError, RecursionError):
        return schema.text.strip()


def _number(text: str) -> float | int:
    """``0.0`` says what ``0`` does."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


# --- Avro -------------------------------------------------------------------------------------------------------------


def _avro(value: Any, space: str, depth: int) -> Any:
    """
    :param space: the namespace around it, in which names without a dot are.
    """
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, str):
        return value if value in PRIMITIVE or value in _NAMED or not value else _full(value, space)
    if isinstance(value, list):
        return [_avro(one, space, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if set(value) == {"type"} and isinstance(kind, str | dict | list):
        return _avro(kind, space, depth + 1)
    return _named(value, space, depth) if kind in _NAMED else _unnamed(value, space, depth)


def _unnamed(value: dict[str, Any], space: str, depth: int) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for key in ("items", "values"):
        if key in value:
            parts[key] = _avro(value[key], space, depth + 1)
    kind = value.get("type")
    parts["type"] = kind if kind in ("array", "map") else _avro(kind, space, depth + 1)
    return value | parts


def _named(value: dict[str, Any], space: str, depth: int) -> dict[str, Any]:
    name = str(value.get("name", ""))
    own = value.get("namespace")
    full = name if "." in name else f"{own}.{name}" if own else _full(name, "" if own == "" else space)
    inner = full.rpartition(".")[0]
    made = {key: one for key, one in value.items() if key != "namespace"} | {"name": full}
    if value.get("aliases"):
        made["aliases"] = sorted(_full(str(alias), inner) for alias in value["aliases"])
    else:
        made.pop("aliases", None)
    if isinstance(value.get("fields"), list):
        made["fields"] = [_field(one, inner, depth + 1) for one in value["fields"]]
    return made


def _field(value: Any, space: str, depth: int) -> Any:
    if not isinstance(value, dict):
        return value
    made = value | {"type": _avro(value.get("type"), space, depth)}
    if made.get("order") == "ascending":
        del made["order"]  # what it is where nothing is said
    if not made.get("aliases", True):
        del made["aliases"]
    return made


def _full(name: str, space: str) -> str:
    return name.removeprefix(".") if "." in name or not space else f"{space}.{name}"


# --- Protobuf ---------------------------------------------------------------------------------------------------------


def _tokens(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text):
        word = found["token"]
        if word:
            yield f'"{word[1:-1]}"' if word[0] == "'" and '"' not in word else word


def _statements(tokens: Iterator[str], depth: int = 0) -> list[Any]:
    """Those of one block, sorted: neither fields nor messages nor imports mean anything by where they stand. A
    statement is a list of tokens, the last of which may be a block.

    :raises ValueError: it ends too late or too early.
    """
    if depth > _DEEPEST:
        raise RecursionError
    found: list[list[Any]] = []
    words: list[Any] = []
    brackets = 0
    for word in tokens:
        brackets += (word in "[(<") - (word in "])>")
        if word == "}" and not words:
            if depth:
                return sorted(found, key=json.dumps)
            raise ValueError("an end of a block that did not begin")
        if word == ";":
            found += [words] if words else []
            words = []
            continue
        if word != "{":
            words.append(word)
        elif brackets or words[:1] == ["option"]:  # the value of an option, which a semicolon ends
            words.append(list(_value(tokens)))
        else:
            words.append(_statements(tokens, depth + 1))
            found.append(words)
            words = []
    if words or depth:
        raise ValueError("a statement that does not end")
    return sorted(found, key=json.dumps)


def _value(tokens: Iterator[str]) -> Iterator[str]:
    """What an option is set to, up to its end."""
    depth = 1
    for word in tokens:
        depth += (word == "{") - (word == "}")
        if not depth:
            return
        yield word
    raise ValueError("a value that does not end")
