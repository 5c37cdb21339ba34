"""The stack's MariaDB server, for real."""

from __future__ import annotations

import pymysql
import pytest

pytestmark = pytest.mark.integration


def ask(server, statement: str, user: str = "shop"):
    connection = pymysql.connect(**server.login(user), autocommit=True)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_it_logs_rows_and_keeps_them_over_a_kill(database_stack, topic_prefix):
    server, name = database_stack.database, topic_prefix.strip("-")
    settings = dict(ask(server, "SHOW GLOBAL VARIABLES LIKE 'binlog_row%'"))
    assert (settings["binlog_row_image"], settings["binlog_row_metadata"]) == ("FULL", "FULL")
    assert len(ask(server, "SELECT * FROM ecommerce.orders", "debezium")) >= 3
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        ask(server, "DELETE FROM ecommerce.orders", "debezium")
    ask(server, f"CREATE DATABASE {name}")
    ask(server, f"CREATE TABLE {name}.t (id INT PRIMARY KEY)")
    ask(server, f"INSERT INTO {name}.t VALUES (1)")
    ((file, *_),) = ask(server, "SHOW MASTER STATUS")

    server.kill9()
    database_stack.up()

    assert ask(server, f"SELECT * FROM {name}.t") == ((1,),)
    assert ask(server, "SHOW MASTER STATUS")[0][0] > file, "each start begins a new file of the log"
    ask(server, f"DROP DATABASE {name}")
