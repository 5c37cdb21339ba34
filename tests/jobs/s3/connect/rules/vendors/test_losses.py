"""What gets lost with others' connectors is told, and refused unless it is accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kafka_ferry.core.finding import Severity, refuse
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import VENDORS
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import PARTS, Way, loss_findings, read_back


def intent(way: Way, kind: Any) -> Intent:
    return Intent(way=way, topics=("t",), bucket="b", prefix="", export="e", format=kind)


WAYS: tuple[Way, Way] = ("sink", "source")
EVERY = [
    (maker, way, kind) for maker in VENDORS for way in WAYS for kind in VENDORS[maker].formats[way]
]  # fmt: skip


@pytest.mark.parametrize(("maker", "way", "kind"), EVERY)
def test_accepting_what_a_refusal_names_is_enough(maker: str, way: Way, kind: Any) -> None:
    vendor, accepted = VENDORS[maker], list[str]()
    found = loss_findings(vendor, intent(way, kind), accepted)
    bad = [one for one in found if one.severity is Severity.REFUSE]
    if bad:
        with pytest.raises(BadParam, match="'accept_losses'") as told:
            refuse(found)
        accepted = told.value.fix.removeprefix("accept_losses with ").partition(";")[0].split(", ")
    assert set(accepted) <= set(PARTS)
    refuse(loss_findings(vendor, intent(way, kind), accepted))


@pytest.mark.parametrize(("maker", "way", "kind"), EVERY)
def test_what_is_accepted_is_still_told(maker: str, way: Way, kind: Any) -> None:
    vendor = VENDORS[maker]
    told = {one.code: one for one in loss_findings(vendor, intent(way, kind), tuple(PARTS))}
    assert told.keys() >= vendor.lost(way, kind, tuple(PARTS)).keys()
    assert {one.severity for one in told.values()} == {Severity.ADVISE}


def test_only_aivens_sink_with_lines_loses_nothing() -> None:
    lossless = [
        one for one in EVERY if not any(
            found.severity is Severity.REFUSE for found in loss_findings(VENDORS[one[0]], intent(one[1], one[2]), ())
        )
    ]  # fmt: skip
    assert lossless == [("aiven", "sink", "jsonl")]


def test_what_may_stop_a_task_is_a_warning_until_it_is_left_out() -> None:
    found = loss_findings(VENDORS["confluent"], intent("sink", "avro"), ("timestamps",))
    assert {one.code for one in found if one.severity is Severity.WARN} == {"keys", "headers", "tombstones"}
    found = loss_findings(VENDORS["confluent"], intent("sink", "avro"), ("timestamps", "keys"))
    assert {one.code for one in found if one.severity is Severity.WARN} == {"headers", "tombstones"}
    assert next(one for one in found if one.code == "keys").severity is Severity.ADVISE


def test_camels_source_is_refused_for_what_it_deletes_unless_that_is_named_or_it_reads_again() -> None:
    lost = VENDORS["camel"].lost("source", "bytes", ())
    assert "deleted" in lost["objects"]
    assert "objects" not in VENDORS["camel"].lost("source", "bytes", ("repeats",))
    assert "without an end" in VENDORS["camel"].lost("source", "bytes", ("repeats",))["repeats"]
    assert "objects" in VENDORS["camel"].lost("source", "bytes", ("repeats", "objects"))


@pytest.mark.parametrize("maker", VENDORS)
def test_whoever_lacks_a_plugin_is_told_where_it_is_had(maker: str) -> None:
    vendor = VENDORS[maker]
    assert all(vendor.plugin[way] and vendor.classes[way] for way in WAYS)
    assert all(isinstance(vendor.notes(intent(way, "avro")), list) for way in WAYS)


def test_confluents_source_is_told_to_need_a_licence() -> None:
    assert "licence" in VENDORS["confluent"].plugin["source"]
    assert any("30 days" in note for note in VENDORS["confluent"].notes(intent("source", "avro")))


@pytest.mark.parametrize("maker", VENDORS)
def test_a_plan_says_how_the_makers_own_source_reads_an_export_back(maker: str) -> None:
    vendor = VENDORS[maker]
    kind = vendor.formats["source"][0]
    sink = replace(intent("sink", kind), region="r", cluster={"bootstrap.servers": "a", "sasl.password": "secret"})
    config, notes = read_back(vendor, sink, tuple(PARTS))
    assert config["connector.class"] == vendor.classes["source"]
    assert "secret" not in str(config)
    assert "records lose" in notes[0]


def test_what_cannot_be_read_back_is_said() -> None:
    config, notes = read_back(VENDORS["lenses"], intent("sink", "bytes"), ())
    assert config == {}
    assert notes[0].startswith("Lenses' own source cannot read this back: param format: is bytes")
    config, notes = read_back(VENDORS["camel"], replace(intent("sink", "bytes"), region="r"), ())
    assert config == {}
    assert "deletes each one" in notes[0]
