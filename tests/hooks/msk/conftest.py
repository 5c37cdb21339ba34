from __future__ import annotations

from collections.abc import Iterator

import pytest

import msk_lab
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from stack.msk.server import MskConnectDouble


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    """The double, and the connection ``aws_default`` that leads to it."""
    with msk_lab.connected(monkeypatch) as running:
        yield running


@pytest.fixture
def hook(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> MskReplicatorHook:
    monkeypatch.setattr(MskReplicatorHook, "deletion_delay", 0.0)
    return MskReplicatorHook()
