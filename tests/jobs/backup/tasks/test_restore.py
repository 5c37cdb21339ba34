"""When a restore sets quotas and makes ACLs: when asked to, and only where the records are those of the backup."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.jobs.backup.rules.acls import RestoredAcls
from kafka_ferry.jobs.backup.store import restore_job
from kafka_ferry.jobs.backup.tasks.restore import RestoreAclsOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, HELD_CONFIGS, RunArtifacts

ACL = Acl("TOPIC", "t", "LITERAL", "User:app", "WRITE")
BOTH = {"acls": "copy", "quotas": "copy"}


@pytest.mark.parametrize(
    ("asked", "content", "done", "statuses"),
    [
        (BOTH, "pass", ["put back", "set", "made"], ("pass", "pass")),
        ({"acls": "copy"}, "pass", ["put back", "made"], ("pass", "skipped")),
        ({"quotas": "copy"}, "pass", ["put back", "set"], ("skipped", "pass")),
        ({}, "pass", [], ("skipped", "skipped")),
        (BOTH, "fail", [], ("skipped", "skipped")),
        (BOTH, None, [], ("skipped", "skipped")),
        ({**BOTH, "set": Status.FAIL}, "pass", ["put back", "set"], ("skipped", "fail")),
    ],
)
def test_they_are_made_last_and_only_when_all_else_passed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, Any],
    content: str | None,
    done: list[str],
    statuses: tuple[str, str],
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    calls: list[str] = []

    def make() -> tuple[RestoredAcls, list[str]]:
        calls.append("made")
        return RestoredAcls([ACL], [], []), []

    def set_quotas() -> Check:
        calls.append("set")
        return Check(name="quotas", status=asked.get("set", Status.PASS))

    def release(memory: dict[str, Any]) -> list[str]:
        calls.append("put back")
        return [*memory]

    spec = SimpleNamespace(acls=asked.get("acls", "none"), quotas=asked.get("quotas", "none"))
    restore_run = SimpleNamespace(release=release)
    job = SimpleNamespace(spec=spec, make_acls=make, set_quotas=set_quotas, restore_run=restore_run)
    monkeypatch.setattr(restore_job, "restore_job", lambda _: job)
    artifacts = RunArtifacts("d", "r")
    artifacts.write_json(HELD_CONFIGS, {"t": {}})
    if content:
        artifacts.write_json(CHECKS_MADE, {"checks": [{"name": "content", "status": content}], "sentence": "so"})
    ti = SimpleNamespace(task_id="acls", map_index=-1, try_number=1)
    context: Any = {"dag_run": SimpleNamespace(dag_id="d", run_id="r"), "params": {}, "ti": ti}
    for attempt in range(2):  # a retry
        calls.clear()
        found = RestoreAclsOperator(task_id="acls").execute(context)
        assert (found["acls"], found["quotas"]) == statuses
        assert calls == (done if attempt == 0 else [call for call in done if call != "put back"])
    assert (artifacts.read_json(HELD_CONFIGS) is None) == bool(done)
    checks = (artifacts.read_json(CHECKS_MADE) or {})["checks"]
    assert [(check["name"], check["status"]) for check in checks if check["name"] != "content"] == [
        ("acls", statuses[0]), ("quotas", statuses[1]),
    ]  # fmt: skip
