"""Stores by their contract: the folder for real, S3's errors as boto3 raises them."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from kafka_ferry.core.object_key import ForeignKey
from kafka_ferry.exceptions import BadConnection, BadParam, FerryError, TransientError
from kafka_ferry.hooks.objects import s3_client
from kafka_ferry.hooks.objects import store as object_store
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectsKept, ObjectTooLarge
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.hooks.objects.store import PART_BYTES, S3Store

SETTINGS = {"region_name": "us-east-1", "aws_access_key_id": "me", "aws_secret_access_key": "S3CRET-KEY"}


def refusal(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "S3CRET-KEY"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")


class FakeClient:
    """Answers with what is next on its list: an exception to raise, or an answer."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.calls = list(answers), []

    def __getattr__(self, name: str):
        def call(**arguments: object) -> object:
            self.calls.append((name, arguments))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def s3(*answers: object, patience: float = 60) -> tuple[S3Store, FakeClient]:
    store, client = S3Store("s3://bucket/a/prefix/", SETTINGS, patience), FakeClient(*answers)
    store._client = client
    return store, client


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(object_store.time, "sleep", lambda seconds: None)


def test_a_folder_keeps_what_it_was_given(tmp_path):
    store = open_store(f"file://{tmp_path}/x")
    assert list(store.list()) == []
    store.put("b/2", b"two")
    store.put("b/1", memoryview(b"one"))
    store.put("c", b"")

    assert [(one.key, one.size) for one in store.list()] == [("b/1", 3), ("b/2", 3), ("c", 0)]
    assert [one.key for one in store.list("b/")] == ["b/1", "b/2"]
    assert store.get("b/1") == b"one"
    store.put("b/1", b"new")
    store.delete(["b/2", "never"])
    assert (store.get("b/1"), [one.key for one in store.list()], store.puts) == (b"new", ["b/1", "c"], 4)
    with pytest.raises(ObjectMissing, match="b/2"):
        store.get("b/2")


def test_a_folder_that_cannot_be_written_is_an_outside_fault(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TransientError, match="cannot write file/x"):
        FolderStore(tmp_path).put("file/x", b"")


@pytest.mark.parametrize(
    "location",
    ["", "s3://b/a/../../c", "s3://b/..", "s3://b//x", "bucket/x", "s3://", "s3:///x", "gs://b/x", "file://relative"],
)
def test_a_location_that_is_none_is_refused(location):
    with pytest.raises(BadParam, match="location"):
        open_store(location)


def test_all_stores_of_a_process_are_clients_of_one_session(monkeypatch):
    begun = []

    class Counted(boto3.session.Session):
        def __init__(self):
            begun.append(self)
            super().__init__()

    monkeypatch.setattr(boto3.session, "Session", Counted)
    s3_client._session.cache_clear()
    others = {**SETTINGS, "aws_access_key_id": "you", "endpoint_url": "http://127.0.0.1:9"}
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda number: S3Store("s3://bucket/x", (SETTINGS, others)[number % 2]), range(16)))
    s3_client._session.cache_clear()
    assert len(begun) == 1
    assert len({id(store._client) for store in stores}) == 16
    keys = [store._client._request_signer._credentials.access_key for store in stores]
    assert keys == ["me", "you"] * 8, "each has its own keys"


def test_keys_are_relative_to_the_location():
    page = {"Contents": [{"Key": "a/prefix/k1", "Size": 5}], "IsTruncated": True, "NextContinuationToken": "t"}
    store, client = s3(page, {"Contents": [{"Key": "a/prefix/k2", "Size": 6}]})
    assert [(one.key, one.size) for one in store.list("k")] == [("k1", 5), ("k2", 6)]
    assert client.calls[1][1] == {"Bucket": "bucket", "Prefix": "a/prefix/k", "ContinuationToken": "t"}


def test_what_passes_is_tried_again_and_counted():
    store, client = s3(refusal("SlowDown", 503), EndpointConnectionError(endpoint_url="http://x"), {})
    store.put("k", b"x")
    assert ([name for name, _ in client.calls], store.puts) == (["put_object"] * 3, 3)


def test_patience_ends():
    store, _client = s3(*[refusal("SlowDown", 503)] * 3, patience=0)
    with pytest.raises(TransientError, match="cannot write k"):
        store.put("k", b"x")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("NoSuchBucket", 404), BadParam),
        (refusal("NoSuchKey", 404), ObjectMissing),
        (refusal("AccessDenied", 403), BadConnection),
        (refusal("SignatureDoesNotMatch", 403), BadConnection),
        (refusal("InvalidRequest", 400), FerryError),
        (NoCredentialsError(), BadConnection),
    ],
)
def test_what_no_retry_can_cure_fails_at_once_and_shows_no_secret(error, expected):
    store, client = s3(error)
    with pytest.raises(expected) as raised:
        store.get("k")
    assert not raised.value.retriable
    assert [name for name, _ in client.calls].count("get_object") == 1
    assert "S3CRET-KEY" not in str(raised.value) + repr(raised.value) + repr(store)


def test_our_own_mistakes_are_not_taken_for_the_stores():
    store, _client = s3(KeyError("Body"))
    with pytest.raises(KeyError):
        store.get("k")


def test_large_objects_go_in_parts_and_a_failed_upload_is_aborted():
    data = bytes(2 * PART_BYTES + 1)
    store, client = s3(
        {"UploadId": "u"}, {"ETag": "1"}, refusal("InternalError", 500), {"ETag": "2"}, {"ETag": "3"}, {}
    )
    store.put("k", data)
    assert client.calls[-1][1]["MultipartUpload"]["Parts"] == [{"PartNumber": n, "ETag": str(n)} for n in (1, 2, 3)]
    assert [len(args["Body"]) for name, args in client.calls if name == "upload_part"] == [*[PART_BYTES] * 3, 1]
    assert store.puts == 6

    store, client = s3({"UploadId": "u"}, refusal("AccessDenied", 403), {})
    with pytest.raises(BadConnection):
        store.put("k", data)
    assert client.calls[-1][0] == "abort_multipart_upload"


def test_a_refused_deletion_is_no_success():
    store, _client = s3({"Errors": [{"Key": "a/prefix/k", "Code": "AccessDenied"}]})
    with pytest.raises(ObjectsKept, match=r"may not delete k: AccessDenied\. Fix: allow s3:DeleteObject") as raised:
        store.delete(["k"])
    assert raised.value.kept == {"k": "AccessDenied"}
    store, _client = s3({"Errors": [{"Key": "a/prefix/k", "Code": "InternalError"}]})
    with pytest.raises(TransientError, match="cannot delete k: InternalError"):
        store.delete(["k"])


HOSTILE = ["/etc/passwd", "../x", "a/../../x", "a\\..\\x", "a\0", "", "a//b", "."]


@pytest.mark.parametrize("key", HOSTILE)
def test_no_store_takes_a_key_that_leads_elsewhere(key, tmp_path):
    folder = FolderStore(tmp_path / "in")
    folder.put("a/b", b"")
    bucket, client = s3()
    for store in (folder, bucket):
        for call in (store.get, store.size, lambda key, store=store: store.put(key, b"x"),
                     lambda key, store=store: store.delete(["a/b", key])):  # fmt: skip
            with pytest.raises(ForeignKey, match="is refused"):
                call(key)
    assert client.calls == [], "the server is not even asked"
    assert folder.get("a/b") == b"", "nothing is deleted when one of the keys is refused"


def test_links_lead_nowhere_out_of_a_folder(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (tmp_path / "real").mkdir()
    inside.symlink_to(tmp_path / "real")  # the folder itself may be one
    store = FolderStore(inside)
    store.put("a/own", b"1")
    (inside / "a/file").symlink_to(outside / "secret")
    (inside / "folder").symlink_to(outside)
    (inside / "circle").symlink_to(inside / "circle")
    (inside / "near").symlink_to(inside / "a")
    for key in ("a/file", "folder/secret", "folder/new", "circle", "circle/x"):
        for call in (store.get, store.size, lambda key: store.put(key, b"x"), lambda key: store.delete([key])):
            with pytest.raises(ForeignKey, match="a link leads out"):
                call(key)
    assert [one.key for one in store.list()] == ["a/own"]
    assert store.get("near/own") == b"1", "a link that stays inside"
    assert (outside / "secret").read_text() == "s"
    assert [path.name for path in outside.iterdir()] == ["secret"]
    os.mkfifo(inside / "pipe")
    with pytest.raises(ForeignKey, match="is not a file"):
        store.get("pipe")


def test_more_than_was_asked_for_is_not_read(tmp_path):
    folder = FolderStore(tmp_path)
    folder.put("k", b"12345")
    assert folder.get("k", 5) == b"12345"
    assert (folder.size("k"), folder.size("none")) == (5, None)
    with pytest.raises(ObjectTooLarge, match="k has 5 bytes, at most 4"):
        folder.get("k", 4)
    body = io.BytesIO(b"never read")
    bucket, _ = s3({"Body": body, "ContentLength": 10}, {"ContentLength": 7}, refusal("404", 404))
    with pytest.raises(ObjectTooLarge, match="k has 10 bytes, at most 4"):
        bucket.get("k", 4)
    assert (bucket.size("k"), bucket.size("none")) == (7, None)


def test_a_server_that_lists_what_was_not_asked_for_is_refused():
    store, _ = s3({"Contents": [{"Key": "another/prefix/x", "Size": 1}], "IsTruncated": False})
    with pytest.raises(ForeignKey, match="another/prefix/x"):
        list(store.list())


def test_what_could_not_be_written_leaves_nothing(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TransientError, match="No space left"):
        store.put("a/k", b"1")
    assert [path.name for path in (tmp_path / "a").iterdir()] == []
