from __future__ import annotations

import pytest

from kafka_ferry.hooks.hosts.java_command import found, parse_java_processes, short_command

MIRROR = "org.apache.kafka.connect.mirror.MirrorMaker"


@pytest.mark.parametrize(
    ("argv", "main", "command"),
    [
        (["/usr/bin/java", "-Xmx1g", "-cp", "/a:/b", "-Dx=y", MIRROR, "mm2.properties"], MIRROR,
         f"java {MIRROR} mm2.properties"),
        (["java", "-jar", "/opt/app.jar", "run"], "app.jar", "java app.jar run"),
        (["java", "-p", "mods", "-m", "a.b/c.Main", "x"], "c.Main", "java c.Main x"),
        (["java", "@args", "--add-opens", "x=y", "Main"], "Main", "java Main"),
        (["java", "-version"], "?", "java ?"),
        (["java", "-jar"], "?", "java ?"),
        ([], "?", "java ?"),
    ],
)  # fmt: skip
def test_which_program_it_is(argv: list[str], main: str, command: str) -> None:
    process = found(7, argv)
    assert (process.pid, process.main, process.command) == (7, main, command)
    assert str(process) == f"process 7: {command}"


def test_no_secret_and_no_end() -> None:
    argv = ["tool", "--password", "hunter2", "--token=hunter3", "-Djavax.net.ssl.keyStorePassword=hunter4",
            "http://u:hunter5@host/", "--topic", "orders"]  # fmt: skip
    assert short_command(argv) == (
        "tool --password *** --token=*** -Djavax.net.ssl.keyStorePassword=*** http://***@host/ --topic orders"
    )
    assert len(short_command(["x" * 500])) == 160


def test_only_what_matches() -> None:
    answer = f"7 java\x1f-cp\x1fx\x1f{MIRROR}\x1fmm2.properties\x1f\n8 java\x1fOther\x1f\nnoise\n"
    assert [process.pid for process in parse_java_processes(answer, r"\.MirrorMaker$")] == [7]
    assert [process.pid for process in parse_java_processes(answer, "")] == [7, 8]
