"""include/deploy/: not run here, so each file is read as its reader would, and held against what the package knows."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from airflow.sdk import Connection

from kafka_ferry.jobs.common.deployment import DEFAULTS
from kafka_ferry.jobs.runtimes.service_role.rules import roles
from kafka_ferry.provider_info import get_provider_info

PROJECT = Path(__file__).resolve().parents[1]
DEPLOY = PROJECT / "include" / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
WHEEL = f"kafka_ferry-{PYPROJECT['version']}-py3-none-any.whl"
PAGE = (PROJECT / "docs" / "install.md").read_text()


def read(name: str) -> str:
    return (DEPLOY / name).read_text()


def test_all_kinds_are_found() -> None:
    assert {path.parent.name for path in FILES} == {"mwaa", "astro", "kubernetes", "composer"}
    assert len(FILES) >= 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_the_page_leads_to_it_and_it_to_the_page(path: Path) -> None:
    assert f"](../{path.relative_to(PROJECT).as_posix()})" in PAGE
    assert path.suffix == ".json" or "docs/install.md" in path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_the_wheel_it_names_is_the_one_that_is_built(path: Path) -> None:
    assert set(re.findall(r"kafka_ferry-[\w.]+-py3-none-any\.whl", path.read_text())) <= {WHEEL}
    extras = {extra for group in re.findall(r"\.whl\[([\w,]+)\]", path.read_text()) for extra in group.split(",")}
    assert extras <= PYPROJECT["optional-dependencies"].keys()


def test_images_and_requirements_have_the_wheel() -> None:
    assert all(WHEEL in read(name) for name in ("mwaa/requirements.txt", "astro/Dockerfile", "kubernetes/Dockerfile"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_variables_and_options_are_those_that_something_reads(path: Path) -> None:
    text = path.read_text()
    code = "\n".join(file.read_text() for file in (PROJECT / "plugins").rglob("*.py"))
    assert {name for name in re.findall(r"\bFERRY_[A-Z_]+\b", text) if name not in code} == set()
    assert {option.lower() for option in re.findall(r"AIRFLOW__KAFKA_FERRY__([A-Z_]+)", text)} <= DEFAULTS.keys()


# -- Amazon MWAA


def test_mwaa_is_not_told_to_leave_out_its_constraints() -> None:
    """It looks for the option in every line, also in a comment, and then takes none of its own (its image's source)."""
    assert re.search(r"-c |--constraint ", read("mwaa/requirements.txt")) is None


def test_the_startup_script_sets_what_it_says() -> None:
    done = subprocess.run(
        ["bash", "-c", f". '{DEPLOY}/mwaa/startup.sh' && printenv FERRY_ARTIFACTS"],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("s3://")


def statements() -> list[dict[str, Any]]:
    policy = json.loads(read("mwaa/execution-role-policy.json"))
    assert policy.keys() == {"Version", "Statement"}
    assert policy["Version"] == "2012-10-17"
    return list(policy["Statement"])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_policy_is_one_that_iam_takes() -> None:
    allowed = {"Sid", "Effect", "Action", "Resource", "Condition"}
    for statement in statements():
        assert {"Effect", "Action", "Resource"} <= statement.keys() <= allowed
        assert statement["Effect"] == "Allow"
        assert re.fullmatch(r"\w+", statement["Sid"])
        for resource in listed(statement["Resource"]):
            assert resource == "*" or re.fullmatch(r"arn:aws:[a-z0-9]+:[a-z0-9-]*:\d*:.+", resource)
    assert len({statement["Sid"] for statement in statements()}) == len(statements())
    assert len(json.dumps(json.loads(read("mwaa/execution-role-policy.json")), separators=(",", ":"))) < 6144


#: Actions that are no operation of an API, as IAM has them.
NO_OPERATIONS = {"s3:ListBucket", "iam:PassRole", "kafkaconnect:*"}


def test_the_policy_allows_actions_that_there_are() -> None:
    """AWS's by botocore's models; those of Kafka itself, which have none, by what we know of a service role."""
    session = botocore.session.get_session()
    actions = {action for statement in statements() for action in listed(statement["Action"])} - NO_OPERATIONS
    code = Path(roles.__file__).read_text()
    others = {"kafka-cluster:DeleteTopic"}  # MirrorMaker 2's own topics, when a migration has ended
    for action in sorted(actions):
        service, name = action.split(":")
        if service == "kafka-cluster":
            assert action in code or action in others
        else:
            assert name in session.get_service_model(service).operation_names, action


# -- Kubernetes

#: What values.yaml may set, by the schema of this version of the chart; {}: what is below is not the chart's.
CHART = "1.22.0"
RESOURCES: dict[str, Any] = {"requests": {"cpu": {}, "memory": {}}, "limits": {"cpu": {}, "memory": {}}}
VALUES: dict[str, Any] = {
    "airflowVersion": {}, "images": {"airflow": {"repository": {}, "tag": {}, "digest": {}, "pullPolicy": {}}},
    "env": {}, "volumes": {}, "volumeMounts": {}, "extraEnvFrom": {}, "extraEnv": {}, "secret": {},
    "securityContexts": {"pod": {"runAsUser": {}, "fsGroup": {}, "runAsGroup": {}}, "containers": {}},
    "config": {"celery": {"worker_concurrency": {}}, "kafka_ferry": {option: {} for option in DEFAULTS}},
    "workers": {
        "celery": {"replicas": {}, "terminationGracePeriodSeconds": {}, "resources": RESOURCES},
        "kubernetes": {"resources": RESOURCES},
    },
    "triggerer": {"enabled": {}, "replicas": {}, "resources": RESOURCES},
    "apiServer": {"replicas": {}, "resources": RESOURCES},
}  # fmt: skip


def strays(values: dict[str, Any], known: dict[str, Any], where: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        if key not in known:
            found.append(f"{where}{key}")
        elif isinstance(value, dict):
            found += strays(value, known[key], f"{where}{key}.")
    return found


def chart_values() -> dict[str, Any]:
    return dict(yaml.safe_load(read("kubernetes/values.yaml")))


def before() -> dict[str, dict[str, Any]]:
    """What is applied before the chart, by kind."""
    return {one["kind"]: one for one in yaml.safe_load_all(read("kubernetes/before.yaml")) if one}


def test_values_are_the_charts() -> None:
    assert strays(chart_values(), VALUES) == []
    assert strays({"workers": {"celery": {"memory": "1Gi"}}}, VALUES) == ["workers.celery.memory"]
    assert f"airflow, {CHART}" in read("kubernetes/values.yaml")
    assert f"--version {CHART}" in read("kubernetes/values.yaml")


def test_values_fit_the_image_and_what_is_there_before() -> None:
    values, there = chart_values(), before()
    image = re.search(r"^FROM apache/airflow:([\d.]+)-python([\d.]+)$", read("kubernetes/Dockerfile"), re.MULTILINE)
    assert image
    pinned = re.search(r"^apache-airflow==([\d.]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    assert values["airflowVersion"] == image[1] == pinned[1]
    assert values["images"]["airflow"]["tag"] == f"{image[1]}-{PYPROJECT['version']}"
    (volume,) = values["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == there["PersistentVolumeClaim"]["metadata"]["name"]
    assert there["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    (mount,) = values["volumeMounts"]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], values["env"][0]["value"])
    (secret,) = yaml.safe_load(values["extraEnvFrom"])
    assert secret["secretRef"]["name"] == there["Secret"]["metadata"]["name"]


def test_connections_of_the_secret_are_such_as_airflow_reads() -> None:
    known = {"kafka", *(one["connection-type"] for one in get_provider_info()["connection-types"])}
    data = before()["Secret"]["stringData"]
    assert {"AIRFLOW_CONN_KAFKA_SOURCE", "AIRFLOW_CONN_KAFKA_TARGET", "AIRFLOW_CONN_KAFKA_CONNECT"} == data.keys()
    for name, text in data.items():
        connection = Connection.from_json(text, conn_id=name.removeprefix("AIRFLOW_CONN_").lower())
        assert connection.conn_type in known
        assert connection.conn_type != "kafka" or connection.extra_dejson["bootstrap.servers"]


# -- Dockerfiles, Composer


@pytest.mark.parametrize("name", ["astro/Dockerfile", "kubernetes/Dockerfile"])
def test_an_image_is_built_from_a_wheel_and_pypi_alone_and_airflow_stays(name: str) -> None:
    text = re.sub(r"^#.*$", "", read(name), flags=re.MULTILINE).replace("\\\n", " ")
    runs = re.findall(r"^RUN (.*)$", text, re.MULTILINE)
    assert len(runs) >= 1
    for run in runs:
        done = subprocess.run(["bash", "-n"], input=run, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not re.search(r"https?://|curl|wget|apt", run)
    assert "--constraint" in runs[0]
    assert re.search(rf"^COPY \S+/{re.escape(WHEEL)} /tmp/$", text, re.MULTILINE)
    assert f"/tmp/{WHEEL}[" in runs[0]


def test_what_composer_installs_is_what_the_wheel_asks_for() -> None:
    lines = [line for line in read("composer/requirements.txt").splitlines() if line and not line.startswith("#")]
    wanted = [one for one in PYPROJECT["dependencies"] if not re.match(r"apache-airflow[<>=]", one)]
    assert lines == [*wanted, *PYPROJECT["optional-dependencies"]["fast"]]
    assert f"kafka-ferry[fast]=={PYPROJECT['version']}" in read("composer/requirements.txt")
