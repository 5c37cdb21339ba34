"""Stores that are not AWS's, as far as they can be had here: a double of OSS before the stack's real S3 server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from dags_by_hand import DagRunByHand
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.objects.errors import ObjectMissing
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.hooks.objects.store import PART_BYTES, ObjectStore
from oss_double import CONFIG, OssDouble
from stack import Stack, s3
from stack.ports import PortLease
from stack.state import State

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.S3Server]:
    """The S3 server alone."""
    folder = tmp_path_factory.mktemp("s3")
    state = State(folder / "state.json")
    with PortLease() as lease:
        state.keep_port(s3.NAME, lease, in_use=False)
        found = s3.S3Server(folder, state)
        try:
            found.restart()
            yield found
        finally:
            found.stop()


@pytest.fixture
def oss(server: s3.S3Server, tmp_path: Path) -> Iterator[OssDouble]:
    with OssDouble(server.url, tmp_path) as double:
        yield double


def connect(monkeypatch: pytest.MonkeyPatch, oss: OssDouble, **config: Any) -> None:
    whole = {"conn_type": "aws", "login": "me", "password": "S3CRET", "extra": oss.extra(**config)}
    monkeypatch.setenv("AIRFLOW_CONN_OSS", json.dumps(whole))


def opened(monkeypatch: pytest.MonkeyPatch, oss: OssDouble, **config: Any) -> ObjectStore:
    connect(monkeypatch, oss, **config)
    return store_of(f"s3://{s3.BUCKET}/oss", "oss", patience=5)


@pytest.mark.parametrize("signature", [{}, {"signature_version": "s3"}], ids=["v4", "v2"])
def test_all_that_a_store_must_do_works_on_oss(
    monkeypatch: pytest.MonkeyPatch, oss: OssDouble, signature: dict[str, str]
) -> None:
    store = opened(monkeypatch, oss, **CONFIG, **signature)
    large = os.urandom(PART_BYTES * 2 + 12345)
    store.put("a b/ü=1/small", b"\x00\xff")
    store.put("empty", b"")
    store.put("large", large)
    assert (store.get("a b/ü=1/small"), store.get("empty"), store.get("large")) == (b"\x00\xff", b"", large)
    assert [(one.key, one.size) for one in store.list()] == [("a b/ü=1/small", 2), ("empty", 0), ("large", len(large))]
    assert (store.size("large"), store.size("none"), list(store.folders())) == (len(large), None, ["a b"])
    assert store.clock() is not None
    assert (store.locking(), store.locks(["large", "none"])) == (False, {}), "it knows no locks, and says nothing else"
    store.delete(["a b/ü=1/small", "empty", "large", "none"])
    with pytest.raises(ObjectMissing):
        store.get("large")
    assert (list(store.list()), oss.refused) == ([], [])
    sent = [headers for method, _, headers in oss.requests if method in ("PUT", "POST")]
    assert not [
        one for one in sent if any(name.startswith(("x-amz-checksum", "x-amz-sdk", "x-amz-tr")) for name in one)
    ]


@pytest.mark.parametrize(
    ("config", "code", "cure"),
    [
        ({}, "SecondLevelDomainForbidden", '{"config_kwargs": {"s3": {"addressing_style": "virtual"}}}'),
        ({"s3": {"addressing_style": "virtual"}}, "InvalidArgument", '"request_checksum_calculation": "when_required"'),
    ],
    ids=["defaults", "virtual"],
)
def test_what_boto3_does_by_default_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, oss: OssDouble, config: dict[str, Any], code: str, cure: str
) -> None:
    store = opened(monkeypatch, oss, **config)
    for data in (b"small", bytes(PART_BYTES + 1)):
        with pytest.raises(BadConnection) as raised:
            store.put("k", data)
        assert cure in str(raised.value)
        assert "in the extra of the aws connection" in str(raised.value)
    assert set(oss.refused) == {code}
    assert len(oss.refused) == 2, "no second try: it would be refused as well"


def test_a_deletion_without_its_digest_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, oss: OssDouble
) -> None:
    """By OSS's own page of examples for boto3 objects can be written, and not be deleted."""
    store = opened(monkeypatch, oss, s3={"addressing_style": "virtual"}, signature_version="s3")
    store.put("k", b"x")
    with pytest.raises(BadConnection, match=r'MissingArgument.*Fix: \{"config_kwargs".*when_required'):
        store.delete(["k"])
    assert store.get("k") == b"x"
    opened(monkeypatch, oss, **CONFIG).delete(["k"])


@pytest.mark.nightly
def test_a_backup_on_oss_is_verified_restored_and_pruned(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    stack: Stack,
    connections: dict[str, str],
    topic_prefix: str,
    make_topics: Callable[..., list[str]],
    produce: Callable[..., None],
) -> None:
    """The DAGs as they are, with only the connection of docs/object_stores.md; in processes of their own, too."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders", partitions=2)
    produce(stack.source_bootstrap, topic, ({"key": b"%d" % n, "value": b"v", "partition": n % 2} for n in range(500)))
    common = {"backup": f"{topic_prefix}b", "location": f"s3://{s3.BUCKET}/oss-dags", "aws_conn_id": "oss"}
    backup = {**common, "topics": [topic], "groups": [], "acls": False, "mode": "full", "keep_last": 1, "patience": 5}

    with OssDouble(stack.s3.url, tmp_path) as oss:
        connect(monkeypatch, oss)
        with pytest.raises(AirflowFailException, match=r"SecondLevelDomainForbidden.*Fix: .*addressing_style"):
            DagRunByHand("backup_topics", "refused", **backup).whole()
        connect(monkeypatch, oss, s3={"addressing_style": "virtual"})
        with pytest.raises(AirflowFailException, match=r"aws-chunked.*Fix: .*request_checksum_calculation"):
            DagRunByHand("backup_topics", "chunked", **backup).whole()
        oss.refused.clear()

        connect(monkeypatch, oss, **CONFIG)
        assert DagRunByHand("backup_topics", "first", **backup).whole()["verdict"] == "PASS"
        produce(stack.source_bootstrap, topic, ({"key": b"x", "partition": 0} for _ in range(10)))
        second = DagRunByHand("backup_topics", "second", **backup).whole()
        assert (second["verdict"], len(second["backups"])) == ("PASS", 1), "the first one was pruned"
        assert DagRunByHand("verify_backup", "verify", **common).whole()["verdict"] == "PASS"
        back = DagRunByHand("restore_topics", "restore", **common, rename={"(.*)": "\\1.back"}, groups=[]).whole()
        assert back["verdict"] == "PASS"
        assert [(line["target"], line["target_records"]) for line in back["topics"]] == [(f"{topic}.back", 510)]
        assert oss.refused == []
        assert "POST" in {method for method, path, _ in oss.requests if path.endswith("?delete")}
