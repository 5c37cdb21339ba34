from __future__ import annotations

import subprocess

import pytest

from kafka_ferry.hooks.hosts import scripts
from kafka_ferry.hooks.hosts.launch import Launch
from kafka_ferry.hooks.hosts.scripts import ProcessState

LAUNCH = Launch("/srv/it's ours", ["java", "-Dm=1"], "-Dm=1", {"a": b"x"})


@pytest.mark.parametrize(
    "script",
    [
        scripts.state(LAUNCH),
        scripts.prepare(LAUNCH),
        scripts.start(LAUNCH, ["a", "ferry.sh"], 3.4),
        scripts.stop(LAUNCH, 3),
        scripts.remove(LAUNCH, 3),
        scripts.JAVA_PROCESSES,
        LAUNCH.script().decode(),
    ],
    ids=["state", "prepare", "start", "stop", "remove", "java", "ferry.sh"],
)
def test_a_posix_shell_takes_every_script(script: str) -> None:
    done = subprocess.run(["/bin/sh", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # What bash and ksh know and dash does not.
    assert not any(word in script for word in ("[[", "local ", "function ", "<<<", "=~", "$'", "&>"))


def answer(why: str, **other: str) -> str:
    fields = {"pid": "12", "began": "500", "print": "abc", "why": why, "ticks": "100", "btime": "1000", **other}
    return "".join(f"{key} {value}\n" for key, value in fields.items())


def test_a_process_that_runs() -> None:
    assert scripts.parse_state(answer("runs"), "abc") == ProcessState(True, 12, 1005.0, True)
    assert scripts.parse_state(answer("runs"), "abd") == ProcessState(True, 12, 1005.0, False)


def test_a_process_that_was_never_started() -> None:
    assert scripts.parse_state(answer("none", pid="", began="", print=""), "abc") == ProcessState(False)


@pytest.mark.parametrize(
    ("why", "hint"),
    [
        ("gone", "process 12 has ended; last line of its log: Address already in use"),
        ("reused", "process 12 has ended; its number belongs to another process now; last line of its log: "),
        ("rebooted", "the host has rebooted since; last line of its log: "),
    ],
)
def test_a_process_that_has_ended_says_why(why: str, hint: str) -> None:
    state = scripts.parse_state(answer(why, last="Address already in use"), "abc")
    assert (state.running, state.pid, state.since, state.same) == (False, 12, None, True)
    assert state.exit.startswith(hint)


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not the state of a process"):
        scripts.parse_state("Welcome to the bastion\n", "abc")


def test_what_stands_in_the_way() -> None:
    prepared = scripts.parse_prepared("unknown 7 java\x1fa b\x1f-Dm=1\x1f\ntaken\n")
    assert prepared.unknown == {7: ["java", "a b", "-Dm=1"]}
    assert prepared.taken
    assert scripts.parse_prepared("") == scripts.Prepared(False, {})
