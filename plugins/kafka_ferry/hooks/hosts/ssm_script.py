"""Scripts and answers within the limits of SSM Run Command. Pure.

An answer is cut at 24,000 characters (`StandardOutputContent`, docs.aws.amazon.com, GetCommandInvocation) and a
command with its parameters at 97 KB. So a script's output goes to files on the host, and comes from there in base64,
which also carries what is not text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from shlex import quote

from kafka_ferry.hooks.hosts.shell import shell_path

ANSWER_BYTES = 17_000  # in base64 with its line ends 22,966 characters
COMMAND_BYTES = 64_000  # of a file in one command: 85,334 characters in base64

# The agent's own shell may have no HOME.
_HOME = 'export HOME="${HOME:-/root}"\n'

#: The script runs in a shell of its own, from standard input, so `exit` ends it alone. The files are deleted at once
#: when the answer has room for all.
_WRAPPED = """\
umask 077
t=$(mktemp -d) || exit 1
sh -c 'eval "$(cat)"' >"$t/out" 2>"$t/err" <<'{end}'
{script}
{end}
code=$?
o=$(($(wc -c <"$t/out"))) e=$(($(wc -c <"$t/err")))
echo "$code $o $e $t"
[ $((o + e)) -le {limit} ] || exit 0
cat "$t/out" "$t/err" | base64
rm -rf "$t"
"""


def wrapped(script: str, nonce: str) -> str:
    """The script, so that code and whole output come back; answer: :func:`parse_answer`.

    :param nonce: a random word that no line of the script is made of.
    """
    return home(_WRAPPED.format(script=script, end=f"end-{nonce}", limit=ANSWER_BYTES))


def home(script: str) -> str:
    """The script, with a home folder for ``~/``."""
    return _HOME + script


def parse_answer(answer: str) -> tuple[int, int, int, str, bytes | None]:
    """Exit status, sizes of the two streams, the folder they stand in, and both, when they had room.

    :raises ValueError: it is not such an answer.
    """
    head, _, rest = answer.partition("\n")
    code, out, err, folder = head.split(" ", 3)
    sizes = int(out) + int(err)
    if sizes > ANSWER_BYTES:
        return int(code), int(out), int(err), folder, None
    content = decoded(rest)
    if len(content) != sizes:
        raise ValueError(f"{len(content)} of {sizes} bytes came back")
    return int(code), int(out), int(err), folder, content


def decoded(text: str) -> bytes:
    """Base64 with line ends.

    :raises ValueError: it is not.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {text[:80]!r}") from error


def size_of(path: str) -> str:
    """Answers the file's size in bytes, or ``none``."""
    file = shell_path(path)
    return f"if [ -e {file} ]; then wc -c <{file}; else echo none; fi"


def part_of(path: str, start: int, count: int) -> str:
    """Answers, in base64, ``count`` bytes of a file from ``start`` (0 is its first byte)."""
    return f"tail -c +{start + 1} {shell_path(path)} | head -c {count} | base64"


def appended(temporary: str, folder: str, content: bytes) -> Iterator[str]:
    """Scripts that write a file piece by piece."""
    file, into = shell_path(temporary), shell_path(folder)
    yield f"umask 077; mkdir -p {into} && : >{file}"
    for at in range(0, len(content), COMMAND_BYTES):
        piece = base64.b64encode(content[at : at + COMMAND_BYTES]).decode()
        yield f"base64 -d >>{file} <<'end'\n{piece}\nend"


def whole(temporary: str, folder: str, content: bytes) -> str:
    """One script that writes a small file."""
    return "\n".join(("set -e", *appended(temporary, folder, content)))


def fetched(temporary: str, folder: str, url: str) -> str:
    """A script that fetches a file. The URL is a secret for as long as it is good: `ps` does not show it, as printf is
    the shell's own and curl reads it from its standard input."""
    file, into = shell_path(temporary), shell_path(folder)
    line = quote(f'url = "{url}"')
    return (
        'command -v curl >/dev/null || { echo "curl is not installed" >&2; exit 69; }\n'
        f"umask 077; mkdir -p {into} && printf '%s\\n' {line} | curl -fsS --max-time 300 -o {file} -K -"
    )


def placed(temporary: str, path: str, mode: int, size: int) -> str:
    """Puts a whole file in its place."""
    file = shell_path(temporary)
    return f'[ "$(wc -c <{file})" -eq {size} ] && chmod {mode:o} {file} && mv -f {file} {shell_path(path)}'
