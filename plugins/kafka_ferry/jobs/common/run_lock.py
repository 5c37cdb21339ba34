"""One run at a time for a name that runs share, in all DAGs: two would share connectors, topics, offsets or objects.

A claim is an object beside the artifacts, ``_claims/<name>/<generation>.json``, that says which run has the name. It
is made by a conditional create (``ObjectStore.create``): of many runs that try at once exactly one succeeds, however
slow the disk is. It need not be released: whether its holder still works is asked from Airflow, so that a run that was
killed, deleted or cleared leaves no lock behind; the next one makes the next generation.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.common.claim_store import claim_store
from kafka_ferry.report.names import safe_name

log = logging.getLogger(__name__)

_ALIVE = ["queued", "running"]
_ROUNDS = 20  # each begins because another run made or tidied away a generation meanwhile

Holder = tuple[str, str]
"""DAG id and run id."""
_NOBODY: Holder = ("", "")


@dataclass(frozen=True)
class SharedName:
    """What only one run may work on at a time.

    :param param: the param that gives it, or would give another. ``name``: its value, for people.
    :param key: what exactly is shared, the same for all who share it: kind, place and name.
    :param why: what two would share; empty: what the param names.
    """

    param: str
    name: str
    key: str
    why: str = ""

    @property
    def folder(self) -> str:
        """Injective: the digest tells what the readable part does not."""
        return f"{safe_name(self.key)[:80]}-{hashlib.sha256(self.key.encode()).hexdigest()[:20]}/"


def acquire_lock(context: Mapping[str, Any], *names: SharedName) -> None:
    """Make the task's run the one that works on these names; a run that has them already keeps them.

    :raises BadParam: another run that is queued or running has one of them.
    """
    for shared in names:
        _acquire(context, shared)


def release_lock(context: Mapping[str, Any], shared: SharedName) -> None:
    """Let others have a name for which this run has no more use, while it goes on with other things.

    The next generation is nobody's: nothing that others may be looking at is taken away.
    """
    run, store = context["dag_run"], claim_store()
    generation, holder = _latest(store, shared)
    if holder == (run.dag_id, run.run_id):
        store.create(_key(shared, generation + 1), json.dumps({"dag_id": "", "run_id": "", "key": shared.key}).encode())


def other_holder(context: Mapping[str, Any], *names: SharedName) -> str | None:
    """Another run, queued or running, that has one of the names; None when all are ours or nobody's."""
    run = context["dag_run"]
    for shared in names:
        _, holder = _latest(claim_store(), shared)
        if holder and holder != (run.dag_id, run.run_id) and _works(context, holder):
            return holder[1] if holder[0] == run.dag_id else f"{holder[1]} of DAG {holder[0]}"
    return None


def is_active(context: Mapping[str, Any]) -> Callable[[str, str], bool]:
    """Whether a run, by DAG id and run id, is queued or running; our own is not asked for."""
    run = context["dag_run"]

    def ask(dag_id: str, run_id: str) -> bool:
        return (dag_id, run_id) == (run.dag_id, run.run_id) or _works(context, (dag_id, run_id))

    return ask


def _acquire(context: Mapping[str, Any], shared: SharedName) -> None:
    run, store = context["dag_run"], claim_store()
    own: Holder = (run.dag_id, run.run_id)
    for _ in range(_ROUNDS):
        generation, holder = _latest(store, shared)
        if holder == own:
            return
        if holder and _works(context, holder):
            raise _taken(shared, own, holder)
        line = {"dag_id": own[0], "run_id": own[1], "key": shared.key}
        mine = _key(shared, generation + 1)
        if not store.create(mine, json.dumps(line).encode()):
            continue  # another run was first
        newest, winner = _latest(store, shared)
        if winner != own:  # we were so slow that what we looked at has been taken over and tidied away
            store.delete([mine])
            continue
        if holder and holder != _NOBODY:
            log.info("%s %s: taken over from run %s of DAG %s, which has ended", shared.param, shared.name,
                     holder[1], holder[0])  # fmt: skip
        store.delete(_key(shared, old) for old in _generations(store, shared) if old < newest - 1)
        return
    raise TransientError(f"{shared.param} {shared.name!r} could not be locked: other runs keep taking it")


def _latest(store: ObjectStore, shared: SharedName) -> tuple[int, Holder | None]:
    """The newest generation and whose it is; 0 and None when there is none."""
    for _ in range(_ROUNDS):
        newest = max(_generations(store, shared), default=0)
        if not newest:
            return 0, None
        try:
            data = json.loads(store.get(_key(shared, newest)))
            return newest, (str(data["dag_id"]), str(data["run_id"]))
        except ObjectMissing:
            continue  # tidied away meanwhile
        except (ValueError, KeyError, TypeError):
            log.warning("lock %s cannot be read: treated as free", _key(shared, newest))
            return newest, None
    raise TransientError(f"locks of {shared.param} {shared.name!r} keep changing")


def _generations(store: ObjectStore, shared: SharedName) -> list[int]:
    stems = (one.key.removeprefix(shared.folder).removesuffix(".json") for one in store.list(shared.folder))
    return [int(stem) for stem in stems if stem.isdecimal()]


def _key(shared: SharedName, generation: int) -> str:
    return f"{shared.folder}{generation:09}.json"


def _works(context: Mapping[str, Any], holder: Holder) -> bool:
    return holder != _NOBODY and bool(context["ti"].get_dr_count(dag_id=holder[0], run_ids=[holder[1]], states=_ALIVE))


def _taken(shared: SharedName, own: Holder, holder: Holder) -> BadParam:
    whose = "this DAG" if holder[0] == own[0] else f"DAG {holder[0]!r}"
    why = f": {shared.why}" if shared.why else ""
    return BadParam(
        shared.param,
        f"run {holder[1]!r} of {whose} is still working on {shared.param} {shared.name!r}{why}",
        f"wait until that run has ended, or use another {shared.param} name for other topics",
    )
