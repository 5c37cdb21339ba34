"""The S3 store on a real S3 server, through a proxy that makes faults."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from kafka_ferry.exceptions import BadConnection, BadParam, FerryError, TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectTooLarge
from kafka_ferry.hooks.objects.s3_connection import store_of, store_settings
from kafka_ferry.hooks.objects.store import PART_BYTES, S3Store
from s3_faults import S3Faults

pytestmark = pytest.mark.integration


def test_objects_survive_the_trip_and_a_restart_of_the_server(breakable_stack, connections, topic_prefix):
    store = store_of(f"s3://ferry-backups/{topic_prefix}", "aws_default")
    small, large = b"\x00\xff", os.urandom(PART_BYTES * 2 + 12345)
    store.put("a b/ü=1/small", small)
    store.put("large", large)
    for number in range(5):
        store.put(f"many/{number}", b"x")

    breakable_stack.s3.kill9()
    breakable_stack.s3.restart()

    assert store.get("a b/ü=1/small") == small
    assert store.get("large") == large
    assert [one.key for one in store.list("many/")] == [f"many/{number}" for number in range(5)]
    assert {one.key: one.size for one in store.list()}["large"] == len(large)
    assert (store.size("large"), store.size("none")) == (len(large), None)
    with pytest.raises(ObjectTooLarge, match="large has"):
        store.get("large", len(large) - 1)
    told = store.clock()
    assert told is not None
    assert abs(told - datetime.now(UTC)) < timedelta(minutes=5)
    store.delete(one.key for one in store.list("many/"))
    assert list(store.list("many/")) == []
    with pytest.raises(ObjectMissing):
        store.get("many/0")


def test_refusals_of_a_real_server_are_named(connections):
    with pytest.raises(BadParam, match="no bucket 'nowhere'"):
        store_of("s3://nowhere/x", "aws_default").put("k", b"")
    settings = {**store_settings("aws_default"), "aws_secret_access_key": "wr0ng-S3CRET"}
    with pytest.raises(BadConnection) as raised:
        S3Store("s3://ferry-backups/x", settings).get("k")
    assert "wr0ng-S3CRET" not in str(raised.value)


def test_slow_downs_and_cut_connections_are_waited_for(connections, stack, topic_prefix):
    settings = store_settings("aws_default")
    faults = iter([503, "cut", None, None, 500, None, "cut", None])
    with S3Faults(stack.s3.url, lambda method, path: next(faults, None)) as proxy:
        store = S3Store(f"s3://ferry-backups/{topic_prefix}", {**settings, "endpoint_url": proxy.url})
        data = os.urandom(PART_BYTES + 7)
        store.put("k", data)
        assert store.get("k") == data
        assert proxy.faults == 4

        proxy.fault = lambda method, path: 503
        short = S3Store(f"s3://ferry-backups/{topic_prefix}", {**settings, "endpoint_url": proxy.url}, patience=1)
        with pytest.raises(TransientError, match="SlowDown"):
            short.put("k", b"")
    assert json.loads(connections["AIRFLOW_CONN_AWS_DEFAULT"])["login"] == "ferry"


def test_of_many_that_create_one_object_at_once_one_does(stack, connections, topic_prefix):
    settings = store_settings("aws_default")
    with S3Faults(stack.s3.url) as proxy:
        proxy.knows_conditions = True
        store = S3Store(f"s3://ferry-backups/{topic_prefix}", {**settings, "endpoint_url": proxy.url})
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: store.create("claim", str(number).encode()), range(8)))
        assert sorted(answers) == [False] * 7 + [True]
        assert store.get("claim") == str(answers.index(True)).encode()


def test_a_server_that_ignores_the_condition_is_named(connections, topic_prefix):
    """As the test server does: nobody is told that he made an object that another made too."""
    store = store_of(f"s3://ferry-backups/{topic_prefix}", "aws_default")
    with pytest.raises(FerryError, match=r"does not support If-None-Match .* Fix: FERRY_ARTIFACTS"):
        store.create("claim", b"x")
