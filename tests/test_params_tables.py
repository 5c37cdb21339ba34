"""The tables of params in docs/ say what the specs say."""

from __future__ import annotations

import re

import pytest

from params_tables import DOCS, SPECS, table, updated

ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


@pytest.mark.parametrize("dag_id", SPECS)
def test_each_page_has_the_table_of_its_dag_and_it_is_current(dag_id: str) -> None:
    page = (DOCS / f"{dag_id}.md").read_text()
    assert page.count(f"<!-- params:{dag_id} -->") == 1
    assert updated(page) == page, "make docs-params"


def test_a_table_that_is_not_current_is_written_anew_and_nothing_else() -> None:
    page = "before\n\n<!-- params:verify_backup -->\n| old |\n<!-- /params -->\nafter | x |\n"
    made = f"before\n\n<!-- params:verify_backup -->\n{table('verify_backup')}<!-- /params -->\nafter | x |\n"
    assert updated(page) == updated(made) == made
    assert updated("no table here\n") == "no table here\n"


def test_a_table_has_every_param_that_the_form_asks_for() -> None:
    assert ROW.findall(table("verify_backup")) == [
        "backup", "location", "backup_id", "dry_run", "aws_conn_id", "signing_conn_id", "patience"
    ]  # fmt: skip


def test_of_an_engine_only_what_it_says_otherwise() -> None:
    own = table("msk_replicator")
    assert set(ROW.findall(own)) == {
        "source_cluster_arn", "cluster_arn", "service_execution_role_arn", "starting_position", "compression",
        "log_group", "aws_conn_id", "connect_conn_id", "migration", "poll_interval", "running_timeout",
        "no_progress_timeout", "duplicates", "keep_replicating", "source_bootstrap", "source_login",
        "source_login_arn", "source_ca_arn", "source_subnets", "source_security_groups",
        }  # fmt: skip
    assert "but there is no `naming`, " in own
    assert "`tasks_max`" in own.splitlines()[-1]


def test_the_machine_it_is_made_on_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = table("mirror_maker2_dedicated")
    assert '| `java` | `"java"`, or `$FERRY_JAVA` |' in before
    monkeypatch.setenv("FERRY_JAVA", "/own/java")
    monkeypatch.setenv("AIRFLOW__KAFKA_FERRY__HOSTS", "own-host")
    assert table("mirror_maker2_dedicated") == before


def test_what_markdown_would_swallow_is_kept() -> None:
    rows = table("mirror_maker2_on_connect").splitlines()
    assert r"\<alias>.\<topic>" in next(row for row in rows if row.startswith("| `naming`"))
    assert r"projects.\*" in next(row for row in rows if row.startswith("| `topics`"))
    assert all(row.replace("\\|", "").count("|") == 4 for row in rows)
