"""What a stack remembers."""

from __future__ import annotations

import base64
import json
import stat

from stack.process import Running
from stack.state import State

RUNNING = Running(pid=4, create_time=5.5, mark="m", fingerprint="f", log="/l")


def test_it_reads_back_what_it_wrote(tmp_path):
    state = State(tmp_path / "state.json")
    state.ports["source"], state.msk = 20001, True
    cluster, secret = state.cluster_id("source"), state.secret("x")
    state.record("source", RUNNING)

    again = State(tmp_path / "state.json")

    assert (again.id, again.ports, again.processes) == (state.id, {"source": 20001}, {"source": RUNNING})
    assert again.msk
    assert (again.cluster_id("source"), again.secret("x")) == (cluster, secret)


def test_the_file_is_for_its_owner_only(tmp_path):
    State(tmp_path / "state.json").save()

    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


def test_a_state_of_another_release_is_not_adopted(tmp_path):
    state = State(tmp_path / "state.json")
    state.record("source", RUNNING)
    data = json.loads((tmp_path / "state.json").read_text()) | {"version": 99}
    (tmp_path / "state.json").write_text(json.dumps(data))

    again = State(tmp_path / "state.json")

    assert again.id != state.id
    assert again.processes == {}


def test_cluster_ids_are_what_kafka_accepts_and_differ(tmp_path):
    state = State(tmp_path / "state.json")
    ids = [state.cluster_id(str(i)) for i in range(500)]

    assert len(set(ids)) == 500
    assert not [text for text in ids if text.startswith("-") or len(base64.urlsafe_b64decode(text + "==")) != 16]
