"""How far the waves have come, and the example of a plan."""

from __future__ import annotations

import json
from pathlib import Path

from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec
from kafka_ferry.jobs.cutover.rules.waves import Waves

EXAMPLE = Path(__file__).resolve().parents[4] / "include" / "examples" / "waves" / "plan.json"


def wave(name: str, state: State, *topics: str) -> Journal:
    same = {topic: topic for topic in topics}
    return Journal(wave=name, source_cluster="c", dag_id="cutover", run_id="r", topics=same, fence="acl", state=state)


def test_what_is_done_and_who_still_uses_the_source() -> None:
    journals = [
        wave("one", State.HANDED_OVER, "a"), wave("two", State.ROLLED_BACK, "b"), wave("back", State.FAILED_BACK, "d"),
        wave("begun", State.HANDING_OVER, "e"),
    ]  # fmt: skip
    reads = {"moved": ["a"], "half": ["a", "b"], "other": ["c"]}
    writes = {"producer id 1": ["a"], "producer id 2": ["b", "c"]}
    found = Waves.of(journals, ["a", "b", "c", "d", "e", "__consumer_offsets"], reads, {"half": "STABLE"}, writes)
    assert (found.handed_over, found.left) == (["a", "e"], ["b", "c", "d"])
    assert found.groups == {"half (STABLE)": ["b"], "other (state not told)": ["c"]}
    assert found.producers == {"producer id 2": ["b", "c"]}
    assert found.lines() == [
        "waves of this source: 1 failed back (back); 1 handing over (begun); 1 handed over (one); 1 rolled back (two)",
        "2 of 5 topics handed over; left: b, c, d",
        "groups on topics that are left: half (STABLE), other (state not told)",
        "producers on topics that are left: producer id 2",
    ]


def test_before_the_first_wave_and_behind_the_last() -> None:
    assert Waves.of([], ["a"], {}, {}, {}).lines() == [
        "waves of this source: none yet",
        "0 of 1 topic handed over; left: a",
    ]
    done = Waves.of([wave("w", State.HANDED_OVER, "a")], ["a"], {"g": ["a"]}, {}, {}).lines()
    assert done == ["waves of this source: 1 handed over (w)", "1 of 1 topic handed over"]


def test_the_example_is_taken_wave_by_wave() -> None:
    plan = json.loads(EXAMPLE.read_text())
    same = {key: value for key, value in plan.items() if key != "waves"}
    specs = [CutoverSpec.from_params({**same, **one}) for one in plan["waves"]]
    assert len({spec.wave for spec in specs}) == len(specs) > 1
    entries = [entry for spec in specs for entry in spec.topics]
    assert len(set(entries)) == len(entries), "a topic is in one wave"
