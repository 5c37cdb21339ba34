"""Topic configs as MSK's topic API has them: lines ``key=value`` in base64 (developer guide, "Describe a topic")."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from kafka_ferry.exceptions import TransientError


def encoded(configs: Mapping[str, str]) -> str:
    """``Configs`` of ``CreateTopic`` and ``UpdateTopic``."""
    return base64.b64encode("\n".join(f"{key}={value}" for key, value in sorted(configs.items())).encode()).decode()


def decoded(content: str | None) -> dict[str, str]:
    """Configs of ``DescribeTopic``; empty when it tells none.

    :raises TransientError: not base64 of text: this is not the API that we know.
    """
    try:
        text = base64.b64decode(content or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise TransientError(f"the topic's Configs are no base64 of text: {error}") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
