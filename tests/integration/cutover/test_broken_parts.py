"""Three brokers on each side; one of them, or the Connect worker, is killed between two stages of the window.

The tries are Airflow's: the window is begun again after a failure, as its task is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cutover_lab import Application, CutoverRun, Hook, Lab
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.cutover.live.window import Window
from own_stacks import own_stack, use
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(300)]

PARTITIONS = 3
TRIES = 4


@pytest.fixture(scope="module")
def three() -> Iterator[Stack]:
    with own_stack("secure-three-brokers", secure=True, source="x3", target="x3") as stack:
        yield stack


@pytest.fixture
def lab(three: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str) -> Iterator[Lab]:
    use(three, monkeypatch, tmp_path)
    made = Lab(three, topic_prefix)
    yield made
    three.up()
    made.close()


@contextmanager
def killed_after(stage: str, stack: Stack, victim: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """``kill -9`` once that stage has ended; whatever it was is back some seconds later. Yields what was killed."""
    whole, killed, back = Window._stage, list[str](), threading.Thread(target=stack.up)

    @contextmanager
    def broken(self: Any, journal: Any, name: str) -> Iterator[None]:
        with whole(self, journal, name):
            yield
        if name == stage and not killed:
            part = stack.worker if victim == "worker" else stack.brokers(victim)[0]
            killed.append(part.name)
            part.kill9()
            back.start()

    monkeypatch.setattr(Window, "_stage", broken)
    yield killed
    back.join(120)
    assert not back.is_alive()


@pytest.mark.parametrize("stage", ["fence", "prove", "drain", "groups", "verify"])
@pytest.mark.parametrize("victim", ["source", "target", "worker"])
def test_a_part_that_is_killed_between_two_stages(
    lab: Lab, replicate: Any, webhooks: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, victim: str,
    stage: str,
) -> None:  # fmt: skip
    topics = [f"{lab.prefix}t{number}" for number in range(3)]
    admin = KafkaAdmin(lab.stack.client_settings("source"), "source")
    admin.create_topics([DesiredTopic(name, name, PARTITIONS, 3, {"min.insync.replicas": "2"}) for name in topics])
    admin.wait_until_usable([(name, number) for name in topics for number in range(PARTITIONS)], 60)
    application = Application(lab, topics, PARTITIONS, rate=100)
    application.start(["idempotent", "transactional"], [f"{lab.prefix}billing"])
    replicate()
    application.wait_for(500)
    failed: list[str] = []
    try:
        with Hook(lambda _: application.switch()).serving() as hook:
            webhooks("moved", hook.connection())
            run = CutoverRun(f"{lab.prefix}run", topics=topics, groups=[f"{lab.prefix}.*"],
                             migration=f"{lab.prefix}wave"[:40], handover_webhook_conn_id="moved",
                             # MirrorMaker sends again what it had not noted when its worker was killed.
                             duplicates="explain" if victim == "worker" else "fail", drain_timeout=60)  # fmt: skip
            run.prepare()
            run.gate()
            with killed_after(stage, lab.stack, victim, monkeypatch) as killed:
                for _ in range(TRIES):
                    try:
                        run.window()
                        break
                    except (FerryError, RuntimeError) as error:
                        failed.append(str(error))
                        known = {acl["name"] for acl in run.journal()["added"]}
                        assert {acl.name for acl in lab.fences()} <= known, "a DENY that the run does not know of"
        assert killed
        print(f"{victim} killed after {stage}: {len(failed)} tries failed {failed}")
        report = run.finish()
        application.wait_for(len(application.written) + 200)
    finally:
        application.stop()
    assert run.journal()["state"] == "handed_over", failed
    assert len(hook.posts) == 1
    assert report["verdict"] == "PASS", report["failures"]
    assert application.errors == []
    assert application.written - application.consumed.keys() == set(), "lost"
    assert lab.fences() == []
