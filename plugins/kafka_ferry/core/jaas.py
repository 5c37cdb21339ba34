"""One entry of a JAAS configuration, as Kafka clients take it in ``sasl.jaas.config``.

The grammar is the one of Kafka's ``JaasConfig``: a ``java.io.StreamTokenizer``, whose quoted strings know C escapes
(``\\"``, ``\\\\``, ``\\n``, octal ``\\044``) and end at a line break.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kafka_ferry.exceptions import BadConnection

_TOKEN = re.compile(r'\s*(?:"((?:[^"\\\r\n]|\\.)*)"|([=;])|([^\s=;"]+))', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-3][0-7]{2}|[0-7]{1,2}|.)", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True)
class JaasEntry:
    """``<module> required <key>="<value>" …;``. The options hold secrets, so they stay out of ``repr``."""

    module: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """The line Kafka reads. It holds the secrets: never log it, see ``kafka_ferry.core.redaction``."""
        return " ".join([self.module, "required", *(f"{k}={quote(v)}" for k, v in self.options.items())]) + ";"


class Reference(str):
    """A Connect ConfigProvider reference, ``${provider:path:key}``: the worker replaces it before JAAS is parsed."""

    __slots__ = ()


def quote(value: str) -> str:
    """Quote a value for a JAAS option; a :class:`Reference` keeps its ``${``.

    In any other value ``${`` is written ``\\044{``: else a Connect worker would take a password that looks like
    ``${file:a:b}`` for a ConfigProvider reference and put the content of that file in its place.
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"' if isinstance(value, Reference) else '"' + escaped.replace("${", "\\044{") + '"'


def parse(text: str) -> JaasEntry:
    """Read a ``sasl.jaas.config`` value with one entry.

    :raises BadConnection: it is not one JAAS entry. The message does not quote the text.
    """
    tokens = _tokens(text)
    if len(tokens) < 3 or tokens[-1] != (";", True):
        raise BadConnection("sasl.jaas.config: not one JAAS entry of the form '<module> required <key>=\"<value>\";'")
    options: dict[str, str] = {}
    body = tokens[2:-1]
    if len(body) % 3:
        raise BadConnection("sasl.jaas.config: an option is not of the form <key>=<value>")
    for (key, _), equals, (value, _) in zip(body[::3], body[1::3], body[2::3], strict=True):
        if equals != ("=", True):
            raise BadConnection("sasl.jaas.config: an option is not of the form <key>=<value>")
        options[key] = value
    return JaasEntry(tokens[0][0], options)


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Tokens with a flag that is true for the punctuation ``=`` and ``;``."""
    found: list[tuple[str, bool]] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadConnection("sasl.jaas.config: a quote is not closed")
        quoted, mark, word = match.groups()
        found.append((_unescape(quoted), False) if quoted is not None else (mark or word, mark is not None))
        position = match.end()
    return found


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] in "01234567":
            return chr(int(code, 8))
        return _LETTERS.get(code, code)

    return _ESCAPE.sub(one, text)
