"""boto3's client of a store, as an ``aws`` connection wants it. Free of Airflow."""

from __future__ import annotations

import base64
import functools
import hashlib
import threading
from collections.abc import Mapping
from typing import Any

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.extras import brought_by

#: What a connection's ``config_kwargs`` may replace.
_DEFAULTS: Mapping[str, Any] = {"connect_timeout": 10, "read_timeout": 60, "max_pool_connections": 16}
#: What ``extra_args`` may have. Not an object's lock, whose date would be the same for all; a bucket's default
#: retention begins with each object. Nor a storage class: manifests and journals are read again within seconds.
EXTRA_ARGS = (
    "ServerSideEncryption", "SSEKMSKeyId", "SSEKMSEncryptionContext", "BucketKeyEnabled", "SSECustomerAlgorithm",
    "SSECustomerKey", "ACL", "ExpectedBucketOwner", "RequestPayer",
)  # fmt: skip
_OPERATIONS = (
    "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "GetObject",
    "HeadObject", "ListObjectsV2", "DeleteObjects", "GetObjectLockConfiguration",
)  # fmt: skip
_CLIENTS = threading.Lock()  # a session may be used by one thread at a time, its clients by many (boto3's guide)


def s3_client(settings: Mapping[str, Any]) -> Any:
    """boto3's client for S3.

    :param settings: arguments of ``boto3.client``; ``config_kwargs``: those of botocore's ``Config``. ``extra_args``:
        see :func:`extra_args`.
    :raises BadConnection: ``config_kwargs`` are none.
    """
    config = client_config(settings.get("config_kwargs") or {})
    given = {key: value for key, value in settings.items() if key not in ("config_kwargs", "extra_args")}
    with _CLIENTS:
        client = _session().client("s3", config=config, **given)
    if has_old_checksums(client):
        for operation in ("PutObject", "UploadPart", "DeleteObjects"):
            client.meta.events.register(f"before-sign.s3.{operation}", _with_md5)
    return client


def extra_args(client: Any, given: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """What each request has beside our own arguments, by boto3's model of it: a key of SSE-C is wanted for reading too.

    :param given: named as ``extra_args`` of the provider's ``S3Hook``.
    :raises BadConnection: one that is not among :data:`EXTRA_ARGS`, or of the wrong type.
    """
    with brought_by("aws"):
        from botocore.validate import ParamValidator

    model = client.meta.service_model
    known = {name: model.operation_model(name).input_shape.members for name in _OPERATIONS}
    for name, value in given.items():
        report = ParamValidator().validate(value, known["PutObject"][name]) if name in EXTRA_ARGS else None
        if report is None or report.has_errors():
            why = "is none that can be had" if report is None else "has the wrong type"
            raise BadConnection(
                f"extra_args in service_config.s3 of the connection's extra: {name} {why}. Fix: only "
                f"{', '.join(EXTRA_ARGS)}, as boto3's put_object takes them"
            )
    return {
        operation: {name: value for name, value in given.items() if name in members}
        for operation, members in known.items()
    }


def has_old_checksums(client: Any) -> bool:
    """Whether requests are as boto3 made them before 1.36: by the connection, the environment, or AWS's own file."""
    return bool(client.meta.config.request_checksum_calculation == "when_required")


def _with_md5(request: Any, **_: Any) -> None:
    """``Content-MD5`` in place of CRC32, as it was.

    Stores that know no CRC32 want it for a deletion (OSS, older MinIO), a locked bucket for each object; by it every
    store refuses what was damaged on the way.
    """
    for name in [one for one in request.headers if one.lower().startswith(("x-amz-checksum-", "x-amz-sdk-checksum"))]:
        del request.headers[name]
    md5, body = hashlib.md5(usedforsecurity=False), request.body
    if hasattr(body, "read"):  # botocore makes a file of what we give it
        at = body.tell()
        while piece := body.read(1024 * 1024):
            md5.update(piece)
        body.seek(at)
    else:
        md5.update(body or b"")
    request.headers["Content-MD5"] = base64.b64encode(md5.digest()).decode()


def client_config(given: Mapping[str, Any]) -> Any:
    """botocore's config from a connection's ``config_kwargs``, which go before our defaults.

    How often a request is sent stays ours: botocore counts tries and knows no time, and a minute without S3 has to be
    waited for; tries of both would multiply. ``retries.mode`` is kept, as ``adaptive`` also slows down.

    :raises BadConnection: an option that botocore does not know, or a value that it does not take.
    """
    with brought_by("aws"):
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

    try:
        options = {**_DEFAULTS, **given}
        options["retries"] = {**(options.get("retries") or {}), "total_max_attempts": 1}
        options["retries"].pop("max_attempts", None)
        if options.get("signature_version") == "unsigned":  # the provider's word
            options["signature_version"] = UNSIGNED
        if isinstance(options.get("client_cert"), list):  # JSON has no tuples, and botocore looks for one
            options["client_cert"] = tuple(options["client_cert"])
        return Config(**options)
    except (BotoCoreError, TypeError, ValueError, AttributeError) as error:  # it checks few values
        raise BadConnection(
            f"config_kwargs of the connection's extra: {error}. Fix: options of botocore's Config, with their types"
        ) from error


@functools.cache
def _session() -> Any:
    """One for the process: for its first client it reads S3's API from files, 0.12 s (measured); then it knows it."""
    with brought_by("aws"):
        import boto3

    return boto3.session.Session()
