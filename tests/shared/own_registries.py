"""Two real schema registries (Apicurio) of a test module's own, without the clusters of a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from stack import jars, registries
from stack.java import find_java
from stack.ports import PortLease
from stack.registries import Registry, Version
from stack.stack import PROJECT
from stack.state import State


@contextmanager
def own_registries(folder: Path, target: Version = registries.NEW) -> Iterator[dict[str, Registry]]:
    """Connection id to its registry; both run, and end with the block. Versions are those of a stack.

    :param folder: a new one, in which their data goes.
    """
    java, cache, state = find_java(), jars.cache_folder(PROJECT), State(folder / "state.json")
    made = {
        registries.CONNECTIONS[name]: Registry(
            name, folder, state, registries.java_of(version, java, print),
            registries.resolve(cache, java, print, version), version,
        )
        for name, version in {**registries.VERSIONS, "registry-target": target}.items()
    }  # fmt: skip
    try:
        with PortLease() as lease:
            for registry in made.values():
                state.keep_port(registry.name, lease, in_use=False)
                registry.start()
            for registry in made.values():
                if why := registry.wait():
                    raise registry.failure(why)
        yield made
    finally:
        for registry in made.values():
            registry.stop(grace=1)


def use_registries(made: dict[str, Registry], monkeypatch: pytest.MonkeyPatch) -> None:
    """They are Airflow's connections ``registry_source`` and ``registry_target``."""
    for conn_id, registry in made.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({"conn_type": "http", "host": registry.url}))


def register(registry: Registry, subject: str, schema: Any, kind: str = "AVRO", *references: dict[str, Any]) -> int:
    """Without our client; its id."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    body = {"schema": text, "schemaType": kind, "references": list(references)}
    answer = requests.post(f"{registry.url}/subjects/{subject}/versions", json=body, timeout=30)
    answer.raise_for_status()
    return int(answer.json()["id"])


def ask(registry: Registry, path: str) -> Any:
    """Without our client."""
    answer = requests.get(f"{registry.url}{path}", timeout=30)
    answer.raise_for_status()
    return answer.json()
