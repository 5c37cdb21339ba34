"""Params of exports and imports: what is refused says which param, and what would do."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "param 'topics' is missing"),
        ({"topics": []}, "param 'topics' is missing"),
        ({"topics": ["a"], "formt": "avro"}, "param 'formt' is unknown; did you mean 'format'?"),
        ({"topics": ["a"], "format": "csv"}, "param 'format': .*'csv'"),
        ({"topics": ["a"], "export": "a/b"}, "param 'export'"),
        ({"topics": ["a"], "follow_for": -1}, "param 'follow_for'"),
        ({"topics": ["a"], "segment_mb": 0}, "param 'segment_mb'"),
    ],
)
def test_an_export_that_cannot_work_is_refused(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadParam, match=words):
        ExportSpec.from_params(params)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"rename": {"(": "x"}}, "param 'rename': .*not a regular expression"),
        ({"export_id": "x", "follow_for": 5}, "param 'export_id' is set, but follow_for"),
        ({"location": "s3://a/b/", "copy_to": "s3://a/b"}, "param 'copy_to' is the location of the export itself"),
        ({"topcis": ["a"]}, "did you mean 'topics'"),
    ],
)
def test_an_import_that_cannot_work_is_refused(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadParam, match=words):
        ImportSpec.from_params(params)


def test_an_export_is_a_backup_of_records_alone() -> None:
    spec = ExportSpec.from_params({"topics": ["a"], "exclude_topics": None, "mode": "full", "export": "e"})
    asked = spec.backup()
    assert (asked.backup, asked.mode, asked.groups, asked.acls) == ("e", "full", [], False)
    assert spec.backup(full=False).mode == "incremental", "what follows a full export goes on from it"


def test_an_import_reads_the_copy_where_there_is_one() -> None:
    spec = ImportSpec.from_params({"copy_to": "s3://near/x", "copy_aws_conn_id": "near", "topics": None})
    asked = spec.restore("id")
    assert (asked.location, asked.aws_conn_id, asked.backup_id, asked.topics) == ("s3://near/x", "near", "id", [])
    assert ImportSpec.from_params({}).restore().location == "s3://ferry-backups/exports"
