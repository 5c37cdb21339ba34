"""What columns a table had, and when, by what Debezium tells of each statement. Pure.

An ALTER rewrites all rows without a row event. So values of a column that was changed cannot be compared with rows as
they are now, and an event must be read as its column was then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.tables import GEOMETRIES, Column

Columns = Mapping[str, Column]

_KINDS = {
    "boolean": "tinyint", "bool": "tinyint", "integer": "int", "int1": "tinyint", "int2": "smallint",
    "int3": "mediumint", "middleint": "mediumint", "int4": "int", "int8": "bigint", "serial": "bigint",
    "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "real": "double", "float4": "float", "float8": "double",
    "nchar": "char", "character": "varchar", "national": "varchar", "nvarchar": "varchar", "long": "mediumtext",
    "varcharacter": "varchar",
}  # fmt: skip
_SAME = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), "int"),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "json"), "text"),
    **dict.fromkeys(("varbinary", "tinyblob", "blob", "mediumblob", "longblob"), "bytes"),
    **dict.fromkeys(GEOMETRIES, "geometry"),
}
_CLOCKS = frozenset({"time", "datetime", "timestamp"})


@dataclass(frozen=True)
class Version:
    """Columns of a table from a position on.

    :param recreated: the table was made there.
    """

    position: Position
    columns: Columns
    recreated: bool = False


def columns_of_change(change: Mapping[str, Any]) -> tuple[str, Columns]:
    """``database.table`` and columns, of one entry of ``tableChanges``; no columns of a table that was dropped.

    :raises KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    name = str(change["id"]).replace('"', "")
    told = (change.get("table") or {}).get("columns") or ()
    return name, {str(one["name"]): _column(one) for one in told}


def _column(told: Mapping[str, Any]) -> Column:
    words = str(told["typeName"]).lower().split()
    kind = _KINDS.get(words[0], words[0])
    length, scale = int(told.get("length") or 0), int(told.get("scale") or 0)
    # The length of a BINARY is how far its values are padded; the scale of a DECIMAL how they are rounded.
    about = f"{length}" if kind == "binary" else f"{scale}" if kind == "decimal" else ""
    return Column(str(told["name"]), kind, length if kind in _CLOCKS else 0, "unsigned" in words, about)


def steady(versions: Sequence[Version]) -> frozenset[str] | None:
    """Names of the columns that all versions have, and whose values no statement rewrote; None: nothing is known."""
    since = max((n for n, one in enumerate(versions) if one.recreated), default=0)
    kept = versions[since:]
    if not kept:
        return None
    first = kept[0].columns
    return frozenset(
        name
        for name, column in first.items()
        if all(name in one.columns and _form(one.columns[name]) == _form(column) for one in kept)
    )


def _form(column: Column) -> tuple[str, int, str]:
    return _SAME.get(column.kind, column.kind), column.precision, column.full


def as_of(versions: Sequence[Version], position: Position) -> Columns:
    """The columns that stood before the statement at a position, or that one's successors; empty: not known."""
    at = bisect_right(versions, position, key=lambda one: one.position)
    return versions[at - 1].columns if at else {}
