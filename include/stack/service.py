"""What the four kinds of processes have in common."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stack import process
from stack.errors import StackError
from stack.health import wait_until_healthy
from stack.process import Running
from stack.state import State, write_private

LOG_CONFIG = Path(__file__).with_name("log4j2.properties")
LOG_CONFIG_BEFORE_4 = Path(__file__).with_name("log4j.properties")
# Measured: small heaps and the first compiler only start fastest; three JVMs take about 560 MB.
JVM_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def java_command(
    java: str,
    jars: Path,
    main: str,
    *arguments: str,
    plugins: Path | None = None,
    before_4: bool = False,
    options: Sequence[str] = (),
) -> list[str]:
    """The command of a JVM with all of Kafka on its classpath, and the JARs of the folder ``plugins`` behind it.

    :param before_4: a Kafka that logs by log4j 1.2. ``options``: of the JVM, beside the usual ones.
    """
    folders = [jars] if plugins is None else [jars, plugins]
    classpath = os.pathsep.join(f"{folder}/*" for folder in folders)
    log = f"-Dlog4j2.configurationFile=file:{LOG_CONFIG}"
    if before_4:
        log = f"-Dlog4j.configuration=file:{LOG_CONFIG_BEFORE_4}"
    return [java, *JVM_OPTIONS, *options, log, "-cp", classpath, main, *arguments]


class Service(ABC):
    """One process of the stack: how it is started, asked for its health, stopped and hurt."""

    needs: tuple[str, ...] = ()  # services that must be ready before it may start
    start_timeout = 90.0  # seconds; measured 3–8 on a quiet machine with 2 cores
    stop_grace = 10.0  # seconds between TERM and KILL

    def __init__(self, name: str, folder: Path, state: State) -> None:
        self.name, self.folder, self.state = name, folder, state

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / "logs" / f"{self.name}.log"

    @abstractmethod
    def command(self) -> list[str]:
        """The command line."""

    def environment(self) -> Mapping[str, str]:
        """What is set for this process beside the environment of the launcher."""
        return {}

    def files(self) -> Mapping[Path, str]:
        """Config files: path → content."""
        return {}

    def prepare(self) -> None:  # noqa: B027 - most services need nothing
        """What must be done once before the start, such as formatting storage."""

    def finish(self) -> None:  # noqa: B027 - most services need nothing
        """What must be done once it is healthy, before others may use it; may be repeated."""

    @abstractmethod
    def problem(self) -> str | None:
        """Ask the server once: None when healthy, else what is wrong.

        :raises OSError: no answer.
        """

    def fingerprint(self) -> str:
        """Digest of all settings; a live process with another one is not adopted but restarted."""
        files = {str(path): text for path, text in self.files().items()}
        settings = json.dumps([self.command(), dict(self.environment()), files], sort_keys=True)
        return hashlib.sha256(settings.encode()).hexdigest()

    @property
    def running(self) -> Running | None:
        """The live process, if there is one."""
        return self.state.running(self.name)

    @property
    def pid(self) -> int | None:
        """The live process's id."""
        return running.pid if (running := self.running) else None

    def start(self) -> None:
        """Start the process; does not wait for its health."""
        for path, text in self.files().items():
            write_private(path, text)  # those of a secured stack hold passwords
        self.prepare()
        running = process.start(
            self.command(),
            mark=self.state.mark(self.name),
            fingerprint=self.fingerprint(),
            log=self.log,
            environment=self.environment(),
            folder=self.folder,
        )
        self.state.record(self.name, running)

    def note_ready(self) -> None:
        """Remember that this process was healthy: from now on it has to answer soon."""
        if (running := self.running) and not running.ready:
            self.state.record(self.name, replace(running, ready=True))

    def wait(
        self,
        timeout: float | None = None,
        cancelled: threading.Event | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> str | None:
        """Wait for health; None, or why it did not come. ``tell`` is told now and then what is waited for."""
        return wait_until_healthy(
            self.problem,
            lambda: self.running is not None,
            self.start_timeout if timeout is None else timeout,
            cancelled or threading.Event(),
            tell,
        )

    def failure(self, why: str) -> StackError:
        """An error that shows the end of the log."""
        return StackError(f"{self.name}: {why}. End of {self.log}:\n{process.tail(self.log)}")

    def stop(self, grace: float | None = None) -> None:
        """TERM, then KILL after ``grace`` seconds. Nothing to do when it does not run."""
        process.stop([self.state.mark(self.name)], self.stop_grace if grace is None else grace)
        self.state.forget(self.name)

    def kill9(self) -> None:
        """A fault: SIGKILL without warning."""
        if running := self.running:
            process.kill9(running)

    def pause(self) -> None:
        """A fault: SIGSTOP; the process hangs with its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End of :meth:`pause`."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Stop if it runs, start on the same port and data, wait for health.

        :raises StackError: it did not get healthy; with the end of its log.
        """
        self.stop()
        self.start()
        if why := self.wait():
            raise self.failure(why)
        self.note_ready()

    def _signal(self, number: signal.Signals) -> None:
        running = self.running
        live = running.process() if running else None
        if live is None:
            raise StackError(f"{self.name} does not run")
        live.send_signal(number)
