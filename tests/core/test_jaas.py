"""The JAAS grammar of Kafka clients: what is written is read back, what is malformed is refused."""

from __future__ import annotations

import pytest

from kafka_ferry.core.jaas import JaasEntry, Reference, parse, quote
from kafka_ferry.exceptions import BadConnection


@pytest.mark.parametrize(
    "value",
    ["", "plain", 'a"b', "a\\b", "a\\", "\\n", "a\nb\rc", "$x", "${a:b}", "\\${a:b}", "a;b=c", "// /*", "ü€", "\\044"],
)
def test_round_trip(value: str) -> None:
    entry = JaasEntry("some.Module", {"username": "u", "password": value})
    assert parse(str(entry)) == entry
    assert "${" not in str(entry)
    assert "\n" not in str(entry)


def test_hand_written_lines() -> None:
    text = 'a.b.Module  required\n  username = "u"\n password="p\\u\\101" debug=true ;\n'
    assert parse(text) == JaasEntry("a.b.Module", {"username": "u", "password": "puA", "debug": "true"})


def test_references_stay() -> None:
    assert quote(Reference("${file:/p:k}")) == '"${file:/p:k}"'


@pytest.mark.parametrize(
    "text",
    ["", "Module", "Module required", 'Module required password="S3CRET', 'Module required password "S3CRET";',
     'Module required password="S3CRET" x;', 'Module required password="S3CRET" "=" y;'],
)  # fmt: skip
def test_malformed_without_quoting_it(text: str) -> None:
    with pytest.raises(BadConnection, match=r"^sasl\.jaas\.config: ") as refusal:
        parse(text)
    assert "S3CRET" not in str(refusal.value)
