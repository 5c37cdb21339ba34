"""``verify_clusters`` on real brokers and real registries: what the schema ids in the records mean at the target.

The target is filled here, and its registry so that one id means the same, one another schema, one nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comparison_by_hand import Comparison
from own_registries import own_registries, register, use_registries
from stack.registries import Registry

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BOTH = {"source_registry_conn_id": "registry_source", "target_registry_conn_id": "registry_target"}


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Registry]]:
    with own_registries(tmp_path_factory.mktemp("registries")) as made:
        for conn_id, last in (("registry_source", '"long"'), ("registry_target", '"bytes"')):
            for name, schema in (("same", '"string"'), ("same", '"int"'), ("other", last)):
                register(made[conn_id], f"{name}-value", schema)
        register(made["registry_source"], "gone-value", '"double"')
        yield made


def framed(number: int) -> bytes:
    return b"\0" + number.to_bytes(4, "big") + b"payload"


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize("way", ["never", "always"])
def test_what_ids_mean_is_proven(
    registries: dict[str, Registry],
    stack: Any,
    topic_prefix: str,
    make_topics: Callable[..., list[str]],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    way: str,
) -> None:
    monkeypatch.setenv("FERRY_NATIVE", way)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    use_registries(registries, monkeypatch)
    values = {
        "fine": [framed(1), framed(2), None, framed(1)],
        "other": [framed(1), framed(3), framed(3)],
        "gone": [b"text", framed(1), framed(4)],
        "unknown": [framed(1), framed(999)],
        "numbers": [(400 << 24).to_bytes(8, "big")],
    }
    for name, some in values.items():
        topic = f"{topic_prefix}{name}"
        records = [{"key": b"k", "value": value, "partition": 1, "timestamp": 1_700_000_000_000} for value in some]
        for bootstrap in (stack.source_bootstrap, stack.target_bootstrap):
            make_topics(bootstrap, topic, partitions=2)
            produce(bootstrap, topic, records)

    def verify(names: str, **params: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        report = Comparison(f"run-{names}", topics=[f"{topic_prefix}({names})"], groups=[], acls="skip", quotas="skip",
                            scram_users="skip", catch_up_timeout=30, **params).whole()  # fmt: skip
        return report, next(check for check in report["checks"] if check["name"] == "schemas")

    report, check = verify("fine", **BOTH)
    assert (report["verdict"], check["status"]) == ("PASS", "pass"), json.dumps(report, indent=1)
    assert check["expected"].startswith("2 ids in 3 keys and values of 1 topic")

    report, check = verify("fine|other|gone|unknown", **BOTH)
    assert (report["verdict"], check["status"]) == ("FAIL", "fail")
    assert sorted(check["differences"]) == [
        f"{topic_prefix}gone: values with id 4: the target registry does not know it: 1 record, first: partition 1, "
        "offset 2",
        f"{topic_prefix}other: values with id 3: it is another schema at the target: 2 records, first: partition 1, "
        "offset 1",
        f"{topic_prefix}unknown: values with id 999: neither registry knows it: 1 record, first: partition 1, offset 1",
    ]

    report, check = verify("numbers", **BOTH)
    assert (report["verdict"], check["status"]) == ("PASS", "explained")

    report, check = verify("other")
    assert (report["verdict"], check["status"]) == ("PASS", "skipped")
