"""A header's name of any bytes never reaches the client that it would crash."""

from __future__ import annotations

import pytest

from kafka_ferry.backup.segment import Rows
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.backup.senders import MessageSender


def test_a_name_that_is_not_utf8_is_refused_before_the_client_has_it() -> None:
    rows = Rows([0], [1], [b"k"], [b"v"], [[("h", b"x"), ("caf\udce9", b"x")]])
    with (
        MessageSender({"bootstrap.servers": "127.0.0.1:1"}) as sender,
        pytest.raises(
            FerryError, match=r"t-3: the name of a header is not UTF-8.* Cure: set the variable FERRY_NATIVE"
        ),
    ):
        sender.send("t", 3, rows)
