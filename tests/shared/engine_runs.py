"""Runs of any engine on any stack, without a scheduler."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from own_stacks import use
from run_by_hand import Run
from stack import Stack, jars
from stack.java import find_java
from stack.ports import PortLease
from stack.process import MARK
from stack.stack import PROJECT

DEDICATED, STANDALONE = "mirror_maker2_dedicated", "mirror_maker2_standalone"
ON_CONNECT, MIRROR_MAKER_1 = "mirror_maker2_on_connect", "mirror_maker1"
ON_HOSTS = (DEDICATED, STANDALONE, MIRROR_MAKER_1)


def newest_mm1() -> str:
    """The jars of the last Kafka with a MirrorMaker 1."""
    return str(jars.resolve_mm1(jars.cache_folder(PROJECT), find_java(), print))


def jars_of(version: str) -> str:
    """The jars of a Kafka of before 4.0, which has a MirrorMaker 1 too."""
    return str(jars.resolve_brokers(jars.cache_folder(PROJECT), find_java(), print, version))


class EngineRuns:
    """Makes runs on one stack; processes of hosts are on this machine, in a folder of their own.

    Use it as a context manager: ports are its own until it ends.
    """

    def __init__(self, stack: Stack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stack, self._folder, self._held = stack, folder, ExitStack()
        use(stack, monkeypatch, folder)
        # So the stack's watchdog ends what is started here, should the session be killed.
        monkeypatch.setenv(MARK, stack.service("source").state.mark("hosts"))

    def __enter__(self) -> EngineRuns:
        self._ports = self._held.enter_context(PortLease())
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def make(self, engine: str, kafka_libs: str = "", **params: Any) -> Run:
        """:param kafka_libs: of an engine on hosts; else the stack's own, for MirrorMaker 1 those of Kafka 3.9."""
        given: dict[str, Any] = {"running_timeout": 120, "convergence_timeout": 300}
        if engine in ON_HOSTS:
            variables = self._stack.variables()
            own = newest_mm1() if engine == MIRROR_MAKER_1 else variables["FERRY_KAFKA_LIBS"]
            given |= {
                "host_folder": str(self._folder / "hosts"),
                "kafka_libs": kafka_libs or own,
                "java": variables["FERRY_JAVA"],
                "jvm_options": "-Xms64m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            }
        if engine in (DEDICATED, STANDALONE):
            given["rest_port"] = self._ports.take()
        return Run(engine, engine, **given | params)


def statuses(report: dict[str, Any]) -> dict[str, str]:
    """Name of each check to how it ended."""
    return {check["name"]: check["status"] for check in report["checks"]}
