"""What the bench tells our connectors."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.__main__ import parser
from bench.connectors import Pairs


def pairs(tmp_path: Path) -> Pairs:
    stack: Any = SimpleNamespace(
        source_bootstrap="source:1", target_bootstrap="target:1", s3=SimpleNamespace(url="http://s3:1", data=tmp_path)
    )
    return Pairs(cast(Any, stack), 1000, 10, "avro", print)


def test_both_read_what_the_other_wrote(tmp_path: Path) -> None:
    sink = pairs(tmp_path)._config("export", "e", "")
    source = pairs(tmp_path)._config("restore", "e", "back")
    assert sink["connector.class"].endswith("SinkConnector")
    assert source["connector.class"].endswith("SourceConnector")
    assert sink["format"] == "avro"
    assert sink["consumer.override.bootstrap.servers"] == "source:1"
    assert source["topics.rename"] == "bench-1000:back"
    same = {"export.name", "s3.bucket.name", "s3.prefix", "store.url", "topics"}
    assert {key: sink[key] for key in same} == {key: source[key] for key in same}


def test_the_command_line_has_sizes_and_formats() -> None:
    asked = parser().parse_args(["connectors", "--size", "100:2000", "--formats", "avro"])
    assert (asked.size, asked.formats, asked.runs) == ((100, 2000), ["avro"], 3)
    with pytest.raises(SystemExit):
        parser().parse_args(["connectors", "--formats", "csv"])
