"""Params of a stream, and keys of Debezium 1 among them."""

from __future__ import annotations

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cdc.debezium_config import Database
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec

#: As the article of 2021 has it, without the password and the addresses.
ARTICLE = {
    "connector.class": "io.debezium.connector.mysql.MySqlConnector",
    "tasks.max": "1",
    "database.server.id": "123456",
    "database.server.name": "ecommerce-server",
    "database.include.list": "ecommerce",
    "database.history.kafka.topic": "dbhistory.ecommerce",
    "database.history.kafka.bootstrap.servers": "b-1:9098",
    "database.history.producer.security.protocol": "SASL_SSL",
    "database.history.producer.sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
    "include.schema.changes": "true",
    "database.hostname": "writer",
}


def test_the_articles_config_becomes_params_and_todays_keys():
    spec = StreamSpec.from_params({"connector_config": ARTICLE})

    assert (spec.database, spec.databases, spec.server_id) == (Database.MYSQL, ["ecommerce"], 123456)
    assert (spec.prefix, spec.history) == ("ecommerce-server", "dbhistory.ecommerce")
    assert spec.own_config() == {
        "schema.history.internal.producer.security.protocol": "SASL_SSL",
        "schema.history.internal.producer.sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
        "include.schema.changes": "true",
    }
    assert spec.claims() == {"database.hostname": "writer"}
    assert any("database.history.producer.security.protocol is called" in note for note in spec.notes())


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "'databases' is missing"),
        ({"databases": ["a"], "tabels": ["x"]}, "'tabels' is unknown; did you mean 'tables'"),
        ({"databases": ["a"], "tables": ["("]}, "not a regular expression"),
        ({"databases": ["a"], "stream": "a b"}, "'stream'"),
        ({"databases": ["a"], "server_id": 0}, "'server_id'"),
        ({"databases": ["a"], "forget": True}, "'forget' is given, but keep_streaming is too"),
        ({"databases": ["a"], "database": "postgresql"}, "cannot be validated by this version"),
        ({"databases": ["a"], "connector_config": {"database.password": "hush"}}, "holds a secret"),
        ({"databases": ["a"], "connector_config": {"x.sasl.password": "hush"}}, "holds a secret"),
        ({"databases": ["a"], "connector_config": {"value.converter": "x"}}, "value.converter is set by this DAG"),
        ({"databases": ["a"], "connector_config": {"tasks.max": "2"}}, "tasks.max is always 1"),
        ({"databases": ["a"], "connector_config": {"connector.class": "Jdbc"}}, "is not supported"),
        (
            {"databases": ["a"], "topic_prefix": "b", "connector_config": {"database.server.name": "c"}},
            "contradicts the param topic_prefix",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_by_name(params, problem):
    with pytest.raises(BadParam) as raised:
        StreamSpec.from_params(params)
    assert problem in str(raised.value)
    assert "hush" not in str(raised.value)


MSK = {
    "databases": ["a"],
    "runtime": "msk_connect",
    "cluster_arn": "arn:aws:kafka:eu-west-1:123456789012:cluster/demo/1a2b",
    "service_execution_role_arn": "arn:aws:iam::123456789012:role/connect",
    "plugin_bucket": "plugins",
}


def test_msk_connect_gets_debeziums_archive_for_the_database():
    assert StreamSpec.from_params(MSK).plugin == "io.debezium:debezium-connector-mariadb:3.5.0.Final:tar.gz:plugin"
    assert "connector-mysql:" in StreamSpec.from_params({**MSK, "database": "mysql"}).plugin
    assert StreamSpec.from_params({**MSK, "plugin": "a:b:1"}).plugin == "a:b:1"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"cluster_arn": None}, "'cluster_arn' is missing"),
        ({"service_execution_role_arn": ""}, "'service_execution_role_arn' is missing"),
        ({"plugin_bucket": None}, "'plugin_bucket' is missing"),
        ({"cluster_arn": "demo"}, "'cluster_arn'"),
        ({"capacity": {}}, "it must name exactly one kind"),
        (
            {"capacity": {"autoScaling": {"minWorkerCount": 1, "maxWorkerCount": 2, "mcuCount": 1}}},
            "always has one task, and autoscaled capacity overrides tasks.max",
        ),
        ({"password_reference": "hush"}, "'password_reference'"),
        ({"bootstrap": "b:9092"}, "'bootstrap' is given beside cluster_arn"),
        ({"bootstrap": "b:9092", "cluster_arn": None}, "'subnets' is missing"),
        ({"subnets": ["subnet-0a"]}, "'subnets' is given, but an MSK cluster's come from its cluster_arn"),
    ],
)
def test_what_msk_connect_cannot_run_is_refused(change, problem):
    with pytest.raises(BadParam) as raised:
        StreamSpec.from_params({**MSK, "database": "mysql", **change})
    assert problem in str(raised.value)


def test_names_are_the_same_on_every_run():
    spec = StreamSpec.from_params({"databases": ["a"], "tables": None, "connector_config": None})

    assert (spec.prefix, spec.history, spec.tables) == ("ferry", "ferry.schema-history", [])
    assert spec.replica_id("dag.ferry") == spec.replica_id("dag.ferry") != spec.replica_id("dag.other")
    assert 1 <= spec.replica_id("dag.ferry") < 2**31
