from __future__ import annotations

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.naming import content_name


def test_other_content_gets_another_name() -> None:
    name = content_name("debezium-3", b"zip")
    assert name == content_name("debezium-3", b"zip") != content_name("debezium-3", b"zap")
    assert name.startswith("debezium-3-")
    assert len(name) == len("debezium-3-") + 12


@pytest.mark.parametrize("base", ["", "a_b", "-a", "a b", "x" * 116])
def test_a_base_that_cannot_begin_a_name(base: str) -> None:
    with pytest.raises(BadParam, match="cannot be the start of a name"):
        content_name(base, b"")
