"""Text of a server's bytes, as the server itself reads them."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property, lru_cache
from typing import Any, Self

from kafka_ferry.exceptions import FerryError
from kafka_ferry.extras import brought_by
from kafka_ferry.jobs.cdc.live.client import DatabaseHook

with brought_by("cdc"):
    import pymysql

#: Those that Python reads as the server does. Of the others the server is asked: names like ``latin1`` or ``sjis`` mean
#: other characters in each program.
_UNICODE = {
    "ascii": "ascii", "utf8": "utf-8", "utf8mb3": "utf-8", "utf8mb4": "utf-8", "ucs2": "utf-16-be",
    "utf16": "utf-16-be", "utf16le": "utf-16-le", "utf32": "utf-32-be",
}  # fmt: skip
_REMEMBERED = 20_000  # values of a character set with more than one byte a character


class Charsets:
    """By the number of a collation, as the binary log has it. A context manager: it keeps one connection.

    Raises what the hook raises.
    """

    def __init__(self, hook: DatabaseHook) -> None:
        self._hook = hook
        self._open = ExitStack()
        self._tables: dict[str, str] = {}
        self._wide = lru_cache(_REMEMBERED)(self._asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def text(self, collation: int, value: bytes) -> str:
        """What the bytes say.

        :raises FerryError: the server does not know the collation.
        """
        if collation not in self._names:
            raise FerryError(f"the binary log has a collation {collation} that the server does not list")
        name = self._names[collation]
        if codec := _UNICODE.get(name):
            try:
                return value.decode(codec)
            except UnicodeDecodeError:  # what the server makes of it counts
                return self._wide(name, value)
        if name not in self._narrow:
            return value.decode("ascii") if value.isascii() else self._wide(name, value)
        if name not in self._tables:
            self._tables[name] = self._asked(name, bytes(range(256)))
        table = self._tables[name]
        return "".join([table[byte] for byte in value])

    @cached_property
    def _connection(self) -> Any:
        return self._open.enter_context(self._hook.connect())

    @cached_property
    def _names(self) -> dict[int, str]:
        known = self._ask("SELECT id, character_set_name FROM information_schema.collations WHERE id IS NOT NULL")
        try:  # MariaDB lists collations whose number hangs on the character set elsewhere
            known += self._ask(
                "SELECT id, character_set_name FROM information_schema.collation_character_set_applicability "
                "WHERE id IS NOT NULL"
            )
        except FerryError as error:  # before 10.10, and on MySQL: there are none, and no such column
            if not isinstance(error.__cause__, pymysql.err.OperationalError):
                raise
        return {int(number): str(name) for number, name in known}

    @cached_property
    def _narrow(self) -> set[str]:
        found = self._ask("SELECT character_set_name FROM information_schema.character_sets WHERE maxlen = 1")
        return {str(line[0]) for line in found}

    def _asked(self, name: str, value: bytes) -> str:
        ((said,),) = self._ask(f"SELECT CONVERT(_{name} x'{value.hex()}' USING utf8mb4)")
        return str(said)

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        with self._hook.faults(), self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
