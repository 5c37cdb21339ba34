"""Processes of our own that do a part of a task's work each: one Python process keeps one core busy.

A child is plain ``python -m <module>``: no fork of an Airflow task process, no Airflow import (it starts in 0.4 s,
measured). It reads its order as one line of JSON from stdin, secrets included, so that none shows in arguments or
environment, and answers in JSON on stdout. Its stdin stays open: when that ends the parent is gone, even by kill -9,
and the child ends too.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Any, NoReturn

import kafka_ferry
from kafka_ferry.core.heartbeat import beat, last_beat
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import BadConnection, BadParam, DataLossError, FerryError, TransientError
from kafka_ferry.jobs.common.task_watch import NoProgress, ends_with

Order = Mapping[str, Any]
_ERRORS: dict[str, type[FerryError]] = {
    "BadConnection": BadConnection,
    "TransientError": TransientError,
    "DataLossError": DataLossError,
}

log = logging.getLogger(__name__)


def run_children(module: str, what: str, orders: Sequence[tuple[Order, Collection[str]]]) -> list[Any]:
    """Do each order in a process of its own; the answers, in their order. When one fails the others are stopped.

    :param module: whose ``main`` calls :func:`answer_order`. ``what``: how an error calls its processes.
    :param orders: each with the secrets in it, which no error text may show.
    :raises FerryError: what a process met, with its class.
    """
    if not orders:
        return []
    children: list[Child] = []
    try:
        children.extend(Child(module, what, order, secrets) for order, secrets in orders)
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


def do_here(what: str, order: Order, secrets: Collection[str], work: Callable[[Order], Any]) -> Any:
    """Do an order in this process, as a child would: the same answers, and errors that show no secret.

    :raises FerryError: what the work met; an TransientError with the end of the traceback for anything else.
    """
    try:
        return _as_sent(work(_as_sent(order)))
    except FerryError:
        raise
    except Exception:  # noqa: BLE001  # whatever it is: a library's text may quote what it was given
        said = redact_text(traceback.format_exc().strip(), secrets)
        raise TransientError(f"{what} ended: {said[-2000:]}") from None


def _as_sent(what: Any) -> Any:
    """As a process gets and answers it: tuples are lists."""
    return json.loads(json.dumps(what))


class Child:
    """One process with its order."""

    def __init__(self, module: str, what: str, order: Order, secrets: Collection[str]) -> None:
        self._what, self._secrets = what, secrets
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the child
        package = str(Path(kafka_ferry.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._order = json.dumps(order).encode() + b"\n"
        self._stuck, self._forget = False, ends_with(self.end_stuck)

    def answer(self) -> Any:
        """Hand over the order and wait.

        :raises FerryError: the one the child met; an TransientError with the end of its stderr when it died.
        """
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101  # both are pipes
        with contextlib.suppress(BrokenPipeError):  # it died; what it said follows below
            stdin.write(self._order)
            stdin.flush()
        output, status = self._heard(stdout.fileno()), self.process.wait()
        self._errors.seek(0)
        said = redact_text(self._errors.read().decode(errors="replace").strip(), self._secrets)
        if status and self._stuck:
            raise NoProgress(f"{self._what} made no progress and was killed: {said[-2000:] or 'it said nothing'}")
        if status:
            raise TransientError(f"{self._what} ended with exit code {status}: {said[-2000:] or 'it said nothing'}")
        if said:
            log.warning("%s", said[-4000:])
        answer = json.loads(output)  # what beats before it is blank
        if "error" in answer:
            kind, retriable = answer["error"]["type"], answer["error"]["retriable"]
            raise _ERRORS.get(kind, TransientError if retriable else FerryError)(answer["error"]["message"])
        return answer["result"]

    @staticmethod
    def _heard(stdout: int) -> bytes:
        """All that it says; each piece is progress."""
        said = bytearray()
        while piece := os.read(stdout, 1 << 20):
            beat()
            said += piece
        return bytes(said)

    def end_stuck(self) -> None:
        """For the watch over the task: in another thread than who waits for the answer."""
        self._stuck = True
        self.process.kill()

    def kill(self) -> None:
        self._forget()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # unsent bytes for a process that is gone
                    pipe.close()


def collect_seldom() -> None:
    """For a process that loads large libraries and ends soon: what they make stays, looking through it frees nothing.

    0.1 of the 0.9 s that Numba, boto3 and pyarrow take to load (measured).
    """
    gc.set_threshold(200_000, 20, 20)


def answer_order(work: Callable[[Order], Any]) -> None:
    """The child: one order in, its result or its error out, and the end of the process."""
    collect_seldom()
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer; Airflow logs there, and MSK IAM by a connection loads it
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
    order = json.loads(sys.stdin.buffer.readline())
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    done = threading.Event()
    beats = threading.Thread(target=_tell_beats, args=(answers, done), daemon=True)
    beats.start()
    try:
        answer: dict[str, Any] = {"result": work(order)}
    except BadParam as error:  # it has no message alone
        answer = {"error": {"type": "FerryError", "retriable": False, "message": str(error)}}
    except FerryError as error:
        answer = {"error": {"type": type(error).__name__, "retriable": error.retriable, "message": str(error)}}
    done.set()
    beats.join()  # a blank in the answer's midst would be part of it
    with os.fdopen(answers, "w") as out:
        out.write(json.dumps(answer))
    end_now()


def end_now() -> NoReturn:
    """End with 0 and no tidying: to take large libraries apart takes Python 0.2 to 0.4 s (measured), for nothing.

    An Airflow task ends so too. Whoever calls this has closed what must be closed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _tell_beats(answers: int, done: threading.Event) -> None:
    """The child: a blank for each second in which something arrived, or was taken; JSON may begin with blanks."""
    told = last_beat()
    while not done.wait(1.0):
        if last_beat() > told:
            told = last_beat()
            os.write(answers, b" ")


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not through sys.stdin: its lock would be held when the interpreter wants to exit
        pass
    os._exit(3)
