"""Java processes as `ps` shows them: which program it is, told shortly and without secrets. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kafka_ferry.core.redaction import MASK, is_secret_key, redact_text

# The java command, "Standard options" (docs.oracle.com, Java 17 tool reference): these take their value as a word of
# its own.
_WITH_VALUE = frozenset(
    {"-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules",
     "--add-exports", "--add-opens", "--add-reads", "--limit-modules", "--patch-module", "--source"}
)  # fmt: skip
_LONGEST = 160


@dataclass(frozen=True)
class Found:
    """A Java process on a host that is not ours to touch.

    :param main: main class, jar or module.
    :param command: the program and its arguments, shortened, without JVM options and secrets.
    """

    pid: int
    main: str
    command: str

    def __str__(self) -> str:
        return f"process {self.pid}: {self.command}"


def found(pid: int, argv: Sequence[str]) -> Found:
    """Tell a Java process by its arguments."""
    main, rest = _main(argv)
    return Found(pid, main, short_command([argv[0].rpartition("/")[2] if argv else "java", main, *rest]))


def short_command(argv: Sequence[str]) -> str:
    """A command line for people: secrets masked, at most 160 characters."""
    shown: list[str] = []
    hide = False
    for word in argv:
        key, equals, _ = word.partition("=")
        name = re.sub(r"^-+D?", "", key)
        if hide or (equals and is_secret_key(name)):
            shown.append(MASK if hide else f"{key}={MASK}")
            hide = False
            continue
        shown.append(redact_text(word))
        hide = not equals and word.startswith("-") and is_secret_key(name)
    text = " ".join(shown)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def parse_java_processes(answer: str, pattern: str) -> list[Found]:
    """Read lines of pid and arguments (separator 037); keep those whose main class or any argument matches.

    :param pattern: regular expression, searched in each argument.
    """
    wanted = re.compile(pattern)
    processes = []
    for line in answer.splitlines():
        pid, _, words = line.partition(" ")
        argv = words.rstrip("\x1f").split("\x1f")
        if pid.isdigit() and any(wanted.search(word) for word in argv):
            processes.append(found(int(pid), argv))
    return processes


def _main(argv: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Main class (or jar, or module) and what follows it."""
    at = 1
    while at < len(argv):
        word = argv[at]
        if word in ("-jar", "-m", "--module"):
            return (argv[at + 1].rpartition("/")[2], argv[at + 2 :]) if at + 1 < len(argv) else ("?", [])
        if not word.startswith(("-", "@")):
            return word, argv[at + 1 :]
        at += 2 if word in _WITH_VALUE else 1
    return "?", []
