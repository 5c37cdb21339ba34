"""Objects by key under one location: ``s3://bucket/prefix`` through boto3, or a local folder. Free of Airflow."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, Protocol, TypeVar

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.object_key import ForeignKey, check_key
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import BadConnection, FerryError, TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectsKept, ObjectThere, UploadGone, refuse_large
from kafka_ferry.hooks.objects.s3_client import extra_args, has_old_checksums, s3_client
from kafka_ferry.hooks.objects.s3_fault import KMS_CURE, PASSING, Asked, fault_of

T = TypeVar("T")
Data = bytes | memoryview

PART_BYTES = 32 * 1024 * 1024  # most segments are one PUT; S3 takes parts of 5 MiB and more, 10,000 of them at most
PATIENCE = 120.0
_SECRETS = ("aws_secret_access_key", "aws_session_token", "SSECustomerKey")


@dataclass(frozen=True)
class StoredObject:
    """One line of a listing. ``key`` is relative to the location. ``modified``: when it was written, ms since 1970."""

    key: str
    size: int
    modified: int = 0


class ObjectStore(Protocol):
    """What the other modules need of a store. Keys are relative to its location and have no leading slash.

    Keys come from manifests, which others may have written: every method raises ``ForeignKey`` for one that would lead
    out of the location, before it asks the store.

    Every method raises ``TransientError`` when the store did not answer in time, ``BadConnection`` when it refuses the
    credentials. A ``put`` is atomic: nobody ever reads half an object.
    """

    location: str
    puts: int
    """Requests that wrote: each PUT, and each part, begin and end of a multipart upload."""
    signer: Signer | None
    """What signs the manifests and journals written here, and must have signed those that are read."""

    def put(self, key: str, data: Data) -> None:
        """Write an object, in place of what was there."""
        ...

    def create(self, key: str, data: Data) -> bool:
        """Write a small object only if there is none: of many that try at once one gets True, the others False."""
        ...

    def get(self, key: str, limit: int | None = None) -> bytes:
        """:param limit: bytes that are read at most.

        :raises ObjectMissing: no such object. ``ObjectTooLarge``: it has more bytes.
        """
        ...

    def load(self, key: str, into: BinaryIO, limit: int) -> None:
        """Write an object into a file that is empty, some at a time: for those too large for memory. As ``get``."""
        ...

    def size(self, key: str) -> int | None:
        """Bytes of an object, without reading it; None when there is none."""
        ...

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Objects whose key begins with ``prefix``, in the order of their keys."""
        ...

    def clock(self) -> datetime | None:
        """What time the store has; None when it does not tell."""

    def folders(self) -> Sequence[str]:
        """The first 1,000 names below the location that have something below them; for a hint, not for work."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; absent ones count as deleted.

        :raises ObjectsKept: some may not be deleted; the others are.
        """
        ...

    def locks(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Which of these objects must be kept for now, and until when or by what; absent ones are not among them."""
        ...

    def locking(self) -> bool:
        """Whether objects may be locked there. False also where the store does not tell."""
        ...


class S3Store:
    """A bucket of S3, or of a server that speaks its protocol.

    Requests are tried again, with growing pauses, for ``patience`` seconds: throttling (503 SlowDown), other 5xx,
    and a server that is not there. Thread-safe, as boto3's clients are.

    :param settings: ``endpoint_url``, ``region_name``, ``aws_access_key_id``, ``aws_secret_access_key``,
        ``aws_session_token``, ``verify``: arguments of ``boto3.client``; without keys boto3 looks for its own.
        ``config_kwargs``, ``extra_args``: see :mod:`kafka_ferry.hooks.objects.s3_client`.
    """

    def __init__(
        self, location: str, settings: Mapping[str, Any], patience: float = PATIENCE, signer: Signer | None = None
    ) -> None:
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self.location, self.bucket, self.puts, self.signer = location, bucket, 0, signer
        self._prefix = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
        self._patience = patience
        self._lock = threading.Lock()
        self._client, extra = s3_client(settings), settings.get("extra_args") or {}
        self._extra = extra_args(self._client, extra)
        kept = {**settings, **extra}
        secrets = [str(kept[key]) for key in _SECRETS if key in kept]
        self._asked = Asked(location, bucket, secrets, has_old_checksums(self._client))

    def __repr__(self) -> str:
        return f"S3Store({self.location!r})"

    def put(self, key: str, data: Data) -> None:
        if len(data) > PART_BYTES:
            self._put_parts(key, memoryview(data))
        else:
            body = bytes(data)
            self._write(f"write {key}", lambda: self._client.put_object(**self._at(key, "PutObject"), Body=body))

    def create(self, key: str, data: Data) -> bool:
        """By ``If-None-Match: *``.

        :raises FerryError: the server does not know it, so that two could have the same.
        """
        if not self._create(key, bytes(data)):
            return False
        if self._create(key, bytes(data)):
            raise FerryError(
                f"{self.location}: this server does not support If-None-Match (S3 since August 2024), so two "
                "runs could "
                "hold the same lock. Fix: FERRY_ARTIFACTS in S3, in a newer server, or in a folder that all hosts share"
            )
        return True

    def _create(self, key: str, body: bytes) -> bool:
        try:
            at = self._at(key, "PutObject")
            self._write(f"create {key}", lambda: self._client.put_object(**at, Body=body, IfNoneMatch="*"))
        except ObjectThere:
            return False
        return True

    def _put_parts(self, key: str, data: memoryview) -> None:
        at = self._at(key, "CreateMultipartUpload")
        upload = self._write(f"begin {key}", lambda: self._client.create_multipart_upload(**at))["UploadId"]
        try:
            parts = [
                {"PartNumber": number, "ETag": self._put_part(key, upload, number, data[begin : begin + PART_BYTES])}
                for number, begin in enumerate(range(0, len(data), PART_BYTES), start=1)
            ]
            done = {"MultipartUpload": {"Parts": parts}, "UploadId": upload, **self._at(key, "CompleteMultipartUpload")}
            self._write(f"complete {key}", lambda: self._client.complete_multipart_upload(**done))
        except BaseException:
            with contextlib.suppress(Exception):  # what is left of it costs money, not truth; the first error counts
                self._client.abort_multipart_upload(**self._at(key, "AbortMultipartUpload"), UploadId=upload)
            raise

    def _put_part(self, key: str, upload: str, number: int, data: memoryview) -> str:
        place = {"UploadId": upload, "PartNumber": number, "Body": bytes(data), **self._at(key, "UploadPart")}
        answer = self._write(f"write part {number} of {key}", lambda: self._client.upload_part(**place))
        return str(answer["ETag"])

    def get(self, key: str, limit: int | None = None) -> bytes:
        at = self._at(key, "GetObject")

        def read() -> bytes:
            answer = self._client.get_object(**at)
            with contextlib.closing(answer["Body"]) as body:
                if limit is not None:
                    refuse_large(self.location, key, answer["ContentLength"], limit)
                return bytes(body.read())

        return self._read(key, read)

    def load(self, key: str, into: BinaryIO, limit: int) -> None:
        at = self._at(key, "GetObject")

        def read() -> None:
            into.seek(0)
            into.truncate()  # of a try that broke off
            answer = self._client.get_object(**at)
            with contextlib.closing(answer["Body"]) as body:
                refuse_large(self.location, key, answer["ContentLength"], limit)
                for piece in body.iter_chunks(1024 * 1024):
                    into.write(piece)
                    beat()

        self._read(key, read)

    def _read(self, key: str, read: Callable[[], T]) -> T:
        try:
            return self._try(f"read {key}", read)
        except BadConnection as error:
            if "(AccessDenied)" in str(error) and KMS_CURE not in str(error):
                raise BadConnection(f"{str(error).rstrip('.')}{self._cipher(key)}") from None
            raise

    def _cipher(self, key: str) -> str:
        """Why an object may be looked at and not be read: of a missing right on its key S3 may say "Access Denied"."""
        try:
            about = self._client.head_object(**self._at(key, "HeadObject"))
        except Exception:  # noqa: BLE001  # it was a guess
            return ""
        if not str(about.get("ServerSideEncryption", "")).startswith("aws:kms"):
            return ""
        return f". It is encrypted with the KMS key {about.get('SSEKMSKeyId', 'of the bucket')}. {KMS_CURE}"

    def size(self, key: str) -> int | None:
        at = self._at(key, "HeadObject")
        try:
            return int(self._try(f"look at {key}", lambda: self._client.head_object(**at))["ContentLength"])
        except ObjectMissing:
            return None

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        arguments = {"Prefix": self._prefix + prefix, **self._bucket("ListObjectsV2")}
        token: dict[str, str] = {}
        while True:
            page = self._try(f"list {prefix}", lambda: self._client.list_objects_v2(**arguments, **token))  # noqa: B023
            for entry in page.get("Contents", []):
                if not entry["Key"].startswith(arguments["Prefix"]):  # a server that answers with something else
                    raise ForeignKey(f"{self.location}: the listing of {prefix} has {entry['Key'][:200]!r} in it")
                written = entry.get("LastModified")
                modified = int(written.timestamp() * 1000) if written else 0
                yield StoredObject(entry["Key"].removeprefix(self._prefix), entry["Size"], modified)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def folders(self) -> Sequence[str]:
        arguments = {"Prefix": self._prefix, "Delimiter": "/", **self._bucket("ListObjectsV2")}
        page = self._try("list names", lambda: self._client.list_objects_v2(**arguments))
        return [one["Prefix"].removeprefix(self._prefix).rstrip("/") for one in page.get("CommonPrefixes", [])]

    def delete(self, keys: Iterable[str]) -> None:
        wanted = [{"Key": self._full(key)} for key in keys]
        kept, passing = dict[str, str](), dict[str, str]()
        for start in range(0, len(wanted), 1000):  # the most that one request takes
            objects = {"Objects": wanted[start : start + 1000], "Quiet": True}
            request = {"Delete": objects, **self._bucket("DeleteObjects")}
            answer = self._try("delete objects", lambda: self._client.delete_objects(**request))  # noqa: B023
            for error in answer.get("Errors") or []:
                key = str(error.get("Key", "")).removeprefix(self._prefix)
                said = (
                    f"{error.get('Code')} {redact_text(str(error.get('Message') or ''), self._asked.secrets)}".strip()
                )
                (passing if error.get("Code") in PASSING else kept)[key] = said
        if kept:
            raise ObjectsKept(self.location, kept | passing)
        if passing:
            key, said = next(iter(passing.items()))
            raise TransientError(f"{self.location}: cannot delete {key}: {said}")

    def locks(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Told to those alone who have s3:GetObjectRetention and s3:GetObjectLegalHold."""
        with ThreadPoolExecutor(8, thread_name_prefix="locks") as pool:
            found = pool.map(lambda key: (key, self._lock_of(key)), list(keys))
            return {key: why for key, why in found if why}

    def _lock_of(self, key: str) -> str:
        at = self._at(key, "HeadObject")
        try:
            about = self._try(f"look at {key}", lambda: self._client.head_object(**at))
        except ObjectMissing:
            return ""
        until = about.get("ObjectLockRetainUntilDate")
        held = ["a legal hold"] if about.get("ObjectLockLegalHoldStatus") == "ON" else []
        if until and until > datetime.now(UTC):
            held.append(f"{about.get('ObjectLockMode')} until {until.isoformat(timespec='seconds')}")
        return " and ".join(held)

    def locking(self) -> bool:
        request = self._bucket("GetObjectLockConfiguration")
        try:
            answer = self._try("ask for its lock", lambda: self._client.get_object_lock_configuration(**request))
        except FerryError as error:
            if error.retriable:
                raise
            return False  # ObjectLockConfigurationNotFoundError; or no right to ask, or a store that knows none
        return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def clock(self) -> datetime | None:
        arguments = {"Prefix": self._prefix, "MaxKeys": 1, **self._bucket("ListObjectsV2")}
        page = self._try("check the clock", lambda: self._client.list_objects_v2(**arguments))
        try:
            return parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
        except (KeyError, ValueError):
            return None

    def _at(self, key: str, operation: str) -> dict[str, Any]:
        return {**self._bucket(operation), "Key": self._full(key)}

    def _bucket(self, operation: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, **self._extra[operation]}

    def _full(self, key: str) -> str:
        return self._prefix + check_key(key, self.location)

    def _write(self, what: str, call: Callable[[], T]) -> T:
        def counted() -> T:
            with self._lock:
                self.puts += 1
            return call()

        return self._try(what, counted)

    def _try(self, what: str, call: Callable[[], T]) -> T:
        begun, pause = time.monotonic(), 0.2
        while True:
            try:
                answer = call()
            except Exception as error:
                fault = fault_of(error, what, self._asked)
                if fault is None:
                    raise
                if (
                    not fault.retriable
                    or isinstance(fault, UploadGone)
                    or time.monotonic() + pause > begun + self._patience
                ):
                    raise fault from None  # botocore's text may quote what was sent
            else:
                beat()
                return answer
            time.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311  # spread, no secret
            pause = min(5.0, pause * 2)
