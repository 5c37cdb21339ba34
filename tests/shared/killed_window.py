"""A task ``window`` in a process of its own, that is killed (SIGKILL) at a place: ``python killed_window.py PLACE``.

Params and the run's id come as JSON from stdin; connections from the environment. A place is a stage, which has ended
then, or ``making``: ACLs are made, and the journal does not say so yet.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def main(place: str, order: dict[str, Any]) -> None:
    from cutover_lab import CutoverRun
    from kafka_ferry.jobs.cutover.live import window
    from kafka_ferry.jobs.cutover.live.fence import raise_fence

    stage, make = window.Window._stage, raise_fence

    @contextmanager
    def killed_after(self: Any, journal: Any, name: str) -> Iterator[None]:
        with stage(self, journal, name):
            yield
        if name == place:
            os.kill(os.getpid(), signal.SIGKILL)

    def killed_while_making(wave: Any, journal: Any) -> None:
        make(wave, journal)
        if place == "making":
            os.kill(os.getpid(), signal.SIGKILL)

    window.Window._stage = killed_after  # type: ignore[method-assign]
    vars(window)["raise_fence"] = killed_while_making
    CutoverRun(order["run_id"], **order["params"]).window()


if __name__ == "__main__":
    main(sys.argv[1], json.load(sys.stdin))
