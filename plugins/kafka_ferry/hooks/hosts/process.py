"""A long-running process on a host, started, found, inspected and ended by us; and those that are not ours."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.hooks.hosts import scripts
from kafka_ferry.hooks.hosts.host import Host
from kafka_ferry.hooks.hosts.java_command import Found, parse_java_processes, short_command
from kafka_ferry.hooks.hosts.launch import Launch
from kafka_ferry.hooks.hosts.scripts import ProcessState
from kafka_ferry.hooks.hosts.shell import checked_folder

log = logging.getLogger(__name__)

ChangeKind = Literal["none", "create", "update", "start"]

_ANSWER_TIMEOUT = 60.0  # seconds for a script, beside the patience it is given
_LOG = "ferry.log"


class HostProcess:
    """A process that outlives the connection it was started through.

    Everything of it stands in one folder: its files, its log (``ferry.log``, the one before in ``ferry.log.1``), and
    what proves that it is ours (``ferry.pid``). It is the process itself that notes its pid, before it becomes what
    ``command`` says.

    :param host: where.
    :param folder: of its own; absolute, or below ``~/``. In ``command`` and ``env`` it may stand as given here.
    :param command: argv. Anybody on the host can read it: no secret may stand in it.
    :param files: name in the folder -> content; written with 0600.
    :param marker: one whole argument that tells the process from others, such as ``-Dkafka.ferry=orders``. It may
        also reach the command line out of a variable, as a word of ``KAFKA_OPTS`` does.
    :raises BadParam: ``folder`` cannot be one of its own.
    :raises ValueError: names of files or variables, or the marker, are not such.
    """

    def __init__(
        self,
        host: Host,
        folder: str,
        command: Sequence[str],
        files: Mapping[str, bytes],
        env: Mapping[str, str] | None = None,
        *,
        marker: str,
    ) -> None:
        self.host = host
        self._given = checked_folder(folder)
        # Checked here, though the folder's real path is asked from the host only when it is needed.
        self._asked = Launch(self._given, list(command), marker, dict(files), dict(env or {}))

    def __repr__(self) -> str:
        return f"HostProcess({self.host.name}, {self._given}, {self._asked.marker})"

    @cached_property
    def folder(self) -> str:
        """Absolute path of the folder on the host."""
        return absolute(self.host, self._given)

    @cached_property
    def _launch(self) -> Launch:
        def resolved(text: str) -> str:
            return text.replace(self._given, self.folder) if self._given.startswith("~") else text

        asked = self._asked
        env = {name: resolved(value) for name, value in asked.env.items()}
        return Launch(self.folder, [resolved(word) for word in asked.command], asked.marker, asked.files, env)

    def state(self) -> ProcessState:
        """How it is; changes nothing.

        :raises TransientError: the host does not answer.
        """
        return self._parsed(self._run(scripts.state(self._launch)))

    def ensure(self, patience: float = 30) -> ChangeKind:
        """Make it run as it shall. What runs and is the same is left alone.

        Changed files, command or environment: the old process is ended, changed files are kept as ``<name>.bak``.

        :param patience: seconds the old process is given to end after TERM.
        :returns: ``none``; ``create``: none was ever started; ``update``: it was started otherwise; ``start``: it had
            ended.
        :raises BadParam: the folder holds what is not ours, or a process that is not ours carries our marker.
        :raises TransientError: it ended at once (with the end of its log), or the host failed.
        """
        before = self.state()
        if before.running and before.same:
            return "none"
        self._prepare()
        launch = self._launch
        files = {**launch.files, "ferry.sh": launch.script()}
        for name, content in files.items():
            self.host.write(f"{self.folder}/{name}.new", content)
        after = self._parsed(self._run(scripts.start(launch, files, patience), 2 * patience))
        if not after.running:
            raise TransientError(
                f"host {self.host.name}: {launch.marker} exited right after its start. Its log:\n{self.tail()}"
            )
        kind: ChangeKind = "create" if before.pid is None else "start" if before.same else "update"
        log.info("host %s: %s: %s, process %s in %s", self.host.name, launch.marker, kind, after.pid, self.folder)
        return kind

    def stop(self, patience: float = 30) -> bool:
        """End it, and whatever it started: TERM, and after ``patience`` seconds KILL.

        Only processes that are proven ours; a pid that now belongs to somebody else is left alone.

        :returns: whether one ran.
        :raises TransientError: it does not end even on KILL, or the host failed.
        """
        return self._run(scripts.stop(self._launch, patience), patience).strip() == "1"

    def tail(self, lines: int = 40) -> str:
        """The end of its log, without the secrets of its files and environment; empty when there is none."""
        content = self.host.read(f"{self.folder}/{_LOG}", tail_bytes=min(lines * 500, 256 * 1024)) or b""
        text = "\n".join(content.decode(errors="replace").splitlines()[-lines:])
        return redact_text(text, self._launch.secrets())

    def remove(self, patience: float = 30) -> list[str]:
        """End it and delete its folder, and those above that were made for it and are empty now.

        :returns: what is left, for people; nothing: an empty list.
        """
        return self._run(scripts.remove(self._launch, patience), patience).splitlines()

    def _prepare(self) -> None:
        prepared = scripts.parse_prepared(self._run(scripts.prepare(self._launch)))
        if prepared.unknown:
            named = ", ".join(f"process {pid} ({short_command(argv)})" for pid, argv in prepared.unknown.items())
            raise BadParam(
                "migration",
                f"on host {self.host.name} {named} has {self._launch.marker} and was not started from {self.folder}",
                "end that process yourself if it is not wanted, or use another migration name",
            )
        if prepared.taken:
            raise BadParam(
                "folder",
                f"{self.folder} on host {self.host.name} holds files that Kafka Ferry did not write",
                "an empty folder",
            )

    def _parsed(self, answer: str) -> ProcessState:
        state = scripts.parse_state(answer, self._launch.fingerprint)
        if not state.exit:
            return state
        hint = redact_text(state.exit, self._launch.secrets())
        return ProcessState(state.running, state.pid, state.since, state.same, hint)

    def _run(self, script: str, patience: float = 0) -> str:
        done = self.host.run(script, timeout=_ANSWER_TIMEOUT + patience)
        if done.code:
            problem = redact_text(done.err.strip(), self._launch.secrets()) or f"a script ended with {done.code}"
            raise TransientError(f"host {self.host.name}: {problem}")
        return done.out


def absolute(host: Host, folder: str) -> str:
    """The folder's absolute path on the host; asks it only for a folder below ``~/``."""
    if not folder.startswith("~/"):
        return folder
    answer = host.run('printf %s "$HOME"')
    if answer.code or not answer.out.startswith("/"):
        raise TransientError(f"host {host.name}: its user has no home folder. Fix: name an absolute folder")
    return answer.out.rstrip("/") + folder[1:]


def java_processes(host: Host, pattern: str) -> list[Found]:
    """Java processes of the host, whoever started them: to name what stands in our way, never to end it.

    :param pattern: regular expression, searched in each argument, such as a main class.
    :raises TransientError: the host does not answer.
    """
    answer = host.run(scripts.JAVA_PROCESSES)
    if answer.code:
        raise TransientError(f"host {host.name}: its processes cannot be listed: {redact_text(answer.err.strip())}")
    return parse_java_processes(answer.out, pattern)
