"""The demo's application has a user of its own, writes, and says when a fence stops it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from cutover_lab import SIDES, Lab
from demo.application import make_user, settings_of, write
from kafka_ferry.core.acls import Acl

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def test_it_writes_until_a_fence_stops_it(lab: Lab, make_topics: Any) -> None:
    topic, user = f"{lab.prefix}t0", f"{lab.prefix}demo"
    make_topics(lab.stack.client_settings("source"), topic)
    said: list[str] = []
    try:
        for side in SIDES:
            make_user(side, user, "of the demo", lab.prefix)
        settings = settings_of("source", user, "of the demo")
        thread = threading.Thread(target=lambda: said.append(write(topic, settings, 50)), daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while lab.admins["source"].offsets([(topic, 0)], "latest", "read_committed")[topic, 0] < 5:
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        lab.admins["source"].create_acls([Acl("TOPIC", topic, "LITERAL", "User:*", "WRITE", permission="DENY")])
        thread.join(30)
    finally:
        for side in SIDES:
            mine = [acl for acl in lab.admins[side].acls() or () if acl.principal == f"User:{user}"]
            assert len(mine) == 7
            lab.admins[side].delete_acls(mine)
    (told,) = said
    assert "Topic authorization failed" in told
