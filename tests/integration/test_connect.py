"""The Connect hook, operators, sensor and trigger against a real Kafka Connect worker."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout
from confluent_kafka import Consumer, TopicPartition

from kafka_ferry.hooks.connect.hook import (
    ConnectError,
    ConnectHook,
    ConnectorNotFound,
    ConnectorNotStopped,
    ConnectorState,
    Verdict,
)
from kafka_ferry.jobs.common.by_hand import delete_connector
from kafka_ferry.operators.connect import ApplyConnectorOperator, DeleteConnectorOperator
from kafka_ferry.sensors.connect import ConnectorRunningSensor
from kafka_ferry.triggers.connect import ConnectorRunningTrigger

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("connections")]

BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


@pytest.fixture
def hook(connections: dict[str, str]) -> ConnectHook:
    return ConnectHook(patience=30)


@pytest.fixture
def name(hook: ConnectHook, topic_prefix: str) -> Iterator[str]:
    """A connector name; what the test leaves under it is deleted."""
    name = f"{topic_prefix}connector"
    yield name
    hook.delete(name)


@pytest.fixture
def mirror(hook: ConnectHook, topic_prefix: str) -> Callable[..., dict[str, Any]]:
    def config(**more: Any) -> dict[str, Any]:
        return {
            "connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector",
            "source.cluster.alias": topic_prefix.strip("-"),
            "target.cluster.alias": "target",
            "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
            "topics": f"{topic_prefix}a",
            "tasks.max": 1,
            "key.converter": BYTES,
            "value.converter": BYTES,
            "header.converter": BYTES,
            "replication.factor": 1,
            "offset-syncs.topic.replication.factor": 1,
            "offset-syncs.topic.location": "target",
            "sync.topic.acls.enabled": False,
            "refresh.topics.interval.seconds": 1,
            **hook.client_settings("kafka_source", "source.cluster."),
            **hook.client_settings("kafka_target", "target.cluster."),
            **more,
        }

    return config


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def is_running(hook: ConnectHook, name: str) -> Callable[[], bool]:
    return lambda: hook.readiness(name).verdict is Verdict.RUNNING


def event(connectors: dict[str, int], seconds: float) -> dict[str, Any]:
    async def first() -> Any:
        return await anext(ConnectorRunningTrigger(connectors, "kafka_connect", time.time() + seconds, 0.5).run())

    return dict(asyncio.run(first()).payload)


def test_the_worker_is_known(hook: ConnectHook) -> None:
    healthy, message = hook.test_connection()
    assert healthy, message
    assert hook.info().version.startswith("4.")
    assert "org.apache.kafka.connect.mirror.MirrorSourceConnector" in {p.class_name for p in hook.plugins()}
    assert "converter" in {plugin.type for plugin in hook.plugins(connectors_only=False)}
    hook.set_log_level("org.apache.kafka.connect.mirror", "DEBUG")
    assert hook.loggers()["org.apache.kafka.connect.mirror"] == "DEBUG"
    hook.set_log_level("org.apache.kafka.connect.mirror", "INFO")


def test_apply_twice_is_one_put(
    hook: ConnectHook,
    name: str,
    mirror: Callable[..., dict[str, Any]],
    make_topics: Any,
    source_bootstrap: str,
    topic_prefix: str,
) -> None:
    make_topics(source_bootstrap, f"{topic_prefix}a")
    puts: list[str] = []
    hook.rest.session.hooks["response"].append(
        lambda answer, **_: puts.append(answer.request.path_url) if answer.request.method == "PUT" else None
    )
    assert hook.apply(name, mirror())
    assert hook.apply(name, mirror()) == []
    assert [path for path in puts if not path.endswith("/validate")] == [f"/connectors/{name}/config"]
    (change,) = hook.apply(name, mirror(**{"tasks.max": 2}))
    assert str(change) == "~ tasks.max: 1 -> 2"
    wait_until(is_running(hook, name))
    assert f"{topic_prefix}a" in hook.tasks(name)[0]["task.assigned.partitions"]


def test_operators_apply_and_delete(
    name: str, mirror: Callable[..., dict[str, Any]], make_topics: Any, source_bootstrap: str, topic_prefix: str
) -> None:
    make_topics(source_bootstrap, f"{topic_prefix}a")
    config = {key: value for key, value in mirror().items() if not key.startswith("source.cluster.bootstrap")}
    apply = ApplyConnectorOperator(
        task_id="t", connector=name, config=config, client_settings={"source.cluster.": "kafka_source"}
    )
    assert any("source.cluster.bootstrap.servers" in change for change in apply.execute({})["changes"])
    assert apply.execute({})["changes"] == []
    ConnectorRunningSensor(task_id="w", connectors={name: 1}, poke_interval=0.2, timeout=30).execute({})
    assert event({name: 1}, 30)["status"] == "success"
    assert DeleteConnectorOperator(task_id="d", connector=name, reset_offsets=True).execute({}) is True
    assert DeleteConnectorOperator(task_id="d", connector=name, reset_offsets=True).execute({}) is False


def test_errors_per_key_and_nothing_is_created(
    hook: ConnectHook, name: str, mirror: Callable[..., dict[str, Any]]
) -> None:
    config = mirror(**{"tasks.max": "abc", "offset.lag.max": "zz", "source.cluster.sasl.jaas.config": "hunter2"})
    del config["source.cluster.alias"]
    with pytest.raises(AirflowFailException) as refusal:
        ApplyConnectorOperator(task_id="t", connector=name, config=config).execute({})
    message = str(refusal.value)
    for line in ("tasks.max: Invalid value abc", "offset.lag.max: Invalid value zz", "source.cluster.alias: Missing"):
        assert line in message
    assert "hunter2" not in message
    assert hook.find_config(name) is None


def test_an_unknown_plugin_is_named_with_those_there_are(hook: ConnectHook, name: str) -> None:
    with pytest.raises(ConnectError, match=r"connector\.class: the worker has no Nope, only .*MirrorSourceConnector"):
        hook.apply(name, {"connector.class": "Nope"})


def test_a_running_connector_without_tasks_is_not_running(
    hook: ConnectHook, name: str, mirror: Callable[..., dict[str, Any]]
) -> None:
    # The source has no SASL, so the login fails as a wrong password does.
    wrong = {
        "source.cluster.security.protocol": "SASL_PLAINTEXT",
        "source.cluster.sasl.mechanism": "PLAIN",
        "source.cluster.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
        'username="u" password="hunter2";',
    }
    hook.apply(name, mirror(**wrong))
    wait_until(lambda: ConnectorState.RUNNING in hook.readiness(name).reason)
    sensor = ConnectorRunningSensor(task_id="w", connectors=name, poke_interval=0.5, timeout=4)
    with pytest.raises(AirflowSensorTimeout) as late:
        sensor.execute({})
    for words in (name, "is RUNNING, tasks: none", "wrong password"):
        assert words in str(late.value)
    found = event({name: 1}, 2)
    assert found["status"] == "timeout"
    assert "tasks: none" in found["message"]


def test_an_unreachable_source_is_not_running(
    hook: ConnectHook, name: str, mirror: Callable[..., dict[str, Any]]
) -> None:
    with socket.socket() as nobody:  # bound, not listening: a port where no broker can be
        nobody.bind(("127.0.0.1", 0))
        hook.apply(name, mirror(**{"source.cluster.bootstrap.servers": f"127.0.0.1:{nobody.getsockname()[1]}"}))
        found = event({name: 1}, 5)
    assert found["status"] == "timeout"
    assert name in found["message"]


def test_a_failed_task_fails_the_wait_at_once_with_its_trace(hook: ConnectHook, name: str, topic_prefix: str) -> None:
    hook.apply(name, {"connector.class": "FileStreamSink", "file": "/proc/nope/x", "topics": f"{topic_prefix}a"})
    started = time.monotonic()
    found = event({name: 1}, 60)
    assert time.monotonic() - started < 30
    assert found["status"] == "failed"
    assert f"task 0 of connector {name} is FAILED" in found["message"]
    assert "Couldn't find or create file '/proc/nope/x' for FileStreamSinkTask" in found["message"]
    assert "at org.apache.kafka.connect" in found["message"]
    with pytest.raises(AirflowFailException, match="/proc/nope/x"):
        ConnectorRunningSensor(task_id="w", connectors=name, deferrable=True).execute({})
    hook.restart(name, only_failed=True)
    wait_until(lambda: hook.readiness(name).verdict is Verdict.FAILED)  # restarted, and failed again


def test_stop_alter_resume_copies_only_what_is_left(
    hook: ConnectHook,
    name: str,
    mirror: Callable[..., dict[str, Any]],
    make_topics: Any,
    produce: Any,
    source_bootstrap: str,
    target_bootstrap: str,
    topic_prefix: str,
) -> None:
    topic = f"{topic_prefix}a"
    make_topics(source_bootstrap, topic)
    make_topics(target_bootstrap, topic)
    produce(source_bootstrap, topic, 10)
    at = {"cluster": topic_prefix.strip("-"), "partition": 0, "topic": topic}

    hook.create(name, mirror(), initial_state=ConnectorState.STOPPED)
    hook.alter_offsets(name, [{"partition": at, "offset": {"offset": 7}}])  # the last record taken as copied
    assert hook.offsets(name) == [{"partition": at, "offset": {"offset": 7}}]
    hook.resume(name)
    wait_until(lambda: end(target_bootstrap, topic) == 2)
    with pytest.raises(ConnectorNotStopped):
        hook.alter_offsets(name, [{"partition": at, "offset": {"offset": 0}}])

    wait_until(lambda: hook.offsets(name)[0]["offset"] == {"offset": 9})
    hook.pause(name)
    assert {task.state for task in hook.status(name).tasks} == {"PAUSED"}
    with pytest.raises(ConnectorNotStopped):
        hook.reset_offsets(name)
    hook.stop(name)
    assert hook.status(name).tasks == ()
    hook.alter_offsets(name, [{"partition": at, "offset": None}])
    assert hook.offsets(name) == []
    hook.alter_offsets(name, [{"partition": at, "offset": {"offset": 9}}])
    hook.reset_offsets(name)
    assert hook.offsets(name) == []


def end(bootstrap: str, topic: str) -> int:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused"})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1])
    finally:
        consumer.close()


def test_delete_twice(hook: ConnectHook, name: str, topic_prefix: str) -> None:
    hook.apply(name, {"connector.class": "FileStreamSink", "file": "/dev/null", "topics": f"{topic_prefix}a"})
    assert hook.delete(name) is True
    assert hook.delete(name) is False
    with pytest.raises(ConnectorNotFound):
        hook.stop(name)
    assert name not in hook.connectors()


def test_a_config_provider_reference_is_resolved_on_the_worker(
    hook: ConnectHook,
    name: str,
    stack: Any,
    monkeypatch: pytest.MonkeyPatch,
    mirror: Callable[..., dict[str, Any]],
    make_topics: Any,
    source_bootstrap: str,
    topic_prefix: str,
) -> None:
    make_topics(source_bootstrap, f"{topic_prefix}a")
    secrets = Path(stack.worker.secrets) / f"{topic_prefix}s.properties"
    secrets.write_text(f"password=hunter2\ntopics={topic_prefix}a\n")
    password = f"${{file:{secrets}:password}}"
    tls = {
        "bootstrap.servers": source_bootstrap,
        "security.protocol": "SSL",
        "ssl.keystore.location": "/unused.p12",
        "ssl.keystore.password": "only the Python client's",
    }
    monkeypatch.setenv("AIRFLOW_CONN_TLS", json.dumps({"conn_type": "kafka", "extra": tls}))
    hook.__dict__["_extra"] = {"config_provider": {"tls": {"ssl.keystore.password": password}}}
    settings = hook.client_settings("tls", "source.cluster.")
    unused = {key: settings[key] for key in ("source.cluster.ssl.keystore.password",)}  # the stack has no TLS
    hook.apply(name, mirror(topics=f"${{file:{secrets}:topics}}", **unused))
    wait_until(is_running(hook, name))
    assert f"{topic_prefix}a" in hook.tasks(name)[0]["task.assigned.partitions"], "the worker read the file"
    assert hook.config(name)["source.cluster.ssl.keystore.password"] == password, "and keeps the reference itself"
    assert "hunter2" not in str(hook.config(name)) + str(hook.tasks(name))


@pytest.mark.parametrize("more", ["", " of a & b"])
def test_what_ends_a_connector_by_hand_ends_it(
    hook: ConnectHook, mirror: Callable[..., dict[str, Any]], name: str, more: str
) -> None:
    hook.apply(name + more, mirror())
    wait_until(lambda: name + more in hook.connectors())
    command = delete_connector(hook, name + more)
    done = subprocess.run(["sh", "-ec", command], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: name + more not in hook.connectors())
