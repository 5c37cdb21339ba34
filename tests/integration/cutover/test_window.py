"""Cutovers on secured clusters: who moves, who is named, and that nothing is left behind."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Producer

from cutover_lab import Application, CutoverRun, Hook, Lab, ids_from
from kafka_ferry.core.acls import Acl
from run_by_hand import Run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Replicate = Callable[..., Any]
Webhooks = Callable[[str, str], None]


def topics_of(lab: Lab, make_topics: Callable[..., list[str]], count: int = 3, partitions: int = 3) -> list[str]:
    names = [f"{lab.prefix}t{number}" for number in range(count)]
    make_topics(lab.stack.client_settings("source"), *names, partitions=partitions)
    return names


def run_of(lab: Lab, **params: Any) -> CutoverRun:
    return CutoverRun(f"{lab.prefix}run", topics=[f"{lab.prefix}t.*"], groups=[f"{lab.prefix}.*"],
                      migration=f"{lab.prefix}wave"[:40], **params)  # fmt: skip


def test_applications_move_and_every_id_is_consumed_once(
    lab: Lab, replicate: Replicate, make_topics: Any, webhooks: Webhooks
) -> None:
    topics = topics_of(lab, make_topics)
    application = Application(lab, topics, partitions=3, rate=150)
    application.start(["plain", "idempotent", "transactional"], [f"{lab.prefix}billing"])
    replicate()
    application.wait_for(2_000)
    resting = {(topics[0], 0): 5, (topics[1], 1): 40, (topics[2], 2): 60}
    lab.commit(f"{lab.prefix}resting", resting)

    with Hook(lambda post: application.switch()).serving() as hook:
        webhooks("moved", hook.connection(password="hush", extra={"endpoint": "/moved"}))
        run = run_of(lab, handover_webhook_conn_id="moved", watch_seconds=3)
        run.prepare()
        run.gate()
        assert lab.fences() == []
        told = run.window()
        assert [acl.name for acl in lab.fences()] == topics
    report = run.finish()
    application.wait_for(len(application.written) + 500)
    application.stop()

    assert application.errors == []
    (post,) = hook.posts
    assert (post["event"], post["wave"], post["topics"]) == ("handed_over", run.params["migration"], topics)
    assert post["target"]["bootstrap.servers"] == lab.stack.target_bootstrap
    signed = hmac.new(b"hush", hook.bodies[0], hashlib.sha256).hexdigest()
    assert hook.headers[0]["X-Kafka-Ferry-Signature"] == f"sha256={signed}"
    assert "password" not in hook.bodies[0].decode()

    assert report["verdict"] == "PASS", report["failures"]
    cutover = report["cutover"]
    print("window:", {stage["stage"]: stage["seconds"] for stage in cutover["stages"]}, cutover)
    assert cutover["write_downtime_seconds"] == told["write_downtime_seconds"] < 10
    assert [stage["stage"] for stage in cutover["stages"]] == [
        "fence",
        "prove",
        "drain",
        "groups",
        "verify",
        "hand_over",
    ]
    assert cutover["rolled_back"] is False
    assert cutover["longest_producer_pause_seconds"] is not None
    assert lab.fences() == [], "taken away at the end, as keep_fence is off"

    assert application.written - application.consumed.keys() == set(), "lost"
    assert {number for number, times in application.consumed.items() if times > 1} == set(), "delivered again"
    there = lab.admins["target"].committed([f"{lab.prefix}resting"])[f"{lab.prefix}resting"]
    assert ids_from(lab, "target", there) == ids_from(lab, "source", resting)


def fails(run: CutoverRun, words: str) -> dict[str, Any]:
    """The window fails with these words, and has taken its fence away itself."""
    with pytest.raises(AirflowFailException, match=words):
        run.window()
    journal = run.journal()
    assert (journal["state"], journal["lifted"]) == ("rolled_back", True)
    return journal


def test_a_rogue_producer_is_named_and_all_is_unfenced(lab: Lab, replicate: Replicate, make_topics: Any) -> None:
    """A super user is stopped by no ACL."""
    topics = topics_of(lab, make_topics, 1)
    replicate()
    run = run_of(lab, fence_timeout=3)
    run.prepare()
    run.gate()
    rogue = Application(lab, topics, 3, rate=50)
    rogue._lab = Rogue(lab)  # type: ignore[assignment]
    rogue.start(["idempotent"], [])
    rogue.wait_for(20)
    fails(run, rf"{topics[0]}-\d: [\d.]+ records/s by producer id \d+, epoch 0")
    assert lab.fences() == []
    assert lab.can_write(topics[0])
    rogue.stop()
    assert run.end()["state"] == "rolled_back"
    report = run.report_anyway()
    assert (report["verdict"], report["cutover"]["rolled_back"]) == ("FAIL", True)
    assert any("by producer id" in failure for failure in report["failures"]), report["failures"]
    stopped = next(one for one in report["checks"] if one["name"] == "producers_stopped")
    assert (stopped["status"], "by producer id" in stopped["differences"][0]) == ("fail", True)
    assert [stage["stage"] for stage in report["cutover"]["stages"]] == ["fence", "prove"]
    run.window()
    assert run.journal()["state"] == "handed_over", "the next try works"


class Rogue:
    """Clients of a super user."""

    def __init__(self, lab: Lab) -> None:
        self.client = lambda side, **more: {**lab.stack.client_settings(side), "log_level": 2, **more}
        self.prefix = lab.prefix


def test_a_connector_that_fails_in_the_window_ends_it_at_once_with_its_trace(
    lab: Lab, replicate: Replicate, make_topics: Any, produce: Any
) -> None:
    topics = topics_of(lab, make_topics, 1)
    produce(lab.client("source"), topics[0], 10)
    migration = replicate().migration
    run = run_of(lab, fence="prove", proof_seconds=0.5, drain_timeout=120)
    run.prepare()
    run.gate()
    user = json.loads(lab.stack.variables()["AIRFLOW_CONN_KAFKA_TARGET"])["extra"]["sasl.username"]
    denied = [Acl("TOPIC", topics[0], "LITERAL", f"User:{user}", "WRITE", permission="DENY")]
    lab.admins["target"].create_acls(denied)
    produce(lab.client("source"), topics[0], 5)
    begun = time.monotonic()
    fails(run, r"(?s)5 records do not arrive.* as what replicates has failed.*TopicAuthorizationException")
    assert time.monotonic() - begun < 60, "drain_timeout is not waited for"
    lab.admins["target"].delete_acls(denied)
    (name,) = (name for name in migration.connect.connectors() if lab.prefix in name)
    for task in migration.connect.status(name).tasks:
        migration.connect.restart_task(name, task.id)
    run.window()
    assert run.journal()["state"] == "handed_over", "the next try works"


def test_an_open_transaction_is_named_and_waited_for(lab: Lab, replicate: Replicate, make_topics: Any) -> None:
    topics = topics_of(lab, make_topics, 1)
    replicate()
    run = run_of(lab, transaction_timeout=2)
    run.prepare()
    run.gate()
    producer = Producer(lab.client("source", **{"transactional.id": f"{lab.prefix}open"}))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topics[0], b"1", partition=1)
    producer.flush(10)
    fails(run, rf"{topics[0]}-1: open since offset 0, producer id \d+, epoch \d+, transactional id {lab.prefix}open")
    assert lab.can_write(topics[0])
    producer.commit_transaction(30)
    run.window()
    assert run.journal()["state"] == "handed_over"


def test_a_consumer_that_keeps_on_is_named(lab: Lab, replicate: Replicate, make_topics: Any, produce: Any) -> None:
    topics = topics_of(lab, make_topics, 1)
    produce(lab.client("source"), topics[0], ({"value": str(one).encode(), "partition": 0} for one in range(3_000)))
    replicate()
    run = run_of(lab, groups_timeout=2)
    run.prepare()
    run.gate()
    slow = Slow(lab, topics[0])
    try:
        fails(run, rf"group {lab.prefix}slow is at work on the source and has not committed all: {topics[0]}-0 at \d+")
        assert lab.fences() == []
        there = lab.admins["target"].committed([f"{lab.prefix}slow"])
        assert there == {f"{lab.prefix}slow": {}}, "nothing was set for it"
    finally:
        slow.stop()
    run.window()
    source = lab.admins["source"].committed([f"{lab.prefix}slow"])[f"{lab.prefix}slow"]
    there = lab.admins["target"].committed([f"{lab.prefix}slow"])[f"{lab.prefix}slow"]
    assert ids_from(lab, "target", there) == ids_from(lab, "source", source)


class Slow:
    """Commits each record, ten a second."""

    def __init__(self, lab: Lab, topic: str) -> None:
        import threading

        from confluent_kafka import Consumer

        self._stop = threading.Event()
        own = {"group.id": f"{lab.prefix}slow", "auto.offset.reset": "earliest", "enable.auto.commit": False}
        consumer = Consumer(lab.client("source", **own))
        consumer.subscribe([topic])
        begun = threading.Event()

        def work() -> None:
            while not self._stop.is_set():
                if (message := consumer.poll(0.2)) and not message.error():
                    consumer.commit(message, asynchronous=False)
                    begun.set()
                    time.sleep(0.1)
            consumer.close()

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()
        assert begun.wait(30)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)


def test_a_lag_that_never_closes_stops_nobody(lab: Lab, replicate: Replicate, make_topics: Any, produce: Any) -> None:
    topics = topics_of(lab, make_topics, 1)
    migration = replicate().migration
    run = run_of(lab, max_lag=10, lag_timeout=2)
    run.prepare()
    for name in migration.connect.connectors():
        if lab.prefix in name:
            migration.connect.stop(name)
    produce(lab.client("source"), topics[0], ({"value": b"x", "partition": 2} for _ in range(500)))
    with pytest.raises(AirflowFailException, match=rf"500 records behind after 2 s .*{topics[0]}-2: 500 records"):
        run.gate()
    with pytest.raises(AirflowFailException, match="500 records behind"):
        run.window()
    assert run.artifacts.read_json("cutover.json") is None, "nothing was begun"
    assert lab.fences() == []
    assert lab.can_write(topics[0])


def test_what_was_denied_before_stays(lab: Lab, replicate: Replicate, make_topics: Any) -> None:
    from kafka_ferry.jobs.cutover.rules.fence import fence_acls

    topics = topics_of(lab, make_topics, 2)
    replicate()
    mine = fence_acls(topics[:1])
    lab.admins["source"].create_acls(mine)
    run = run_of(lab)
    run.prepare()
    run.gate()
    run.window()
    journal = run.end()
    assert [acl["name"] for acl in journal["added"]] == topics[1:]
    assert lab.fences() == mine


def test_a_dry_run_changes_nothing(lab: Lab, replicate: Replicate, make_topics: Any) -> None:
    from airflow.sdk.exceptions import DownstreamTasksSkipped

    topics = topics_of(lab, make_topics, 1)
    replicate()
    run = run_of(lab, dry_run=True)
    with pytest.raises(DownstreamTasksSkipped):
        run.plan()
    assert [topic["source"] for topic in run.written("plan.json")["topics"]] == topics
    assert lab.fences() == []
    assert run.artifacts.read_json("cutover.json") is None


def test_a_wave_that_was_handed_over_is_not_cut_over_again(
    lab: Lab, replicate: Replicate, make_topics: Any, produce: Any
) -> None:
    (topic,) = topics_of(lab, make_topics, 1)
    way = replicate()
    run = run_of(lab, keep_fence=True)
    run.prepare()
    run.gate()
    first = run.window()
    assert run.window() == first, "a second try says the same, and does nothing"
    run.prepare()
    assert run.finish()["verdict"] == "PASS"
    assert len(lab.fences()) == 1, "keep_fence"
    again = run_of(lab)
    again.run_id = f"{lab.prefix}again"
    with pytest.raises(AirflowFailException, match="were handed over to the target by wave"):
        again.plan()
    # The migration does not take what applications write on the target by now for a fault of the copy.
    produce(lab.client("target"), topic, 1)
    told = re.escape(f"by wave {run.params['migration']} at {run.journal()['handed_over_at']}")
    for keep in (True, False):
        last = Run(way.dag_id, way.engine, **{**way.params, "keep_replicating": keep})
        with pytest.raises(AirflowFailException, match=told) as why:
            last.plan()
        assert "must not be deleted" in str(why.value)
        assert f"--delete --topic mm2-offset-syncs.{way.migration.spec.alias}.internal" in str(why.value)
        assert f"--topic {topic}" not in str(why.value)
    with pytest.raises(AirflowFailException, match="were handed over to the target by wave"):
        way.deploy()


@pytest.mark.parametrize("answers", [True, False])
def test_a_webhook_stops_the_producers_or_the_cutover_ends(
    lab: Lab, replicate: Replicate, make_topics: Any, webhooks: Webhooks, answers: bool
) -> None:
    topics = topics_of(lab, make_topics, 1)
    application = Application(lab, topics, 3, rate=50)
    application.start(["plain"], [])
    replicate()

    def on_post(post: dict[str, Any]) -> None:
        if answers:
            (application.quiet if post["event"] == "fence" else application.go_on)()

    with Hook(on_post).serving() as hook:
        webhooks("stopper", hook.connection())
        run = run_of(lab, fence="webhook", fence_webhook_conn_id="stopper", proof_seconds=1, fence_timeout=4)
        run.prepare()
        run.gate()
        if answers:
            run.window()
            assert [post["event"] for post in hook.posts] == ["fence"]
            assert run.end()["state"] == "handed_over"
        else:
            fails(run, r"records/s by a producer without an id")
            assert [post["event"] for post in hook.posts] == ["fence", "unfence"]
    assert lab.fences() == []
    application.stop()


def test_stopped_by_hand_is_proven(lab: Lab, replicate: Replicate, make_topics: Any) -> None:
    topics = topics_of(lab, make_topics, 1)
    application = Application(lab, topics, 3, rate=50)
    application.start(["plain"], [])
    replicate()
    run = run_of(lab, fence="prove", proof_seconds=1, fence_timeout=2)
    run.prepare()
    run.gate()
    fails(run, r"still written on the source after 2 s")
    application.quiet()
    time.sleep(0.5)
    run.window()
    assert run.journal()["state"] == "handed_over"
    application.stop()


def test_nobody_listens_and_it_is_rolled_back(
    lab: Lab, replicate: Replicate, make_topics: Any, webhooks: Webhooks
) -> None:
    """Nobody can have heard of it. Where somebody may have, it is no more rolled back, but said again."""
    topics = topics_of(lab, make_topics, 2)
    replicate()
    hook = Hook()
    webhooks("moved", hook.connection())
    run = run_of(lab, handover_webhook_conn_id="moved", fence_timeout=2)
    run.prepare()
    run.gate()
    hook._server.server_close()
    fails(run, "did not say yes within 2 s")
    assert lab.fences() == []

    with Hook().serving() as heard:
        webhooks("moved", heard.connection())
        heard.answers = [500] * 50
        with pytest.raises(Exception, match="answered 500"):
            run.window()
        assert run.journal()["state"] == "handing_over"
        assert run.end()["state"] == "handing_over"
        assert len(lab.fences()) == 2, "somebody may write to the target"
        heard.answers = []
        begun = run.journal()["fenced_at"]
        with pytest.raises(AirflowFailException, match=r"are not those that run .* was handing over"):
            CutoverRun(f"{lab.prefix}other", **{**run.params, "topics": topics[:1]}).plan()

        after = CutoverRun(f"{lab.prefix}after", **run.params)  # as when its run is gone from Airflow
        after.prepare()
        after.gate()
        after.window()
        assert (after.journal()["state"], after.journal()["fenced_at"]) == ("handed_over", begun)
        assert len({post["id"] for post in heard.posts}) == 1
        assert after.finish()["verdict"] == "PASS"
        assert lab.fences() == []


def test_rights_are_asked_for_before(lab: Lab, replicate: Replicate, make_topics: Any, monkeypatch: Any) -> None:
    topics_of(lab, make_topics, 1)
    replicate()
    import json

    value = json.loads(lab.stack.variables()["AIRFLOW_CONN_KAFKA_SOURCE"])
    from kafka_ferry.core.acls import Acl

    reader = [
        Acl("CLUSTER", "kafka-cluster", "LITERAL", f"User:{lab.user}", one) for one in ("DESCRIBE", "DESCRIBE_CONFIGS")
    ]
    reader += [Acl("TOPIC", lab.prefix, "PREFIXED", f"User:{lab.user}", "DESCRIBE_CONFIGS")]
    lab.admins["source"].create_acls(reader)
    try:
        monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", json.dumps(value | {"extra": lab.client("source")}))
        with pytest.raises(AirflowFailException, match=rf"User:{lab.user} .* may make no ACLs"):
            run_of(lab).plan()
    finally:
        lab.admins["source"].delete_acls(reader)


def test_a_deletion_on_its_way_is_waited_for(lab: Lab, replicate: Replicate, make_topics: Any, produce: Any) -> None:
    """Of a compacted topic: a key that is not in the tail may have been deleted in it."""
    topic, client = f"{lab.prefix}t-compacted", lab.client("source")
    make_topics(lab.stack.client_settings("source"), topic, config={"cleanup.policy": "compact"})
    produce(client, topic, ({"key": f"k{n % 50}".encode(), "value": str(n).encode()} for n in range(500)))
    migration = replicate().migration
    run = run_of(lab, drain_timeout=4, max_lag=100)
    run.prepare()
    run.gate()
    names = [name for name in migration.connect.connectors() if lab.prefix in name]
    for name in names:
        migration.connect.stop(name)
    produce(client, topic, ({"key": f"k{n}".encode(), "value": None} for n in range(20)))
    fails(run, rf"records did not arrive on the target within 4 s: {topic}-0: 20 records")
    for name in names:
        migration.connect.resume(name)
    run.window()
    assert run.finish()["verdict"] == "PASS"


def test_what_somebody_else_writes_to_the_target_is_found(
    lab: Lab, replicate: Replicate, make_topics: Any, produce: Any
) -> None:
    (topic,) = topics_of(lab, make_topics, 1)
    produce(lab.client("source"), topic, ({"value": str(n).encode(), "partition": n % 3} for n in range(30)))
    replicate()
    run = run_of(lab)
    run.prepare()
    run.gate()
    produce(lab.client("target"), topic, [{"value": b"foreign", "partition": 1}])
    with pytest.raises(AirflowFailException, match=rf"{topic}-1: what came since the contents were compared differs"):
        run.window()
    assert lab.fences() == []
    assert lab.can_write(topic)


def test_a_fence_that_was_copied_to_the_target_is_seen(lab: Lab, replicate: Replicate, make_topics: Any) -> None:
    from kafka_ferry.jobs.cutover.rules.fence import fence_acls

    (topic,) = topics_of(lab, make_topics, 1)
    replicate()
    run = run_of(lab)
    run.prepare()
    run.gate()
    lab.admins["target"].create_acls(fence_acls([topic]))
    fails(run, rf"on the target there is DENY WRITE on topic {topic} for User:\*")
    assert lab.fences() == []
