"""Changes of a real MariaDB through a real Debezium into a real Kafka, by the DAG's own tasks."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator

import pymysql
import pytest
from airflow.sdk.exceptions import AirflowFailException

from stack import Stack
from stream_kinds import ALTERED_BY_LOG, ALTERED_BY_SNAPSHOT, FAITHFUL, GENERATED, KEYS
from stream_lab import Shop, StreamRun, checks_of, differences_of
from stream_statements import STATEMENTS

pytestmark = pytest.mark.integration

ORDERS = """CREATE TABLE orders (order_id VARCHAR(255) PRIMARY KEY, customer_id VARCHAR(255),
    item_description VARCHAR(255), price DECIMAL(6,2), order_date DATETIME)"""
ROWS = (
    "INSERT INTO orders VALUES "
    "('123456', '123', 'A super noisy mechanical keyboard', '50.00', '2021-08-16 10:11:12'),"
    "('123457', '123', 'An extremely wide monitor', '500.00', '2021-08-16 11:12:13'),"
    "('123458', '123', 'A too sensible microphone', '150.00', '2021-08-16 12:13:14')"
)
PASSED = dict.fromkeys(("topics", "counts", "content", "changes", "schema_changes"), "pass")


@pytest.fixture
def connections(database_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = {name: value for name, value in database_stack.variables().items() if name.startswith("AIRFLOW_CONN_")}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def shop(database_stack, connections, topic_prefix, monkeypatch, tmp_path) -> Iterator[Shop]:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    shop = Shop(database_stack, topic_prefix.strip("-"))
    yield shop
    shop.close()


def run_of(shop: Shop, run_id: str = "run", **params) -> StreamRun:
    return StreamRun(run_id, **{"databases": [shop.name], "stream": shop.name, "keep_streaming": False, **params})


def ask(server, statement: str, user: str = "shop"):
    with pymysql.connect(**server.login(user), autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_rows_changes_and_statements_arrive_and_the_position_outlives_the_connector(shop, connections, tmp_path):
    shop.do(ORDERS, ROWS)
    first = run_of(shop)
    plan = first.start()
    shop.do(
        "INSERT INTO orders VALUES ('123459', '124', 'Ein Übersetzer', NULL, NULL)",
        "UPDATE orders SET price = price + 1",
        "UPDATE orders SET order_id = '123460' WHERE order_id = '123459'",
        "ALTER TABLE orders ADD COLUMN note TEXT AFTER customer_id",
        "UPDATE orders SET note = 'late' WHERE order_id = '123456'",
        "DELETE FROM orders WHERE order_id = '123457'",
    )
    first.validate()
    first.remove()
    report = first.report()

    assert report["verdict"] == "PASS", report
    assert checks_of(report) == {**PASSED, "leftovers": "pass"}
    assert report["sentence"].startswith("3 rows of 1 table are in Kafka as in the database; so are all 8")
    assert [line["source"] for line in plan["topics"]] == [f"{shop.name}.orders"]
    events = first.events(f"{shop.name}.orders")
    assert [event["op"] for event in events] == list("rrrcuuudcud")
    assert events[1]["after"]["price"] == "500.00"
    (line,) = report["topics"]
    assert (line["source_records"], line["target_records"], line["duplicated"]) == (11, 11, 0)

    # The connector is gone. What happens now is not lost: its position and the schema history were kept.
    shop.do("INSERT INTO orders (order_id) VALUES ('1')", "DROP TABLE IF EXISTS others", "DELETE FROM orders LIMIT 1")
    second = run_of(shop, "second", forget=True)
    second.start()
    second.validate()
    removed = second.remove()
    report = second.report()

    assert report["verdict"] == "PASS", report
    again = second.events(f"{shop.name}.orders")
    assert [event["op"] for event in again[11:]] == ["c", "d"], "no second snapshot"
    assert removed["topics"] == [f"{shop.name}.schema-history"]
    secret = json.loads(connections["AIRFLOW_CONN_DATABASE_SOURCE"])["password"]
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert secret not in "".join([*first.seen, *second.seen, *files])


@pytest.mark.parametrize("database", ["mariadb", pytest.param("mysql", marks=pytest.mark.nightly)])
def test_values_at_the_ends_of_every_kind_arrive_as_they_are(shop, database):
    names = [name for name, *_ in FAITHFUL]
    columns = ", ".join(f"`{name}` {kind}" for name, kind, *_ in [*FAITHFUL, *GENERATED])
    shop.do("SET SESSION time_zone = '+00:00', sql_mode = ''", f"CREATE TABLE kinds (id INT PRIMARY KEY, {columns})")
    rows = [", ".join(values) for values in ([one[2] for one in FAITHFUL], [one[3] for one in FAITHFUL])]
    insert = f"INSERT INTO kinds (id, {', '.join(f'`{name}`' for name in names)}) VALUES "
    for number, (kind, *_) in enumerate(KEYS):
        shop.do(f"CREATE TABLE key{number} (k {kind} PRIMARY KEY, v INT)")

    def write(first: int) -> list[str]:
        statements = [
            f"{insert} ({first}, {rows[0]}), ({first + 1}, {rows[1]})",
            f"INSERT INTO kinds (id) VALUES ({first + 2})",
        ]
        return statements + [f"INSERT INTO key{number} VALUES ({key[1]}, {first})" for number, key in enumerate(KEYS)]

    shop.do(*write(1))
    run = run_of(shop, database=database)
    run.start()
    shop.do(
        "UPDATE kinds SET inv = 9", *[f"DELETE FROM key{number}" for number in range(len(KEYS))], *write(11),
        "UPDATE kinds SET id = id + 100 WHERE id < 3", "DELETE FROM kinds WHERE id = 3",
        *[f"UPDATE key{number} SET k = {key[2]}, v = 2" for number, key in enumerate(KEYS)],
    )  # fmt: skip
    run.validate()
    run.remove()
    report = run.report()
    assert report["verdict"] == "PASS", differences_of(report)
    assert checks_of(report) == {**PASSED, "leftovers": "pass"}
    (content,) = [check for check in report["checks"] if check["name"] == "content"]
    assert "not compared" not in content["detail"]
    seen = {event["after"]["id"]: event["after"] for event in run.events(f"{shop.name}.kinds") if event["after"]}
    assert (seen[12]["biu"], seen[11]["df"], seen[11]["da"]) == (18446744073709551615, None, -719162)


def test_values_that_debezium_alters_are_named_with_column_cause_and_cure(shop):
    shop.do("SET SESSION time_zone = '+00:00', sql_mode = ''")
    tables = [("s", ALTERED_BY_SNAPSHOT), ("l", ALTERED_BY_LOG)]
    for letter, kinds in tables:
        for name, kind, *_ in kinds:
            shop.do(f"CREATE TABLE {letter}_{name} (id INT PRIMARY KEY, `{name}` {kind})")
    shop.do(*[f"INSERT INTO s_{name} VALUES (1, {value})" for name, _, value, _ in ALTERED_BY_SNAPSHOT])
    run = run_of(shop)
    plan = run.start()
    shop.do(*[f"INSERT INTO l_{name} VALUES (1, {value})" for name, _, value, _ in ALTERED_BY_LOG])
    run.validate()
    run.remove()
    report = run.report()

    assert report["verdict"] == "FAIL"
    details = {line["source"]: line["detail"] for line in report["topics"]}
    for letter, kinds in tables:
        for name, _, _, word in kinds:
            told = details[f"{shop.name}.{letter}_{name}"]
            assert told.startswith(f"{shop.name}.{letter}_{name}.{name}: "), told
            assert word in told
    warned = {one["subject"] for one in plan["findings"] if one["code"] == "altered"}
    assert {f"column {shop.name}.l_en.en", f"column {shop.name}.l_sjis.sjis"} <= warned
    dates = [one["what"] for one in plan["findings"] if one["code"] == "dates"]
    assert any("sql_mode lets zd hold a date that does not exist" in what for what in dates)


def test_what_ends_debeziums_connector_is_refused_wherever_it_stands(shop):
    shop.do(
        ORDERS, "CREATE TABLE u (id UUID PRIMARY KEY)", "CREATE TABLE v (id INT PRIMARY KEY) WITH SYSTEM VERSIONING"
    )
    for table, why in (("u", "changes of a UUID arrive as another UUID: id"), ("v", "WITH SYSTEM VERSIONING")):
        with pytest.raises(AirflowFailException, match=why):
            run_of(shop, table, tables=[f"{shop.name}.{table}"]).plan()
    run_of(shop, "others", tables=[f"{shop.name}.orders"]).plan()
    for kind in ("INET6", "INET4", "TEXT COMPRESSED"):
        shop.do(f"CREATE OR REPLACE TABLE w (id INT PRIMARY KEY, w {kind})")
        with pytest.raises(AirflowFailException, match=f"column {shop.name}.w.w: it is {kind.lower().split()[0]}"):
            run_of(shop, "others", tables=[f"{shop.name}.orders"]).plan()


def test_statements_of_every_form_are_told_and_a_faithful_stream_passes(shop):
    two = "(id INT PRIMARY KEY, a INT)"
    shop.do(
        "SET SESSION sql_mode = ''", "CREATE TABLE orders (id INT PRIMARY KEY, a VARCHAR(20), n DECIMAL(6,2))",
        "CREATE TABLE alt (id INT PRIMARY KEY, a VARCHAR(20), n DECIMAL(6,2), d DATETIME, v VARCHAR(9), k INT, "
        "f FLOAT, g INT)", "INSERT INTO orders VALUES (1, 'x', 1.5), (2, 'y', 2), (3, 'z', 3)",
        "INSERT INTO alt VALUES (1, 'x', 1.55, '2020-01-01', '7', 5, 0.5, 1), (2, 'y', 2.44, NULL, '8', 5, 0.1, 2)",
        "CREATE TABLE `we``ird na-me` (id INT PRIMARY KEY, `a b``c` INT)", "INSERT INTO `we``ird na-me` VALUES (1, 1)",
    )  # fmt: skip
    for name in ("again", "replaced", "emptied", "old", "quiet", "dml"):
        shop.do(f"CREATE TABLE {name} {two}", f"INSERT INTO {name} VALUES (1, 1), (2, 2), (3, 3), (4, 4)")
    one = run_of(shop, "one", stream=f"{shop.name}-one", tables=[f"{shop.name}\\.orders"])
    run = run_of(shop)
    run.start()
    one.start()
    shop.do(*STATEMENTS)
    for each in (run, one):
        each.validate()
        each.remove()
    report, alone = run.report(), one.report()

    assert report["verdict"] == "PASS", differences_of(report)
    explained = {"counts": "explained", "content": "explained"}
    assert checks_of(report) == {**PASSED, **explained, "leftovers": "pass"}
    details = {check["name"]: check["detail"] for check in report["checks"]}
    assert f"{shop.name}.emptied: it was truncated since the snapshot" in details["counts"]
    assert f"{shop.name}.new: it was called {shop.name}.old, {shop.name}.middle before" in details["content"]
    assert f"{shop.name}.again: events before the statement that dropped or recreated it" in details["content"]
    assert f"only changes are compared: {shop.name}.alt.b, {shop.name}.alt.d, " in details["content"]
    assert alone["verdict"] == "PASS", differences_of(alone)
    assert checks_of(alone) == {**PASSED, "leftovers": "pass"}


def test_a_column_that_was_altered_a_moment_ago_is_not_compared_with_rows_of_before(shop, database_stack):
    shop.do("CREATE TABLE prices (id INT PRIMARY KEY, n DECIMAL(6,2))", "INSERT INTO prices VALUES (1, 1.55)")
    run = run_of(shop)
    run.start()
    worker = database_stack.worker
    worker.pause()  # Debezium has not read the statement when validate begins
    shop.do("ALTER TABLE prices MODIFY n DECIMAL(8,1)", "INSERT INTO prices VALUES (2, 2.5)")
    thaw = threading.Timer(3, worker.resume)
    thaw.start()
    try:
        run.validate()
    finally:
        thaw.join()
    run.remove()
    report = run.report()
    assert report["verdict"] == "PASS", differences_of(report)
    content = next(check["detail"] for check in report["checks"] if check["name"] == "content")
    assert f"only changes are compared: {shop.name}.prices.n" in content


def test_rows_that_change_beside_the_binary_log_are_told_before_and_named_after(shop, database_stack, monkeypatch):
    rules = "ON DELETE SET NULL ON UPDATE CASCADE"
    shop.do(
        "CREATE TABLE parents (id INT PRIMARY KEY)", "INSERT INTO parents VALUES (1), (2), (3)",
        f"CREATE TABLE children (id INT PRIMARY KEY, p INT, FOREIGN KEY fk (p) REFERENCES parents (id) {rules})",
        "INSERT INTO children VALUES (1, 1), (2, 2), (3, 3)",
        "CREATE TABLE gone (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE)",
        "INSERT INTO gone VALUES (1, 1), (2, 2)",
        "CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), "
        "PARTITION p1 VALUES LESS THAN MAXVALUE)", "INSERT INTO parts VALUES (1), (20)",
    )  # fmt: skip
    # With Debezium's rights and no others a user sees no foreign key in information_schema.
    least = "SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT"
    shop.do("CREATE OR REPLACE USER least IDENTIFIED BY 'x'", f"GRANT {least} ON *.* TO least")
    login = {"conn_type": "mysql", "host": "127.0.0.1", "port": database_stack.database.port, "login": "least"}
    monkeypatch.setenv("AIRFLOW_CONN_LEAST", json.dumps({**login, "password": "x"}))
    run = run_of(shop, database_conn_id="least")
    plan = run.start()
    shop.do("DELETE FROM parents WHERE id = 1", "UPDATE parents SET id = 30 WHERE id = 3",
            "ALTER TABLE parts TRUNCATE PARTITION p0")  # fmt: skip
    run.validate()
    run.remove()
    shop.do("DROP USER least")
    report = run.report()

    warned = {one["subject"]: one["what"] for one in plan["findings"] if one["code"] == "cascade"}
    assert set(warned) == {f"table {shop.name}.children", f"table {shop.name}.gone"}
    assert "(of parents) ON DELETE SET NULL ON UPDATE CASCADE" in warned[f"table {shop.name}.children"]
    assert report["verdict"] == "FAIL"
    details = {line["source"].rpartition(".")[2]: line["detail"] for line in report["topics"]}
    for name in ("children", "gone"):
        assert "rows that its foreign keys change are not in the binary log" in details[name]
    assert "without a row event since the snapshot, by ALTER TABLE parts TRUNCATE PARTITION p0" in details["parts"]
    assert details["parents"] == ""


def test_what_is_lost_or_made_up_is_named(shop, database_stack, produce):
    shop.do(ORDERS, ROWS)
    run = run_of(shop)
    run.start()
    topic = f"{shop.name}.{shop.name}.orders"
    # A row that the binary log does not have cannot be in the topic.
    shop.do("SET sql_log_bin = 0", "INSERT INTO orders (order_id) VALUES ('unlogged')", "SET sql_log_bin = 1",
            "UPDATE orders SET price = 1 WHERE order_id = '123456'")  # fmt: skip
    run.converge()
    forged = run.events(f"{shop.name}.orders")[-1]
    forged["source"]["pos"], forged["after"]["price"] = forged["source"]["pos"] - 1, "2.00"
    produce(database_stack.target_bootstrap, topic, [
        {"key": json.dumps({"order_id": "123456"}).encode(), "value": json.dumps(forged).encode()},
        {"key": b"x", "value": b"no event at all"},
    ])  # fmt: skip
    run.validate()
    run.remove()
    report = run.report()

    assert report["verdict"] == "FAIL"
    made = checks_of(report)
    assert (made["counts"], made["content"], made["changes"]) == ("fail", "fail", "fail")
    named = "\n".join(differences_of(report))
    assert re.search(r'\["order_id", "unlogged"\]\]: in the table, not in the topic', named)
    assert re.search(r'"123456"\]\]: UPDATE at partition 0 offset 4 is not in the binary log', named)
    assert re.search(r'"123456"\]\]: partition 0 offset 4 is older than an event of this key before it', named)
    assert re.search(r'"123456"\]\]: other values in the table than in the topic at partition 0 offset 4', named)
    assert f"{topic} partition 0 offset 5: Debezium did not write this" in named


def test_what_cannot_work_is_refused_before_anything_changes(shop, database_stack, monkeypatch, make_topics, produce):
    shop.do(ORDERS, "CREATE TABLE heap (a INT)", "CREATE USER weak IDENTIFIED BY 'x'", "GRANT SELECT ON *.* TO weak")
    weak = {"conn_type": "mysql", "host": "127.0.0.1", "port": database_stack.database.port, "login": "weak"}
    monkeypatch.setenv("AIRFLOW_CONN_WEAK", json.dumps({**weak, "password": "x"}))
    monkeypatch.setenv("AIRFLOW_CONN_WRONG", json.dumps({**weak, "password": "another"}))
    bad = {
        "has no primary key|no primary key": {},
        "no_such: no such database": {"databases": ["no_such"]},
        "nothing matches": {"tables": ["nothing"]},
        "lacks RELOAD, SHOW DATABASES, REPLICATION SLAVE": {"database_conn_id": "weak"},
        "'wrong' was refused": {"database_conn_id": "wrong"},
        "the server itself has it": {"tables": [r".*\.orders"], "server_id": 7},
        "contradicts the param topic_prefix": {"topic_prefix": "a", "connector_config": {"database.server.name": "b"}},
        "the workers write into cluster": {"tables": [r".*\.orders"], "target_conn_id": "kafka_source"},
        "database.hostname is elsewhere": {
            "tables": [r".*\.orders"], "connector_config": {"database.hostname": "elsewhere"}
        },
    }  # fmt: skip
    for problem, params in bad.items():
        with pytest.raises(Exception, match=problem) as raised:
            run_of(shop, "bad", **params).plan()
        assert "another" not in str(raised.value) or "'wrong'" not in str(raised.value)

    run = run_of(shop, "stale", tables=[r".*\.orders"])
    (topic,) = make_topics(database_stack.target_bootstrap, f"{shop.name}.schema-history")
    own = {"source": {"server": shop.name}, "ddl": "CREATE TABLE orders (a INT)"}
    produce(database_stack.target_bootstrap, topic, [{"value": json.dumps(own).encode()}])
    run.plan()
    with pytest.raises(
        AirflowFailException, match="is stale: it holds statements, but the connector has no matching position"
    ):
        run.deploy()
    assert run.stream.left() == []
    produce(database_stack.target_bootstrap, topic, [{"value": json.dumps({"source": {"server": "other"}}).encode()}])
    with pytest.raises(AirflowFailException, match="it belongs to another stream, other"):
        run.plan()
    shop.do("DROP USER weak")


def test_the_server_logs_rows_and_keeps_them_over_a_kill(shop, database_stack):
    server = database_stack.database
    settings = dict(ask(server, "SHOW GLOBAL VARIABLES LIKE 'binlog_row%'"))
    assert (settings["binlog_row_image"], settings["binlog_row_metadata"]) == ("FULL", "FULL")
    assert len(ask(server, "SELECT * FROM ecommerce.orders", "debezium")) >= 3
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        ask(server, "DELETE FROM ecommerce.orders", "debezium")
    shop.do("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    ((file, *_),) = ask(server, "SHOW MASTER STATUS")

    server.kill9()
    database_stack.up()

    assert ask(server, f"SELECT * FROM {shop.name}.t") == ((1,),)
    assert ask(server, "SHOW MASTER STATUS")[0][0] > file, "each start begins a new file of the log"
    shop.reconnect(database_stack)
