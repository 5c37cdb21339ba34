"""What a MySQL or MariaDB server and its user need, so that changes can be read. Pure.

Source: Debezium's documentation of the MySQL and MariaDB connectors, "Setting up".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kafka_ferry.core.finding import Finding, Severity

_NEEDED = ("SELECT", "RELOAD", "SHOW DATABASES", "REPLICATION SLAVE", "REPLICATION CLIENT")
#: MariaDB 10.5 renamed rights, and shows the new names (its documentation of GRANT).
_ALSO = {"REPLICATION CLIENT": "BINLOG MONITOR", "REPLICATION SLAVE": "REPLICATION REPLICA"}


def binlog_findings(variables: Mapping[str, str]) -> list[Finding]:
    """What is wrong with the binary log, by ``SHOW GLOBAL VARIABLES``."""
    aurora = ". On Aurora set binlog_format=ROW in the cluster's parameter group and restart the writer"
    wanted = (
        ("log_bin", ("ON", "1"), "start the server with log-bin" + aurora),
        ("binlog_format", ("ROW",), "SET GLOBAL binlog_format = ROW" + aurora),
        ("binlog_row_image", ("FULL",), "SET GLOBAL binlog_row_image = FULL"),
    )
    return [
        Finding(Severity.REFUSE, "binlog", "the server", f"{name} is {variables.get(name, 'not set')!r}, not "
                f"{values[0]!r}", fix, "database_conn_id")
        for name, values, fix in wanted
        if variables.get(name, "").upper() not in values
    ]  # fmt: skip


def grant_findings(grants: Sequence[str]) -> list[Finding]:
    """What rights the user lacks, by ``SHOW GRANTS``; rights that come by a role count when it is switched on."""
    given: set[str] = set()
    select_somewhere = False
    for grant in grants:
        if not (told := re.match(r"GRANT (.+?) ON (\S+) TO ", grant)):
            continue
        rights = {right.strip().upper() for right in told[1].split(",")}
        if told[2] == "*.*":
            given |= rights
        select_somewhere |= bool({"SELECT", "ALL PRIVILEGES"} & rights)
    if "ALL PRIVILEGES" in given:
        return []
    lacking = [right for right in _NEEDED if right not in given and _ALSO.get(right) not in given]
    if select_somewhere and "SELECT" in lacking:
        lacking.remove("SELECT")  # on the database or the tables: reading them will tell
    if not lacking:
        return []
    return [Finding(Severity.REFUSE, "grants", "the database's user", f"it lacks {', '.join(lacking)}",
                    f"GRANT {', '.join(lacking)} ON *.* TO it", "database_conn_id")]  # fmt: skip
