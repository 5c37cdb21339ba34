from __future__ import annotations

import pytest

from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from stack.msk.server import MskConnectDouble


@pytest.fixture
def hook(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> MskReplicatorHook:
    monkeypatch.setattr(MskReplicatorHook, "deletion_delay", 0.0)
    return MskReplicatorHook()
