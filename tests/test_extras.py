"""Extras: without what one brings all that needs none works, and the rest says what to install."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kafka_ferry.extras import EXTRAS, MissingExtra, brought_by

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"
PACKAGE = PLUGINS / "kafka_ferry"
#: Where what an extra is for stands; nothing else may need it.
NEEDS = {
    "aws": (
        "hooks.hosts.ssm", "hooks.kafka.msk_token", "hooks.msk.", "hooks.msk_connect.", "hooks.registry.glue",
        "jobs.cdc.live.msk", "jobs.connections.live.aws", "jobs.runtimes.msk",
        "jobs.runtimes.service_role.", "jobs.s3.connect.msk", "jobs.migration.engines.mirror_maker2_on_msk_connect",
        "jobs.migration.engines.msk_replicator", "jobs.migration.live.glue_meanings",
        "operators.msk", "sensors.msk", "triggers.msk",
    ),
    "cdc": ("jobs.cdc.", "hooks.database.", "jobs.connections.live.database"),
    "fast": (
        "hooks.kafka.reading.batch_co", "hooks.kafka.writing.", "jobs.backup.rules.packed_segment",
        "records.packed_rows", "records.raw_records", "records.raw_schema_ids", "records.varint", "records.xxh64",
    ),
    "hosts": ("hooks.hosts.ssh",),
}  # fmt: skip
#: Imports every module where some cannot be found, and tells which failed with what.
WITHOUT = """
import importlib, json, sys

def absent(name):
    return any(f"{name}.".startswith(f"{module}.") for module in sys.argv[1].split())

class Absent:
    def find_spec(self, name, path=None, target=None):
        if absent(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.path.insert(0, sys.argv[2])
import kafka_ferry.compat  # and with it Airflow, which would miss the providers that are installed here
for name in filter(absent, list(sys.modules)):
    del sys.modules[name]
sys.meta_path.insert(0, Absent())
failed = {}
for module in sys.argv[3:]:
    try:
        importlib.import_module(module)
    except Exception as error:
        failed[module] = [type(error).__name__, str(error)]
print(json.dumps(failed))
"""


@pytest.mark.parametrize("extra", EXTRAS)
def test_only_what_an_extra_is_for_needs_it(extra: str) -> None:
    modules = [
        ".".join(path.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(PACKAGE.rglob("*.py"))
    ]
    command = [sys.executable, "-c", WITHOUT, " ".join(EXTRAS[extra]), str(PLUGINS), *modules]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    failed = json.loads(run.stdout.splitlines()[-1])
    assert failed, "an extra that nothing needs"
    for module, (kind, words) in failed.items():
        assert module.removeprefix("kafka_ferry.").startswith(NEEDS[extra]), (module, words)
        if extra == "fast":  # asked for by one place, which does without
            assert kind == "ModuleNotFoundError"
        else:
            assert kind == "MissingExtra", (module, words)
            assert f"Fix: pip install 'kafka-ferry[{extra}]'" in words


def test_what_is_missing_is_named_with_the_command() -> None:
    with pytest.raises(MissingExtra, match=r"pymysql is not installed. Fix: pip install 'kafka-ferry\[cdc\]'"), \
            brought_by("cdc"):  # fmt: skip
        raise ModuleNotFoundError("No module named 'pymysql'", name="pymysql")


def test_another_missing_module_is_not_taken_for_it() -> None:
    with pytest.raises(ModuleNotFoundError, match="pymysql_of_mine"), brought_by("cdc"):
        raise ModuleNotFoundError("No module named 'pymysql_of_mine'", name="pymysql_of_mine")


def test_extras_are_those_of_the_wheel() -> None:
    import tomllib

    project = tomllib.loads((PLUGINS.parent / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == {*EXTRAS, "all"}
