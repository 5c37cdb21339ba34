"""Keys lead nowhere but to a backup's own objects."""

from __future__ import annotations

import pytest

from kafka_ferry.core.object_key import LONGEST, ForeignKey, check_key, key_problem
from kafka_ferry.jobs.backup.rules.layout import segment_key
from kafka_ferry.jobs.backup.rules.manifest_check import segment_problem, topic_problem

BAD = [
    "", "/etc/passwd", "..", "../x", "a/../../x", "a/./b", "a//b", "a/", "a\\b", "..\\x", "a\0b", "a\nb", "a\x7f", ".",
    "./a", "a/..", "x" * (LONGEST + 1), "ü" * (LONGEST // 2 + 1), "a\ud800",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD)
def test_what_leads_elsewhere_is_refused_by_name(key: str):
    assert key_problem(key)
    with pytest.raises(ForeignKey, match=r"^s3://b: the key .* is refused"):
        check_key(key, "s3://b")


@pytest.mark.parametrize("key", ["a", "a/b", "..a/b..", "a b/ü=1/…", "x" * LONGEST, "a:b", "%2e%2e/x", "~/x"])
def test_other_names_are_names(key: str):
    assert check_key(key, "x") == key


def test_a_segment_has_one_key():
    place = "b", "t.1", "AbC/d+e", 3, 70, "f" * 64
    own = segment_key(*place)
    assert segment_problem(*place, own) is None
    assert segment_problem(*place, own.replace(".parquet", ".jsonl.gz")) is None
    of_sink = segment_key(*place[:-1], "", ".avro")
    assert of_sink.endswith("/00000000000000000070.avro")
    assert segment_problem(*place, of_sink) is None
    assert segment_problem(*place, of_sink.replace(".avro", ".parquet")) is None
    for key in (
        of_sink.replace(".avro", ".exe"), of_sink.replace("70.avro", "71.avro"), of_sink.replace("AbC", "abC"),
        own.replace("b/", "c/", 1), own.replace("/t.1/", "/t.2/"), own.replace("000003", "000004"),
        own.replace("70-", "71-"), own + "x", "/" + own, own.replace("data", "data/../data"), own[:-8] + ".exe",
    ):  # fmt: skip
        assert key in str(segment_problem(*place, key))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "ü", "x" * 250, "a\0"])
def test_a_topic_that_kafka_would_not_take_has_no_objects(name: str):
    assert topic_problem(name, "id")
    assert topic_problem("t", "../x")
    assert topic_problem("t", "aB+/=_-") is None
