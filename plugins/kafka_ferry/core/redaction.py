"""Connector configs without their secrets, for logs, errors, rendered fields and artifacts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from kafka_ferry.core import secrets_in_text
from kafka_ferry.core.jaas import JaasEntry, parse
from kafka_ferry.core.secrets_in_text import is_secret_name, masked
from kafka_ferry.exceptions import BadConnection

MASK = secrets_in_text.MASK

# A key is secret when it is one of these or ends with "." and one of these, so that prefixes do not hide it:
# source.cluster.sasl.jaas.config, producer.override.ssl.keystore.key, database.password, aws.secret.access.key …
SECRET_KEYS = frozenset(
    {
        "sasl.jaas.config", "sasl.password", "password", "passwd", "passphrase", "secret", "secret.key", "access.key",
        "access.key.id", "secret.access.key", "client.secret", "token", "api.key", "private.key", "credentials",
        "ssl.keystore.key", "ssl.key.pem", "basic.auth.user.info", "authorization",
    }
)  # fmt: skip
_SECRET_WORD = re.compile(r"password|passwd|passphrase|secret|token$|credential|private[._-]?key|api[._-]?key", re.I)
_NOT_SECRET = re.compile(r"(\.class|\.type|\.path|\.file|\.location|\.url|\.ms|\.enabled|\.mode|\.seconds)$", re.I)
_REFERENCES = re.compile(r"(\$\{[^}:]+:[^}]+\}[\s,;]*)+")
# What a JAAS entry may show. Other options (a password, a client secret, one we do not know) are masked.
_OPEN_OPTIONS = frozenset(
    {
        "username",
        "clientId",
        "scope",
        "ssl.truststore.type",
        "ssl.truststore.location",
        "awsRoleArn",
        "awsRoleSessionName",
        "awsStsRegion",
        "awsProfileName",
    }
)


def is_secret_key(key: str) -> bool:
    """Whether the value of this config key must not be shown, whatever its prefix."""
    lower = key.lower()
    if any(lower == secret or lower.endswith("." + secret) for secret in SECRET_KEYS):
        return True
    return (bool(_SECRET_WORD.search(lower)) or is_secret_name(lower)) and not _NOT_SECRET.search(lower)


def redact(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with ``***`` for secrets; nested mappings too. ConfigProvider references stay: they are no secret."""
    return {key: redact_value(key, value) for key, value in config.items()}


def redact_value(key: str, value: Any) -> Any:
    """One value of :func:`redact`."""
    if isinstance(value, Mapping):
        return redact(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and key.lower().endswith("sasl.jaas.config"):
        return _redact_jaas(value)
    if is_secret_key(key):
        return value if isinstance(value, str) and _REFERENCES.fullmatch(value) else MASK
    return redact_text(value) if isinstance(value, str) else value


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """A text of the outside world (an error, a stack trace) without what reads as a secret, and the given secrets.

    :param secrets: values known to be secret, see :func:`secret_values`.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")}:
            text = text.replace(form, MASK)
    return masked(text)


def secret_values(config: Mapping[str, Any]) -> set[str]:
    """Every literal secret in a config, also those inside JAAS lines: what a log masker has to know."""
    found: set[str] = set()
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= secret_values(value)
        elif isinstance(value, str) and value and redact_value(key, value) != value:
            found.add(value)
            if key.lower().endswith("sasl.jaas.config"):
                found |= _jaas_secrets(value)
    return found


def masked_keys(config: Mapping[str, str]) -> list[str]:
    """Secret keys whose value is the mask: a config that was copied from a log and must not be sent to a worker."""
    return [key for key, value in config.items() if is_secret_key(key) and (value == MASK or f'"{MASK}"' in value)]


def _redact_jaas(text: str) -> str:
    if _REFERENCES.fullmatch(text):
        return text
    try:
        entry = parse(text)
    except BadConnection:
        return MASK
    options = {
        key: value if key in _OPEN_OPTIONS or _REFERENCES.fullmatch(value) else MASK
        for key, value in entry.options.items()
    }
    shown = " ".join(f'{key}="{value}"' for key, value in options.items())
    return text if options == entry.options else str(JaasEntry(entry.module)).removesuffix(";") + f" {shown};"


def _jaas_secrets(text: str) -> set[str]:
    try:
        options = parse(text).options
    except BadConnection:
        return set()
    return {v for k, v in options.items() if v and k not in _OPEN_OPTIONS and not _REFERENCES.fullmatch(v)}
