"""What names of files say, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.objects.store import StoredObject
from kafka_ferry.jobs.s3.files.rules import names
from kafka_ferry.jobs.s3.files.rules.formats import Formats, Layout
from kafka_ferry.jobs.s3.files.rules.names import NamedFile, listing_of, namer_of, partitions_of

CONFLUENT = Formats("confluent")


def named(layout: Layout, key: str, **more: Any) -> NamedFile | str:
    return namer_of(Formats(layout, **more)).read(StoredObject(key, 7, 5))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("orders/partition=3/orders+3+0000000120.json", ("orders", 3, 120, "json", "value")),
        ("topics/orders/partition=3/orders+3+0000000120.json.gz", ("orders", 3, 120, "json", "value")),
        ("orders/year=2024/month=01/day=02/hour=03/orders+0+0000000000.avro", ("orders", 0, 0, "avro", "value")),
        ("orders+11+12345678901.snappy.parquet", ("orders", 11, 12345678901, "parquet", "value")),
        ("a.b-c_d/partition=0/a.b-c_d+0+0000000001.keys.json", ("a.b-c_d", 0, 1, "json", "keys")),
        ("o/partition=0/o+0+0000000001.headers.avro", ("o", 0, 1, "avro", "headers")),
        ("o/partition=0/o+0+0000000001.keys.gz.parquet", ("o", 0, 1, "parquet", "keys")),
    ],
)
def test_names_of_confluents_sink(key: str, said: tuple[str, int, int, str, str]) -> None:
    one = named("confluent", key)
    assert isinstance(one, NamedFile), one
    assert (one.topic, one.partition, one.offset, one.kind, one.part) == said
    assert (one.key, one.size, one.modified) == (key, 7, 5)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("orders/partition=3/orders+4+0000000120.json", "folder says partition 3, its name 4"),
        ("orders/partition=0/orders+0+0000000120.bin", "its name is not"),
        ("orders/partition=0/orders-0-0000000120.json", "its name is not"),
        ("orders/partition=0/_SUCCESS", "its name is not"),
        ("orders/orders+0+1.csv", "this layout has no CSV"),
        ("orders/partition=0/or ders+0+1.json", "its name is not"),
        ("orders/partition=0/orders+-1+1.json", "its name is not"),
        ("orders/orders+10000+1.json", "partition 10000 is above 9999"),
        ("orders/partition=0/orders+0+9999999999999999999.json", "more than 64 bits"),
        (f"x/{'o' * 250}+0+1.json", "its name is not"),
        ("orders/partition=0/orders+0+٣.json", "its name is not"),
    ],
)
def test_what_is_no_such_name_is_left_out_with_the_reason(key: str, why: str) -> None:
    found = named("confluent", key)
    assert isinstance(found, str)
    assert why in found


def objects(*keys: str) -> list[StoredObject]:
    return [StoredObject(key, 1, 0) for key in keys]


def test_files_are_put_in_the_order_of_their_offsets_as_numbers_with_what_lies_beside_them() -> None:
    listing = listing_of(
        objects(
            "t/partition=0/t+0+9.json", "t/partition=0/t+0+10.json", "t/partition=0/t+0+10.keys.json",
            "t/partition=0/t+0+10.headers.avro", "t/partition=2/t+2+0000000000.json", "t/", "t/partition=0/notes.txt",
            "t/../up/t+0+1.json", "t/tombstone/t+0+0000000005.keys.json", "t/partition=0/t+0+77.headers.json",
        ),
        namer_of(CONFLUENT),
    )  # fmt: skip
    first, second = listing.partitions["t", 0]
    assert (first.value.offset, first.keys, first.headers) == (9, None, None)
    assert second.keys is not None
    assert second.headers is not None
    assert (second.value.offset, second.keys.kind, second.headers.kind) == (10, "json", "avro")
    assert list(partitions_of(listing)) == [("t", 3)], "partition 1 had no records"
    assert [one.key for one in listing.tombstones["t"]] == ["t/tombstone/t+0+0000000005.keys.json"]
    assert listing.others == 3
    assert [said.partition(": ")[0] for said in listing.named] == [
        "'t/partition=0/notes.txt'", "'t/../up/t+0+1.json'", "'t/partition=0/t+0+77.headers.json'",
    ]  # fmt: skip


def test_a_set_of_files_goes_to_a_process_and_back() -> None:
    (one,) = listing_of(objects("t+0+1.json", "t+0+1.keys.json"), namer_of(CONFLUENT)).partitions["t", 0]
    assert names.FileSet.from_json(one.to_json()) == one
    assert one.size == 2


def test_more_files_than_a_run_takes_are_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MOST_FILES", 2)
    with pytest.raises(BadParam, match=r"param 'location': there are more than 2 files.*a run for each"):
        listing_of(objects("t+0+1.json", "t+0+2.json", "t+0+3.json"), namer_of(CONFLUENT))


@pytest.mark.parametrize(
    ("template", "key", "said"),
    [
        ("{{topic}}-{{partition}}-{{start_offset}}", "my-topic-1-2-30", ("my-topic-1", 2, 30)),
        ("{{topic}}-{{partition}}-{{start_offset}}", "t-2-30.gz", ("t", 2, 30)),
        (
            "a/{{topic}}/{{timestamp:unit=yyyy}}-{{timestamp:unit=MM}}/{{partition:padding=true}}-"
            "{{start_offset:padding=true}}.jsonl",
            "a/t/2026-11/0000000002-00000000000000000030.jsonl.gz", ("t", 2, 30),
        ),
        ("{{ topic }}/{{ topic }}.{{ partition }}.{{ start_offset }}", "t/t.2.30", ("t", 2, 30)),
        ("(x)+[{{topic}}]{{partition}}_{{start_offset}}", "(x)+[t]2_30", ("t", 2, 30)),
    ],
)  # fmt: skip
def test_names_by_the_template_of_aivens_sink(template: str, key: str, said: tuple[str, int, int]) -> None:
    one = named("aiven", key, template=template, kind="csv")
    assert isinstance(one, NamedFile), one
    assert (one.topic, one.partition, one.offset, one.kind) == (*said, "csv")


def test_what_is_in_a_file_is_told_by_its_ending_or_the_param() -> None:
    one = named("aiven", "t-0-0.parquet", template="{{topic}}-{{partition}}-{{start_offset}}.parquet")
    assert isinstance(one, NamedFile)
    assert one.kind == "parquet"
    assert named("aiven", "t-0-0") == "its name does not end with what is in it: param format says so"
    other = named("aiven", "t/t.2.30", template="{{topic}}/{{topic}}x{{partition}}.{{start_offset}}")
    assert isinstance(other, str)
    assert "not as the template" in other


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{key}}", "has 'key': such a file has one record for each key"),
        ("{{topic}}-{{partition}}", "has no start_offset: names do not say which records"),
        ("{{topic}}-{{partition}}-{{start_offset}}-{{time}}", "has the variable 'time'"),
        ("x", "has no partition, start_offset, topic"),
    ],
)
def test_a_template_that_does_not_say_enough_is_refused(template: str, why: str) -> None:
    with pytest.raises(BadParam, match=f"param 'file_name_template': {why}"):
        named("aiven", "x", template=template)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("backup/orders/3/000000014999.json", ("orders", 3, 14999, "json")),
        ("orders/3/14999.avro", ("orders", 3, 14999, "avro")),
        ("p/orders/3/000000014999_1690000000000_1690000000999.parquet", ("orders", 3, 14999, "parquet")),
        ("p/orders/3/000000014999_1690000000000_1690000000999-eu.json.gz", ("orders", 3, 14999, "json")),
        ("p/_topic=orders/x=1/orders(3_000000014999).json", ("orders", 3, 14999, "json")),
    ],
)
def test_names_of_lenses(key: str, said: tuple[str, int, int, str]) -> None:
    one = named("lenses", key)
    assert isinstance(one, NamedFile), one
    assert (one.topic, one.partition, one.offset, one.kind) == said


def test_locks_of_lenses_are_no_files() -> None:
    assert isinstance(named("lenses", ".indexes/orders/3/00000000000000014999"), str)
