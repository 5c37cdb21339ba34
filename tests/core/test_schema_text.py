"""When two schemas are the same: whatever a registry does to the spelling, and nothing else."""

from __future__ import annotations

import pytest

from kafka_ferry.core.schema_text import canonical, digest
from kafka_ferry.core.schemas import Schema

RECORD = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}'
PROTO = """syntax = "proto3";
package shop;
import "dep.proto";
option java_package = "shop";
message Order { // what was ordered
  int64 id = 1 [deprecated = true];
  map<string, int32> items = 2;
  oneof paid { string card = 3; string bank = 4; }
  enum State { NEW = 0; OLD = -1; }
}
"""


def same(one: str, other: str, kind: str = "AVRO") -> bool:
    return digest(Schema(one, kind)) == digest(Schema(other, kind))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"type": "string"}', '"string"'),
        (RECORD, RECORD.replace(",", " ,\n ")),
        (RECORD, '{"fields":[{"type":{"type":"long"},"name":"id"}],"name":"shop.Order","type":"record"}'),
        (RECORD, RECORD.replace('"long"', '"long","order":"ascending","aliases":[]')),
        ('["null",{"type":"int"}]', '["null","int"]'),
        # A name without a dot is in the namespace around it.
        (
            '{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":4}},'
            '{"name":"y","type":"F"}]}',
            '{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":{"type":"fixed","name":"a.F",'
            '"size":4}},{"name":"y","type":"a.F"}]}',
        ),
        (
            '{"type":"record","name":"R","fields":[{"name":"x","type":"double","default":0}]}',
            '{"type":"record","name":"R","fields":[{"name":"x","type":"double","default":0.0}]}',
        ),
    ],
)
def test_other_spellings_of_avro_are_the_same(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    "other",
    [
        RECORD.replace("long", "int"),
        RECORD.replace("shop", "store"),
        RECORD.replace('"long"', '"long","default":1'),
        RECORD.replace('"long"', '"long","order":"ignore"'),
        RECORD.replace('"long"', '"long","aliases":["nr"]'),
        RECORD.replace('"long"', '{"type":"long","logicalType":"timestamp-millis"}'),
        RECORD.replace('"long"', '"long","doc":"its number"'),
        RECORD.replace('{"name":"id","type":"long"}', '{"name":"id","type":"long"},{"name":"b","type":"long"}'),
        # The order of fields is the order of bytes.
        '{"type":"record","name":"Order","namespace":"shop","fields":[]}',
    ],
)
def test_other_contents_of_avro_differ(other: str) -> None:
    assert not same(RECORD, other)


def test_the_order_of_avro_fields_and_of_a_union_counts() -> None:
    fields = '{"name":"a","type":"int"}', '{"name":"b","type":"int"}'
    one, other = (
        f'{{"type":"record","name":"R","fields":[{",".join(order)}]}}' for order in (fields, reversed(fields))
    )

    assert not same(one, other)
    assert not same('["null","int"]', '["int","null"]')


def test_json_schemas_are_compared_by_what_they_hold() -> None:
    assert same('{"type":"object","minimum":1.0}', '{ "minimum": 1, "type": "object" }', "JSON")
    assert not same('{"type":"object"}', '{"type":"string"}', "JSON")
    # To a JSON schema {"type": "string"} is no other spelling of "string".
    assert not same('{"type":"string"}', '"string"', "JSON")


def test_other_spellings_of_protobuf_are_the_same() -> None:
    other = """// Proto schema formatted by Wire, do not edit.
    package shop; syntax = 'proto3'; option java_package='shop';
    import "dep.proto";
    message Order {
      enum State { OLD = -1; NEW = 0; }
      map<string,int32> items=2; /* a
      comment */ int64 id = 1 [deprecated=true];
      oneof paid { string card = 3; string bank = 4; };
    }"""

    assert same(PROTO, other, "PROTOBUF")


@pytest.mark.parametrize(
    ("part", "other"),
    [("int64 id = 1", "int64 id = 2"), ("deprecated = true", "deprecated = false"), ("NEW = 0", "NEW = 1"),
     ("package shop", "package store"), ("map<string, int32>", "map<string, int64>"), ("string bank = 4;", ""),
     ('"dep.proto"', '"other.proto"')],
)  # fmt: skip
def test_other_contents_of_protobuf_differ(part: str, other: str) -> None:
    assert part in PROTO
    assert not same(PROTO, PROTO.replace(part, other), "PROTOBUF")


def test_a_comment_in_a_protobuf_string_is_no_comment() -> None:
    one = 'syntax = "proto3"; option a = "http://x"; message M { string s = 1; }'
    assert not same(one, one.replace("//x", "//y"), "PROTOBUF")


def test_a_value_of_many_parts_is_one_statement() -> None:
    one = 'syntax = "proto3"; message M { option (o) = { a: 1 b: { c: 2 } }; string s = 1 [(p) = { q: 1 }]; }'

    assert "{" in one
    assert same(one, one.replace(" ", "  "), "PROTOBUF")
    assert not same(one, one.replace("c: 2", "c: 3"), "PROTOBUF")


@pytest.mark.parametrize("kind", ["AVRO", "JSON", "PROTOBUF", "XSD"])
@pytest.mark.parametrize("text", ["", "}", "{", "message M {", "[" * 100_000, '{"type":' * 100_000, "null"])
def test_what_cannot_be_read_is_compared_letter_by_letter(kind: str, text: str) -> None:
    assert canonical(Schema(text, kind)) == canonical(Schema(f" {text}\n", kind))
    assert not same(text, f"{text}x", kind)


def test_deep_schemas_are_no_endless_work() -> None:
    deep = '{"type":"array","items":' * 5000 + '"int"' + "}" * 5000
    assert same(deep, deep)


def test_what_a_schema_refers_to_is_a_part_of_it() -> None:
    schema = Schema('"U"')

    assert digest(schema, {"U": "one"}) == digest(schema, {"U": "one"})
    assert digest(schema, {"U": "one"}) != digest(schema, {"U": "two"})
    assert digest(schema, {"U": "one"}) != digest(schema)


def test_the_type_is_a_part_of_it() -> None:
    assert digest(Schema("{}", "JSON")) != digest(Schema("{}", "AVRO"))
