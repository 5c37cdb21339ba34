"""What is to run on a host: command, files, environment; its fingerprint and the script that starts it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote

from kafka_ferry.core.redaction import secret_values
from kafka_ferry.hooks.hosts.shell import checked_file, checked_variable, checked_word

MARK = "KAFKA_FERRY_PROCESS"  # environment variable that every process we start carries, and hands to its children

#: Notes its own pid and start time before it becomes the process: `exec` keeps both (proc(5), field 22 of `stat` is
#: set at fork). `… & echo $!` would note the pid of a subshell when a `cd D &&` stands before it (measured).
_START = """\
# Written by Kafka Ferry.
umask 077
trap '' HUP
cd {folder} || exit 1
{exports}
line=$(cat "/proc/$$/stat")
set -- ${{line##*) }}
printf '%s %s %s %s\\n' "$$" "${{20}}" "$(cat /proc/sys/kernel/random/boot_id)" {fingerprint} >ferry.pid.new
mv ferry.pid.new ferry.pid || exit 1
exec {command}
"""


@dataclass(frozen=True)
class Launch:
    """A process as it shall run.

    :param folder: absolute path of its folder on the host.
    :param command: argv.
    :param files: name in the folder -> content. Not shown by ``repr``: they hold secrets, as ``env`` does.
    :param marker: one whole argument of the process, such as ``-Dkafka.ferry=orders``; it may come out of a variable
        that a start script puts on the command line (``KAFKA_OPTS``).
    :raises ValueError: the marker stands nowhere, a name is not one, or a secret stands in the command.
    """

    folder: str
    command: Sequence[str]
    marker: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        checked_word("marker", self.marker)
        for name in self.files:
            checked_file(name)
        for name in self.env:
            checked_variable(name)
        if not self.command or any("\0" in text for text in (*self.command, *self.env.values())):
            raise ValueError("a command and its environment must not be empty or have NUL characters")
        words = {*self.command, *(word for value in self.env.values() for word in value.split())}
        if self.marker not in words:
            raise ValueError(f"marker {self.marker!r} is neither an argument nor a word in a variable")
        if {part for word in self.command for part in (word, word.partition("=")[2])} & self.secrets():
            raise ValueError("the command contains a secret, and every user of the host can read it; put it in a file")

    @property
    def mark(self) -> str:
        """``KAFKA_FERRY_PROCESS=…`` as it stands in the environment of the process: names marker and folder."""
        return f"{MARK}={self.marker}@{self.folder}"

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, over all that the process is started with."""
        what = {
            "folder": self.folder,
            "command": list(self.command),
            "marker": self.marker,
            "env": dict(self.env),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()},
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    def script(self) -> bytes:
        """``ferry.sh``, which becomes the process. It holds the environment, so it is as secret as that."""
        exports = [f"export {name}={quote(value)}" for name, value in self.env.items()]
        exports.append(f"export {MARK}={quote(self.mark.partition('=')[2])}")
        text = _START.format(
            folder=quote(self.folder),
            exports="\n".join(exports),
            fingerprint=self.fingerprint,
            command=" ".join(quote(word) for word in self.command),
        )
        return text.encode()

    def secrets(self) -> set[str]:
        """Secret values in files and environment, to be masked in what the process writes to its log."""
        found = secret_values(dict(self.env))
        for content in self.files.values():
            found |= secret_values(dict(_properties(content)))
        return {secret for secret in found if len(secret) > 2}  # masking "1" would mask half of a log


def _properties(content: bytes) -> Iterator[tuple[str, str]]:
    """Key and value of every line with an equals sign: properties files, and near enough for others."""
    for line in content.decode(errors="replace").splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith("#"):
            yield key.strip(), value.strip()
