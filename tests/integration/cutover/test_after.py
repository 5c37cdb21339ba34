"""After the hand-over: who is late is named, connectors are stopped, and share groups start where they stood."""

from __future__ import annotations

from typing import Any

import pytest

from cutover_lab import Application, CutoverRun, Lab

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(300)]


def test_who_still_writes_and_commits_is_named(lab: Lab, replicate: Any, make_topics: Any, produce: Any) -> None:
    topic, group, share = f"{lab.prefix}t0", f"{lab.prefix}late", f"{lab.prefix}share"
    make_topics(lab.stack.client_settings("source"), topic, partitions=3)
    produce(lab.client("source"), topic, ({"value": str(n).encode(), "partition": n % 3} for n in range(90)))
    replicate()
    lab.commit(group, {(topic, 0): 5})
    assert lab.admins["source"].set_share_starts({share: {(topic, 1): 7}}) == {}
    run = CutoverRun(f"{lab.prefix}run", topics=[topic], groups=[f"{lab.prefix}.*"], migration=f"{lab.prefix}w"[:40],
                     fence="prove", proof_seconds=0.5, watch_seconds=5)  # fmt: skip
    run.prepare()
    run.gate()
    run.window()
    starts = lab.admins["target"].share_starts([share])[share]
    assert {tp: start.offset for tp, start in starts.items()} == {(topic, 1): 7}
    late = Application(lab, [topic], 3, rate=20)
    late.start(["idempotent"], [])
    late.wait_for(5)
    lab.commit(group, {(topic, 0): 6})
    with pytest.raises(Exception, match="failed checks: late_writers"):
        run.finish()
    late.stop()
    check = next(one for one in run.written("report.json")["checks"] if one["name"] == "late_writers")
    told = "\n".join(check["differences"])
    assert f"written: {topic}-" in told
    assert "by producer id" in told
    assert f"committed: group {group} on {topic}-0: from 5 to 6" in told
    assert run.written("report.json")["cutover"]["state"] == "handed_over"


def test_connectors_are_stopped_behind_a_fence_that_stays(lab: Lab, replicate: Any, make_topics: Any) -> None:
    topic = f"{lab.prefix}t0"
    make_topics(lab.stack.client_settings("source"), topic)
    connect = replicate().migration.connect
    names = [name for name in connect.connectors() if lab.prefix in name]
    run = CutoverRun(f"{lab.prefix}run", topics=[topic], groups=[], migration=f"{lab.prefix}w"[:40], keep_fence=True,
                     connect_conn_id="kafka_connect", end_connectors=names)  # fmt: skip
    run.prepare()
    run.gate()
    run.window()
    report = run.finish()
    assert (report["verdict"], report["cutover"]["connectors_stopped"]) == ("PASS", names)
    assert {connect.status(name).state.value for name in names} == {"STOPPED"}
    assert not lab.can_write(topic)
