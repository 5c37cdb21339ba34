"""Values that Debezium cannot carry as the database has them, by column: for the plan, and for what differs. Pure.

All of it was measured on Debezium 3.5.0 with MariaDB 10.11, rows of a snapshot and changes each by itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.jobs.cdc.rules.tables import Column, Table
from kafka_ferry.jobs.cdc.rules.values import DATES

#: Character sets of which it reads the binary log by another table than the server's; a snapshot comes through the
#: server, and is right.
_MISREAD = frozenset({"armscii8", "cp932", "geostd8", "hp8", "keybcs2", "koi8u", "sjis", "swe7"})
_ZERO = re.compile(r"'?0000-00-00")
#: Kinds by which its connector ends: it cannot parse the table's definition, or cannot read its rows.
_ENDS = frozenset({"inet4", "inet6"})
_LEAVE = "leave the table out"


OVERRIDES = "snapshot.select.statement.overrides"
_PLAIN = re.compile(r"[\w$]+")


def _printed(column: Column) -> bool:
    """A FLOAT(7,3) is printed with its own digits."""
    return column.kind == "float" and "," not in column.full


def snapshot_overrides(tables: Sequence[Table]) -> dict[str, str]:
    """Keys of the connector config that make a snapshot ask for all digits of FLOAT columns.

    Tables whose name cannot stand in a key are left out.
    """
    found: dict[str, str] = {}
    for table in tables:
        if any(map(_printed, table.columns)) and _PLAIN.fullmatch(table.database) and _PLAIN.fullmatch(table.name):
            wanted = ", ".join(
                f"{_quoted(one.name)} + 0e0 AS {_quoted(one.name)}" if _printed(one) else _quoted(one.name)
                for one in table.columns
            )
            found[table.full_name] = f"SELECT {wanted} FROM {_quoted(table.database)}.{_quoted(table.name)}"  # noqa: S608
    if not found:
        return {}
    return {OVERRIDES: ",".join(found), **{f"{OVERRIDES}.{name}": statement for name, statement in found.items()}}


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _enum(column: Column) -> bool:
    return column.kind in ("enum", "set") and bool(re.search(r"'[^']*[,\\][^']*'", column.full.replace("','", "' '")))


def doubt(column: Column) -> tuple[str, str] | None:
    """Which values of a column arrive altered, and the fix; None: none that is known."""
    if _printed(column):
        return ("a snapshot has a FLOAT as the server prints it, with six digits only",
                "another stream, whose snapshot asks for all digits; or make it DOUBLE")  # fmt: skip
    if column.charset in _MISREAD:
        return (f"changes of text in {column.charset} arrive with wrong characters, except for ASCII",
                "make it utf8mb4: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4")  # fmt: skip
    if _enum(column):
        return ("changes of values with a comma or a backslash in their name arrive with an extra backslash",
                "rename these values")  # fmt: skip
    return None


def cause(column: Column, odd: int) -> str:
    """Why values of a column may differ, for a column where they do; empty when it is not known.

    :param odd: how many of the database's values of the column are on no calendar.
    """
    if odd:
        return (f"{odd:,} times the database holds a date that does not exist, such as 0000-00-00: Debezium writes "
                "NULL for it, or 1970-01-01 where the column is NOT NULL. Fix: NULL or a real date in the table, and "
                "NO_ZERO_DATE, NO_ZERO_IN_DATE in sql_mode")  # fmt: skip
    if found := doubt(column):
        return f"{found[0]}. Fix: {found[1]}"
    if column.kind == "bigint" and column.unsigned:
        return ("events from before bigint.unsigned.handling.mode=precise hold numbers above 2^63-1 as negative ones. "
                "Fix: another stream, for a new snapshot")  # fmt: skip
    if column.kind in ("date", "datetime", "year"):
        return ("events from before enable.time.adjuster=false hold years below 100 as 1970 to 2069, which another "
                "stream fixes, by a new snapshot; a snapshot has 5 to 14 October 1582 ten days late")  # fmt: skip
    if column.full == "tinyint(1)":
        return ("a column that was declared as BOOL while the stream ran arrives as true or false. Fix: MODIFY it to "
                "TINYINT(1)")  # fmt: skip
    return ""


def alteration_findings(tables: Sequence[Table], sql_mode: str, config: Mapping[str, str]) -> list[Finding]:
    """What of the tables' columns cannot be carried, or not all of it.

    :param sql_mode: the server's, global. ``config``: of the connector.
    """
    whole = set(config.get(OVERRIDES, "").split(","))
    modes = {one.strip().upper() for one in sql_mode.split(",")}
    checked = "TRADITIONAL" in modes or {"NO_ZERO_DATE", "NO_ZERO_IN_DATE"} <= modes
    open_dates = not checked or "ALLOW_INVALID_DATES" in modes
    found: list[Finding] = []
    for table in tables:
        found += _of_table(table)
        found += _dates(table, open_dates)
        for column in table.columns:
            if (told := doubt(column)) and not (_printed(column) and table.full_name in whole):
                found.append(Finding(Severity.WARN, "altered", f"column {table.full_name}.{column.name}", told[0],
                                     f"{told[1]}; or {_LEAVE}", "tables"))  # fmt: skip
    return found


def _of_table(table: Table) -> list[Finding]:
    name, found = f"table {table.full_name}", list[Finding]()
    if table.versioned:
        what = "it is WITH SYSTEM VERSIONING: Debezium's connector fails at the first change of it"
        found.append(Finding(Severity.REFUSE, "versioned", name, what, _LEAVE, "tables"))
    if uuids := [one.name for one in table.columns if one.kind == "uuid"]:
        what = f"changes of a UUID arrive as another UUID: {', '.join(uuids)}"
        fix = f"make it CHAR(36) or BINARY(16), or {_LEAVE}"
        found.append(Finding(Severity.REFUSE, "altered", name, what, fix, "tables"))
    if table.cascades:
        what = (
            "rows that its foreign keys change are not in the binary log, so no event reports them: "
            f"{'; '.join(table.cascades)}"
        )
        fix = "change these rows by statements of your own (ON … RESTRICT), or use a trigger"
        found.append(Finding(Severity.WARN, "cascade", name, what, fix, "tables"))
    return found


def _dates(table: Table, open_dates: bool) -> list[Finding]:
    dates = [one for one in table.columns if one.kind in DATES]
    zero = [one.name for one in dates if _ZERO.match(one.default)]
    found: list[Finding] = []
    told = "Debezium writes NULL for it, or 1970-01-01 where the column is NOT NULL"
    fix = "NULL or a real date, and NO_ZERO_DATE, NO_ZERO_IN_DATE in sql_mode"
    if zero:
        what = f"the default of {', '.join(zero)} is a date that does not exist, 0000-00-00: {told}"
        found.append(Finding(Severity.WARN, "dates", f"table {table.full_name}", what, fix, "tables"))
    others = [one.name for one in dates if one.name not in zero]
    if open_dates and others:
        what = f"sql_mode lets {', '.join(others)} hold a date that does not exist, such as 0000-00-00: {told}"
        found.append(Finding(Severity.ADVISE, "dates", f"table {table.full_name}", what, fix, "tables"))
    return found


def breaking_findings(columns: Mapping[str, str], captured: Collection[str]) -> list[Finding]:
    """Columns anywhere on the server that end Debezium's connector, which parses the definitions of all tables.

    :param columns: ``database.table.column`` to its ``COLUMN_TYPE``. ``captured``: ``database.table`` of the stream's.
    """
    found: list[Finding] = []
    for name, kind in columns.items():
        table = name.rpartition(".")[0]
        if why := _breaks(kind.lower(), captured=table in captured):
            found.append(Finding(Severity.REFUSE, "breaks", f"column {name}", f"it is {kind}: {why}",
                                 "use another type, or move the table to another server", "databases"))  # fmt: skip
    return found


def _breaks(kind: str, *, captured: bool) -> str:
    if kind in _ENDS:
        return "Debezium cannot parse the definition of its table, and reads those of all tables of the server"
    if kind.endswith(" compressed*/"):
        return "Debezium cannot read a binary log that has changes of such a column"
    if kind == "year(2)" and captured:
        return "the JDBC driver of Debezium's snapshot cannot read such a year"
    return ""
