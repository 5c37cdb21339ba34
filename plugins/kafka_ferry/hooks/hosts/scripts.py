"""The shell scripts that look after a process on a host, and what they answer. Pure.

POSIX only (dash, busybox). They need Linux's /proc, and `setsid` to start. Whether a process is ours is proven by all
of: pid, start time and boot as `ferry.sh` noted them, and our mark in its environment or our marker among its
arguments. So a pid that was given to somebody else, also after a reboot, is never taken for ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from shlex import quote

from kafka_ferry.hooks.hosts.launch import Launch

#: Functions. `look PID` reads proc(5) `stat` behind the command's name, which may itself have blanks and brackets.
_TOOLS = r"""
d={folder} mark={mark} marker={marker}
[ -r "/proc/$$/stat" ] || {{ echo "no /proc on this host: it must be Linux" >&2; exit 78; }}
words() {{ tr '\0' '\n' 2>/dev/null <"/proc/$1/$2"; }}
look() {{
    state='' session='' start=''
    {{ read -r line <"/proc/$1/stat"; }} 2>/dev/null || return 1
    case $line in *") "*) ;; *) return 1 ;; esac
    set -- ${{line##*) }}
    state=$1 session=$4 start=${{20}}
    case $state in Z | X) return 1 ;; esac
}}
marked() {{ {{ words "$1" environ | grep -qxF -e "$mark"; }} 2>/dev/null; }}
named() {{ {{ words "$1" cmdline | grep -qxF -e "$marker"; }} 2>/dev/null; }}
leader() {{
    pid='' began='' boot='' print='' why=none
    [ -f "$d/ferry.pid" ] && read -r pid began boot print <"$d/ferry.pid" || return 1
    case $pid in '' | *[!0-9]*) pid=''; return 1 ;; esac
    why=rebooted
    [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 1
    why=gone
    look "$pid" || return 1
    why=reused
    [ "$start" = "$began" ] || return 1
    marked "$pid" || named "$pid" || return 1
    why=runs
}}
members() {{
    leader && echo "$pid"
    [ -n "$pid" ] || return 0
    for p in /proc/[0-9]*; do
        p=${{p#/proc/}}
        look "$p" && [ "$session" = "$pid" ] && [ "$p" != "$pid" ] && marked "$p" && echo "$p"
    done
    return 0
}}
report() {{
    leader
    echo "pid $pid"
    echo "began $began"
    echo "print $print"
    echo "why $why"
    echo "ticks $(getconf CLK_TCK 2>/dev/null || echo 100)"
    grep '^btime ' /proc/stat
    [ "$why" = runs ] || [ ! -f "$d/ferry.log" ] || echo "last $(tail -n 1 "$d/ferry.log" | cut -c 1-500)"
}}
nap() {{ sleep 0.1 2>/dev/null || sleep 1; }}
now() {{ date +%s; }}
gone() {{
    until=$(($(now) + $1))
    while left=$(members) && [ -n "$left" ]; do
        [ "$(now)" -lt "$until" ] || return 1
        nap
    done
}}
end() {{
    left=$(members)
    ended=0
    [ -n "$left" ] || return 0
    ended=1
    kill -TERM $left 2>/dev/null
    gone "$1" && return 0
    for try in 1 2 3 4 5; do # again: one of them may have started another between the look and the signal
        kill -KILL $left 2>/dev/null
        gone 2 && return 0
    done
    return 1
}}
"""

_PREPARE = r"""
umask 077
if printf 'a\0b\n' | grep -qF b; then
    candidates=$(grep -lF -e "$marker" /proc/[0-9]*/cmdline 2>/dev/null)
else # busybox: its grep ends at the first NUL
    candidates=$(echo /proc/[0-9]*/cmdline)
fi
members=" $(members | tr '\n' ' ') "
for p in $candidates; do
    p=${p#/proc/} p=${p%/cmdline}
    case $members in *" $p "*) continue ;; esac
    look "$p" && named "$p" && printf 'unknown %s %s\n' "$p" "$(words "$p" cmdline | tr '\n' '\037')"
done
if [ -e "$d" ] && [ ! -f "$d/ferry.made" ] && [ -n "$(ls -A "$d")" ]; then
    echo taken
    exit 0
fi
p=$d made=''
while [ ! -e "$p" ]; do
    made="$made$p
"
    p=${p%/*}
    [ -n "$p" ] || p=/
done
mkdir -p "$d" && chmod 700 "$d" || exit 1
[ -f "$d/ferry.made" ] || printf '%s' "$made" >"$d/ferry.made"
"""

_START = r"""
umask 077
alike() {{ # minimal systems lack one or the other
    if command -v cmp >/dev/null; then cmp -s "$1" "$2"; else [ "$(cksum <"$1")" = "$(cksum <"$2")" ]; fi
}}
command -v setsid >/dev/null || {{ echo "setsid is not installed (package util-linux)" >&2; exit 69; }}
end {patience} || {{ echo "process $left does not end, not even on KILL" >&2; exit 75; }}
cd "$d" || exit 1
for f in {files}; do
    [ -f "$f.new" ] || {{ echo "$d/$f.new is missing" >&2; exit 1; }}
    if [ -f "$f" ] && ! alike "$f" "$f.new"; then mv -f "$f" "$f.bak" || exit 1; fi
    mv -f "$f.new" "$f" || exit 1
done
rm -f ferry.pid
[ ! -f ferry.log ] || mv -f ferry.log ferry.log.1
: >ferry.log
setsid sh ferry.sh >>ferry.log 2>&1 </dev/null &
until=$(($(now) + 10))
while [ ! -f ferry.pid ] && [ "$(now)" -lt "$until" ]; do nap; done
nap
report
"""

_REMOVE = r"""
end {patience}
left=$(members)
[ -z "$left" ] || for p in $left; do echo "process $p"; done
if [ -f "$d/ferry.made" ]; then
    [ -n "$left" ] || {{
        made=$(cat "$d/ferry.made")
        cd /
        rm -rf "$d"
        printf '%s\n' "$made" | while IFS= read -r p; do [ ! -d "$p" ] || rmdir "$p" 2>/dev/null; done
    }}
    [ ! -e "$d" ] || echo "folder $d"
elif [ -e "$d" ]; then
    echo "folder $d (not made by Kafka Ferry)"
fi
exit 0
"""

#: Field separator 037: arguments may have blanks; a newline in one is shown as a blank.
JAVA_PROCESSES = r"""
for p in /proc/[0-9]*; do
    { read -r name <"$p/comm"; } 2>/dev/null || continue
    [ "$name" = java ] || continue
    words=$(tr '\n\0' ' \037' 2>/dev/null <"$p/cmdline") && [ -n "$words" ] && printf '%s %s\n' "${p#/proc/}" "$words"
done
exit 0
"""


def _tools(launch: Launch) -> str:
    return _TOOLS.format(folder=quote(launch.folder), mark=quote(launch.mark), marker=quote(launch.marker))


def state(launch: Launch) -> str:
    """Changes nothing; answer: :func:`parse_state`."""
    return _tools(launch) + "report\n"


def prepare(launch: Launch) -> str:
    """Makes the folder and notes which folders above it were made; answer: :func:`parse_prepared`."""
    return _tools(launch) + _PREPARE


def start(launch: Launch, files: Iterable[str], patience: float) -> str:
    """Ends our process if it runs, puts every ``<file>.new`` in place, starts; answer: :func:`parse_state`."""
    names = " ".join(quote(name) for name in files)
    return _tools(launch) + _START.format(files=names, patience=round(patience))


def stop(launch: Launch, patience: float) -> str:
    """TERM, after ``patience`` seconds KILL, to our process and what it started; answers ``1`` when one ran."""
    return _tools(launch) + f'end {round(patience)} || exit 75\necho "$ended"\n'


def remove(launch: Launch, patience: float) -> str:
    """Ends our process and deletes the folder; answers a line for each thing that is left."""
    return _tools(launch) + _REMOVE.format(patience=round(patience))


@dataclass(frozen=True)
class ProcessState:
    """What is known about a process of ours.

    :param running: it runs, and is proven to be the one we started.
    :param pid: of the one that runs, or ran last; None when none was ever started.
    :param since: when it was started, seconds since the epoch, true to a second or two (the kernel counts from the
        boot, whose time it tells in whole seconds); None when it does not run.
    :param same: files, command and environment are what it was started with.
    :param exit: for people: why it does not run; empty when it does, or never did.
    """

    running: bool
    pid: int | None = None
    since: float | None = None
    same: bool = False
    exit: str = ""


_WHY = {
    "rebooted": "the host has rebooted since",
    "gone": "process {pid} has ended",
    "reused": "process {pid} has ended; its number belongs to another process now",
}


def parse_state(answer: str, fingerprint: str) -> ProcessState:
    """Read what ``report`` prints: lines of a word and a value.

    :raises ValueError: it is something else.
    """
    fields = _fields(answer)
    if "why" not in fields or "btime" not in fields:
        raise ValueError(f"not the state of a process: {answer[:200]!r}")
    pid = int(fields["pid"]) if fields.get("pid") else None
    if pid is None:
        return ProcessState(False)
    same = fields.get("print") == fingerprint
    if fields["why"] == "runs":
        since = int(fields["btime"]) + int(fields["began"]) / int(fields["ticks"])
        return ProcessState(True, pid, since, same)
    hint = _WHY[fields["why"]].format(pid=pid)
    if fields.get("last"):
        hint += f"; last line of its log: {fields['last']}"
    return ProcessState(False, pid, None, same, hint)


def _fields(answer: str) -> Mapping[str, str]:
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in answer.splitlines())}


@dataclass(frozen=True)
class Prepared:
    """:param taken: the folder is there, is not empty, and was not made by us.
    :param unknown: pid -> argv of processes that carry our marker and are not ours.
    """

    taken: bool
    unknown: Mapping[int, list[str]]


def parse_prepared(answer: str) -> Prepared:
    """Read what ``prepare`` prints."""
    unknown = {}
    for line in answer.splitlines():
        word, _, rest = line.partition(" ")
        if word == "unknown":
            pid, _, argv = rest.partition(" ")
            unknown[int(pid)] = argv.rstrip("\x1f").split("\x1f")
    return Prepared("taken" in answer.splitlines(), unknown)
