"""What engines that run as processes on hosts have in common: find, start, watch over and end them."""

from __future__ import annotations

import logging
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from shlex import quote
from typing import Any, ClassVar

from airflow.sdk.log import mask_secret

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.client_settings import REFERABLE_KEYS, java_client_settings
from kafka_ferry.core.oidc import ALLOWED_URLS, token_urls
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.redaction import secret_values
from kafka_ferry.core.topic_rename import RENAME_POLICY
from kafka_ferry.exceptions import BadConnection, BadParam, FerryError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.hosts.host import Host
from kafka_ferry.hooks.hosts.java_command import Found
from kafka_ferry.hooks.hosts.open import host_of
from kafka_ferry.hooks.hosts.process import HostProcess, absolute, java_processes
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.common.by_hand import end_process
from kafka_ferry.jobs.common.deployment import check_hosts
from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.host_spec import HostSpec
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.progress import ReplicationFailed
from kafka_ferry.jobs.migration.rules.watch import RESTARTS, Progress

log = logging.getLogger(__name__)

_MARKER = "-Dkafka.ferry="

#: Without a configuration Kafka's logging is silent below ERROR (measured). Kafka 4 reads log4j2, Kafka 3 log4j 1.
_LOGGING = {
    "log4j2.properties": (
        b"status=error\nappender.out.type=Console\nappender.out.name=out\nappender.out.layout.type=PatternLayout\n"
        b"appender.out.layout.pattern=[%d] %p %m (%c)%n\nrootLogger.level=INFO\nrootLogger.appenderRef.out.ref=out\n"
    ),
    "log4j.properties": (
        b"log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n"
        b"log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
        b"log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n\n"
    ),
}


class HostEngine(Engine):
    """One Java process on each host of the spec, all of the same configuration."""

    #: The jar whose name tells the version of Kafka in ``kafka_libs``, and the oldest and first too new that will do.
    jar: ClassVar[str] = "connect-mirror"
    oldest: ClassVar[tuple[int, int]] = (3, 8)
    too_new: ClassVar[tuple[int, int] | None] = None

    def __init__(self, migration: Migration) -> None:
        super().__init__(migration)
        if not isinstance(migration.spec, HostSpec):
            raise TypeError(f"{type(migration.spec).__name__} is not the spec of an engine on hosts")
        self.spec: HostSpec = migration.spec
        check_hosts(self.spec)

    # -- what an engine says -------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def main_class(self) -> str: ...

    @abstractmethod
    def arguments(self, host: Host, folder: str) -> list[str]:
        """What follows the main class.

        :param folder: absolute path, on the host, of the process's own folder.
        """

    @abstractmethod
    def files(self, host: Host, folder: str) -> Mapping[str, bytes]:
        """Name in the folder to content. Secrets may stand here and nowhere else."""

    def prepare(self) -> None:
        """Called before the first process starts, when none of ours runs: say where to resume."""

    # -- hosts and processes -------------------------------------------------------------------------------------------

    @cached_property
    def hosts(self) -> list[Host]:
        return [host_of(conn_id) for conn_id in self.spec.hosts]

    def folder(self, host: Host) -> str:
        """The process's own folder on the host, absolute."""
        return f"{absolute(host, self.spec.host_folder.rstrip('/'))}/{self.migration.name}"

    @property
    def marker(self) -> str:
        """Stands in the command line and tells our process from every other."""
        return f"{_MARKER}{self.migration.name}"

    @cached_property
    def processes(self) -> list[HostProcess]:
        """As they shall run."""
        return [self._process(host, self._command(host), self._files(host)) for host in self.hosts]

    @cached_property
    def _places(self) -> list[HostProcess]:
        """The same processes, known without asking a cluster: enough to see and to end them."""
        return [self._process(host, ["true", self.marker], {}) for host in self.hosts]

    def _process(self, host: Host, command: list[str], files: Mapping[str, bytes]) -> HostProcess:
        return HostProcess(host, self.folder(host), command, files, marker=self.marker)

    def _command(self, host: Host) -> list[str]:
        folder = self.folder(host)
        return [
            self.spec.java,
            *self.spec.jvm_words,
            self.marker,
            f"-Dlog4j2.configurationFile=file:{folder}/log4j2.properties",
            f"-Dlog4j.configuration=file:{folder}/log4j.properties",
            *self._token_urls(),
            "-cp",
            f"{self.spec.kafka_libs}/*",
            self.main_class,
            *self.arguments(host, folder),
        ]

    def _token_urls(self) -> list[str]:
        """Kafka 4 asks nobody for tokens whom its JVM is not allowed to ask. The addresses are of the connections."""
        ids = (self.spec.source_conn_id, self.spec.target_conn_id)
        urls = token_urls(KafkaClusterHook(conn_id).extra for conn_id in ids)
        given = any(word.startswith(f"-D{ALLOWED_URLS}=") for word in self.spec.jvm_words)
        return [f"-D{ALLOWED_URLS}={','.join(urls)}"] if urls and not given else []

    def _files(self, host: Host) -> dict[str, bytes]:
        return {**_LOGGING, **self.files(host, self.folder(host))}

    # -- plan ----------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """:raises BadParam: a host has no Java, not these jars, or a MirrorMaker that we did not start.
        With new names: also when it lacks the policy that gives them.
        """
        return {"hosts": {host.name: self._check(host) for host in self.hosts}}

    def _check(self, host: Host) -> str:
        java = host.run(f"{quote(self.spec.java)} -version 2>&1")
        if java.code:
            raise BadParam("java", f"{self.spec.java!r} does not run on host {host.name}: {java.out.strip()[:200]}",
                           "the path of a Java 17 or newer")  # fmt: skip
        version = self._version(host)
        self._check_policy(host)
        others = [found for found in mirror_makers(host) if not self._is_ferry(host, found.pid)]
        if others and not self.spec.other_mirror_makers:
            raise BadParam(
                "hosts",
                f"on {host.name} runs processes that Kafka Ferry did not start and will not touch: "
                f"{'; '.join(map(str, others))}",
                "stop it, use another host, or set other_mirror_makers if it copies other topics",
            )
        return f"Kafka {version}, {java.out.splitlines()[0] if java.out else 'java'}"

    def _check_policy(self, host: Host) -> None:
        if self.spec.topic_rename is None:
            return
        # Not by the JAR's name: the launcher looks for the class as the process will. It finds no main method in it.
        libraries = quote(f"{self.spec.kafka_libs}/*")
        said = host.run(f"{quote(self.spec.java)} -cp {libraries} {RENAME_POLICY} 2>&1").out
        if "ClassNotFoundException" in said or "NoClassDefFoundError" in said:
            raise BadParam(
                "naming",
                f"is rename, but no jar in {self.spec.kafka_libs} on host {host.name} has the class {RENAME_POLICY}",
                "put kafka-ferry-connect-plugins.jar (make plugins) there, see docs/connect_plugins.md; or use prefix",
            )

    @staticmethod
    def _is_ferry(host: Host, pid: int) -> bool:
        return host.run(f"tr '\\0' '\\n' </proc/{pid}/cmdline | grep -q '^{_MARKER}'").code == 0

    def _version(self, host: Host) -> str:
        listing = host.run(f"ls {quote(self.spec.kafka_libs)}").out
        found = re.search(rf"^{re.escape(self.jar)}-(\d+)\.(\d+)([0-9A-Za-z.-]*)\.jar$", listing, re.MULTILINE)
        if not found:
            raise BadParam("kafka_libs", f"no {self.jar}-….jar in {self.spec.kafka_libs} on host {host.name}",
                           "the folder with Kafka's jars, such as /opt/kafka/libs")  # fmt: skip
        number = int(found[1]), int(found[2])
        if number < self.oldest or (self.too_new and number >= self.too_new):
            limit = f"{'.'.join(map(str, self.oldest))} or newer"
            if self.too_new:
                limit = f"from {'.'.join(map(str, self.oldest))} on, before {'.'.join(map(str, self.too_new))}"
            raise BadParam("kafka_libs", f"it is Kafka {found[1]}.{found[2]} on host {host.name}",
                           f"jars of Kafka {limit}; the brokers may be of another version")  # fmt: skip
        return f"{found[1]}.{found[2]}{found[3]}"

    def changes(self) -> list[Change]:
        result = []
        for process in self.processes:
            state = process.state()
            if not state.running:
                action, detail = Action.CREATE, self.main_class
            elif state.same:
                action, detail = Action.NONE, f"process {state.pid}"
            else:
                action, detail = Action.UPDATE, f"process {state.pid} runs with another configuration: it is restarted"
            result.append(Change(action, "process", self._name(process.host), detail))
        return result

    # -- run -----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring every process to what it shall be; those that are so already are left alone."""
        states = [process.state() for process in self.processes]
        if all(state.running and state.same for state in states):
            return
        if any(not state.same for state in states) or not any(state.running for state in states):
            # Started otherwise, or none there: all stand still while it is said where to resume.
            for process, state in zip(self.processes, states, strict=True):
                if state.running:
                    process.stop()
            self.prepare()
        for process in self.processes:
            process.ensure()

    def lives(self) -> Readiness:
        """Whether every process lives; with the end of its log when it does not."""
        for process in self._places:
            state = process.state()
            if not state.running:
                reason = f"{self._name(process.host)} does not run{f' ({state.exit})' if state.exit else ''}"
                tail = process.tail()
                return Readiness(Verdict.WAITING, f"{reason}; the end of its log:\n{tail}" if tail else reason)
        return Readiness(Verdict.RUNNING, f"{', '.join(self.names)} run")

    def restart_ended(self) -> str:
        """There is no service manager between us and the processes."""
        state = self.lives()
        if state.verdict is Verdict.RUNNING:
            return ""
        log.warning("%s\nRestarting it", state.reason)
        self.deploy()
        return state.reason

    def since(self) -> float:
        """When the first of the processes that live now was started, seconds since the epoch by its host's clock."""
        times = [state.since for process in self._places if (state := process.state()).since is not None]
        return min((time for time in times if time is not None), default=0.0)

    # -- traces and removal --------------------------------------------------------------------------------------------

    def _name(self, host: Host) -> str:
        return f"{self.migration.name} on host {host.name}"

    @property
    def names(self) -> list[str]:
        return [f"process {self._name(host)}" for host in self.hosts]

    def is_there(self) -> bool:
        return any(process.state().pid is not None for process in self._places)

    def stop(self) -> list[str]:
        ended = []
        for process in self._places:
            ran = process.state().running
            process.remove()
            ended += [f"process {self._name(process.host)}"] * ran
        return ended

    def left(self) -> list[str]:
        return [f"on host {process.host.name}: {what}" for process in self._places for what in process.remove()]

    def how_to_stop(self) -> str:
        return "\n".join(end_process(host.name, self.folder(host), self.marker) for host in self.hosts)

    # -- settings ------------------------------------------------------------------------------------------------------

    def settings(self, folder: str) -> Callable[[str], dict[str, str]]:
        """Airflow connection id to Java client settings whose secrets point into the process's ``secrets.properties``.

        They reach Kafka's topics as references, not as what they stand for.
        """

        def of(conn_id: str) -> dict[str, str]:
            references = {
                key: f"${{file:{folder}/secrets.properties:{conn_id}.{key}}}" for key in self._secrets(conn_id)
            }
            return self._java(conn_id, references)

        return of

    def literal_settings(self, conn_id: str) -> dict[str, str]:
        """Java client settings with their secrets, for a file that only the process's user can read."""
        return self._java(conn_id, {})

    def secrets(self) -> dict[str, str]:
        """Content of ``secrets.properties``."""
        ids = (self.spec.source_conn_id, self.spec.target_conn_id)
        return {f"{conn_id}.{key}": value for conn_id in ids for key, value in self._secrets(conn_id).items()}

    @staticmethod
    def _secrets(conn_id: str) -> dict[str, str]:
        extra = KafkaClusterHook(conn_id).extra
        secret = secret_values(extra)
        return {key: str(value) for key, value in extra.items() if key in REFERABLE_KEYS and str(value) in secret}

    @staticmethod
    def _java(conn_id: str, references: Mapping[str, str]) -> dict[str, str]:
        try:
            settings = java_client_settings(KafkaClusterHook(conn_id).extra, references)
        except BadConnection as refusal:
            raise BadConnection(f"connection {conn_id!r}: {refusal}") from None
        for secret in secret_values(settings):
            mask_secret(secret)
        return settings


class SupervisedProgress:
    """``Progress`` of an engine on hosts: a process that died is started again, at most five times.

    Nobody else does: there is no service manager between us and it. It resumes where it was, and may send again what it
    had not noted as sent.
    """

    def __init__(self, engine: HostEngine, progress: Progress) -> None:
        self._engine, self._progress, self._restarts = engine, progress, 0

    def next_offsets(self) -> Mapping[Partition, int]:
        return self._progress.next_offsets()

    def check(self) -> None:
        """Look at the processes, then at the engine.

        :raises ReplicationFailed: one died too often, or does not start; with the end of its log.
        """
        state = self._engine.lives()
        if state.verdict is not Verdict.RUNNING:
            if self._restarts >= RESTARTS:
                raise ReplicationFailed(f"restarted {RESTARTS} times, and it ended again: {state.reason}")
            self._restarts += 1
            log.warning("%s\nRestarting it (%d of %d)", state.reason, self._restarts, RESTARTS)
            try:
                self._engine.deploy()
            except FerryError as error:
                if not error.retriable:
                    raise
                log.warning("It could not be started: %s", error)
        self._progress.check()


#: Main classes of every MirrorMaker there has been.
_MIRROR_MAKERS = r"^(kafka\.tools\.MirrorMaker|org\.apache\.kafka\.connect\.mirror\.MirrorMaker)$"
_STANDALONE = r"^org\.apache\.kafka\.connect\.cli\.ConnectStandalone$"

# A standalone worker may run anything. Its connectors stand in files that its command line names.
_HAS_MIRROR_SOURCE = r"""
cd /proc/{pid}/cwd 2>/dev/null
tr '\0' '\n' </proc/{pid}/cmdline | while IFS= read -r file; do
    [ -f "$file" ] && grep -qs 'connector.class.*MirrorSource' "$file" && echo it copies
done | grep -q .
"""


def mirror_makers(host: Host) -> list[Found]:
    """To name what stands in our way, never to end it.

    Not seen: connectors that a standalone worker was given over its REST API.

    :raises TransientError: the host does not answer.
    """
    workers = java_processes(host, _STANDALONE)
    copying = [worker for worker in workers if host.run(_HAS_MIRROR_SOURCE.format(pid=worker.pid)).code == 0]
    return [*java_processes(host, _MIRROR_MAKERS), *copying]
