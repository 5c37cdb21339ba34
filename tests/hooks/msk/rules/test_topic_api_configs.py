from __future__ import annotations

import pytest

from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.msk.rules.topic_api import decoded_configs, encoded_configs

#: From the developer guide, "Describe a topic using the AWS CLI".
GUIDES = "Y29tcHJlc3Npb24udHlwZT1wcm9kdWNlcgpyZXRlbnRpb24ubXM9NjA0ODAwMDAw"


def test_the_guides_own_example() -> None:
    configs = {"compression.type": "producer", "retention.ms": "604800000"}
    assert decoded_configs(GUIDES) == configs
    assert encoded_configs(configs) == GUIDES


def test_none_and_what_is_no_text() -> None:
    assert decoded_configs(None) == decoded_configs("") == {}
    assert decoded_configs(encoded_configs({"a": "x=y"})) == {"a": "x=y"}
    for bad in ("***", "/w=="):
        with pytest.raises(TransientError, match="not base64"):
            decoded_configs(bad)
