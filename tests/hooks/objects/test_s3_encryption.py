"""What the connection says of encryption, on each request that takes it by botocore's model of S3. No server."""

from __future__ import annotations

import io
import json
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.msk_connect import plugin_upload
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import PluginArchive
from kafka_ferry.hooks.objects import s3_connection
from kafka_ferry.hooks.objects.errors import ObjectMissing
from kafka_ferry.hooks.objects.s3_client import EXTRA_ARGS
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.hooks.objects.store import PART_BYTES, S3Store

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY, "BucketKeyEnabled": True}
CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0123456789abcdef0123456789abcdef"}
AT = {"Bucket": "shop", "Key": "x/k"}


def opened(monkeypatch: pytest.MonkeyPatch, **extra_args: Any) -> S3Store:
    extra = {"region_name": "eu-west-1", "service_config": {"s3": {"extra_args": extra_args}}}
    whole = {"conn_type": "aws", "login": "me", "password": "p", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(whole))
    return S3Store("s3://shop/x", store_settings("store"), patience=0)


def body(data: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(data), len(data))


def test_every_upload_names_the_key_and_no_other_request_does(monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(monkeypatch, **KMS)
    with Stubber(store._client) as s3:
        s3.add_response("put_object", {}, {**AT, **KMS, "Body": b"v"})
        store.put("k", b"v")
        s3.add_response("put_object", {}, {**AT, **KMS, "Body": b"v", "IfNoneMatch": "*"})
        s3.add_client_error(
            "put_object",
            "PreconditionFailed",
            http_status_code=412,
            expected_params={**AT, **KMS, "Body": b"v", "IfNoneMatch": "*"},
        )
        assert store.create("k", b"v")

        s3.add_response("create_multipart_upload", {"UploadId": "u"}, {**AT, **KMS})
        for number in (1, 2):
            part = {**AT, "UploadId": "u", "PartNumber": number, "Body": ANY}
            s3.add_response("upload_part", {"ETag": str(number)}, part)
        parts = {"Parts": [{"PartNumber": number, "ETag": str(number)} for number in (1, 2)]}
        s3.add_response("complete_multipart_upload", {}, {**AT, "UploadId": "u", "MultipartUpload": parts})
        store.put("k", bytes(PART_BYTES + 1))

        s3.add_response("get_object", {"Body": body(b"v"), "ContentLength": 1}, AT)
        assert store.get("k") == b"v"
        s3.add_response("head_object", {"ContentLength": 1}, AT)
        assert store.size("k") == 1
        s3.add_response("list_objects_v2", {}, {"Bucket": "shop", "Prefix": "x/"})
        assert list(store.list()) == []
        deletion = {"Objects": [{"Key": "x/k"}], "Quiet": True}
        s3.add_response("delete_objects", {}, {"Bucket": "shop", "Delete": deletion})
        store.delete(["k"])
        s3.assert_no_pending_responses()


def test_a_key_of_ones_own_is_given_for_reading_too_and_is_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    masked = list[str]()
    monkeypatch.setattr(s3_connection, "mask_secret", masked.append)
    store = opened(monkeypatch, **CUSTOMER, ExpectedBucketOwner="123456789012")
    assert CUSTOMER["SSECustomerKey"] in masked
    owner = {"ExpectedBucketOwner": "123456789012"}
    sealed = {**AT, **owner, **CUSTOMER}
    with Stubber(store._client) as s3:
        s3.add_response("put_object", {}, {**sealed, "Body": b"v"})
        store.put("k", b"v")
        s3.add_response("get_object", {"Body": body(b"v"), "ContentLength": 1}, sealed)
        assert store.get("k") == b"v"
        s3.add_client_error("head_object", "404", http_status_code=404, expected_params=sealed)
        assert store.size("k") is None
        s3.add_response("list_objects_v2", {}, {"Bucket": "shop", "Prefix": "x/", **owner})
        assert list(store.list()) == []
        s3.add_client_error("get_object", "InvalidRequest", f"bad key {CUSTOMER['SSECustomerKey']}", 400)
        with pytest.raises(Exception, match="bad key") as raised:
            store.get("k")
    assert CUSTOMER["SSECustomerKey"] not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ObjectLockMode": "COMPLIANCE"}, "ObjectLockMode is none"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "StorageClass is none"),
        ({"ServerSideEncryptio": "aws:kms"}, "ServerSideEncryptio is none"),
        ({"BucketKeyEnabled": "true"}, "BucketKeyEnabled has the wrong type"),
    ],
)
def test_what_is_no_such_argument_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadConnection, match=named) as raised:
        opened(monkeypatch, **given)
    assert all(name in str(raised.value) for name in EXTRA_ARGS)


DENIED = [
    f"User: arn:aws:iam::123456789012:user/me is not authorized to perform: kms:Decrypt on resource: {KEY}",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not "
    "allowed to access.",
]


@pytest.mark.parametrize("message", DENIED)
def test_a_missing_right_on_the_key_is_named(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    store = opened(monkeypatch)
    with Stubber(store._client) as s3:
        s3.add_client_error("get_object", "AccessDenied", message, 403)
        with pytest.raises(BadConnection, match=r"not allowed to read k: .*Fix: allow kms:Decrypt"):
            store.get("k")
        s3.add_client_error("put_object", "KMS.DisabledException", f"{KEY} is disabled.", 400)
        with pytest.raises(BadConnection, match=r"is disabled\. Fix: allow .* and see that the key is enabled"):
            store.put("k", b"")


def test_where_s3_only_says_access_denied_the_object_is_asked_for_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """As users saw it: github.com/boto/boto3/issues/2952. Looking at an object needs no right on its key."""
    store = opened(monkeypatch)
    with Stubber(store._client) as s3:
        s3.add_client_error("get_object", "AccessDenied", "Access Denied", 403)
        s3.add_response("head_object", {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}, AT)
        with pytest.raises(BadConnection, match=f"encrypted with the KMS key {KEY}. Fix: allow kms:Decrypt"):
            store.get("k")
        s3.add_client_error("get_object", "AccessDenied", "Access Denied", 403)
        s3.add_response("head_object", {"ServerSideEncryption": "AES256"}, AT)
        with pytest.raises(BadConnection, match="not allowed to read k: ") as raised:
            store.get("k")
        assert "kms" not in str(raised.value)
        s3.add_client_error("get_object", "NoSuchKey", "", 404)
        with pytest.raises(ObjectMissing):
            store.get("k")
        s3.assert_no_pending_responses()


def test_a_plugin_is_uploaded_with_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """For buckets whose policy refuses an upload that names none."""
    opened(monkeypatch, **KMS)
    client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s")
    monkeypatch.setattr(plugin_upload.AwsBaseHook, "conn", client)
    with Stubber(client) as s3:
        s3.add_client_error("head_object", "404", http_status_code=404)
        s3.add_response("put_object", {}, {"Bucket": "shop", "Key": ANY, "Body": ANY, **KMS})
        plugin_upload.upload(PluginArchive({"a.jar": b"PK"}), "mm2", "shop", aws_conn_id="store")
        s3.assert_no_pending_responses()
