"""The double of MSK Connect, and our hook on it, for unit tests of clients and of jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import msk_lab
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from stack.msk.server import MskConnectDouble


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    """The double without workers, and the connection ``aws_default`` that leads to it."""
    with msk_lab.connected(monkeypatch) as running:
        yield running


@pytest.fixture
def hook(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> MskConnectHook:
    """On MSK Connect; a folder may have another."""
    monkeypatch.setattr(MskConnectHook, "deletion_delay", 0.0)
    return MskConnectHook()
