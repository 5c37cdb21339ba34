"""Words for a POSIX shell: quoting, paths, names. Pure."""

from __future__ import annotations

import re
from shlex import quote

from kafka_ferry.exceptions import BadParam

#: Runs the script that it reads from its standard input. The script itself then stands in no command line (`ps`), and
#: its commands find their own standard input at its end. Understood by any login shell.
SHELL = """sh -c 'eval "$(cat)"'"""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

OURS = "ferry."  # what we keep beside the files of a process begins so


def shell_path(path: str) -> str:
    """A path as a shell word; a leading ``~/`` is the home of the user who runs the shell."""
    if path == "~":
        return '"$HOME"'
    return '"$HOME"/' + quote(path[2:]) if path.startswith("~/") else quote(path)


def parent(path: str) -> str:
    """The folder a file stands in: ``/a/b`` -> ``/a``, ``~/b`` -> ``~``."""
    return path.rpartition("/")[0] or "/"


def checked_folder(folder: str) -> str:
    """The folder, without a slash at its end.

    :raises BadParam: it is not absolute (or ``~/…``), or so short that to delete it would delete what is not ours.
    """
    folder = folder.rstrip("/")
    parts = folder.split("/")
    fix = "an absolute path at least two levels deep, or one below ~/, used by nothing else"
    if parts[0] not in ("", "~") or "" in parts[1:] or {".", ".."} & set(parts) or _CONTROL.search(folder):
        raise BadParam("folder", f"{folder!r} is not a plain absolute path", fix)
    if len(parts) < (2 if parts[0] == "~" else 3):
        raise BadParam("folder", f"{folder!r} is not a folder that only Kafka Ferry uses", fix)
    return folder


def checked_file(name: str) -> str:
    """The name of a file inside a process's folder, maybe with subfolders.

    :raises ValueError: it would leave the folder, need quoting, or be one of our own.
    """
    if not _FILE.fullmatch(name) or name.startswith(OURS):
        raise ValueError(f"file name {name!r}: letters, digits and . _ - only, not beginning with {OURS!r} or a dot")
    return name


def checked_word(what: str, text: str) -> str:
    """A text that must fit in one line.

    :raises ValueError: it is empty or has control characters.
    """
    if not text or _CONTROL.search(text):
        raise ValueError(f"{what} must be one line that is not empty")
    return text


def checked_variable(name: str) -> str:
    """The name of an environment variable.

    :raises ValueError: no shell would take it.
    """
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an environment variable")
    return name
