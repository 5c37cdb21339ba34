"""What stores say when they refuse how boto3 speaks to them, in the words that users reported, and what we say then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from kafka_ferry.exceptions import BadConnection, FerryError, TransientError
from kafka_ferry.hooks.objects.s3_fault import Asked, fault_of

ASKED = Asked("s3://shop/x", "shop", ["S3CRET"], old_checksums=False)
CHECKSUMS, VIRTUAL = '"request_checksum_calculation": "when_required"', '"addressing_style": "virtual"'


def refusal(code: str, message: str, status: int, **more: str) -> ClientError:
    error = {"Code": code, "Message": message, **more}
    return ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


@pytest.mark.parametrize(
    ("code", "status", "message", "more", "cure"),
    [
        # OSS, Volcano TOS
        (
            "InvalidArgument", 400,
            "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.", {}, CHECKSUMS,
        ),
        # OVH
        (
            "NotImplemented", 501,
            "Transfering payloads in multiple chunks using aws-chunked is not supported.", {}, CHECKSUMS,
        ),
        # Backblaze
        (
            "InvalidArgument", 400,
            "Unsupported header 'x-amz-sdk-checksum-algorithm' received for this API call.", {}, CHECKSUMS,
        ),
        # Oracle, Storj, several, Google
        ("NotImplemented", 501, "AWS chunked encoding not supported.", {}, CHECKSUMS),
        ("MissingContentLength", 411, "You must provide the Content-Length HTTP header.", {}, CHECKSUMS),
        ("XAmzContentSHA256Mismatch", 400, "invalid header: x-amz-content-sha256", {}, CHECKSUMS),
        ("SignatureDoesNotMatch", 403, "Invalid argument.", {}, CHECKSUMS),
        # deletions: MinIO, OSS
        ("MissingContentMD5", 400, "Missing required header for this request: Content-Md5.", {}, CHECKSUMS),
        ("MissingArgument", 400, "Missing Some Required Arguments.", {"ArgumentName": "Content-MD5"}, CHECKSUMS),
        # OSS, Huawei
        ("SecondLevelDomainForbidden", 403, "Please use virtual hosted style to access.", {}, VIRTUAL),
        ("VirtualHostDomainRequired", 403, "Virtual host domain is required while …", {}, VIRTUAL),
    ],
)  # fmt: skip
def test_the_cure_is_named_and_nothing_is_tried_again(
    code: str, status: int, message: str, more: dict[str, str], cure: str
) -> None:
    error = refusal(code, message, status, **more)
    found = fault_of(error, "write k", ASKED)
    assert isinstance(found, BadConnection)
    assert str(found).startswith("s3://shop/x: cannot write k: ")
    assert message.rstrip(".") in str(found)
    assert 'Fix: {"config_kwargs": ' in str(found)
    assert cure in str(found)
    assert CHECKSUMS not in str(fault_of(error, "write k", replace(ASKED, old_checksums=True))), "it is set already"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("InvalidRequest", "The key is too long", 400), FerryError),
        (
            refusal("NotImplemented", "A header you provided implies functionality that is not implemented", 501),
            FerryError,
        ),
        (refusal("SignatureDoesNotMatch", "The request signature we calculated does not match …", 403), BadConnection),
        (refusal("SlowDown", "Please reduce your request rate.", 503), TransientError),
        (refusal("InternalError", "while reading x-amz-checksum-crc32", 500), TransientError),
    ],
)
def test_what_is_about_something_else_gets_no_cure(error: ClientError, kind: type[FerryError]) -> None:
    found = fault_of(error, "write k", ASKED)
    assert type(found) is kind
    assert "config_kwargs" not in str(found)


def test_what_a_store_never_does_is_not_asked_for_again() -> None:
    found = fault_of(refusal("NotImplemented", "Not here", 501), "write k", ASKED)
    assert found is not None
    assert not found.retriable
