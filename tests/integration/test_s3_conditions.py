"""The stack's S3 as artifacts need it: an object is created once, whoever else creates it at the same moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kafka_ferry.hooks.objects.store import PART_BYTES, S3Store
from stack import s3
from stack.ports import HOST, PortLease
from stack.s3_conditions import NAME, S3Conditions
from stack.state import State

pytestmark = pytest.mark.integration


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Store]:
    """On both servers."""
    state = State(tmp_path / "state.json")
    with PortLease() as lease:
        for name in (s3.NAME, NAME):
            state.keep_port(name, lease, in_use=False)
        server = s3.S3Server(tmp_path, state)
        front = S3Conditions(tmp_path, state, server.data)
        try:
            server.restart()
            front.restart()
            login = {"aws_access_key_id": s3.ACCESS_KEY, "aws_secret_access_key": s3.SECRET, "region_name": "us-east-1"}
            yield S3Store(f"s3://{s3.BUCKET}/x", {**login, "endpoint_url": f"http://{HOST}:{state.ports[NAME]}"})
        finally:
            front.stop()
            server.stop()


def test_of_many_that_create_an_object_one_does(store: S3Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: store.create("a claim/ü", b"%d" % number), range(8)))
    assert made.count(True) == 1
    assert store.get("a claim/ü") == b"%d" % made.index(True)
    store.delete(["a claim/ü"])
    assert store.create("a claim/ü", b"again"), "what was deleted may be created"


def test_all_else_passes(store: S3Store) -> None:
    large = os.urandom(PART_BYTES * 2 + 1)
    store.put("large", large)
    assert (store.get("large"), store.size("large"), store.size("none")) == (large, len(large), None)
    assert [one.key for one in store.list()] == ["large"]
