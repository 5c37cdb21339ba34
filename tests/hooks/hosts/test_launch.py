from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from kafka_ferry.hooks.hosts.launch import Launch

MARKER = "-Dkafka.ferry=orders"


def launch(
    command: Sequence[str] = ("java", MARKER, "Main"),
    files: Mapping[str, bytes] | None = None,
    env: Mapping[str, str] | None = None,
    **other: Any,
) -> Launch:
    return Launch(
        other.get("folder", "/srv/ferry"), command, other.get("marker", MARKER), files or {"a": b"x"}, env or {"E": "1"}
    )


def test_the_same_has_the_same_fingerprint_whatever_the_order() -> None:
    one = launch(files={"a": b"1", "b": b"2"}, env={"A": "1", "B": "2"})
    other = launch(files={"b": b"2", "a": b"1"}, env={"B": "2", "A": "1"})
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        launch(command=("java", MARKER, "Other")),
        launch(files={"a": b"y"}),
        launch(files={"b": b"x"}),
        launch(env={"E": "2"}),
        launch(folder="/srv/other"),
        launch(command=("java", MARKER, "Main", "-m"), marker="-m"),
    ],
)
def test_whatever_changes_changes_the_fingerprint(changed: Launch) -> None:
    assert changed.fingerprint != launch().fingerprint


def test_a_marker_may_come_out_of_a_variable() -> None:
    launch(command=["connect-mirror-maker.sh"], env={"KAFKA_OPTS": f"-Xmx1g {MARKER}"})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"command": ["java", "Main"]}, "neither an argument"),
        ({"command": ["java", MARKER + "2"]}, "neither an argument"),
        ({"command": []}, "must not be empty"),
        ({"command": ["java", MARKER, "a\0b"]}, "NUL"),
        ({"files": {"../x": b""}}, "file name"),
        ({"env": {"A B": ""}}, "environment variable"),
        ({"marker": ""}, "marker"),
        ({"command": ["java", MARKER, "hunter2"], "env": {"A_PASSWORD": "hunter2"}}, "the command contains a secret"),
        ({"command": ["java", MARKER, "-Dx=hunter2"], "env": {"A_PASSWORD": "hunter2"}}, "contains a secret"),
    ],
)
def test_what_cannot_be_started_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        launch(**wrong)


def test_the_script_quotes_what_it_is_given() -> None:
    script = launch(command=["java", MARKER, "it's $HOME"], env={"E": "a'b\nc"}, folder="/srv/a b").script().decode()
    assert "cd '/srv/a b'" in script
    assert "exec java -Dkafka.ferry=orders 'it'\"'\"'s $HOME'" in script
    assert "export E='a'\"'\"'b\nc'" in script


def test_secrets_are_known_and_not_shown() -> None:
    secret, word = "hunter22", "hunter33"
    content = f'a=b\nsasl.jaas.config=M required username="u" password="{word}";\nx.password = {secret}\n#password=no'
    one = launch(files={"c.properties": content.encode()}, env={"CLIENT_SECRET": "hunter44", "A_PASSWORD": "1"})
    assert {secret, word, "hunter44"} <= one.secrets()
    assert not {"b", "no", "1"} & one.secrets()
    assert "hunter" not in repr(one)
