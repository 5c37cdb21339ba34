"""``verify_clusters`` on real brokers: what schema ids in headers mean at the target.

Apicurio's ids are looked up in real registries, which are filled so that no id is the same by itself. GUIDs are in no
registry of the stack: they are looked up in a double of Confluent's, from records that are on real brokers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from comparison_by_hand import Comparison
from own_registries import own_registries, register, use_registries
from registry_double import RegistryDouble, guid_of, serving
from stack.registries import Registry

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(600)]

BOTH = {"source_registry_conn_id": "registry_source", "target_registry_conn_id": "registry_target"}
ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "id", "type": "long"}]}
LINE = {"type": "record", "name": "Line", "namespace": "shop", "fields": [{"name": "order", "type": "Order"}]}
MONEY = 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }'

Headers = list[tuple[str, bytes | None]]
Write = Callable[[str, Sequence[tuple[bytes | None, Headers]]], None]


@pytest.fixture(params=["never", "always"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """How records are read: as objects, or by compiled code."""
    monkeypatch.setenv("FERRY_NATIVE", request.param)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    return str(request.param)


@pytest.fixture
def write(stack: Any, topic_prefix: str, make_topics: Callable[..., list[str]], produce: Callable[..., None]) -> Write:
    """``write(name, values)``: a topic with these values and headers in partition 1, on both clusters."""

    def both(name: str, values: Sequence[tuple[bytes | None, Headers]]) -> None:
        records = [
            {"key": b"k", "value": value, "headers": headers, "partition": 1, "timestamp": 1_700_000_000_000}
            for value, headers in values
        ]
        for bootstrap in (stack.source_bootstrap, stack.target_bootstrap):
            make_topics(bootstrap, f"{topic_prefix}{name}", partitions=2)
            produce(bootstrap, f"{topic_prefix}{name}", records)

    return both


def verify(topic_prefix: str, names: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """report.json, and its check ``schemas`` with the names of topics as the test has them."""
    report = Comparison(f"run-{names}", topics=[f"{topic_prefix}({names})"], groups=[], acls="skip", quotas="skip",
                        scram_users="skip", catch_up_timeout=30, **BOTH).whole()  # fmt: skip
    check = next(one for one in report["checks"] if one["name"] == "schemas")
    return report, {**check, "differences": [line.removeprefix(topic_prefix) for line in check["differences"]]}


def guid(value: str) -> tuple[str, bytes]:
    return "__value_schema_id", b"\1" + UUID(value).bytes


def apicurio(name: str, number: int) -> tuple[str, bytes]:
    return f"apicurio.value.{name}", number.to_bytes(8, "big")


# --- Apicurio's own ids, on two real ones ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Registry]]:
    with own_registries(tmp_path_factory.mktemp("registries")) as made:
        for conn_id, last in (("registry_source", '"long"'), ("registry_target", '"bytes"')):
            # The same content twice has two global ids and one content id.
            for subject in ("orders", "orders-again"):
                register(made[conn_id], subject, ORDER)
            register(made[conn_id], "lines", LINE, "AVRO", {"name": "shop.Order", "subject": "orders", "version": 1})
            register(made[conn_id], "money", MONEY, "PROTOBUF")
            register(made[conn_id], "other", last)
        register(made["registry_source"], "gone", '"double"')
        yield made


def own_ids(registry: Registry, subject: str) -> tuple[int, int]:
    """(global id, content id) as Apicurio tells them."""
    own = registry.url.replace("/apis/ccompat/v7", "/apis/registry/v2")
    answer = requests.get(f"{own}/groups/default/artifacts/{subject}/versions/1/meta", timeout=30)
    answer.raise_for_status()
    return answer.json()["globalId"], answer.json()["contentId"]


@pytest.mark.usefixtures("connections", "way")
def test_apicurios_ids_are_looked_up_in_apicurio(
    registries: dict[str, Registry], topic_prefix: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_registries(registries, monkeypatch)
    names = ("orders", "orders-again", "lines", "money", "other", "gone")
    ids = {name: own_ids(registries["registry_source"], name) for name in names}
    assert ids == {**ids, **{name: own_ids(registries["registry_target"], name) for name in list(ids)[:-1]}}
    assert ids["orders-again"][0] != ids["orders-again"][1]
    write("fine", [
        *((b"x", [apicurio("globalId", ids[name][0])]) for name in ("orders", "orders-again", "lines", "money")),
        *((b"x", [apicurio("contentId", ids[name][1])]) for name in ("orders", "lines", "money")),
        (b"\0\0\0\0\1", [("__value_schema_id", b"\0" + ids["orders"][1].to_bytes(4, "big"))]),
        (None, [apicurio("globalId", 4711)]),
    ])  # fmt: skip
    write("bad", [
        (b"x", [apicurio("globalId", ids["orders"][0])]),
        (b"x", [apicurio("globalId", ids["other"][0])]),
        (b"x", [apicurio("contentId", ids["gone"][1])]),
        (b"x", [apicurio("contentId", ids["gone"][1])]),
        (b"x", [apicurio("globalId", 2**62)]),
        (b"x", [("apicurio.value.globalId", b"\0\0\0\1")]),
        (b"x", [guid("8fe1a0ad-12f4-4dd5-b1ec-9c3f5aa4c0de")]),
        (b"\3\0" + UUID(int=7).bytes, []),
    ])  # fmt: skip

    report, check = verify(topic_prefix, "fine")
    assert (report["verdict"], check["status"]) == ("PASS", "pass"), json.dumps(report, indent=1)
    assert check["expected"].startswith("8 ids in 8 keys and values of 1 topic")

    report, check = verify(topic_prefix, "bad")
    assert (report["verdict"], check["status"]) == ("FAIL", "fail")
    told = [line.removeprefix("bad: values ").split(": ", 1) for line in check["differences"]]
    one = "1 record, first: partition 1, offset"
    assert told == [
        [f"with Apicurio's content id {ids['gone'][1]}",
         "the target registry does not know it: 2 records, first: partition 1, offset 2"],
        [f"with Apicurio's global id {ids['other'][0]}", f"it is another schema at the target: {one} 1"],
        [f"with Apicurio's global id {2**62}", f"neither registry knows it: {one} 4"],
        [f"that begin as with Glue's schema version {UUID(int=7)}",
         f"{one} 7: skipped: these are AWS Glue's, and source_registry_conn_id is no connection of type aws"],
        ["with GUID 8fe1a0ad-12f4-4dd5-b1ec-9c3f5aa4c0de in a header",
         f"{one} 6: skipped: the source registry has no GUIDs, as Confluent's has since version 8"],
        ["with a header of a schema id that no client can read, too short or of an unknown kind", f"{one} 5"],
    ]  # fmt: skip


# --- GUIDs, in doubles -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("connections", "way")
def test_guids_are_looked_up(topic_prefix: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(RegistryDouble()) as source, serving(RegistryDouble()) as target:
        for name, registry in (("SOURCE", source), ("TARGET", target)):
            fields = json.dumps({"conn_type": "http", "host": registry.url})
            monkeypatch.setenv(f"AIRFLOW_CONN_REGISTRY_{name}", fields)
        target.put("first", '"bytes"')  # so that ids differ, which GUIDs do not
        for registry in (source, target):
            registry.put("orders", json.dumps(ORDER))
            registry.put("money", MONEY, "PROTOBUF")
        source.put("gone", '"double"')
        orders, money, gone = (guid_of(source.subjects[name][1]) for name in ("orders", "money", "gone"))
        name, content = guid(money)
        write("fine", [
            (b"x", [guid(orders)]),
            (b"x", [(name, content + b"\2\0\2")]),  # indexes of messages
            (b"x", [guid(gone), ("trace", None), guid(orders)]),  # the last counts
            (None, [guid(gone)]),
        ])  # fmt: skip
        write("bad", [(b"x", [guid(orders)]), (b"x", [guid(gone)]), (b"x", [guid(gone)])])
        strangers = [(b"x", [guid(str(UUID(int=number)))]) for number in range(1100)]
        write("strange", [(b"x", [(name, content[:9])]), (b"x", [(name, b"")]), (b"x", [guid(orders)] * 2), *strangers])

        report, check = verify(topic_prefix, "fine")
        assert (report["verdict"], check["status"]) == ("PASS", "pass"), json.dumps(report, indent=1)
        assert check["expected"].startswith("2 ids in 3 keys and values of 1 topic")

        report, check = verify(topic_prefix, "bad")
        assert (report["verdict"], check["status"]) == ("FAIL", "fail")
        assert check["differences"] == [
            f"bad: values with GUID {gone} in a header: the target registry does not know it: 2 records, first: "
            "partition 1, offset 1"
        ]

        report, check = verify(topic_prefix, "strange")
        assert (report["verdict"], check["status"]) == ("FAIL", "fail")
        # 999 of them and ours are told apart; the rest is told as more than that.
        assert check["actual"] == "999 differences"
        assert len(check["differences"]) == 51
        asked = [one for one in target.requests if "/schemas/guids/" in one]
        assert len(asked) < 1100, "bounded, however many ids there are"
