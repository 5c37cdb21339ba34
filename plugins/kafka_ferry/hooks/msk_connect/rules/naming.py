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
