"""Records against limits, to the byte: what cannot go, what perhaps cannot, what is not known."""

from __future__ import annotations

import pytest

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.largest_record import Batch, Limit, Record, lifted_finding, producer_limits, size_finding

REFUSE, WARN = Severity.REFUSE, Severity.WARN
RECORD = Record(partition=3, offset=41, bytes=1000, packed=600)


def found(limit: int, *, before: bool = False, record: Record = RECORD, **about: object) -> Finding | None:
    limits = [
        Limit("max.message.bytes of the target topic", limit, "set max.message.bytes={bytes}", before, "a policy")
    ]
    return size_finding("topic t", [record], Batch(3, 40, 550), limits, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "severity"),
    [(1001, None), (1000, None), (999, WARN), (601, WARN), (600, WARN), (599, REFUSE), (0, REFUSE)],
)
def test_a_broker_measures_what_is_packed(limit: int, severity: Severity | None) -> None:
    finding = found(limit)
    assert (finding and finding.severity) == severity


@pytest.mark.parametrize(("limit", "severity"), [(1001, None), (1000, None), (999, REFUSE), (600, REFUSE)])
@pytest.mark.parametrize("about", [{"before": True}, {"codec": "none"}, {"before": True, "codec": "zstd"}])
def test_a_producer_measures_what_is_not_and_so_does_a_broker_where_nothing_is_packed(
    limit: int, severity: Severity | None, about: dict[str, object]
) -> None:
    finding = found(limit, **about)  # type: ignore[arg-type]
    assert (finding and finding.severity) == severity


@pytest.mark.parametrize("about", [{"codec": "gzip"}, {"codec": "zstd"}, {"codec": "snappy"}, {"certain": False}])
def test_what_is_not_certain_is_no_refusal(about: dict[str, object]) -> None:
    finding = found(599, **about)  # type: ignore[arg-type]
    assert finding and finding.severity is WARN


@pytest.mark.parametrize(("limit", "severity"), [(1039, None), (1038, REFUSE), (1000, REFUSE), (999, REFUSE)])
def test_what_lz4_makes_larger_is_measured_as_it_is_sent(limit: int, severity: Severity | None) -> None:
    finding = found(limit, record=Record(0, 0, bytes=1000, packed=1039))
    assert (finding and finding.severity) == severity
    assert finding is None or finding.fix == "set max.message.bytes=1039"
    assert found(1000, record=Record(0, 0, bytes=1000, packed=1039), before=True) is None


def test_it_names_the_place_the_sizes_the_limit_and_what_to_set() -> None:
    finding = found(599)
    assert finding and finding.subject == "topic t"
    for told in (
        "partition 3, offset 41",
        "1,000 bytes",
        "600 compressed",
        "550",
        "599",
        "max.message.bytes",
        "a policy",
    ):
        assert told in finding.what
    assert finding.fix == "set max.message.bytes=600"
    perhaps = found(600)
    assert perhaps and perhaps.fix == "set max.message.bytes=1000"
    plain = found(599, codec="none")
    assert plain and plain.fix == "set max.message.bytes=1000"


def test_of_several_the_one_that_cannot_go_is_told_by_the_smallest_limit() -> None:
    packs_well, packs_badly = Record(0, 1, bytes=5000, packed=90), Record(0, 2, bytes=900, packed=880)
    limits = [Limit("a", 850, "{bytes}"), Limit("b", 800, "{bytes}"), Limit("c", 10**9, "{bytes}", before=True)]
    finding = size_finding("t", [packs_well, packs_badly], None, limits)
    assert finding and (finding.severity, finding.fix) == (REFUSE, "880")
    assert "offset 2" in finding.what and "b is 800" in finding.what
    assert size_finding("t", [], None, limits) is None
    assert size_finding("t", [packs_badly], None, []) is None


def test_what_is_only_documented_refuses_nothing() -> None:
    limits = [Limit("a quota", 10, "another engine", sure=False)]
    finding = size_finding("t", [RECORD], None, limits, codec="none")
    assert finding and finding.severity is WARN


def test_a_java_producer_holds_a_record_against_two_settings() -> None:
    limits = producer_limits({"max.request.size": "999", "buffer.memory": "1000", "compression.type": "lz4"})
    finding = size_finding("t", [RECORD], None, limits)
    assert finding and finding.severity is REFUSE and "max.request.size of the producer is 999" in finding.what
    assert size_finding("t", [RECORD], None, producer_limits({"buffer.memory": "1000"})) is None
    assert producer_limits({}) == producer_limits({"buffer.memory": "96m"}) == []


@pytest.mark.parametrize(("own", "told"), [(1000, False), (999, True)])
def test_what_passes_by_a_lifted_limit_alone_is_good_to_know(own: int, told: bool) -> None:
    finding = lifted_finding("t", RECORD, "max.message.bytes", own)
    assert (finding is not None) is told
    assert finding is None or finding.severity is Severity.ADVISE
    assert lifted_finding("t", None, "max.message.bytes", own) is None
