"""Each kind of job asks, counts and proves in words of its own."""

from __future__ import annotations

import pytest

import report_kinds as kinds
from kafka_ferry.core.checks import CHECKS, Report
from kafka_ferry.report.job_words import (
    QUESTIONS,
    checklist,
    engine_name,
    never_carried,
    planned,
    proven,
    question,
    sides,
)


def report(page: str) -> Report:
    return kinds.report_of(kinds.PAGES[page]())


@pytest.mark.parametrize("engine", ["verify_clusters", "export_topics_to_s3", "import_topics_from_s3", "mirror_maker1"])
def test_a_job_lists_what_it_can_check_in_the_order_of_all(engine: str) -> None:
    names = checklist(engine)
    assert set(names) <= set(CHECKS)
    assert list(names) == [name for name in CHECKS if name in names]
    assert (list(names) == list(CHECKS)) is (engine == "mirror_maker1")
    never = {"verify_clusters": "leftovers", "export_topics_to_s3": "groups", "import_topics_from_s3": "acls"}
    assert never.get(engine) not in names


@pytest.mark.parametrize(
    ("page", "check", "words"),
    [
        ("backup_pass", "topics", "in the backup?"),
        ("restore_pass", "content", "that of the backup?"),
        ("export_pass", "topics", "in the export?"),
        ("import_pass", "content", "that of the export?"),
        ("stream_pass", "counts", "the snapshot bring every row?"),
        ("connect_pass", "content", "the same on both sides?"),
        ("clusters_pass", "topics", "on the target?"),
    ],
)
def test_a_question_is_asked_in_the_jobs_words(page: str, check: str, words: str) -> None:
    assert question(report(page), check).endswith(words)


@pytest.mark.parametrize("page", ["backup_pass", "export_pass", "verify_pass"])
def test_what_has_no_target_is_not_asked_about_one(page: str) -> None:
    found = report(page)
    asked = [question(found, check.name) for check in found.checks]
    assert all(asked)
    assert not [text for text in asked if "target" in text or "both sides" in text]


def test_a_check_of_another_version_has_no_question() -> None:
    assert question(report("connect_pass"), "of-another-version") == ""
    assert "groups_left_out" in QUESTIONS


@pytest.mark.parametrize(
    ("page", "end"),
    [
        ("connect_pass", "were read on both sides and are the same."),
        ("restore_pass", "were read back from the target and are those of the backup."),
        ("import_pass", "were read back from the target and are those of the export."),
        ("export_pass", "each object was read back and gives the records that were read."),
    ],
)
def test_a_pass_claims_what_the_job_did(page: str, end: str) -> None:
    assert proven(report(page), "5 records in 1 topic").startswith("5 records in 1 topic ")
    assert proven(report(page), "5 records in 1 topic").endswith(end)


@pytest.mark.parametrize(
    ("page", "heads"),
    [
        ("connect_pass", ("Source", "Target")),
        ("clusters_pass", ("Source", "Target")),
        ("backup_pass", ("On the source", "In the backup")),
        ("restore_pass", ("In the backup", "On the target")),
        ("verify_pass", ("By the manifests", "Read")),
        ("export_pass", ("On the source", "In the export")),
        ("import_pass", ("In the export", "On the target")),
        ("stream_pass", ("Rows, changes", "Events read")),
    ],
)
def test_columns_say_what_they_count(page: str, heads: tuple[str, str]) -> None:
    assert sides(report(page)) == heads


@pytest.mark.parametrize(
    ("page", "heading", "counted"),
    [
        ("connect_running", "Topics to copy", "Offsets"),
        ("clusters_running", "Topics to compare", "Offsets"),
        ("backup_dry", "Topics to back up", "Offsets"),
        ("restore_dry", "Topics to restore", "Records"),
        ("verify_running", "Topics in the backups", "Records"),
        ("export_dry", "Topics to export", "Offsets"),
        ("import_dry", "Topics to import", "Records"),
        ("stream_dry", "Tables to stream", "Rows, about"),
    ],
)
def test_a_plan_says_what_will_be_done_whatever_its_dag_is_called(page: str, heading: str, counted: str) -> None:
    assert planned(kinds.PAGES[page]().plan) == (heading, counted)


@pytest.mark.parametrize(
    ("dag", "engine", "words"),
    [
        ("mirror_maker2_on_connect", "mirror_maker2_on_connect", "Schema Registry"),
        ("of-my-own", "mirror_maker1", "Schema Registry"),
        ("of-my-own", "export_topics_to_s3", "An export is of records"),
        ("backup_topics", "kafka_ferry", "Not in a backup"),
        ("verify_clusters", "none: compared as they are", "nothing was written"),
        ("of-my-own", "none: compared as they are", "nothing was written"),
    ],
)
def test_what_is_never_carried_is_said_of_the_right_job(dag: str, engine: str, words: str) -> None:
    assert words in never_carried(dag, engine)


@pytest.mark.parametrize("dag", ["verify_backup", "stream_database_changes"])
def test_what_carries_nothing_leaves_nothing_behind(dag: str) -> None:
    assert never_carried(dag, "kafka_ferry") == ""


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        ("mirror_maker2_on_connect", "MirrorMaker 2 on Kafka Connect"),
        ("msk_replicator (tested against a double)", "MSK Replicator (tested against a double)"),
        ("an_engine_of_a_plugin", "an engine of a plugin"),
    ],
)
def test_engines_are_called_as_people_call_them(engine: str, name: str) -> None:
    assert engine_name(engine) == name
