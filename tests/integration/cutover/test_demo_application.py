"""The demo's application has a user of its own, writes, and is stopped by a fence; so has who follows security.md."""

from __future__ import annotations

import re
import shlex
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from cutover_lab import SIDES, Lab
from demo.application import make_user, settings_of, write
from kafka_ferry.core.acls import Acl
from kafka_tools import ACLS, CONFIGS, ask

PAGE = Path(__file__).resolve().parents[3] / "docs" / "security.md"
TOOLS = {"kafka-configs.sh": CONFIGS, "kafka-acls.sh": ACLS}

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


def commands(user: str, prefix: str, password: str) -> list[list[str]]:
    """Those of the page, for this user: tool and options, without where to and as whom."""
    (block,) = re.findall(r"^```sh\n(kafka-configs\.sh .*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    text = block.replace("\\\n", " ").replace("--bootstrap-server … --command-config admin.properties", "")
    lines = [shlex.split(line) for line in text.splitlines()]
    ours = {"app": user, "User:app": f"User:{user}", "flights": prefix,
            "SCRAM-SHA-512=[password=…]": f"SCRAM-SHA-512=[password={password}]"}  # fmt: skip
    return [[ours.get(word, word) for word in line] for line in lines]


@pytest.mark.nightly
def test_what_the_page_says_makes_a_user_that_reads_and_writes(lab: Lab, make_topics: Any, tmp_path: Path) -> None:
    topic, user = f"{lab.prefix}t0", f"{lab.prefix}page"
    asked = commands(user, lab.prefix, "of-the-page")
    assert [line[0] for line in asked] == ["kafka-configs.sh", *["kafka-acls.sh"] * 3]
    try:
        for side in SIDES:
            make_topics(lab.stack.client_settings(side), topic)
            for tool, *options in asked:
                ask(lab.stack, side, tmp_path, TOOLS[tool], *options)
            login = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": "of-the-page"}
            settings = {**lab.stack.client_settings(side), **login}
            for more in ({}, {"transactional.id": f"{user}-tx"}):
                told: list[Any] = []
                producer = Producer({**settings, **more})
                if more:
                    producer.init_transactions(30)
                    producer.begin_transaction()
                producer.produce(topic, b"1", on_delivery=lambda error, _, told=told: told.append(error))
                producer.flush(30)
                if more:
                    producer.commit_transaction(30)
                assert [error is None for error in told] == [True], told
            consumer = Consumer({**settings, "group.id": f"{user}-any", "auto.offset.reset": "earliest"})
            consumer.subscribe([topic])
            message = consumer.poll(30)
            consumer.close()
            assert message is not None
            assert (message.error(), message.value()) == (None, b"1")
    finally:
        for side in SIDES:
            mine = [acl for acl in lab.admins[side].acls() or () if acl.principal == f"User:{user}"]
            lab.admins[side].delete_acls(mine)
