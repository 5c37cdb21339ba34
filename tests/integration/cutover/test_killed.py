"""A window that is killed: no DENY is left that nobody knows of, and whoever comes next ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cutover_lab import CutoverRun, Hook, Lab, ids_from

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(300)]

SHARED = Path(__file__).resolve().parents[2] / "shared"
PLACES = ("making", "fence", "prove", "drain", "groups", "verify", "hand_over")


def prepared(lab: Lab, replicate: Callable[..., Any], make_topics: Any, produce: Any, **params: Any) -> CutoverRun:
    names = [f"{lab.prefix}t0", f"{lab.prefix}t1"]
    make_topics(lab.stack.client_settings("source"), *names, partitions=2)
    for name in names:
        produce(lab.client("source"), name, ({"value": str(n).encode(), "partition": n % 2} for n in range(400)))
    replicate()
    run = CutoverRun(f"{lab.prefix}run", topics=[f"{lab.prefix}t.*"], groups=[f"{lab.prefix}.*"],
                     migration=f"{lab.prefix}wave"[:40], **params)  # fmt: skip
    run.prepare()
    run.gate()
    lab.commit(f"{lab.prefix}late", {(names[0], 1): 77})
    return run


def kill(run: CutoverRun, place: str) -> None:
    """Run the window until there."""
    order = json.dumps({"run_id": run.run_id, "params": run.params})
    paths = os.pathsep.join([str(SHARED), str(SHARED.parents[1] / "plugins"), str(SHARED.parents[1] / "include")])
    done = subprocess.run(
        [sys.executable, str(SHARED / "killed_window.py"), place], input=order, text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": paths}, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr[-2000:]


def known(run: CutoverRun, lab: Lab) -> bool:
    """Whether every DENY of the source stands in the journal."""
    return {acl.name for acl in lab.fences()} <= {acl["name"] for acl in run.journal()["added"]}


def test_a_killed_window_goes_on_from_any_place(
    lab: Lab, replicate: Callable[..., Any], make_topics: Any, produce: Any, webhooks: Callable[[str, str], None]
) -> None:
    """One after the other, each place: what the first run began, a try of the same run, or of the next one, ends."""
    with Hook().serving() as hook:
        webhooks("moved", hook.connection())
        run = prepared(lab, replicate, make_topics, produce, handover_webhook_conn_id="moved", groups_timeout=5)
        for place in PLACES:
            kill(run, place)
            assert len(lab.fences()) == 2, place
            assert known(run, lab), place
        assert run.journal()["state"] == "handing_over"
        begun = run.journal()["fenced_at"]
        run.window()
    journal = run.journal()
    assert (journal["state"], journal["fenced_at"]) == ("handed_over", begun), "the clock went on"
    assert len(hook.posts) == 2, "said again, as nobody knew whether it was heard"
    assert hook.posts[0] == hook.posts[1]
    assert run.finish()["verdict"] == "PASS"
    assert lab.fences() == []
    there = lab.admins["target"].committed([f"{lab.prefix}late"])[f"{lab.prefix}late"]
    assert ids_from(lab, "target", there) == ids_from(lab, "source", {(f"{lab.prefix}t0", 1): 77})


@pytest.mark.parametrize("who", ["the teardown", "the next run"])
def test_a_killed_window_that_does_not_come_back_is_rolled_back(
    lab: Lab, replicate: Callable[..., Any], make_topics: Any, produce: Any, who: str
) -> None:
    run = prepared(lab, replicate, make_topics, produce)
    kill(run, "making")
    assert not lab.can_write(f"{lab.prefix}t0")
    if who == "the teardown":
        assert run.end()["state"] == "rolled_back"
        assert run.report_anyway()["cutover"]["rolled_back"] is True
    else:
        after = CutoverRun(f"{lab.prefix}after", **run.params)
        after.plan()
        assert after.journal()["failure"] == f"left by run {run.run_id}, taken away by run {after.run_id}"
    assert lab.fences() == []
    assert lab.can_write(f"{lab.prefix}t0")


def test_one_that_was_killed_too_long_ago_is_rolled_back(
    lab: Lab, replicate: Callable[..., Any], make_topics: Any, produce: Any
) -> None:
    run = prepared(lab, replicate, make_topics, produce)
    kill(run, "prove")
    run.params["window_timeout"] = 10
    import time

    time.sleep(11)
    with pytest.raises(Exception, match="the window has been open for"):
        run.window()
    assert lab.fences() == []
    run.window()
    assert run.journal()["state"] == "handed_over"
