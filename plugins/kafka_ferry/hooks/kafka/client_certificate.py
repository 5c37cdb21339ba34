"""The client certificate of a connection. Of one that has expired Java's brokers say that it is unknown to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def expired(config: Mapping[str, Any]) -> str:
    """What is wrong with its dates, with the cure; empty: nothing, or there is no certificate that can be read."""
    try:
        own = _certificate(config)
    except (OSError, ValueError, TypeError):
        return ""
    if own is None:
        return ""
    begin, end = own.not_valid_before_utc, own.not_valid_after_utc
    who, now = own.subject.rfc4514_string(), datetime.now(UTC)
    if end < now:
        return f"the client certificate {who} expired at {end:%Y-%m-%dT%H:%MZ}. Fix: a new one, and its key"
    if begin > now:
        return f"the client certificate {who} is not good before {begin:%Y-%m-%dT%H:%MZ}. Fix: another one"
    return ""


def _certificate(config: Mapping[str, Any]) -> Certificate | None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import pkcs12

    if text := config.get("ssl.certificate.pem"):
        return x509.load_pem_x509_certificate(str(text).encode())
    if path := config.get("ssl.certificate.location"):
        return x509.load_pem_x509_certificate(Path(str(path)).read_bytes())
    if path := config.get("ssl.keystore.location"):
        password = str(config.get("ssl.keystore.password", "")).encode() or None
        return pkcs12.load_key_and_certificates(Path(str(path)).read_bytes(), password)[1]
    return None
