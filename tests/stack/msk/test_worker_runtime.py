"""Workers as processes, here of a program that is no Java: how they are started, seen dead, and ended."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from msk_lab import archive, jar
from stack.msk.archives_on_disk import unpack
from stack.msk.runtime import Launch, Phase
from stack.msk.worker_runtime import WorkerRuntime

ARN = "arn:aws:kafkaconnect:eu-west-1:123456789012:connector/orders/1a2b-2"
LAUNCH = Launch(
    "orders",
    {"connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector"},
    archive("x.Y"),
    "ZIP",
    {"key.converter": "x.Converter", "offset.storage.topic": "ours"},
    "127.0.0.1:1",
)

Make = Callable[[str], WorkerRuntime]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """``make(script)``: a runtime whose Java is this shell script."""
    made: list[WorkerRuntime] = []

    def runtime(script: str) -> WorkerRuntime:
        java = tmp_path / "java"
        java.write_text(f"#!/bin/sh\n{script}\n")
        java.chmod(0o755)
        made.append(WorkerRuntime(tmp_path / "workers", str(java), tmp_path, f"test-{tmp_path.name}"))
        return made[-1]

    yield runtime
    for one in made:
        one.close()


def within(seconds: float, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def settings(runtime: WorkerRuntime) -> dict[str, str]:
    text = (Path(runtime.workers()["orders"]["log"]).parent / "worker.properties").read_text()
    return dict(line.split("=", 1) for line in text.splitlines())


def test_its_settings_are_msk_connects_and_the_worker_configurations(make: Make) -> None:
    runtime = make("exec sleep 600")
    runtime.start(ARN, LAUNCH)
    found = settings(runtime)
    assert found["config.storage.topic"] == "__amazon_msk_connect_configs_orders_1a2b-2"
    assert found["offset.storage.topic"] == "ours"
    assert found["key.converter"] == "x.Converter"
    assert found["value.converter"].endswith("StringConverter")
    assert found["plugin.discovery"] == "service_load"
    assert [path.name for path in Path(found["plugin.path"]).rglob("*.jar")] == ["orders.jar"]
    assert runtime.health(ARN).phase is Phase.STARTING


def test_others_connectors_are_looked_for_as_msk_connect_does(make: Make) -> None:
    runtime = make("exec sleep 600")
    runtime.start(ARN, Launch("orders", {"connector.class": "x.Y"}, archive("x.Y"), "ZIP", {}, "127.0.0.1:1"))
    assert settings(runtime)["plugin.discovery"] == "hybrid_warn"
    assert settings(runtime)["offset.storage.topic"] == "__amazon_msk_connect_offsets_orders_1a2b-2"


def test_a_worker_that_ended_is_failed_with_the_end_of_its_log(make: Make) -> None:
    runtime = make("echo '[2026-11-21 10:00:00,123] ERROR no such cluster'; exit 3")
    runtime.start(ARN, LAUNCH)
    within(30, lambda: runtime.health(ARN).phase is Phase.FAILED)
    health = runtime.health(ARN)
    assert health.code == "WorkerEnded"
    assert "no such cluster" in health.message
    (line,) = runtime.log(ARN)
    assert (line.milliseconds % 1000, "no such cluster" in line.message) == (123, True)
    runtime.stop(ARN)
    assert runtime.gone(ARN)


def test_a_deletion_lasts_until_the_worker_has_ended(make: Make, tmp_path: Path) -> None:
    ended = tmp_path / "go"
    runtime = make(f"trap 'while [ ! -e {ended} ]; do sleep 0.05; done; exit 0' TERM; touch {tmp_path}/up\n"
                   "while :; do sleep 0.05; done")  # fmt: skip
    runtime.start(ARN, LAUNCH)
    within(30, (tmp_path / "up").exists)
    pid = runtime.workers()["orders"]["pid"]
    runtime.stop(ARN)
    assert not runtime.gone(ARN)
    ended.touch()
    within(30, lambda: runtime.gone(ARN))
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert runtime.workers() == {}


def test_one_that_does_not_end_is_killed(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("stack.msk.worker_runtime._GRACE", 0.2)
    runtime = make(f"trap '' TERM; touch {tmp_path}/up\nwhile :; do sleep 0.05; done")
    runtime.start(ARN, LAUNCH)
    within(30, (tmp_path / "up").exists)
    runtime.stop(ARN)
    within(30, lambda: runtime.gone(ARN))


def test_a_plugin_never_lands_outside_of_its_folder(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("../../evil.jar", jar("x.Y"))
        opened.writestr("folder/good.jar", jar("x.Y"))
    unpack(content.getvalue(), "ZIP", tmp_path / "a" / "b" / "plugin")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jar"))
    assert found == ["a/b/plugin/evil.jar", "a/b/plugin/folder/good.jar"]
    unpack(jar("x.Y"), "JAR", tmp_path / "jar")
    assert (tmp_path / "jar" / "plugin.jar").is_file()
