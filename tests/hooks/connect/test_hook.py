"""The Connect hook against the answers a Kafka 4.3.1 worker was seen to give."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from kafka_ferry.exceptions import BadConnection, FerryError, TransientError
from kafka_ferry.hooks.connect.hook import (
    ConnectBusy,
    ConnectError,
    ConnectHook,
    ConnectorExists,
    ConnectorNotFound,
    ConnectorNotStopped,
    ConnectorState,
    ConnectUnavailable,
    InvalidConnectorConfig,
    OutcomeUnknown,
    PluginInfo,
    TaskState,
    TaskStatus,
)

URL = "http://worker:8083"
REBALANCE = "Request cannot be completed because a rebalance is expected"
STALE = (
    "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)"
)
TIMED_OUT = "Request timed out. The worker is currently polling the group coordinator"
SECRET = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="hunter2";'


@pytest.fixture
def worker() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> ConnectHook:
    connect(monkeypatch)
    return quick(ConnectHook())


def connect(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    connection = {"conn_type": "http", "host": "worker", "port": 8083, **fields}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_CONNECT", json.dumps(connection))


def quick(hook: ConnectHook) -> ConnectHook:
    hook.patience, hook.poll_interval = 2.0, 0.01  # a busy machine may stop a test for a second
    hook.rest.first_wait = 0.01
    return hook


def error(status: int, message: str) -> dict[str, Any]:
    return {"status": status, "json": {"error_code": status, "message": message}}


def status(state: str = "RUNNING", *tasks: str) -> dict[str, Any]:
    listed = [{"id": i, "state": task, "worker_id": "w:1", "trace": "boom"} for i, task in enumerate(tasks)]
    return {"name": "c", "connector": {"state": state, "worker_id": "w:1"}, "tasks": listed, "type": "source"}


class TestConnection:
    @pytest.mark.parametrize(
        ("fields", "url"),
        [
            ({}, "http://worker:8083"),
            ({"schema": "https"}, "https://worker:8083"),
            ({"host": "https://worker/", "port": 443}, "https://worker:443"),
            ({"host": "http://worker:9999"}, "http://worker:9999"),
        ],
    )
    def test_url(self, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], url: str) -> None:
        connect(monkeypatch, **fields)
        assert ConnectHook().rest.base_url == url

    def test_login_verify_timeout(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(monkeypatch, login="u", password="p", extra={"verify": "/ca.pem", "timeout": 7})
        rest = ConnectHook().rest
        assert rest.session.auth == ("u", "p")
        assert rest.session.verify == "/ca.pem"
        assert rest.timeout == 7
        assert "'p'" not in repr(rest)

    def test_missing_connection_and_missing_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(BadConnection, match="'nowhere' does not exist"):
            _ = ConnectHook("nowhere").rest
        connect(monkeypatch, host="")
        with pytest.raises(BadConnection, match="no host"):
            _ = ConnectHook().rest

    def test_client_settings_use_the_config_provider(self, monkeypatch: pytest.MonkeyPatch) -> None:
        extra = {"config_provider": {"src": {"sasl.password": "${file:/p:k}"}}}
        connect(monkeypatch, extra=extra)
        kafka = {
            "bootstrap.servers": "a:1",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "u",
            "sasl.password": "hunter2",
        }
        for conn_id in ("SRC", "TGT"):
            monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id}", json.dumps({"conn_type": "kafka", "extra": kafka}))
        hook = ConnectHook()
        assert '"${file:/p:k}"' in hook.client_settings("src", "source.cluster.")["source.cluster.sasl.jaas.config"]
        assert '"hunter2"' in hook.client_settings("tgt")["sasl.jaas.config"]

    def test_client_settings_name_the_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(monkeypatch, extra={"config_provider": ["wrong"]})
        monkeypatch.setenv("AIRFLOW_CONN_SRC", json.dumps({"conn_type": "kafka", "extra": {}}))
        with pytest.raises(BadConnection, match="config_provider"):
            ConnectHook().client_settings("src")
        connect(monkeypatch)
        with pytest.raises(BadConnection, match=r"connection 'src': bootstrap\.servers"):
            ConnectHook().client_settings("src")


class TestRetries:
    @pytest.mark.parametrize(
        ("code", "text"), [(409, STALE), (500, REBALANCE), (503, "starting"), (502, "bad gateway")]
    )
    def test_reads_wait_for_a_busy_cluster(
        self, hook: ConnectHook, worker: responses.RequestsMock, code: int, text: str
    ) -> None:
        worker.get(f"{URL}/connectors/c/config", **error(code, text))
        worker.get(f"{URL}/connectors/c/config", json={"a": "1"})
        assert hook.config("c") == {"a": "1"}
        assert len(worker.calls) == 2

    def test_restart_waits_for_a_stale_config(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.post(f"{URL}/connectors/c/restart", **error(409, STALE))
        worker.post(
            f"{URL}/connectors/c/restart",
            status=202,
            json=status(),
            match=[matchers.query_param_matcher({"includeTasks": "true", "onlyFailed": "true"})],
        )
        hook.restart("c", only_failed=True)
        assert len(worker.calls) == 2

    def test_patience_ends(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/connectors/c/config", **error(409, STALE))
        with pytest.raises(ConnectBusy, match=r"GET /connectors/c/config -> 409: Cannot complete") as busy:
            hook.config("c")
        assert busy.value.retriable
        assert len(worker.calls) > 2

    def test_nobody_listens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(monkeypatch, host="127.0.0.1", port=1)
        hook = quick(ConnectHook())
        hook.rest.patience = 0.2
        with pytest.raises(ConnectUnavailable) as away:
            hook.put_config("c", {"a": "1"})
        assert not isinstance(away.value, OutcomeUnknown), "a refused connection wrote nothing"
        assert isinstance(away.value, TransientError)

    def test_existing_name_is_an_answer(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.post(f"{URL}/connectors", **error(409, "Connector c already exists"))
        with pytest.raises(ConnectorExists) as taken:
            hook.create("c", {"a": "1"})
        assert not taken.value.retriable
        assert len(worker.calls) == 1

    def test_unauthorised_is_not_retried(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/connectors", status=401, body="<html>who?</html>")
        with pytest.raises(ConnectError, match="401") as refusal:
            hook.connectors()
        assert not refusal.value.retriable
        assert len(worker.calls) == 1

    def test_not_a_worker(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/connectors", body="<html>hello</html>")
        with pytest.raises(ConnectError, match="Is this a Kafka Connect worker"):
            hook.connectors()

    def test_timed_out_put_that_landed(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.put(f"{URL}/connectors/c/config", **error(500, TIMED_OUT))
        worker.get(f"{URL}/connectors/c/config", **error(404, "Connector c not found"))
        worker.get(f"{URL}/connectors/c/config", json={"a": "1", "name": "c"})
        hook.put_config("c", {"a": 1})
        assert [call.request.method for call in worker.calls] == ["PUT", "GET", "GET"]

    def test_timed_out_put_that_did_not_land(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.put(f"{URL}/connectors/c/config", **error(500, TIMED_OUT))
        worker.get(f"{URL}/connectors/c/config", json={"a": "0", "name": "c"})
        with pytest.raises(OutcomeUnknown) as unknown:
            hook.put_config("c", {"a": 1})
        assert unknown.value.retriable
        assert sum(call.request.method == "PUT" for call in worker.calls) == 1

    def test_broken_connection_on_create_is_read_back(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.post(f"{URL}/connectors", body=requests.ConnectionError("Connection aborted"))
        worker.get(f"{URL}/connectors/c/config", json={"a": "1", "name": "c"})
        hook.create("c", {"a": "1"}, initial_state=ConnectorState.STOPPED)
        assert json.loads(worker.calls[0].request.body or b"")["initial_state"] == "STOPPED"


class TestApply:
    VALID = {"configs": [{"value": {"name": "a", "errors": []}}], "error_count": 0}  # noqa: RUF012

    def test_same_config_is_not_put(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/connectors/c/config", json={"name": "c", "tasks.max": "2"})
        assert hook.apply("c", {"tasks.max": 2}) == []

    def test_changed_config_is_validated_and_put(
        self, hook: ConnectHook, worker: responses.RequestsMock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        worker.get(f"{URL}/connectors/c/config", json={"name": "c", "connector.class": "X", "tasks.max": "1"})
        worker.put(f"{URL}/connector-plugins/X/config/validate", json=self.VALID)
        desired = {"name": "c", "connector.class": "X", "tasks.max": "2", "sasl.jaas.config": SECRET}
        worker.put(f"{URL}/connectors/c/config", json={}, match=[matchers.json_params_matcher(desired)])
        changes = hook.apply("c", {k: v for k, v in desired.items() if k != "name"})
        assert [change.key for change in changes] == ["sasl.jaas.config", "tasks.max"]
        shown = capsys.readouterr().out
        assert "~ tasks.max: 1 -> 2" in shown
        assert "hunter2" not in str(changes) + shown

    def test_errors_are_listed_per_key_and_nothing_is_put(
        self, hook: ConnectHook, worker: responses.RequestsMock
    ) -> None:
        worker.get(f"{URL}/connectors/c/config", **error(404, "Connector c not found"))
        values = [
            {"value": {"name": "tasks.max", "errors": ["Not a number", "Value must be non-null"]}},
            {"value": {"name": "topics", "errors": ["missing"]}},
            {"value": {"name": "fine", "errors": []}},
        ]
        worker.put(f"{URL}/connector-plugins/X/config/validate", json={"configs": values, "error_count": 3})
        with pytest.raises(InvalidConnectorConfig) as refusal:
            hook.apply("c", {"connector.class": "X", "tasks.max": "abc"})
        assert not refusal.value.retriable
        for line in ("tasks.max: Not a number", "tasks.max: Value must be non-null", "topics: missing"):
            assert line in str(refusal.value)
        assert "fine" not in str(refusal.value)

    def test_unknown_plugin(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        text = (
            "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Failed to find any class that "
            "implements Connector and which name matches Nope"
        )
        worker.put(f"{URL}/connector-plugins/Nope/config/validate", **error(500, text))
        worker.get(f"{URL}/connector-plugins", json=[{"class": "a.b.Mirror", "type": "source", "version": "1"}])
        result = hook.validate({"connector.class": "Nope"})
        assert not result.ok
        assert str(result) == "connector.class: the worker has no Nope, only Mirror"
        assert hook.validate({}).errors == {"connector.class": ("missing",)}

    def test_a_masked_secret_is_never_sent(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/connectors/c/config", json={"name": "c", "connector.class": "X", "x.password": "hunter2"})
        with pytest.raises(InvalidConnectorConfig, match=r"x\.password: holds \*\*\*"):
            hook.apply("c", {"connector.class": "X", "x.password": "***"})

    def test_an_error_does_not_show_the_secret(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.put(
            f"{URL}/connectors/c/config",
            **error(
                400,
                f"Connector configuration is invalid: Invalid value {SECRET} hunter2 -----BEGIN PRIVATE KEY-----\nx",
            ),
        )
        with pytest.raises(InvalidConnectorConfig) as refusal:
            hook.put_config("c", {"sasl.jaas.config": SECRET})
        assert "hunter2" not in repr(refusal.value)
        assert "PRIVATE KEY" not in repr(refusal.value)


class TestStates:
    def test_status(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/connectors/c/status", json=status("RUNNING", "RUNNING", "FAILED"))
        found = hook.status("c")
        assert found.state.is_running
        assert found.tasks[1] == TaskStatus(1, TaskState.FAILED, "w:1", "boom")
        assert str(found) == "connector c is RUNNING, tasks: 0 RUNNING, 1 FAILED"

    def test_status_of_none(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/connectors/c/status", **error(404, "No status found for connector c"))
        with pytest.raises(ConnectorNotFound):
            hook.status("c")

    def test_stop_waits_for_the_last_task(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.put(f"{URL}/connectors/c/stop", status=204)
        worker.get(f"{URL}/connectors/c/status", json=status("RUNNING", "RUNNING"))
        worker.get(f"{URL}/connectors/c/status", json=status("STOPPED", "RUNNING"))
        worker.get(f"{URL}/connectors/c/status", json=status("STOPPED"))
        hook.stop("c")
        assert len(worker.calls) == 4

    def test_stop_that_never_ends_is_retriable(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.put(f"{URL}/connectors/c/stop", status=204)
        worker.get(f"{URL}/connectors/c/status", json=status("STOPPED", "RUNNING"))
        with pytest.raises(ConnectBusy, match="tasks: 0 RUNNING") as busy:
            hook.stop("c")
        assert busy.value.retriable

    def test_pause_waits_for_tasks_resume_for_the_connector(
        self, hook: ConnectHook, worker: responses.RequestsMock
    ) -> None:
        worker.put(f"{URL}/connectors/c/pause", status=202)
        worker.get(f"{URL}/connectors/c/status", json=status("PAUSED", "RUNNING"))
        worker.get(f"{URL}/connectors/c/status", json=status("PAUSED", "PAUSED"))
        hook.pause("c")
        worker.put(f"{URL}/connectors/c/resume", status=202)
        worker.get(f"{URL}/connectors/c/status", json=status("RUNNING"))
        hook.resume("c")

    def test_delete_twice(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.delete(f"{URL}/connectors/c", status=204)
        worker.delete(f"{URL}/connectors/c", **error(404, "Connector c not found"))
        assert hook.delete("c") is True
        assert hook.delete("c") is False

    def test_delete_with_offsets_stops_first(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.put(f"{URL}/connectors/c/stop", status=204)
        worker.get(f"{URL}/connectors/c/status", json=status("STOPPED"))
        worker.delete(f"{URL}/connectors/c/offsets", json={"message": "reset"})
        worker.delete(f"{URL}/connectors/c", status=204)
        assert hook.delete("c", reset_offsets=True) is True
        methods = [f"{call.request.method} {call.request.path_url}" for call in worker.calls]
        assert methods == [
            "PUT /connectors/c/stop",
            "GET /connectors/c/status",
            "DELETE /connectors/c/offsets",
            "DELETE /connectors/c",
        ]

    @pytest.mark.parametrize("state", ConnectorState)
    def test_terminal_states(self, state: ConnectorState) -> None:
        assert state.is_terminal == (state in {"FAILED", "PAUSED", "STOPPED", "DESTROYED"})
        assert state.is_running == (state == "RUNNING")


class TestOffsets:
    ENTRY = {"partition": {"cluster": "s", "partition": 0, "topic": "t"}, "offset": {"offset": 9}}  # noqa: RUF012

    def test_altered_offsets_are_read_back(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.patch(
            f"{URL}/connectors/c/offsets", json={}, match=[matchers.json_params_matcher({"offsets": [self.ENTRY]})]
        )
        worker.get(f"{URL}/connectors/c/offsets", json={"offsets": [self.ENTRY]})
        hook.alter_offsets("c", [self.ENTRY])
        assert len(worker.calls) == 2

    def test_a_zombie_that_writes_over_them_is_seen(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.patch(f"{URL}/connectors/c/offsets", json={})
        worker.get(f"{URL}/connectors/c/offsets", json={"offsets": [{**self.ENTRY, "offset": {"offset": 8}}]})
        with pytest.raises(ConnectBusy, match="read back differ"):
            hook.alter_offsets("c", [self.ENTRY])

    def test_not_stopped(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        text = "Connectors must be in the STOPPED state before their offsets can be modified."
        worker.delete(f"{URL}/connectors/c/offsets", **error(400, text))
        with pytest.raises(ConnectorNotStopped) as refusal:
            hook.reset_offsets("c")
        assert not refusal.value.retriable


class TestCluster:
    def test_info_plugins_loggers(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/", json={"version": "4.3.1", "commit": "x", "kafka_cluster_id": "id"})
        assert hook.info().version == "4.3.1"
        worker.get(f"{URL}/connector-plugins", json=[{"class": "a.B", "type": "source", "version": "1"}])
        assert hook.plugins() == [PluginInfo("a.B", "source", "1")]
        worker.get(f"{URL}/admin/loggers", json={"root": {"level": "INFO", "last_modified": None}})
        assert hook.loggers() == {"root": "INFO"}
        body = matchers.json_params_matcher({"level": "DEBUG"})
        worker.put(
            f"{URL}/admin/loggers/a.b", status=204, match=[body, matchers.query_param_matcher({"scope": "cluster"})]
        )
        hook.set_log_level("a.b", "DEBUG", scope="cluster")

    def test_health(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/health", json={"status": "healthy", "message": "ready"})
        worker.get(f"{URL}/", json={"version": "4.3.1", "commit": "x"})
        assert hook.test_connection() == (True, "Kafka Connect 4.3.1: ready")

    def test_unhealthy(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/health", **error(401, "no"))
        healthy, message = hook.test_connection()
        assert not healthy
        assert "401" in message

    def test_old_workers_have_no_health(self, hook: ConnectHook, worker: responses.RequestsMock) -> None:
        worker.get(f"{URL}/health", **error(404, "HTTP 404 Not Found"))
        worker.get(f"{URL}/", json={"version": "3.6.0", "commit": "x"})
        assert hook.health() == (True, "Kafka Connect 3.6.0")


def test_errors_survive_pickling() -> None:
    # Airflow carries exceptions between processes.
    fault = pickle.loads(pickle.dumps(ConnectBusy("GET", "/x", 409, "stale")))  # noqa: S301
    assert isinstance(fault, FerryError)
    assert str(fault) == "Kafka Connect: GET /x -> 409: stale"


def test_a_worker_that_starts_answers_404_in_html_and_is_waited_for(
    hook: ConnectHook, worker: responses.RequestsMock
) -> None:
    """Measured: after kill -9 and restart Jetty listens before Connect's resources are there. No connector is gone."""
    worker.get(f"{URL}/connectors/c/offsets", status=404, body="<html>Not Found</html>", content_type="text/html")
    worker.get(f"{URL}/connectors/c/offsets", json={"offsets": []})
    assert hook.offsets("c") == []


def test_a_server_that_is_no_worker_is_named(hook: ConnectHook, worker: responses.RequestsMock) -> None:
    worker.get(f"{URL}/connectors/c/offsets", status=404, body="<html>Not Found</html>", content_type="text/html")
    with pytest.raises(TransientError, match="is starting, or is not a Kafka Connect worker"):
        hook.offsets("c")
