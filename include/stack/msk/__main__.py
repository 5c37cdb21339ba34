"""``python -m stack.msk``: the double with real Connect workers, until TERM; started by ``stack.msk_double``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from stack.msk.server import MskConnectDouble
from stack.msk.worker_runtime import WorkerRuntime
from stack.process import MARK


def main() -> int:
    """Serve; on TERM end all workers."""
    parser = argparse.ArgumentParser(prog="python -m stack.msk", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bootstrap", required=True, help="of the cluster behind the one ARN that it knows")
    parser.add_argument("--java", required=True)
    for name in ("buckets", "folder", "jars"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--before-4", action="store_true", help="the jars are of a Kafka that logs by log4j 1.2")
    options = parser.parse_args()

    def stored(bucket: str, key: str) -> bytes | None:
        path = (options.buckets / bucket / key).resolve()
        return path.read_bytes() if path.is_relative_to(options.buckets.resolve()) and path.is_file() else None

    # Workers carry the mark of this process: who ends it by its mark ends them too.
    mark = os.environ.get(MARK, f"msk-{os.getpid()}")
    runtime = WorkerRuntime(options.folder, options.java, options.jars, mark, before_4=options.before_4)
    double = MskConnectDouble(runtime, options.bootstrap, objects=stored, port=options.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        double.serve()
    finally:
        runtime.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
