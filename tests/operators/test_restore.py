"""When a restore makes ACLs: when asked to, and only where the records are those of the backup."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.backup.acls import RestoredAcls
from kafka_ferry.hooks.backup import restore_job
from kafka_ferry.migration.acls import Acl
from kafka_ferry.operators.restore import RestoreAclsOperator
from kafka_ferry.report.storage import ACLS_CHECK, DONE, RunArtifacts

ACL = Acl("TOPIC", "t", "LITERAL", "User:app", "WRITE")


@pytest.mark.parametrize(
    ("acls", "detail", "made", "status"),
    [("copy", "", 1, "pass"), ("none", "", 0, "skipped"), ("copy", "1 lost: offset 3", 0, "skipped")],
)
def test_nobody_may_write_to_what_is_not_the_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acls: str, detail: str, made: int, status: str
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    calls: list[int] = []

    def make() -> tuple[RestoredAcls, list[str]]:
        calls.append(1)
        return RestoredAcls([ACL], [], []), []

    job = SimpleNamespace(spec=SimpleNamespace(acls=acls), make_acls=make)
    monkeypatch.setattr(restore_job, "restore_job", lambda _: job)
    artifacts = RunArtifacts("d", "r")
    artifacts.write_json(f"{DONE}/compare/000.json", {"lines": [{"detail": detail}], "source": None})
    ti = SimpleNamespace(task_id="acls", map_index=-1, try_number=1)
    context: Any = {"dag_run": SimpleNamespace(dag_id="d", run_id="r"), "params": {}, "ti": ti}
    assert RestoreAclsOperator(task_id="acls").execute(context) == status
    assert len(calls) == made
    assert (artifacts.read_json(ACLS_CHECK) or {})["status"] == status
