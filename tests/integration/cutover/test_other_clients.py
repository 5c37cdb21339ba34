"""Cutovers with consumers of the new protocol, of a Kafka Streams application, and of brokers before 2.8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cutover_lab import Application, CutoverRun, Hook, Lab
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack, use
from stack import Stack
from streams_app import counted, eventually, running, values

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(400)]


def moved(lab: Lab, application: Application, webhooks: Callable[[str, str], None], **params: Any) -> dict[str, Any]:
    """The report of a cutover that the application follows; every id was consumed once."""
    try:
        with Hook(lambda _: application.switch()).serving() as hook:
            webhooks("moved", hook.connection())
            run = CutoverRun(f"{lab.prefix}run", topics=[f"{lab.prefix}t.*"], groups=[f"{lab.prefix}.*"],
                             migration=f"{lab.prefix}wave"[:40], handover_webhook_conn_id="moved",
                             **params)  # fmt: skip
            run.prepare()
            run.gate()
            run.window()
        report = run.finish()
        application.wait_for(len(application.written) + 300)
    finally:
        application.stop()
    assert report["verdict"] == "PASS", report["failures"]
    assert application.errors == []
    assert application.written - application.consumed.keys() == set(), "lost"
    assert {number for number, times in application.consumed.items() if times > 1} == set(), "delivered again"
    print(lab.prefix, report["cutover"])
    return report


def test_consumers_of_the_new_protocol(lab: Lab, replicate: Any, make_topics: Any, webhooks: Any) -> None:
    """KIP-848."""
    topics = [f"{lab.prefix}t{number}" for number in range(3)]
    make_topics(lab.stack.client_settings("source"), *topics, partitions=3)
    application = Application(lab, topics, 3, rate=150, consumer={"group.protocol": "consumer"})
    application.start(["plain", "idempotent", "transactional"], [f"{lab.prefix}billing"])
    replicate()
    application.wait_for(1_000)
    assert lab.admins["source"].all_groups().types[f"{lab.prefix}billing"] == "consumer"
    moved(lab, application, webhooks)


@pytest.fixture(scope="module")
def old() -> Iterator[Stack]:
    with own_stack("old-cutover", secure=True, source="2.6.0x2", target="2.6.0x3") as stack:
        yield stack


@pytest.mark.parametrize("fence", ["acl", "prove"])
def test_brokers_that_do_not_tell_who_writes(
    old: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str, replicate_on: Any, webhooks: Any,
    fence: str,
) -> None:  # fmt: skip
    """2.6.0 with ZooKeeper, SASL PLAIN: no DescribeProducers (KIP-664)."""
    use(old, monkeypatch, tmp_path)
    lab = Lab(old, topic_prefix, own_users=False)
    topics = [f"{lab.prefix}t{number}" for number in range(2)]
    admin = KafkaAdmin(old.client_settings("source"), "source")
    admin.create_topics([DesiredTopic(name, name, 3, 2, {}) for name in topics])
    admin.wait_until_usable([(name, number) for name in topics for number in range(3)], 60)
    application = Application(lab, topics, 3, rate=100)
    application.start(["plain", "idempotent", "transactional"], [f"{lab.prefix}billing"])
    replicate_on(topics, f"{lab.prefix}mm")
    application.wait_for(600)
    if fence == "prove":
        application.quiet()
    try:
        moved(lab, application, webhooks, fence=fence, watch_seconds=2)
    finally:
        lab.close()


@pytest.mark.parametrize("protocol", ["classic", "streams"])
def test_a_streams_application(
    stack: Stack, connections: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str,
    make_topics: Any, produce: Any, replicate_on: Any, webhooks: Any, protocol: str,
) -> None:  # fmt: skip
    """It is stopped when the webhook says so, and goes on counting on the target."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    source, target, app = stack.source_bootstrap, stack.target_bootstrap, f"{topic_prefix}word-count"
    lines, output = f"{topic_prefix}lines", f"{topic_prefix}counted"
    make_topics(source, lines, partitions=2)
    make_topics(source, output)
    before, after = words("ferry quay ferry tide", 50), words("quay tide tide rope", 15)
    produce(source, lines, before)
    with ExitStack() as on_source:
        on_source.enter_context(running(source, app, lines, output, protocol, tmp_path / "on-source"))
        eventually(lambda: counted(source, output) == counts(before), lambda: counted(source, output))
        replicate_on([f"{topic_prefix}.*"], f"{topic_prefix}mm")

        def stop(post: dict[str, Any]) -> None:
            if post["event"] == "fence":
                on_source.close()
                produce(source, lines, after)  # what nobody has read yet

        with Hook(stop).serving() as hook:
            webhooks("stop", hook.connection())
            run = CutoverRun(f"{topic_prefix}run", topics=[f"{topic_prefix}.*"], groups=[app],
                             migration=f"{topic_prefix}wave"[:40], fence="webhook", fence_webhook_conn_id="stop",
                             fence_timeout=40, groups_timeout=40)  # fmt: skip
            run.prepare()
            run.gate()
            run.window()
    report = run.finish()
    assert report["verdict"] == "PASS", report["failures"]
    print(protocol, report["cutover"])
    total = counts(before) + counts(after)
    had = len(values(target, output))
    with running(target, app, lines, output, protocol, tmp_path / "on-target"):
        eventually(lambda: counted(target, output) == total, lambda: (counted(target, output), total))
    assert len(values(target, output, had)) == len(after), "some were counted twice, or not at all"


def words(some: str, times: int) -> list[dict[str, object]]:
    return [{"value": word.encode(), "partition": n % 2} for n, word in enumerate(some.split() * times)]


def counts(records: list[dict[str, object]]) -> Counter[str]:
    return Counter(bytes(record["value"]).decode() for record in records)  # type: ignore[call-overload]
