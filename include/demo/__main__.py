"""``python -m demo``: what ``make demo`` runs. Exit code 0 only when the verdict is PASS."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests
from confluent_kafka import KafkaException
from filelock import FileLock, Timeout

from demo import display
from demo.airflow_api import AirflowApiError
from demo.display import ProgressLine
from demo.run import Demo, DemoError, Outcome
from stack import Stack, StackError

FOLDER = Path(".stack/demo")  # beside the stack of `make up`: both can run
FAILURES = (DemoError, StackError, AirflowApiError, requests.RequestException, KafkaException)


def main(arguments: list[str] | None = None) -> int:
    """Run the demo. 0: PASS. 1: FAIL, or no verdict. 130: interrupted."""
    options = _parser().parse_args(arguments)
    # SIGINT too: a shell without job control starts background commands with Ctrl-C ignored. SIGHUP only when it is
    # not ignored, as it is under nohup.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    line = ProgressLine(sys.stdout, shutil.get_terminal_size((120, 24)).columns)
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(FOLDER.parent / "demo.lock").acquire(timeout=0):
            return _run(options, line)
    except Timeout:
        line.say("Another `make demo` runs in this folder: wait for it, or stop it first")
        return 1


def _run(options: argparse.Namespace, line: ProgressLine) -> int:
    began = time.monotonic()
    # The watchdog ends the stack when this process dies, however it dies.
    owner = None if options.keep else os.getpid()

    def make_stack(report: Callable[[str], None]) -> Stack:
        return Stack(FOLDER, airflow=True, owner_pid=owner, report=report)

    demo = Demo(make_stack, line, scale=options.scale, run_timeout=options.timeout)
    keep = False
    outcome = None
    try:
        demo.stack.down(purge=True)  # what an earlier demo left: its data would be copied already
        outcome = demo.run()
        keep = options.keep
    except FAILURES as error:
        line.say(f"\nThe demo broke off: {error}")
    except KeyboardInterrupt:
        line.say("\nInterrupted")
        return 130
    finally:
        if not keep:
            _stop(demo)
    _conclude(demo, outcome, line, time.monotonic() - began)
    if keep:
        _say_how_to_use(demo, line)
    return 0 if outcome is not None and outcome.passed else 1


def _stop(demo: Demo) -> None:
    demo.stop()
    shutil.rmtree(FOLDER / "data", ignore_errors=True)  # artifacts and logs stay to be read


def _conclude(demo: Demo, outcome: Outcome | None, line: ProgressLine, total: float) -> None:
    if outcome is not None and outcome.report is not None:
        line.say("\nChecks")
        for text in display.checks(outcome.report, shutil.get_terminal_size((120, 24)).columns):
            line.say(text)
        for text in outcome.report.get("failures") or []:
            line.say(f"  ✗ {text}")
    line.say("\nWhere the time went (the Python environment excluded)")
    for text in display.time_table([*demo.times, ("total", total, "")]):
        line.say(text)
    line.say()
    if outcome is None or outcome.report is None:
        line.say(f"VERDICT: none, no report was written. Logs: {FOLDER / 'logs'}")
        return
    line.say(f"Report: {outcome.report_path}")
    page = outcome.report_path.with_suffix(".html")
    if page.exists():
        line.say(f"        {page}")
    line.say(f"VERDICT: {outcome.report['verdict']}  (DAG run: {outcome.state})")


def _say_how_to_use(demo: Demo, line: ProgressLine) -> None:
    values = demo.stack.variables()
    line.say(f"\nStill running, as you asked: {values['FERRY_AIRFLOW_URL']}")
    line.say(f"  login {values['FERRY_AIRFLOW_USER']} / {values['FERRY_AIRFLOW_PASSWORD']}")
    line.say(f"  commands:  . {FOLDER}/env")
    line.say(f"  stop it:   PYTHONPATH=include {sys.executable} -m stack down --dir {FOLDER}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Migrate real data between two Kafka clusters on this machine, and prove that nothing was lost.",
    )
    parser.add_argument("--keep", action="store_true", help="leave the stack up and say how to log in")
    scale = float(os.environ.get("FERRY_DEMO_SCALE", "1"))
    parser.add_argument("--scale", type=float, default=scale, help="share of the data (env FERRY_DEMO_SCALE)")
    timeout = float(os.environ.get("FERRY_DEMO_TIMEOUT", "900"))
    parser.add_argument("--timeout", type=float, default=timeout, help="seconds for the run (env FERRY_DEMO_TIMEOUT)")
    return parser


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
