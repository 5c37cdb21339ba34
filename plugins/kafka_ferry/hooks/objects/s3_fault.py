"""Errors of S3, and of stores that speak its protocol, as ours; with what helps, where that is known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import BadConnection, BadParam, FerryError, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectThere, UploadGone

_DENIED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "403", "AllAccessDisabled"}
_MISSING = {"NoSuchKey", "404", "NotFound"}
PASSING = {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling", "RequestTimeTooSkewed"}

#: What boto3 sends since 1.36 and stores of another make refuse, each in its own words. Alibaba OSS and Volcano TOS:
#: "aws-chunked encoding is not supported with …"; OVH: "Transfering payloads in multiple chunks using aws-chunked …";
#: Oracle until July 2026: "AWS chunked encoding not supported."; Storj: MissingContentLength; Backblaze: "Unsupported
#: header 'x-amz-sdk-checksum-algorithm'"; others a hash that does not match; Google a signature ("Invalid argument.").
#: A deletion without Content-MD5: MissingContentMD5 (MinIO), MissingArgument with ArgumentName Content-MD5 (OSS).
_CHECKSUM_CODES = {"XAmzContentSHA256Mismatch", "ContentSHA256Mismatch", "MissingContentLength", "MissingContentMD5"}
_CHECKSUM_WORDS = re.compile(
    r"aws[ -]chunked|chunked encoding|STREAMING-|x-amz-(sdk-)?checksum|x-amz-trailer|x-amz-content-sha256|Content-MD5",
    re.IGNORECASE,
)
_CHECKSUMS = (
    'Fix: {"config_kwargs": {"request_checksum_calculation": "when_required", "response_checksum_validation": '
    '"when_required"}} in the extra of the aws connection (docs/object_stores.md)'
)
#: OSS, and Huawei's OBS.
_VIRTUAL_ONLY = {"SecondLevelDomainForbidden", "VirtualHostDomainRequired"}
_VIRTUAL = (
    'Fix: {"config_kwargs": {"s3": {"addressing_style": "virtual"}}} in the extra of the aws connection '
    "(docs/object_stores.md)"
)
#: What S3 says of a key of KMS; OSS: "This request is forbidden by kms". Not a bucket that is called so.
_KMS_WORDS = re.compile(r"kms:[A-Z]|\bKMS\.[A-Z]|customer master key|forbidden by kms|AWS KMS")
KMS_CURE = (
    "Fix: allow kms:Decrypt (to read) and kms:GenerateDataKey (to write; uploads in parts need both) on the key to the "
    "connection's user, in IAM and in the key's own policy, and see that the key is enabled"
)


@dataclass(frozen=True)
class Asked:
    """Whom a client asks.

    :param secrets: masked in what is said. ``old_checksums``: whether requests are as boto3 made them before 1.36.
    """

    location: str
    bucket: str
    secrets: Sequence[str]
    old_checksums: bool


def fault_of(error: Exception, what: str, asked: Asked) -> FerryError | None:
    """Ours for an error of boto3's; None when it is none of theirs.

    :param what: was to be done, for people.
    """
    with brought_by("aws"):
        from botocore import exceptions as botocore
    from urllib3.exceptions import HTTPError

    text, location = redact_text(str(error), asked.secrets), asked.location
    if isinstance(error, botocore.ClientError):
        return _refused(error.response, text, what, asked)
    if isinstance(error, botocore.NoCredentialsError | botocore.PartialCredentialsError):
        return BadConnection(f"{location}: no credentials. Fix: keys in the aws connection, or a role")
    if isinstance(error, botocore.ParamValidationError | botocore.UnknownEndpointError):
        return BadParam("location", f"{location!r}: {text}", "s3://bucket/prefix")
    if isinstance(error, botocore.BotoCoreError | HTTPError | OSError):
        return TransientError(f"{location}: cannot {what}: {text}")
    return None


def _refused(answer: Mapping[str, Any], text: str, what: str, asked: Asked) -> FerryError:
    error = answer.get("Error", {})
    code, status = str(error.get("Code", "")), int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    cannot = f"{asked.location}: cannot {what}"
    if code == "NoSuchBucket":
        return BadParam("location", f"there is no bucket {asked.bucket!r}", "create it, or correct the name")
    if code == "NoSuchUpload":
        return UploadGone(f"{cannot}: {text}")
    if status == 412:
        return ObjectThere(f"{cannot}: it exists already")
    if code in _MISSING:
        return ObjectMissing(f"{asked.location}: no object to {what}")
    if cure := _cure(code, " ".join(str(said) for said in error.values()), status, asked):
        return BadConnection(f"{cannot}: {text.rstrip('.')}. {cure}")
    if code == "FileImmutable":  # OSS, with 409: a retention policy of the whole bucket, which keeps no versions
        cure = "Fix: a bucket without a retention policy of its own (docs/object_stores.md)"
        return FerryError(f"{cannot}: {text.rstrip('.')}. {cure}")
    if status < 500 and _KMS_WORDS.search(f"{code} {error.get('Message', '')}"):
        return BadConnection(f"{asked.location}: not allowed to {what}: {text.rstrip('.')}. {KMS_CURE}")
    if code in _DENIED or status == 403:
        return BadConnection(f"{asked.location}: not allowed to {what}: {text}")
    # 501: it never knows how, so asking again is of no use
    passing = (status >= 500 and status != 501) or status in (408, 409, 429) or code in PASSING
    return (TransientError if passing else FerryError)(f"{cannot}: {text}")


def _cure(code: str, said: str, status: int, asked: Asked) -> str:
    """What to set where a store refuses how it is spoken to, not what is asked; empty: it is about something else.

    :param said: all of its answer.
    """
    if code in _VIRTUAL_ONLY:
        return _VIRTUAL
    google = code == "SignatureDoesNotMatch" and "Invalid argument" in said
    told = google or code in _CHECKSUM_CODES or _CHECKSUM_WORDS.search(said)
    refused = 400 <= status < 500 or status == 501
    return _CHECKSUMS if refused and told and not asked.old_checksums else ""
