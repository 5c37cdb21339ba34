"""When a restore makes ACLs: when asked to, and only where the records are those of the backup."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.jobs.backup.rules.acls import RestoredAcls
from kafka_ferry.jobs.backup.store import restore_job
from kafka_ferry.jobs.backup.tasks.restore import RestoreAclsOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, HELD_CONFIGS, RunArtifacts

ACL = Acl("TOPIC", "t", "LITERAL", "User:app", "WRITE")


@pytest.mark.parametrize(
    ("acls", "content", "done", "status"),
    [
        ("copy", "pass", ["put back", "made"], "pass"),
        ("none", "pass", [], "skipped"),
        ("copy", "fail", [], "skipped"),
        ("copy", None, [], "skipped"),
    ],
)
def test_acls_are_made_last_and_only_when_all_else_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acls: str, content: str | None, done: list[str], status: str
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    calls: list[str] = []

    def make() -> tuple[RestoredAcls, list[str]]:
        calls.append("made")
        return RestoredAcls([ACL], [], []), []

    def release(memory: dict[str, Any]) -> list[str]:
        calls.append("put back")
        return [*memory]

    restore_run = SimpleNamespace(release=release)
    job = SimpleNamespace(spec=SimpleNamespace(acls=acls), make_acls=make, restore_run=restore_run)
    monkeypatch.setattr(restore_job, "restore_job", lambda _: job)
    artifacts = RunArtifacts("d", "r")
    artifacts.write_json(HELD_CONFIGS, {"t": {}})
    if content:
        artifacts.write_json(CHECKS_MADE, {"checks": [{"name": "content", "status": content}], "sentence": "so"})
    ti = SimpleNamespace(task_id="acls", map_index=-1, try_number=1)
    context: Any = {"dag_run": SimpleNamespace(dag_id="d", run_id="r"), "params": {}, "ti": ti}
    for _ in range(2):  # a retry
        calls.clear()
        assert RestoreAclsOperator(task_id="acls").execute(context) == status
    assert calls == [call for call in done if call != "put back"], "put back once, made as often as asked"
    assert (artifacts.read_json(HELD_CONFIGS) is None) == bool(done)
    checks = (artifacts.read_json(CHECKS_MADE) or {})["checks"]
    assert [check["status"] for check in checks if check["name"] == "acls"] == [status]
