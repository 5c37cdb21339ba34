"""Kafka's own command-line tools, as a second opinion on what a cluster holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

from stack import Stack
from stack.jars import cache_folder, jars_folder
from stack.java import find_java
from stack.service import java_command
from stack.stack import PROJECT

CONFIGS, ACLS = "kafka.admin.ConfigCommand", "org.apache.kafka.tools.AclCommand"


def ask(stack: Stack, side: str, folder: Path, tool: str, *options: str) -> str:
    """What a tool prints of a secured stack's cluster, asked as its admin.

    :param folder: where the login is written.
    """
    settings = stack.client_settings(side)
    login = f'required username="{settings["sasl.username"]}" password="{settings["sasl.password"]}";'
    module = "scram.ScramLoginModule" if settings["sasl.mechanism"].startswith("SCRAM") else "plain.PlainLoginModule"
    file = folder / f"{side}.properties"
    file.write_text(
        f"security.protocol={settings['security.protocol']}\nsasl.mechanism={settings['sasl.mechanism']}\n"
        f"sasl.jaas.config=org.apache.kafka.common.security.{module} {login}\n"
    )
    where = ("--bootstrap-server", stack.broker(side).bootstrap, "--command-config", str(file))
    command = java_command(find_java(print), jars_folder(cache_folder(PROJECT)), tool, *where, *options)
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
