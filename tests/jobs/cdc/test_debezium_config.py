from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.msk_iam import java_settings
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cdc.debezium_config import Capture, Check, Database, problems, tls_of, translated

# The example of AWS's introduction to MSK Connect (2021), Debezium 1.x.
IAM = {"security.protocol": "SASL_SSL", **java_settings()}
ARTICLE = {
    "connector.class": "io.debezium.connector.mysql.MySqlConnector",
    "tasks.max": "1",
    "database.hostname": "aurora.cluster.eu-west-1.rds.amazonaws.com",
    "database.port": "3306",
    "database.user": "admin",
    "database.password": "hunter2",
    "database.server.id": "123456",
    "database.server.name": "ecommerce-server",
    "database.include.list": "ecommerce",
    "database.history.kafka.topic": "dbhistory.ecommerce",
    "database.history.kafka.bootstrap.servers": "b-1:9098",
    "include.schema.changes": "true",
    **{f"database.history.{role}.{key}": value for role in ("consumer", "producer") for key, value in IAM.items()},
}


def capture(**changes: Any) -> Capture:
    arguments: dict[str, Any] = {
        "database": Database.MYSQL,
        "hostname": "db",
        "port": 3306,
        "user": "cdc",
        "password": "hunter2",
        "topic_prefix": "shop",
        "databases": ("ecommerce",),
        "tables": ("ecommerce.orders",),
        "server_id": 5501,
        "kafka": {"bootstrap.servers": "b-1:9098", **IAM},
    }
    return Capture(**{**arguments, **changes})


def test_the_articles_config_in_the_words_of_today() -> None:
    translation = translated(ARTICLE)
    config = translation.config
    assert config["topic.prefix"] == "ecommerce-server"
    assert config["schema.history.internal.kafka.topic"] == "dbhistory.ecommerce"
    assert config["schema.history.internal.kafka.bootstrap.servers"] == "b-1:9098"
    for role in ("consumer", "producer"):
        for key, value in IAM.items():
            assert config[f"schema.history.internal.{role}.{key}"] == value
    assert len(translation.notes) == 3 + 2 * len(IAM)
    assert "database.server.name is called topic.prefix since Debezium 2" in translation.notes
    assert problems(config) == []
    assert not any(key.startswith("database.history") for key in config)
    assert len(config) == len(ARTICLE)


def test_what_debezium_would_ignore_in_silence_is_named() -> None:
    found = problems(ARTICLE)
    assert "database.server.name is of Debezium 1 and silently ignored" in found
    assert "schema.history.internal.kafka.topic is required" in found
    assert not any("hunter2" in line for line in found)


def test_a_config_of_today_is_left_alone() -> None:
    config = capture().config()
    assert translated(config).config == config
    assert translated(config).notes == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"database.whitelist": "a"}, {"database.include.list": "a"}),
        ({"table.blacklist": "a"}, {"table.exclude.list": "a"}),
        ({"snapshot.mode": "schema_only"}, {"snapshot.mode": "no_data"}),
        ({"snapshot.mode": "schema_only_recovery"}, {"snapshot.mode": "recovery"}),
        (
            {"database.history.store.only.monitored.tables.ddl": "true"},
            {"schema.history.internal.store.only.captured.tables.ddl": "true"},
        ),
        (
            {"database.history": "io.debezium.relational.history.KafkaDatabaseHistory"},
            {"schema.history.internal": "io.debezium.storage.kafka.history.KafkaSchemaHistory"},
        ),
    ],
)
def test_other_keys_and_values(old: dict[str, str], new: dict[str, str]) -> None:
    assert translated(old).config == new
    assert translated(old).notes


def test_an_old_key_beside_its_new_one() -> None:
    assert translated({"database.server.name": "a", "topic.prefix": "a"}).config == {"topic.prefix": "a"}
    with pytest.raises(BadParam, match=r"called topic\.prefix now"):
        translated({"database.server.name": "a", "topic.prefix": "b"})


@pytest.mark.parametrize("database", [Database.MYSQL, Database.MARIADB])
def test_mysql_and_mariadb(database: Database) -> None:
    config = capture(database=database).config()
    assert config["connector.class"] == database.connector_class
    assert config["schema.history.internal.kafka.topic"] == "shop.schema-history"
    assert config["schema.history.internal.producer.sasl.mechanism"] == "AWS_MSK_IAM"
    assert config["database.server.id"] == "5501"
    assert problems(config) == []


@pytest.mark.parametrize(
    ("database", "tls", "mode"),
    [
        (Database.MYSQL, False, "disabled"),
        (Database.MARIADB, False, "disable"),
        (Database.MYSQL, True, "required"),
        (Database.MARIADB, True, "trust"),
    ],
)
def test_two_spellings_of_tls(database: Database, tls: bool, mode: str) -> None:
    assert capture(database=database, tls=tls).config()["database.ssl.mode"] == mode


@pytest.mark.parametrize("database", Database)
def test_what_is_asked_of_the_servers_certificate_stands_in_the_mode(database: Database) -> None:
    key = "database.sslmode" if database is Database.POSTGRESQL else "database.ssl.mode"
    for check in Check:
        config = capture(database=database, tls=True, check=check).config()
        assert tls_of({"database.ssl.mode": config[key]}) is check
    off = capture(database=database, tls=False, check=Check.NAME, stores={"truststore": "/t"}).config()
    assert tls_of({"database.ssl.mode": off[key]}) is None
    assert "database.ssl.truststore" not in off
    assert tls_of({}) is None
    assert tls_of({"database.ssl.mode": "preferred"}) is None, "who listens in between can have it off"


def test_files_of_the_workers_are_in_debeziums_words() -> None:
    stores = {"truststore": "/t.p12", "truststore_password": "${a:b}", "keystore": "/k.p12", "keystore_password": "c"}
    config = capture(database=Database.MARIADB, tls=True, check=Check.NAME, stores=stores).config()
    assert {key: value for key, value in config.items() if key.startswith("database.ssl.")} == {
        "database.ssl.mode": "verify-full", "database.ssl.truststore": "/t.p12",
        "database.ssl.truststore.password": "${a:b}", "database.ssl.keystore": "/k.p12",
        "database.ssl.keystore.password": "c",
    }  # fmt: skip


def test_postgresql_has_a_slot_and_no_history() -> None:
    config = capture(database=Database.POSTGRESQL, server_id=None, topic_prefix="Shop-1", port=5432).config()
    assert (config["slot.name"], config["database.dbname"]) == ("shop_1_ferry", "ecommerce")
    assert not any(key.startswith("schema.history") for key in config)
    with pytest.raises(BadParam, match="one database"):
        capture(database=Database.POSTGRESQL, databases=("a", "b")).config()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"server_id": None}, r"database\.server\.id is required"),
        ({"server_id": 0}, "not a number from 1"),
        ({"kafka": {}}, r"bootstrap\.servers is required"),
        ({"history_topic": "shop"}, "cannot share the topic"),
        ({"topic_prefix": ""}, r"topic\.prefix is required"),
    ],
)
def test_what_would_fail_late(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(BadParam, match=word):
        capture(**changes).config()


def test_no_secret_in_a_repr() -> None:
    assert "hunter2" not in repr(capture())
    assert "hunter2" not in repr(translated(ARTICLE))
