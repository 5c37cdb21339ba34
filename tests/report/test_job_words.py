"""Each kind of job asks, counts and proves in words of its own, which it hands in."""

from __future__ import annotations

import pytest

import report_kinds as kinds
from kafka_ferry.core.checks import CHECKS, Report
from kafka_ferry.jobs.backup.reported import BACKUP, RESTORE, VERIFICATION
from kafka_ferry.jobs.cdc.reported import STREAM
from kafka_ferry.jobs.migration.reported import COMPARISON, migration
from kafka_ferry.jobs.s3.reported import EXPORT, IMPORT
from kafka_ferry.report.job_words import PLANNED, QUESTIONS, counted_only, engine_name, proven, question
from kafka_ferry.report.reported_job import ReportedJob

WHAT = "5 records in 1 topic"


def report(page: str) -> Report:
    found = kinds.report_of(kinds.PAGES[page]())
    return Report.model_validate(found.to_json())  # what the page knows of a job has been in report.json


@pytest.mark.parametrize("job", [COMPARISON, EXPORT, IMPORT, migration("mirror_maker1"), ReportedJob()])
def test_a_job_lists_what_it_can_check_in_the_order_of_all(job: ReportedJob) -> None:
    assert list(job.checklist) == [name for name in CHECKS if name in job.checklist]
    assert set(job.words.questions) <= set(QUESTIONS)


def test_what_a_job_never_checks_is_not_on_its_list() -> None:
    assert tuple(migration("mirror_maker1").checklist) == CHECKS
    assert "leftovers" not in COMPARISON.checklist
    assert "groups" not in EXPORT.checklist
    assert "acls" not in IMPORT.checklist


@pytest.mark.parametrize(
    ("page", "check", "words"),
    [
        ("backup_pass", "topics", "in the backup?"),
        ("restore_pass", "content", "the same as in the backup?"),
        ("export_pass", "topics", "in the export?"),
        ("import_pass", "content", "the same as in the export?"),
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
        ("clusters_pass", "were read on both sides and are the same."),
        ("restore_pass", "were read back from the target and match the backup."),
        ("import_pass", "were read back from the target and match the export."),
        ("export_pass", "each object was read back and holds the records that were read."),
    ],
)
def test_a_pass_claims_what_the_job_did(page: str, end: str) -> None:
    assert proven(report(page), WHAT).startswith(f"{WHAT} ")
    assert proven(report(page), WHAT).endswith(end)


def test_a_pass_that_only_counted_says_so() -> None:
    assert counted_only(report("export_pass"), WHAT) == f"{WHAT} are in the export. Its objects were not read back."
    assert counted_only(report("connect_pass"), WHAT).endswith("Their contents were not compared.")


def test_of_a_job_that_handed_in_nothing_no_more_is_claimed_than_is_true_of_any() -> None:
    silent = report("restore_pass").model_copy(update={"words": ReportedJob().words})
    assert proven(silent, WHAT) == f"{WHAT} were compared and are the same."
    assert counted_only(silent, WHAT) == f"{WHAT} were counted. Their contents were not compared."
    assert question(silent, "content") == QUESTIONS["content"]
    assert engine_name(silent.model_copy(update={"engine": "an_engine_of_a_plugin"})) == "an engine of a plugin"


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
    assert report(page).words.sides == heads


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
        ("connections_running", "Topics to ask about", ""),
    ],
)
def test_a_plan_says_what_will_be_done_whatever_its_dag_is_called(page: str, heading: str, counted: str) -> None:
    assert PLANNED[kinds.PAGES[page]().plan.kind] == (heading, counted)


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (migration("mirror_maker2_on_connect"), "Schema Registry"),
        (migration("an_engine_of_a_plugin"), "Schema Registry"),
        (COMPARISON, "nothing was written"),
        (EXPORT, "An export holds records"),
        (IMPORT, "An import brings records"),
        (BACKUP, "Not in a backup"),
        (RESTORE, "Not copied"),
    ],
)
def test_what_is_never_carried_is_said_of_the_right_job(job: ReportedJob, words: str) -> None:
    assert words in job.never_carried


@pytest.mark.parametrize("job", [VERIFICATION, STREAM, ReportedJob()])
def test_what_carries_nothing_leaves_nothing_behind(job: ReportedJob) -> None:
    assert job.never_carried == ""


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("connect_pass", "MirrorMaker 2 on Kafka Connect"),
        ("clusters_pass", "none: compared as they are"),
        ("msk_replicator_kept", "MSK Replicator (tested against a double of its API, not run on AWS by this project)"),
        ("backup_pass", "Kafka Ferry itself"),
        ("export_pass", "Kafka Ferry itself"),
        ("stream_pass", "Debezium"),
    ],
)
def test_engines_are_called_as_people_call_them(page: str, name: str) -> None:
    assert engine_name(report(page)) == name


def test_an_engine_that_was_never_run_says_so_to_people_and_in_the_file() -> None:
    job = migration("msk_replicator")
    assert job.words.engine.startswith("MSK Replicator (tested against a double")
    assert job.engine.startswith("msk_replicator (tested against a double")
