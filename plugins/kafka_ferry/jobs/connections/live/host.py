"""Ask a host who we are on it, and whether it has Java."""

from __future__ import annotations

from shlex import quote

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.hosts.open import host_of
from kafka_ferry.jobs.common.deployment import allowed, check_host
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer


def ask_host(question: Question, answer: Answer) -> None:
    """:raises FerryError: the deployment does not allow it, it does not answer, or refuses the login."""
    check_host(question.conn_id, "connections")
    host, java = host_of(question.conn_id), next((one for one in allowed("java") if "*" not in one), "java")
    try:
        who = host.run("id -un; uname -sm", timeout=question.spec.patience)
        if who.code:
            raise FerryError(f"host {host.name} runs no POSIX shell: {who.err.strip()[:200]}")
        user, system = [*who.out.split("\n"), "", ""][:2]
        answer.actual = f"{system.strip()} at {host.name}"
        answer.notes.append(f"as {user.strip()}")
        found = host.run(f"{quote(java)} -version 2>&1", timeout=question.spec.patience)
        if found.code:
            answer.missing.append(f"{java!r} does not run on it: {found.out.strip()[:200]}. Fix: install Java 17")
        else:
            answer.notes.append(found.out.strip().split("\n")[0])
    finally:
        host.close()
