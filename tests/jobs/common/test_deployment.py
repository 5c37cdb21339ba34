"""What who may only trigger can do is what the deployment says, and by default next to nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.backup.store.job import BackupJob
from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.deployment import (
    DEFAULTS,
    check_hosts,
    check_location,
    check_plugin,
    check_plugin_folder,
    signing_connection,
)
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.common.signing import signer_of
from kafka_ferry.jobs.migration.engines.host_spec import DedicatedSpec
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.specs import spec_of
from kafka_ferry.jobs.s3.runs import ImportJob, export_run_of
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

ENGINES = ("mirror_maker2_dedicated", "mirror_maker2_standalone", "mirror_maker1")


@pytest.fixture(autouse=True)
def nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in DEFAULTS:
        monkeypatch.delenv(f"AIRFLOW__KAFKA_FERRY__{option.upper()}", raising=False)
    for name in ("JAVA", "KAFKA_LIBS", "MM1_LIBS", "HOST_FOLDER"):
        monkeypatch.delenv(f"FERRY_{name}", raising=False)


def say(monkeypatch: pytest.MonkeyPatch, **options: str) -> None:
    for option, value in options.items():
        monkeypatch.setenv(f"AIRFLOW__KAFKA_FERRY__{option.upper()}", value)


def hosts(**params: Any) -> Any:
    return spec_of("mirror_maker2_dedicated").from_params({"topics": ["a"], "hosts": ["mm2"], **params})


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_word_of_the_deployment_no_process_is_started_anywhere(engine: str) -> None:
    for params in ({}, {"hosts": ["local"]}, {"hosts": ["any_ssh"]}):
        spec = spec_of(engine).from_params({"topics": ["a"], **params})
        with pytest.raises(BadParam) as refused:
            engine_of(Migration(engine, spec))
        assert refused.value.param == "hosts"
        assert "AIRFLOW__KAFKA_FERRY__HOSTS" in refused.value.fix


def test_a_star_is_every_connection_but_not_the_machine_of_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, hosts="*")
    check_hosts(hosts(hosts=["mm2"]))
    with pytest.raises(BadParam, match="the machine that tasks run on"):
        check_hosts(hosts(hosts=["local"]))
    say(monkeypatch, hosts="local\nmm2-*")
    check_hosts(hosts(hosts=["local", "mm2-1"]))
    with pytest.raises(BadParam, match="'other'"):
        check_hosts(hosts(hosts=["mm2-1", "other"]))


def test_the_form_offers_what_is_allowed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not params_of(DedicatedSpec)["hosts"].has_value
    say(monkeypatch, hosts="*, mm2-1, local")
    assert params_of(DedicatedSpec)["hosts"].value == ["mm2-1"]


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("java", "/usr/bin/perl"), ("java", "perl"), ("java", "java -jar x"), ("java", "./java"), ("java", "/tmp/java"),
        ("kafka_libs", "/tmp/evil"), ("kafka_libs", "/opt/kafka/libs/../../../tmp"), ("kafka_libs", "/opt/kafka/libs2"),
        ("host_folder", "/etc/cron.d"), ("host_folder", "~/.ssh"), ("host_folder", "~/.kafka-ferry/../.ssh"),
        ("host_folder", "/.kafka-ferry"), ("jvm_options", "-javaagent:/tmp/a.jar"), ("jvm_options", "-Xmx1g -cp"),
        ("overrides", {"interceptor.classes": "x"}), ("overrides", {"a": "${file:/etc/passwd:x}"}),
    ],
)  # fmt: skip
def test_programs_folders_options_and_settings(monkeypatch: pytest.MonkeyPatch, param: str, value: Any) -> None:
    say(monkeypatch, hosts="mm2")
    check_hosts(hosts())
    with pytest.raises(BadParam) as refused:
        check_hosts(hosts(**{param: value}))
    assert refused.value.param == param
    assert "[kafka_ferry]" in refused.value.fix


def test_what_the_deployment_says_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, hosts="mm2", java="/opt/jdk*/bin/java", kafka_libs="/opt/kafka*", host_folders="/var/lib/ferry",
        jvm_options="-javaagent:/opt/jmx.jar=7071", settings="*.interceptor.classes")  # fmt: skip
    monkeypatch.setenv("FERRY_KAFKA_LIBS", "/srv/libs")
    given = {"java": "/opt/jdk17/bin/java", "kafka_libs": "/srv/libs/", "host_folder": "/var/lib/ferry/a"}
    check_hosts(hosts(**given, jvm_options="-Xmx1g -javaagent:/opt/jmx.jar=7071",
                      overrides={"target.producer.interceptor.classes": "x.Y"}))  # fmt: skip
    with pytest.raises(BadParam, match="java"):  # a list that is said takes the place of the default
        check_hosts(hosts(**given | {"java": "java"}))


def test_folders_of_plugins_are_those_that_the_deployment_names_links_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "plugins" / "a").mkdir(parents=True)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "plugins" / "link").symlink_to(tmp_path / "secrets")
    with pytest.raises(BadParam, match="PLUGIN_FOLDERS"):
        check_plugin_folder(str(tmp_path / "plugins"))
    say(monkeypatch, plugin_folders=str(tmp_path / "plugins"))
    check_plugin_folder(str(tmp_path / "plugins" / "a"))
    for other in ("secrets", "plugins/../secrets", "plugins/link", "plugins2", "", "plugins/link/../../secrets"):
        with pytest.raises(BadParam) as refused:
            check_plugin_folder(str(tmp_path / other))
        assert refused.value.param == "plugin_folder"
    with pytest.raises(BadParam):
        check_plugin_folder("plugins/a")


def test_plugins_by_maven_are_debeziums_unless_the_deployment_says_more(monkeypatch: pytest.MonkeyPatch) -> None:
    check_plugin("io.debezium:debezium-connector-mariadb:3.5.0.Final:tar.gz:plugin")
    with pytest.raises(BadParam, match=r"'org.evil:\*:\*'|org\.evil:x"):
        check_plugin("org.evil:x:1")
    say(monkeypatch, plugins="org.evil:*")
    check_plugin("org.evil:x:1")


LOCATIONS = [
    "file:///etc",
    "file:///",
    "file://{ok}/../x",
    "file://{ok}/link/x",
    "file://{ok}2",
    "gs://b/x",
    "",
    "/etc",
    "s3:/x",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_stores_are_those_that_the_deployment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, location: str
) -> None:
    allowed = tmp_path / "ok"
    allowed.mkdir()
    (allowed / "link").symlink_to(tmp_path)
    check_location("s3://any/x")
    say(monkeypatch, locations=f"s3://mine/a, file://{allowed}")
    for fine in ("s3://mine/a", "s3://mine/a/b/", f"file://{allowed}", f"file://{allowed}/new/er"):
        check_location(fine)
    for bad in (location.format(ok=allowed), "s3://mine/ab", "s3://mine", "s3://other/a"):
        with pytest.raises(BadParam) as refused:
            check_location(bad, "copy_to")
        assert refused.value.param == "copy_to"
        assert "AIRFLOW__KAFKA_FERRY__LOCATIONS" in refused.value.fix


def test_every_job_with_a_store_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = SimpleNamespace(logical_date=None, run_after=pendulum.now("UTC"), run_type="manual", run_id="r", dag_id="d")
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", '{"conn_type": "kafka", "extra": {"bootstrap.servers": "x:1"}}')
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_TARGET", '{"conn_type": "kafka", "extra": {"bootstrap.servers": "x:1"}}')
    place = f"file://{tmp_path}"
    with pytest.raises(BadParam, match="LOCATIONS"):
        BackupJob(BackupSpec(location=place), run).store  # noqa: B018
    say(monkeypatch, locations=f"file://{tmp_path}/a")
    job = BackupJob(BackupSpec(location=f"{place}/a", copy_to=place), run)
    with pytest.raises(BadParam) as refused:
        job.look_at_copy()
    assert refused.value.param == "copy_to"
    for of, spec in (
        (export_run_of, ExportSpec(topics=["a"], location=place)),
        (ImportJob, ImportSpec(location=place)),
    ):
        with pytest.raises(BadParam, match="LOCATIONS"):
            of({"params": spec.model_dump(), "dag_run": run})


def test_a_stream_asks() -> None:
    for key, value in {"driver.queryInterceptors": "x", "schema.history.internal.file.filename": "x",
                       "notification.sink.topic.name": "${file:/etc/x:y}"}.items():  # fmt: skip
        with pytest.raises(BadParam) as refused:
            CdcStream("d", StreamSpec.from_params({"databases": ["a"], "connector_config": {key: value}}))
        assert refused.value.param == "connector_config"
    CdcStream("d", StreamSpec.from_params({"databases": ["a"], "connector_config": {"max.batch.size": 100}}))


def test_a_deployment_can_demand_signed_backups(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (signing_connection(None), signing_connection("mine")) == (None, "mine")
    say(monkeypatch, signing_conn_id="ours, older")
    assert (signing_connection(None), signing_connection("older")) == ("ours", "older")
    with pytest.raises(BadParam, match="param 'signing_conn_id': 'mine' is not a key that may sign"):
        signing_connection("mine")
    monkeypatch.setenv("AIRFLOW_CONN_OURS", '{"conn_type": "generic", "password": "' + "k" * 32 + '"}')
    signer = signer_of(None)
    assert signer is not None
    assert signer.problem("k", {}, None) == "is not signed"
