"""The command that puts DAG files into a DAGs folder: what is there and is another stays, unless told otherwise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kafka_ferry import copy_dags

DAGS = {path.name: path.read_bytes() for path in (Path(__file__).resolve().parents[1] / "dags").glob("*.py")}


def test_all_are_copied_once(tmp_path: Path) -> None:
    folder = tmp_path / "dags" / "ferry"
    assert set(copy_dags.copy_dags(folder).values()) == {"copied"}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == DAGS
    assert set(copy_dags.copy_dags(folder).values()) == {"there already"}


def test_a_file_that_is_another_is_kept_until_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "backup_topics.py").write_text("# mine\n")
    assert copy_dags.copy_dags(tmp_path, ["backup_topics"]) == {"backup_topics.py": "kept: it is another"}
    assert (tmp_path / "backup_topics.py").read_text() == "# mine\n"
    assert copy_dags.copy_dags(tmp_path, ["backup_topics"], replace=True) == {"backup_topics.py": "replaced"}
    assert (tmp_path / "backup_topics.py").read_bytes() == DAGS["backup_topics.py"]


def test_a_name_of_no_dag_is_refused_before_anything_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["copy_dags", str(tmp_path), "backup_topics", "backup_topic"])
    with pytest.raises(SystemExit) as ended:
        copy_dags.main()
    assert ended.value.code == 2
    assert "no such DAG: backup_topic\n" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
