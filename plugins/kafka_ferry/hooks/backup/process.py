"""Work on shards in several processes: columns and hashes are made by Python, one core per process.

Children are plain ``python -m kafka_ferry.hooks.backup.process``, without Airflow. A child reads its order as one line
of JSON from stdin, secrets included, so that none shows in arguments or environment, and answers in JSON on stdout. Its
stdin stays open: when that ends the parent is gone, even by kill -9, and the child ends too.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Any

import kafka_ferry
from kafka_ferry.connectors.redaction import redact_text, secret_values
from kafka_ferry.exceptions import BadConnection, BadParam, FerryError, LossDetected, OutsideFault
from kafka_ferry.hooks.object_store import PATIENCE, ObjectStore, open_store

Order = Mapping[str, Any]
_MODULE = "kafka_ferry.hooks.backup.process"
_ERRORS: dict[str, type[FerryError]] = {
    "BadConnection": BadConnection,
    "OutsideFault": OutsideFault,
    "LossDetected": LossDetected,
}

log = logging.getLogger(__name__)


def store_order(location: str, settings: Mapping[str, Any] | None = None, patience: float = PATIENCE) -> dict[str, Any]:
    """How a child opens the store: arguments of ``open_store``."""
    return {"location": location, "settings": dict(settings or {}), "patience": patience}


def run(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Do each order in a process of its own; the answers, in their order. When one fails the others are stopped.

    :raises FerryError: what a process met, with its class.
    """
    children: list[_Child] = []
    if not orders:
        return []
    try:
        children.extend(map(_Child, orders))
        with ThreadPoolExecutor(len(children)) as pool:
            waiting = [pool.submit(child.answer) for child in children]
            try:
                wait(waiting, return_when=FIRST_EXCEPTION)
                failed = next((one for one in waiting if one.done() and one.exception()), None)
                return [one.result() for one in ([failed] if failed else waiting)]
            except BaseException:
                for child in children:
                    child.kill()  # here: leaving the pool waits for its threads
                raise
    finally:
        for child in children:
            child.kill()


class _Child:
    """One process with its order."""

    def __init__(self, order: Order) -> None:
        self._secrets = secret_values(order)
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the child
        package = str(Path(kafka_ferry.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._order = json.dumps(order).encode() + b"\n"

    def answer(self) -> dict[str, Any]:
        """Hand over the order and wait.

        :raises FerryError: the one the child met; an OutsideFault with the end of its stderr when it died.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101  # both are pipes
        with contextlib.suppress(BrokenPipeError):  # it died; what it said follows below
            stdin.write(self._order)
            stdin.flush()
        output, status = stdout.read(), self._process.wait()
        self._errors.seek(0)
        said = redact_text(self._errors.read().decode(errors="replace").strip(), self._secrets)
        if status:
            raise OutsideFault(f"a backup process ended with exit code {status}: {said[-2000:] or 'it said nothing'}")
        if said:
            log.warning("%s", said[-4000:])
        answer = json.loads(output)
        if "error" in answer:
            kind, retriable = answer["error"]["type"], answer["error"]["retriable"]
            raise _ERRORS.get(kind, OutsideFault if retriable else FerryError)(answer["error"]["message"])
        result: dict[str, Any] = answer["result"]
        return result

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # unsent bytes for a process that is gone
                    pipe.close()


def _store(order: Order) -> ObjectStore:
    return open_store(**order["store"])


def _export(order: Order) -> dict[str, Any]:
    from kafka_ferry.hooks.backup.export import ExportRange, export_shard

    ranges = [ExportRange(**one) for one in order["ranges"]]
    limits = {name: order[name] for name in ("segment_bytes", "buffer_bytes") if name in order}
    place = _store(order), order["backup"], order["backup_id"]
    kind = order.get("format", "parquet")
    return export_shard(order["config"], *place, ranges, order["isolation_level"], **limits, kind=kind).to_json()


def _restore(order: Order) -> dict[str, Any]:
    from kafka_ferry.hooks.backup.restore import RestoreRange, restore_shard

    return restore_shard(order["config"], _store(order), list(map(RestoreRange.from_json, order["ranges"]))).to_json()


def _compare(order: Order) -> dict[str, Any]:
    from kafka_ferry.hooks.backup.restore import RestoreRange
    from kafka_ferry.hooks.backup.verify import compare_restored

    ranges = list(map(RestoreRange.from_json, order["ranges"]))
    return {"lines": [line.to_json() for line in compare_restored(order["config"], _store(order), ranges)]}


def _source(order: Order) -> dict[str, Any]:
    from kafka_ferry.hooks.backup.source_check import BackedUp, compare_with_source

    partitions = list(map(BackedUp.from_json, order["partitions"]))
    lines = compare_with_source(order["config"], order["isolation_level"], partitions)
    return {"lines": [line.to_json() for line in lines]}


def _verify(order: Order) -> dict[str, Any]:
    from kafka_ferry.backup.manifest import Segment
    from kafka_ferry.hooks.backup.verify import verify_segments

    segments = [(topic, partition, Segment.model_validate(data)) for topic, partition, data in order["segments"]]
    return {"damage": [one.to_json() for one in verify_segments(_store(order), segments)]}


_KINDS: dict[str, Callable[[Order], dict[str, Any]]] = {
    "export": _export,
    "restore": _restore,
    "compare": _compare,
    "source": _source,
    "verify": _verify,
}


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not through sys.stdin: its lock would be held when the interpreter wants to exit
        pass
    os._exit(3)


def main() -> None:
    """The child: one order in, its result or its error out."""
    order = json.loads(sys.stdin.buffer.readline())
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer: dict[str, Any] = {"result": _KINDS[order["kind"]](order)}
    except BadParam as error:  # it has no message alone
        answer = {"error": {"type": "FerryError", "retriable": False, "message": str(error)}}
    except FerryError as error:
        answer = {"error": {"type": type(error).__name__, "retriable": error.retriable, "message": str(error)}}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
