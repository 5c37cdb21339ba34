"""What a connector wrote is compared as it is: behind it may be more, and a time of 0 stays 0."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.backup.store import verify
from kafka_ferry.jobs.backup.store.restore import RestoreRange
from kafka_ferry.jobs.backup.store.verify import compare_restored
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.fingerprint import Fingerprint


def content(*offsets: int) -> PartitionContent:
    """Records at these offsets of the target; the n-th is the n-th of the export."""
    return PartitionContent(np.array(offsets), np.arange(len(offsets), dtype=np.uint64), 0, 0, 99)


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What stands in the target, and how it was asked for."""
    found: dict[str, Any] = {"asked": []}

    class Admin:
        def __init__(self, *_: Any) -> None: ...

        def offsets(self, places: list[Any], which: str, isolation: str) -> dict[Any, int]:
            found["asked"].append(isolation)
            return dict.fromkeys(places, 99)

    class Reader:
        def __init__(self, _: Any, isolation: str) -> None:
            found["asked"].append(isolation)

        def __enter__(self) -> Reader:
            return self

        def __exit__(self, *_: object) -> None: ...

        def read(self, spans: list[Any]) -> dict[Any, PartitionContent]:
            return {one.key: found["content"] for one in spans}

    monkeypatch.setattr(verify, "KafkaAdmin", Admin)
    monkeypatch.setattr(verify, "LibrdkafkaReader", Reader)
    return found


def compare(segment: Segment) -> Any:
    store = cast(Any, None)  # no object is read
    (line,) = compare_restored({}, store, [RestoreRange("t", 0, 5, (segment,))], growing=True)
    return line


def test_so_many_committed_records_as_the_export_has_are_looked_at(target: dict[str, Any]) -> None:
    target["content"] = content(5, 6, 9, 12)  # markers between, and one of the next export behind
    of_three = content(0, 1, 2)
    segment = Segment(begin=0, end=3, records=3, key="k", fingerprint=Fingerprint.of(of_three).to_json(),
                      min_timestamp=0, max_timestamp=9)  # fmt: skip
    line = compare(segment)
    assert (line.detail, line.expected, line.actual, line.retimed) == ("", 3, 3, 0)
    assert (line.end, line.behind) == (10, 1)
    assert target["asked"] == ["read_committed"] * 2


def test_of_nothing_the_next_one_begins_at_the_same_offset(target: dict[str, Any]) -> None:
    target["content"] = content()
    segment = Segment(begin=0, end=3, records=0, key=None, fingerprint=Fingerprint.of(content()).to_json(), missing=3)
    assert compare(segment).end == 5
