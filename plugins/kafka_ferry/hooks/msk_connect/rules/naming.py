"""Names of what cannot be changed: with a digest of the content, so that other content gets another name."""

from __future__ import annotations

import hashlib
import re

from kafka_ferry.exceptions import BadParam

_LEGAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")  # letters, digits and hyphens, as in the ARN
MAX_NAME = 128
DIGEST_CHARACTERS = 12


def content_name(base: str, content: bytes) -> str:
    """``<base>-<the first 12 characters of the content's sha256>``.

    :raises BadParam: a base that is no legal name, or leaves no room.
    """
    longest = MAX_NAME - DIGEST_CHARACTERS - 1
    if not _LEGAL.fullmatch(base) or len(base) > longest:
        raise BadParam(
            "name", f"{base!r} cannot be the start of a name", f"letters, digits and hyphens, at most {longest}"
        )
    return f"{base}-{hashlib.sha256(content).hexdigest()[:DIGEST_CHARACTERS]}"


def account_of(arn: str) -> str:
    """The account id in an ARN.

    :raises BadParam: it is not an ARN.
    """
    return _parts(arn)[4]


def region_of(arn: str) -> str:
    """The region in an ARN.

    :raises BadParam: it is not an ARN.
    """
    return _parts(arn)[3]


def name_of(arn: str) -> str:
    """The resource's name: ``arn:aws:kafkaconnect:R:A:connector/NAME/UUID-N``.

    :raises BadParam: it is not an ARN.
    """
    return _parts(arn)[5].split("/")[1]


def _parts(arn: str) -> list[str]:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or "/" not in parts[5]:
        raise BadParam("arn", f"{arn!r} is not an ARN", "arn:aws:<service>:<region>:<account>:<kind>/<name>/<id>")
    return parts
