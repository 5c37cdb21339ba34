"""What a verification says of each backup, on backups in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import true_manifests
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.manifest import Manifest, Segment
from kafka_ferry.jobs.backup.rules.spec import VerifySpec
from kafka_ferry.jobs.backup.store.verify_job import VerifyJob, judge, plan_of_verification


def segment(begin: int) -> Segment:
    return true_manifests.segment(begin, begin + 10)


def write(folder: Path, backup_id: str, begin: int, parent: str | None = None, end: int | None = None) -> Manifest:
    created = f"2026-11-{int(backup_id):02}T02:00:00+00:00"
    manifest = true_manifests.manifest(backup_id, segment(begin), parent=parent, created=created)
    manifest.topics[0].partitions[0].end = begin + 10 if end is None else end
    job(folder).catalogue.write(manifest)
    return manifest


def job(folder: Path, backup_id: str | None = None) -> VerifyJob:
    return VerifyJob(VerifySpec(backup="b", location=f"file://{folder}", backup_id=backup_id))


def found(*damage: Segment) -> list[dict[str, object]]:
    told = [
        {
            "topic": "t",
            "partition": 0,
            "begin": one.begin,
            "end": one.end,
            "key": one.key,
            "problem": f"{one.key}: gone",
        }
        for one in damage
    ]
    return [{"objects": 2, "records": 20, "bytes": 10, "damage": told}]


def checks(made: dict) -> dict[str, str]:
    return {check["name"]: check["status"] for check in made["checks"]}


def test_whole_backups_pass_and_the_verdict_is_kept_beside_them(tmp_path: Path):
    write(tmp_path, "1", 0)
    write(tmp_path, "2", 10, "1")
    made = judge(job(tmp_path), found())
    assert {name: status for name, status in checks(made).items() if status != "pass"} == {"registry": "skipped"}
    verdicts = job(tmp_path).catalogue.verdicts()
    assert {key: (one["verdict"], one["kind"]) for key, one in verdicts.items()} == {
        "1": ("PASS", "content"), "2": ("PASS", "content"),
    }  # fmt: skip
    assert "content PASS" in made["backups"][0]["detail"]


def test_a_damaged_object_fails_every_backup_that_needs_it(tmp_path: Path):
    write(tmp_path, "1", 0)
    write(tmp_path, "2", 10, "1")
    made = judge(job(tmp_path), found(segment(10)))
    assert checks(made)["objects"] == "fail"
    assert {key: one["verdict"] for key, one in job(tmp_path).catalogue.verdicts().items()} == {
        "1": "PASS",
        "2": "FAIL",
    }
    assert made["topics"][0]["lost"] == 10
    difference = made["checks"][1]["differences"][0]
    assert "t-0 offsets 10 to 19" in difference
    assert segment(10).key in difference

    judge(job(tmp_path), found(segment(0)))
    assert {one["verdict"] for one in job(tmp_path).catalogue.verdicts().values()} == {"FAIL"}


def test_a_hole_a_missing_parent_and_a_damaged_manifest_fail(tmp_path: Path):
    write(tmp_path, "1", 0, end=12)
    write(tmp_path, "3", 10, "2")
    path = tmp_path / "b" / "manifests" / "4.json"
    path.write_text("{}")
    made = judge(job(tmp_path), found())
    problems = made["checks"][0]["differences"]
    assert checks(made)["manifests"] == "fail"
    assert any("4.json: damaged" in text for text in problems)
    assert any("3 cannot be restored" in text and "'2'" in text for text in problems)
    assert any("t-0 offsets 10 to 11" in text for text in problems)
    assert checks(made)["orphans"] == "skipped"


def test_an_object_that_was_not_read_fails(tmp_path: Path):
    write(tmp_path, "1", 0)
    assert checks(judge(job(tmp_path), [{"objects": 0, "records": 0, "bytes": 0, "damage": []}]))["counts"] == "fail"


def test_one_backup_is_read_with_all_it_goes_on_from(tmp_path: Path):
    write(tmp_path, "1", 0)
    write(tmp_path, "2", 10, "1")
    write(tmp_path, "3", 20, "2")
    assert [one[2].begin for one in job(tmp_path, "2").segments()] == [0, 10]
    assert plan_of_verification(job(tmp_path)).records == 30
    with pytest.raises(BadParam, match=r"has no '9'\. Fix: one of its ids"):
        job(tmp_path, "9").segments()
    with pytest.raises(BadParam, match="there is no backup 'b' in"):
        plan_of_verification(job(tmp_path / "elsewhere"))
