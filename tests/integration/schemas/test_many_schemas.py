"""``migrate_schemas`` of 500 subjects with five versions each, between two real registries (Apicurio 2.6).

It prints (``-s``) how long each part takes. That is no assertion: other machines take other times.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from own_registries import own_registries, use_registries
from schemas_by_hand import SchemasRun
from stack.registries import Registry

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(900)]

SUBJECTS, VERSIONS = 500, 5


def fill(registry: Registry) -> None:
    """Each version adds a field; every fifth subject refers to the one before it."""
    session = requests.Session()

    def register(subject: str, body: dict[str, Any]) -> None:
        answer = session.post(f"{registry.url}/subjects/{subject}/versions", json=body, timeout=60)
        answer.raise_for_status()

    def subject_of(number: int) -> None:
        fields: list[dict[str, Any]] = [{"name": "id", "type": "long"}]
        for version in range(VERSIONS):
            fields.append({"name": f"field_{version}", "type": ["null", "string"], "default": None})
            text = {"type": "record", "name": f"Event{number}", "namespace": "shop", "fields": fields}
            register(f"event-{number:03}-value", {"schema": json.dumps(text)})

    def referring(number: int) -> None:
        reference = {"name": f"shop.Event{number}", "subject": f"event-{number:03}-value", "version": VERSIONS}
        text = {"type": "record", "name": f"Of{number}", "namespace": "shop",
                "fields": [{"name": "event", "type": f"shop.Event{number}"}]}  # fmt: skip
        register(f"of-{number:03}-value", {"schema": json.dumps(text), "references": [reference]})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(subject_of, range(SUBJECTS)))
        list(pool.map(referring, range(0, SUBJECTS, 5)))


def timed(name: str, work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.monotonic()
    result = work()
    seconds = time.monotonic() - begin
    print(f"{name}: {seconds:.1f} s")
    return seconds, result


def test_many_schemas_are_carried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    with own_registries(tmp_path) as registries:
        use_registries(registries, monkeypatch)
        fill(registries["registry_source"])
        whole = SUBJECTS * VERSIONS + SUBJECTS // 5
        run = SchemasRun("many", **{
            "source_registry_conn_id": "registry_source", "target_registry_conn_id": "registry_target",
            "subjects": [".*"], "ids": "map", "deleted": False, "dry_run": False,
        })  # fmt: skip
        timed("plan", run.plan)
        _, done = timed("apply", run.apply)
        timed("validate", run.validate)
        report = run.report()
        _, again = timed("plan, nothing to do", run.plan)

    assert done == {"registered": whole, "deleted": 0, "settings": 0}
    assert report["verdict"] == "PASS", report
    assert again["to_register"] == 0
    assert len(run.artifacts.read_json("schemas/ids.json") or []) == whole
