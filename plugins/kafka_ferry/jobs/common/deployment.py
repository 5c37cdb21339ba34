"""What the deployment allows a person who may only trigger: section ``[kafka_ferry]`` of Airflow's configuration.

The only place that reads it (the API server's pages read ``pool`` too), and the ``FERRY_…`` variables beside it.
Options are lists: entries end with a comma or a line. Every check is made where the thing is used, on every try, so
that taking a right away acts at once.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from airflow.configuration import conf

from kafka_ferry.core.expression import problem_of
from kafka_ferry.core.jvm_options import not_harmless
from kafka_ferry.core.risky_settings import first_risky
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.hosts.host import LOCAL

SECTION = "kafka_ferry"
#: Option to what it is where nobody says anything.
DEFAULTS = {
    "hosts": "",
    "java": "java",
    "kafka_libs": "/opt/kafka/libs",
    "host_folders": "~/.kafka-ferry",
    "jvm_options": "",
    "settings": "",
    "plugin_folders": "",
    "plugins": "io.debezium:*",
    "locations": "s3://",
    "signing_conn_id": "",
    "pool": "",
}
#: What an installation says in its environment as a form's default is allowed too.
_ENVIRONMENT = {
    "java": ("FERRY_JAVA",),
    "kafka_libs": ("FERRY_KAFKA_LIBS", "FERRY_MM1_LIBS"),
    "host_folders": ("FERRY_HOST_FOLDER",),
}


class OnHosts(Protocol):
    """What params of processes on hosts are called; ``HostSpec`` has them."""

    @property
    def hosts(self) -> Sequence[str]: ...

    @property
    def java(self) -> str: ...

    @property
    def kafka_libs(self) -> str: ...

    @property
    def host_folder(self) -> str: ...

    @property
    def jvm_words(self) -> Sequence[str]: ...

    @property
    def overrides(self) -> dict[str, str]: ...


def allowed(option: str) -> tuple[str, ...]:
    """Entries of an option, in their order."""
    said = conf.get(SECTION, option, fallback=DEFAULTS[option]) or ""
    entries = [entry.strip() for entry in re.split(r"[,\n]", said)]
    entries += [os.environ.get(name, "") for name in _ENVIRONMENT.get(option, ())]
    return tuple(dict.fromkeys(entry for entry in entries if entry))


def check_hosts(spec: OnHosts) -> None:
    """:raises BadParam: a host, program, folder, JVM option or setting that the deployment does not allow."""
    for host in spec.hosts:
        check_host(host)
    if not _matches(spec.java, allowed("java")):
        raise _refused("java", f"{spec.java!r} is not a program that may be run", "java", spec.java)
    for param, option, folder in (
        ("kafka_libs", "kafka_libs", spec.kafka_libs), ("host_folder", "host_folders", spec.host_folder)
    ):  # fmt: skip
        if ".." in folder.split("/") or not any(_below(folder, root) for root in _roots(option)):
            raise _refused(param, f"{folder!r} is not in a folder that may be used", option, folder)
    if word := not_harmless(spec.jvm_words, allowed("jvm_options")):
        raise _refused(
            "jvm_options", f"{word!r} is not on the list of options that only size and tune", "jvm_options", word
        )
    check_settings("overrides", spec.overrides)


def check_host(host: str, param: str = "hosts") -> None:
    """:raises BadParam: a host that the deployment does not allow."""
    # The worker's own machine has to be named: no * means it.
    if host not in allowed("hosts") and (host == LOCAL or not _matches(host, allowed("hosts"))):
        who = f"{host!r}, the machine that tasks run on," if host == LOCAL else repr(host)
        raise _refused(param, f"{who} is not a host that may be used", "hosts", host)


def check_settings(param: str, settings: dict[str, str]) -> None:
    """:raises BadParam: a setting that may load code, open files or name servers, or an expression without an end."""
    for key, value in settings.items():
        for part in value.split(","):
            if (problem := problem_of(part.strip())) and "is not a regular expression" not in problem:
                raise BadParam(param, f"{key!r}: {problem}", "a simpler expression")
    if found := first_risky(settings, allowed("settings")):
        key, why = found
        raise _refused(param, f"{key!r} may not be set in the trigger form: {why}", "settings", key)


def check_plugin_folder(folder: str) -> None:
    """:raises BadParam: it is in no folder that the deployment allows, links followed."""
    if not _really_below(folder, allowed("plugin_folders")):
        raise _refused(
            "plugin_folder", f"{folder!r} is not in a folder whose files may be uploaded", "plugin_folders", folder
        )


def check_plugin(coordinates: str) -> None:
    """:raises BadParam: an artifact of Maven's that the deployment does not allow to be run."""
    if not _matches(coordinates, allowed("plugins")):
        group = ":".join(coordinates.split(":")[:2])
        raise _refused("plugin", f"{coordinates!r} is not a plugin that may be run", "plugins", f"{group}:*")


def check_location(location: str, param: str = "location") -> None:
    """:raises BadParam: an object store or folder that the deployment does not allow."""
    entries = allowed("locations")
    kind, _, rest = location.partition("://")
    if kind == "file":
        roots = [entry.removeprefix("file://") for entry in entries if entry.startswith("file://")]
        fine = _really_below(rest, roots)
    else:
        fine = any(f"{location.rstrip('/')}/".startswith(f"{entry.rstrip('/')}/") for entry in entries)
    if not fine:
        raise _refused(param, f"{location!r} is not a location that may be read and written", "locations", location)


def signing_connection(asked: str | None) -> str | None:
    """Whose key signs backups: the deployment's, when it names any; else what was asked for.

    :raises BadParam: another one than the deployment's.
    """
    own = allowed("signing_conn_id")
    if own and asked is not None and asked not in own:
        raise _refused("signing_conn_id", f"{asked!r} is not a key that may sign", "signing_conn_id", asked)
    return own[0] if own and asked is None else asked


def pool() -> str | None:
    """The pool of the mapped tasks that read records, when the deployment names one."""
    return next(iter(allowed("pool")), None)


def _refused(param: str, problem: str, option: str, entry: str) -> BadParam:
    return BadParam(
        param,
        f"{problem} in this Airflow",
        f"the Airflow administrator adds {entry!r} to {option} in section [{SECTION}] of its configuration "
        f"(AIRFLOW__{SECTION.upper()}__{option.upper()}), see docs/security.md",
    )


def _matches(value: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _roots(option: str) -> list[str]:
    """Airflow makes its own home of a ``~`` in front; another machine has another."""
    home = str(Path.home())
    back = [f"~{root.removeprefix(home)}" for root in allowed(option) if f"{root}/".startswith(f"{home}/")]
    return [*allowed(option), *back]


def _below(folder: str, root: str) -> bool:
    """By name: a folder of another machine. ``~`` is its user's home, and in no other folder."""
    folder, root = posixpath.normpath(folder), posixpath.normpath(root)
    return folder == root or folder.startswith(root.rstrip("/") + "/")


def _really_below(folder: str, roots: list[str] | tuple[str, ...]) -> bool:
    """On this machine, links followed."""
    if not folder.startswith(("/", "~")):
        return False
    real = Path(folder).expanduser().resolve()
    return any(real.is_relative_to(Path(root).expanduser().resolve()) for root in roots)
