"""A real Kafka Streams application is moved in mid-work and goes on counting; half of one is told."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from run_by_hand import Run
from stack import Stack
from streams_app import counted, eventually, running, values

pytestmark = pytest.mark.integration

WORDS = ("ferry", "quay", "tide", "rope", "bell")


def words(number: int, seed: int) -> list[str]:
    made = random.Random(seed)
    return [made.choice(WORDS) for _ in range(number)]


def records(some: list[str]) -> list[dict[str, object]]:
    return [{"value": word.encode(), "partition": number % 2} for number, word in enumerate(some)]


@pytest.mark.parametrize("protocol", ["classic", "streams"])
def test_an_application_goes_on_where_it_stopped(
    protocol: str,
    stack: Stack,
    connections: Any,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it had not read yet is counted once on the target, on top of the state that its changelog brought."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    source, target = stack.source_bootstrap, stack.target_bootstrap
    app = f"{topic_prefix}word-count"
    lines, output = f"{topic_prefix}lines", f"{topic_prefix}counted"
    make_topics(source, lines, partitions=2)
    make_topics(source, output)
    before, after = words(200, 1), words(60, 2)
    produce(source, lines, records(before))
    admin = KafkaAdmin({"bootstrap.servers": source}, "source")
    with running(source, app, lines, output, protocol, tmp_path / "on-source"):
        eventually(lambda: counted(source, output) == Counter(before), lambda: counted(source, output))
        busy = Run("mirror_maker2_on_connect", migration=f"{topic_prefix}b", topics=[f"{topic_prefix}.*"], groups=[app])
        at_work = [one for one in busy.plan()["findings"] if one["code"] == "streams_applications"]
    assert [one["severity"] for one in at_work] == ["warn"]
    assert "stop all its instances" in at_work[0]["fix"]
    eventually(lambda: app not in admin.all_groups().at_work, admin.all_groups)
    produce(source, lines, records(after))

    own = {f"{app}-by-word-repartition", f"{app}-counts-changelog"}
    assert own <= set(admin.topic_names())
    half = Run("mirror_maker2_on_connect", migration=f"{topic_prefix}h", topics=[lines, output], groups=[app])
    (told,) = [one for one in half.plan()["findings"] if one["code"] == "streams_applications"]
    assert told["severity"] == "warn"
    assert all(name in told["what"] for name in own)

    run = Run("mirror_maker2_on_connect", migration=f"{topic_prefix}m", topics=[f"{topic_prefix}.*"], groups=[app])
    plan, report = run.whole()

    (said,) = [one for one in plan["findings"] if one["code"] == "streams_applications"]
    assert (said["severity"], said["subject"]) == ("advise", f"Kafka Streams application {app}")
    assert app not in plan["skipped_groups"]
    kind = "streams (KIP-1071)" if protocol == "streams" else "classic consumer"
    assert any(kind in note for note in plan["notes"] if note.startswith("groups of the source by type"))
    assert report["verdict"] == "PASS", report["failures"]
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["streams_applications"]["status"] == "pass", checks["streams_applications"]
    assert checks["group_offsets"]["status"] == "pass", checks["group_offsets"]
    assert ("streams (KIP-1071)" in checks["groups"]["expected"]) is (protocol == "streams")
    had = len(values(target, output))
    assert had == len(before)
    total = Counter(before) + Counter(after)
    with running(target, app, lines, output, protocol, tmp_path / "on-target"):
        eventually(lambda: counted(target, output) == total, lambda: (counted(target, output), total))
    went_on = values(target, output, had)
    assert len(went_on) == len(after), "some were counted twice, or not at all"
    first = {word: min(count for one, count in went_on if one == word) for word, _ in went_on}
    assert first == {word: Counter(before)[word] + 1 for word in set(after)}, "it did not go on from its state"


def test_half_an_application_is_told_in_the_report(
    stack: Stack,
    connections: Any,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its changelog under another name, without its repartition topic, its input and its group."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    app, source = f"{topic_prefix}app", stack.source_bootstrap
    changelog, repartition, lines = f"{app}-counts-changelog", f"{app}-by-word-repartition", f"{topic_prefix}lines"
    make_topics(source, changelog, config={"cleanup.policy": "compact"})
    make_topics(source, repartition, lines)
    produce(source, changelog, 10)
    KafkaAdmin({"bootstrap.servers": source}, "s").commit({app: {(lines, 0): 0, (repartition, 0): 0}})
    run = Run(
        "mirror_maker2_on_connect", migration=f"{topic_prefix}m", topics=[changelog], groups=[], naming="prefix",
        source_alias=f"{topic_prefix}old",
    )  # fmt: skip
    plan, report = run.whole()
    (told,) = [one for one in plan["findings"] if one["code"] == "streams_applications"]
    for text in (f"group {app} is not carried", repartition, f"becomes {topic_prefix}old.{changelog}"):
        assert text in told["what"]
    assert report["verdict"] == "PASS"
    (check,) = [check for check in report["checks"] if check["name"] == "streams_applications"]
    assert (check["status"], check["actual"]) == ("explained", "0 as a whole")
    assert len(check["differences"]) == 3
