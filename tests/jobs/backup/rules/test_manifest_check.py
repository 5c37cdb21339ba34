"""A manifest whose digest is right may say what cannot be: each such claim is refused by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

import true_manifests
from kafka_ferry.core.acls import Acl
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest
from kafka_ferry.jobs.backup.rules.manifest_check import segment_problem

KEY = "b/manifests/1.json"
BIG = 2**63


def tampered(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The manifest after a change, with the digest that fits: as one does who may write to the bucket."""
    content = json.loads(
        true_manifests.manifest("1", true_manifests.segment(0, 5), true_manifests.segment(5, 9)).to_bytes()
    )
    change(content)
    del content["sha256"]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({"sha256": digest, **content}).encode()


PART: dict[str, Any] = {
    "key": f"b/schemas/{'a' * 64}.json.gz", "sha256": "a" * 64, "size": 9, "subjects": 1, "versions": 1,
}  # fmt: skip


def segment(content: dict[str, Any]) -> dict[str, Any]:
    return content["topics"][0]["partitions"][0]["segments"][1]


def partition(content: dict[str, Any]) -> dict[str, Any]:
    return content["topics"][0]["partitions"][0]


def change(part: Callable[[dict[str, Any]], dict[str, Any]], **values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: part(content).update(values)


def whole(content: dict[str, Any]) -> dict[str, Any]:
    return content


def topic(content: dict[str, Any]) -> dict[str, Any]:
    return content["topics"][0]


def true_fingerprint() -> dict[str, Any]:
    return true_manifests.fingerprint(4)


OBJECT = [
    change(segment, key="../../dags/evil.py"),
    change(segment, key="/etc/cron.d/x"),
    change(segment, key="other/data/t/x/000000/1-2.parquet"),
    change(segment, key="b/manifests/2.json"),
    change(segment, key="b\\data\\x"),
    change(segment, key=""),
    change(segment, key=None),
    change(segment, sha256="zz"),
    change(segment, sha256=""),
    change(segment, size=0),
    change(segment, size=2**40),
    change(segment, size=-1),
    change(segment, records=0, missing=4),
    change(segment, records=5),
    change(segment, records=-4, missing=8),
    change(segment, missing=BIG),
    change(segment, bytes=-1),
    change(segment, bytes=10**30),
    change(segment, begin=4),
    change(segment, end=10),
    change(segment, begin=-5),
    change(segment, end=BIG),
    change(segment, min_timestamp=BIG),
    change(segment, max_timestamp=-BIG - 1),
    change(segment, fingerprint=None),
    change(segment, fingerprint={}),
    change(segment, fingerprint={**true_fingerprint(), "count": 3}),
    change(segment, fingerprint={**true_fingerprint(), "bytes": "many"}),
    change(segment, fingerprint={**true_fingerprint(), "sum": "g" * 16}),
    change(segment, fingerprint={**true_fingerprint(), "first": None}),
    change(segment, fingerprint={**true_fingerprint(), "last": 7}),
    change(segment, fingerprint={**true_fingerprint(), "hash_version": "md5"}),
    change(segment, gaps=[{"begin": 8, "end": 20, "reason": "compaction"}]),
    change(segment, gaps=[{"begin": 8, "end": 7, "reason": "compaction"}]),
    *(
        change(segment, largest_record={"offset": 5, "bytes": 100, "packed": 90} | claim)
        for claim in (
            {"offset": 4}, {"offset": 9}, {"offset": -1}, {"offset": BIG}, {"bytes": -100}, {"bytes": 0}, {"bytes": 89},
            {"bytes": 2**31 + 1}, {"bytes": 10**30}, {"packed": -1}, {"packed": 61}, {"packed": 101}, {"packed": BIG},
        )
    ),
    *(
        change(segment, largest_batch={"offset": 3, "bytes": 100} | claim)
        for claim in (
            {"offset": -1}, {"offset": 9}, {"offset": BIG}, {"bytes": -1}, {"bytes": 61}, {"bytes": 2**31 + 1},
            {"bytes": 10**30},
        )
    ),
    change(segment, key=None, records=0, missing=4, largest_record={"offset": 5, "bytes": 100, "packed": 90}),
    change(segment, key=None, records=0, missing=4, largest_batch={"offset": 5, "bytes": 100}),
]  # fmt: skip


@pytest.mark.parametrize("change", OBJECT)
def test_claims_of_a_segment_are_refused_with_topic_partition_and_offsets(change: Callable[[dict[str, Any]], object]):
    with pytest.raises(DamagedManifest, match=f"^{KEY}: refused, it is inconsistent: t-0 offsets "):
        Manifest.from_bytes(tampered(change), KEY)


OTHERS = [
    (change(whole, backup="c"), "it says it is backup '1' of 'c'"),
    (change(whole, backup_id="../1"), r"it says it is backup '\.\./1'"),
    (change(whole, created="yesterday"), "created 'yesterday' is not a time"),
    (change(whole, created="9999-12-31T23:59:59-12:00"), "is not a time"),
    (change(whole, completed="2026-13-01"), "completed '2026-13-01' is not a time"),
    (change(topic, name=".."), r"'\.\.' is not the name of a topic"),
    (change(topic, name="a/b"), "is not the name of a topic"),
    (change(topic, topic_id="a/../b"), "is not a topic id"),
    (change(partition, partition=-1), "no partition"),
    (change(partition, begin=BIG), "the range from"),
    (change(partition, begin=7, end=6), "the range from 7 to 6"),
    (lambda content: content["topics"].append(content["topics"][0]), "is listed twice"),
    (lambda content: topic(content)["partitions"].append(partition(content)), "listed twice"),
    (change(whole, groups={"g": [{"topic": "t", "partition": 0, "offset": 10**30}]}), "group 'g': offset"),
    (lambda content: content["totals"].update(seconds=1e400), "not JSON|seconds"),
    (lambda content: content["totals"].update(records=10**4000), "totals: a number"),
    (lambda content: content["totals"].update(puts=-1), "totals: a number"),
    (change(topic, replication_factor=-5), "topic t: -5 replicas"),
    (change(topic, replication_factor=10**30), "topic t: 10{30} replicas"),
    (change(partition, partition=2**31 - 1), "t: 1 partitions, and one with the number 2147483647"),
    (change(whole, acls=[{"resource": "TOPIC", "name": "t"}]), "an ACL of name, resource"),
    (change(whole, schemas=PART | {"key": "b/data/t/x/000000/1-2.parquet"}), "is not the key of its own object"),
    (change(whole, schemas=PART | {"key": "../" + PART["key"]}), "is not the key of its own object"),
    (change(whole, schemas=PART | {"sha256": "a" * 63}), "is not the key of its own object"),
    (change(whole, schemas=PART | {"size": BIG}), "an object of"),
    (change(whole, schemas=PART | {"size": 0}), "an object of 0 bytes"),
    (change(whole, schemas=PART | {"size": "1"}), "schemas.size"),
    (change(whole, quotas=[{"entity": {}, "values": {"a": 1.0}}]), "quotas of nobody: no entity"),
    (change(whole, quotas=[{"entity": {"topic": "t"}, "values": {"a": 1.0}}]), "quotas of topic t: no entity"),
    (change(whole, quotas=[{"entity": {"user": None}, "values": {"a": 1.0}}] * 2), "one that is listed twice"),
    (change(whole, quotas=[{"entity": {"user": "u"}, "values": {}}]), "quotas of user u: none"),
    (change(whole, quotas=[{"entity": {"user": "u"}, "values": {"a": "fast"}}]), "quotas.0.values.a"),
    (change(whole, notes=["\ud800"]), "is not JSON"),
    (change(whole, groups={"\udfff": []}), "is not JSON"),
    (change(partition, surprise=1), "partitions.0.surprise"),
    (change(segment, records="many"), "segments.1.records"),
    (change(segment, records=True), "t-0 offsets|segments.1.records"),
    (change(whole, topics={}), "topics"),
    (change(segment, largest_record=7), "segments.1.largest_record"),
    (change(segment, largest_record=[]), "segments.1.largest_record"),
    (change(segment, largest_record={"offset": 5}), "segments.1.largest_record"),
    (change(segment, largest_record={"offset": "5", "bytes": 100, "packed": 90}), "largest_record.offset"),
    (change(segment, largest_record={"offset": 5, "bytes": True, "packed": 90}), "largest_record.bytes"),
    (change(segment, largest_record={"offset": 5, "bytes": 100, "packed": 90.5}), "largest_record.packed"),
    (change(segment, largest_record={"offset": 5, "bytes": 100, "packed": 90, "more": 1}), "largest_record.more"),
    (change(segment, largest_batch={"offset": 5, "bytes": None}), "largest_batch.bytes"),
    (change(segment, largest_batch="large"), "segments.1.largest_batch"),
]


@pytest.mark.parametrize(("change", "why"), OTHERS)
def test_other_claims_are_refused_with_what_is_wrong(change: Callable[[dict[str, Any]], object], why: str):
    with pytest.raises(DamagedManifest, match=f"^{KEY}: .*({why})"):
        Manifest.from_bytes(tampered(change), KEY)


def test_what_is_true_is_taken_as_it_is():
    assert Manifest.from_bytes(tampered(lambda content: None), KEY).totals.records == 0
    acl = asdict(Acl("TOPIC", "t", "LITERAL", "User:a", "READ"))
    true = Manifest.from_bytes(tampered(change(whole, acls=[acl], notes=["\U0001f600"])), KEY)  # in JSON \\ud83d\\ude00
    assert (true.acls, true.notes) == ([acl], ["\U0001f600"])


@pytest.mark.parametrize(
    "data", [b"[" * 200_000, b'{"sha256": NaN}', b"9" * 10_000, b'{"a":' * 100_000, b"null", b'"x"', b"\xff\xfe", b"{}"]
)
def test_json_that_would_harm_its_reader_is_refused(data: bytes):
    with pytest.raises(DamagedManifest, match=f"^{KEY}: "):
        Manifest.from_bytes(data, KEY)


def test_a_manifest_of_before_the_newer_fields_is_read_and_keeps_its_bytes():
    old = true_manifests.manifest("1", true_manifests.segment(0, 5))
    assert b"follows" not in old.to_bytes(), "so that its digest is what it was"
    assert Manifest.from_bytes(old.to_bytes(), KEY).to_bytes() == old.to_bytes()
    assert b"largest" not in old.to_bytes()
    new = old.model_copy(update={"follows": "0"})
    assert Manifest.from_bytes(new.to_bytes(), KEY).follows == "0"


def test_the_largest_record_and_batch_are_read_as_they_were_written():
    about = {"largest_record": {"offset": 4, "bytes": 100, "packed": 62}, "largest_batch": {"offset": 0, "bytes": 62}}
    made = true_manifests.manifest("1", true_manifests.segment(0, 5, **about))
    read = Manifest.from_bytes(made.to_bytes(), KEY).topics[0].partitions[0].segments[0]
    assert read.model_dump(mode="json", include=about.keys()) == about


@pytest.mark.parametrize("suffix", [".avro", ".jsonl.gz", ".parquet"])
def test_only_an_objects_own_key_is_taken(suffix: str) -> None:
    sha256 = "0123456789abcdef" * 4
    place = "b", "t", "i", 3, 7, sha256
    own = f"b/data/t/i/000003/{7:020}"
    assert segment_problem(*place, f"{own}-{sha256[:16]}{suffix}") is None
    assert segment_problem(*place, f"{own}{suffix}") is None, "of the sink connector"
    for other in (f"{own}-{'0' * 16}{suffix}", f"{own}{suffix}.exe", f"x/{own}{suffix}", own, f"{own}/../../x{suffix}"):
        assert "not the key of its own object" in str(segment_problem(*place, other)), other
