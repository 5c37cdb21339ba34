"""What a connection says of botocore's config reaches the requests; what is ours alone stays."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.hosts.ssm import SsmHost
from kafka_ferry.hooks.msk.client import MskClient
from kafka_ferry.hooks.objects.aws_connection import client_with
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.hooks.objects.s3_client import client_config
from kafka_ferry.hooks.objects.s3_connection import store_of, store_settings
from kafka_ferry.hooks.objects.store import S3Store

BUCKET = "s3://shop-backups/x"


def connect(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    whole = {"conn_type": "aws", "login": "me", "password": "S3CRET", "extra": {"region_name": "eu-west-1", **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(whole))


def sent(store: Any) -> list[Any]:
    """The requests of a store, which a server that takes everything answers."""
    found = list[Any]()

    def answer(request: Any, **_: Any) -> AWSResponse:
        found.append(request)
        return AWSResponse(request.url, 200, {}, Empty())

    store._client.meta.events.register("before-send.s3", answer)
    return found


class Empty:
    """The body of an answer that has none."""

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [b""]


def headers(request: Any) -> dict[str, str]:
    return {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }


def test_addressing_checksums_and_endpoint_of_the_connection_are_those_of_the_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect(monkeypatch, endpoint_url="https://store.example.com")
    store = store_of(BUCKET, "store")
    requests = sent(store)
    store.put("k", b"body")
    assert requests[0].url == "https://store.example.com/shop-backups/x/k", "boto3's own choice beside an endpoint"
    assert headers(requests[0])["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

    connect(
        monkeypatch,
        endpoint_url="https://other.example.com",
        service_config={"s3": {"endpoint_url": "https://store.example.com"}},
        config_kwargs={"s3": {"addressing_style": "virtual"}, "request_checksum_calculation": "when_required"},
    )
    store = store_of(BUCKET, "store")
    requests = sent(store)
    store.put("k", b"body")
    told = headers(requests[0])
    assert requests[0].url == "https://shop-backups.store.example.com/x/k"
    digest = hashlib.md5(b"body", usedforsecurity=False).digest()
    assert told["content-md5"] == base64.b64encode(digest).decode(), "a body is never sent unchecked"
    assert told["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert not {"content-encoding", "x-amz-trailer", "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"} & set(told)
    store.delete(["k"])
    told = headers(requests[1])
    assert "content-md5" in told
    assert not {"x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"} & set(told)
    assert "/eu-west-1/s3/" in told["authorization"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"connect_timeout": 10, "read_timeout": 60, "max_pool_connections": 16}),
        ({"connect_timeout": 3, "read_timeout": 300}, {"connect_timeout": 3, "read_timeout": 300}),
        ({"max_pool_connections": 40}, {"max_pool_connections": 40, "read_timeout": 60}),
        ({"proxies": {"https": "http://proxy:3128"}}, {"proxies": {"https": "http://proxy:3128"}}),
        ({"signature_version": "s3"}, {"signature_version": "s3"}),
        ({"signature_version": "unsigned"}, {"signature_version": UNSIGNED}),
        ({"response_checksum_validation": "when_required"}, {"response_checksum_validation": "when_required"}),
        ({"client_cert": ["c.pem", "k.pem"]}, {"client_cert": ("c.pem", "k.pem")}),
        ({"retries": {"mode": "standard", "max_attempts": 10}}, {"retries": {"mode": "standard"}}),
        ({"retries": {"mode": "adaptive"}}, {"retries": {"mode": "adaptive"}}),
    ],
)
def test_the_connection_goes_before_our_defaults_but_tries_are_counted_once(
    given: Mapping[str, Any], expected: dict[str, Any]
) -> None:
    made = client_config(given)
    expected.setdefault("retries", {})["total_max_attempts"] = 1
    assert {name: getattr(made, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        ({"addressing_style": "virtual"}, "addressing_style"),
        ({"s3": {"addressing_style": "vhost"}}, "vhost"),
        ({"retries": {"mode": "often"}}, "often"),
        ({"s3": "virtual"}, "'str' object"),
        (["virtual"], "not a mapping"),
    ],
)
def test_an_option_that_is_none_is_named_with_its_connection(
    monkeypatch: pytest.MonkeyPatch, kwargs: Any, named: str
) -> None:
    connect(monkeypatch, config_kwargs=kwargs)
    whole = r"connection 'store': config_kwargs of the connection's extra: .*Fix: "
    with pytest.raises(BadConnection, match=whole) as raised:
        store_settings("store")
    assert named in str(raised.value)


def test_what_a_process_of_ours_gets_is_json_and_makes_the_same_client(monkeypatch: pytest.MonkeyPatch) -> None:
    kwargs = {"signature_version": "unsigned", "s3": {"addressing_style": "path"}}
    connect(monkeypatch, config_kwargs=kwargs, verify=False)
    settings = json.loads(json.dumps(store_settings("store")))
    assert settings == {"region_name": "eu-west-1", "verify": False, "config_kwargs": kwargs}, "unsigned: no keys"
    store = open_store(BUCKET, settings)
    assert isinstance(store, S3Store)
    requests = sent(store)
    store.put("k", b"")
    assert "authorization" not in headers(requests[0])


def test_a_client_with_a_config_of_ours_keeps_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A config that is handed to the provider's hook would take its place, and a proxy with it."""
    proxies = {"https": "http://proxy:3128"}
    connect(monkeypatch, config_kwargs={"proxies": proxies, "read_timeout": 300})
    quickly = MskClient(aws_conn_id="store").sibling("cloudwatch", config=Config(read_timeout=5))
    assert (quickly.meta.config.proxies, quickly.meta.config.read_timeout) == (proxies, 5)
    hook = AwsBaseHook(aws_conn_id="store", client_type="s3")
    default = client_with(hook, default=Config(read_timeout=5, connect_timeout=7))
    assert (default.meta.config.read_timeout, default.meta.config.connect_timeout) == (300, 7)

    connect(monkeypatch, config_kwargs={"proxies": proxies}, instance_id="i-0abc", bucket="b")
    files = SsmHost("store")._s3
    assert (files.meta.config.proxies, files.meta.config.signature_version) == (proxies, "s3v4")
