"""Ask a database server who we are to it, and whether its changes can be read."""

from __future__ import annotations

from kafka_ferry.core.database_needs import binlog_findings, grant_findings
from kafka_ferry.core.words import number_of
from kafka_ferry.hooks.database.server import DatabaseServer
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer, tell


def ask_database(question: Question, answer: Answer) -> None:
    """:raises FerryError: it does not answer, or refuses the login."""
    server = DatabaseServer(question.conn_id)
    server.timeout = server.silence = question.spec.patience
    version = server.variables.get("version", "unknown")
    answer.actual = f"{'MariaDB' if server.is_mariadb else 'MySQL'} {version}"
    answer.notes.append(f"as {server.login['user']}")
    answer.notes.append(f"it sees {number_of(len(server.databases()), 'database')}")
    for found in [*binlog_findings(server.variables), *grant_findings(server.grants())]:
        tell(answer, found)
