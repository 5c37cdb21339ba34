"""A migration that carries the schemas of a real registry (Apicurio 2.6) before it copies, and proves both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from own_registries import own_registries, register, use_registries
from run_by_hand import Run
from stack import Stack
from stack.registries import Registry

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Registry]]:
    with own_registries(tmp_path_factory.mktemp("registries")) as made:
        yield made


@pytest.mark.usefixtures("connections")
def test_schemas_are_there_before_the_records(
    registries: dict[str, Registry],
    stack: Stack,
    topic_prefix: str,
    make_topics: Callable[..., list[str]],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    use_registries(registries, monkeypatch)
    source, target = registries["registry_source"], registries["registry_target"]
    numbers = [register(source, "orders-value", '"string"'), register(source, "lines-value", '"long"')]
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders")
    records = [{"value": b"\0" + number.to_bytes(4, "big") + b"x"} for number in numbers]
    produce(stack.source_bootstrap, topic, records)
    run = Run(
        "carry", topics=[topic], groups=[], migration=f"{topic_prefix}m", canary=False, schema_ids="map",
        source_registry_conn_id="registry_source", target_registry_conn_id="registry_target",
    )  # fmt: skip

    plan = run.plan()
    planned = {change["name"] for change in plan["changes"] if change["kind"] == "schemas"}
    assert planned == {"lines-value", "orders-value"}
    assert requests.get(f"{target.url}/subjects", timeout=30).json() == []
    run.provision()
    assert sorted(requests.get(f"{target.url}/subjects", timeout=30).json()) == ["lines-value", "orders-value"]
    _, report = run.whole()

    checks = {check["name"]: check for check in report["checks"]}
    assert report["verdict"] == "PASS", json.dumps(report, indent=1)
    assert checks["registry"]["status"] in ("pass", "explained")
    # An empty registry that counts gave the same ids: the records mean the same there.
    assert checks["schemas"]["status"] == "pass", checks["schemas"]
    assert "2 ids in 2 keys and values of 1 topic" in str(checks["schemas"]["expected"])
