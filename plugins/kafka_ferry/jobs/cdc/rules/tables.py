"""Tables and columns, and which of their values can be compared with what Debezium writes."""

from __future__ import annotations

from dataclasses import dataclass

#: Written in another form by the server, its binary log and Debezium, so that equal values look different.
NOT_COMPARED = frozenset({"json", "uuid", "inet4", "inet6", "vector"})

#: Kinds whose values are geometries.
GEOMETRIES = frozenset(
    {
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
        "geometrycollection", "geomcollection",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column as ``information_schema.columns`` has it.

    :param kind: its ``DATA_TYPE``, in small letters.
    :param precision: its ``DATETIME_PRECISION``.
    :param full: its ``COLUMN_TYPE``, such as ``enum('a','b')``. ``charset``: its ``CHARACTER_SET_NAME``.
    :param default: its ``COLUMN_DEFAULT``.
    """

    name: str
    kind: str
    precision: int = 0
    unsigned: bool = False
    full: str = ""
    charset: str = ""
    default: str = ""

    @property
    def compared(self) -> bool:
        """Whether its values are compared with the database's."""
        return self.kind not in NOT_COMPARED


@dataclass(frozen=True)
class Table:
    """A table that changes are captured of.

    :param key: names of the columns of its primary key, in the key's order.
    :param rows: as the server estimates them.
    :param cascades: foreign keys by which the server itself changes its rows, such as ``fk_order ON DELETE CASCADE``.
    :param versioned: it keeps its old rows (MariaDB's ``WITH SYSTEM VERSIONING``).
    """

    database: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: int = 0
    cascades: tuple[str, ...] = ()
    versioned: bool = False

    @property
    def full_name(self) -> str:
        """``database.table``, as Debezium's ``table.include.list`` takes it."""
        return f"{self.database}.{self.name}"

    @property
    def compared(self) -> tuple[Column, ...]:
        """Columns whose values are compared with the database's."""
        return tuple(column for column in self.columns if column.compared)

    @property
    def not_compared(self) -> list[str]:
        """Names of columns whose values are not compared with the database's."""
        return [column.name for column in self.columns if not column.compared]
