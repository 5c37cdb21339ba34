"""Tables and columns, and which of their values can be compared with what Debezium writes."""

from __future__ import annotations

from dataclasses import dataclass

#: Written in another form by the server, its binary log and Debezium, so that equal values look different.
NOT_COMPARED = frozenset(
    {
        "bit", "json", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
        "geometrycollection", "geomcollection", "uuid", "inet4", "inet6", "vector",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column as ``information_schema.columns`` has it.

    :param kind: its ``DATA_TYPE``, in small letters.
    :param precision: its ``DATETIME_PRECISION``.
    """

    name: str
    kind: str
    precision: int = 0
    unsigned: bool = False

    @property
    def compared(self) -> bool:
        """Whether its values are held against the database's."""
        # The reader of the binary log misreads negative times with a fraction (measured on mysql-replication 1.0.17).
        return self.kind not in NOT_COMPARED and not (self.kind == "time" and self.precision)


@dataclass(frozen=True)
class Table:
    """A table that changes are captured of.

    :param key: names of the columns of its primary key, in the key's order.
    :param rows: as the server estimates them.
    """

    database: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: int = 0

    @property
    def full_name(self) -> str:
        """``database.table``, as Debezium's ``table.include.list`` takes it."""
        return f"{self.database}.{self.name}"

    @property
    def not_compared(self) -> list[str]:
        """Names of columns whose values are not held against the database's."""
        return [column.name for column in self.columns if not column.compared]
