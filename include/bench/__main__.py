"""``python -m bench profiles | scale | engines | backup | connectors``. Markdown to stdout, progress to stderr."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from bench import backup, connectors, engines, profiles, scale
from bench.profiles import Variant
from stack import Stack

FOLDER = Path(".stack/bench")  # beside the stacks of `make up` and `make demo`


def main(arguments: list[str] | None = None) -> int:
    """0: measured. Errors end it with their trace, after the stack is stopped."""
    options = parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)

    def make_stack() -> Stack:
        # The watchdog ends the stack when this process dies, however it dies.
        kinds = {"airflow": options.what == "scale", "s3_connectors": options.what == "connectors"}
        made = Stack(FOLDER, **kinds, owner_pid=os.getpid(), report=say)
        made.down(purge=True)  # what a bench left that was killed
        return made

    if options.what == "profiles":
        print(profiles.run(make_stack, options.variants, options.records, options.runs, say))
    elif options.what == "engines":
        print(engines.run(make_stack, options.engines, options.records, options.runs, say))
    elif options.what == "backup":
        print(backup.run(make_stack, options.sizes, options.runs, options.oso, say))
    elif options.what == "connectors":
        print(connectors.run(make_stack, options.formats, options.size, options.runs, say))
    else:
        print(scale.run(make_stack, options.topics, options.partitions, options.groups, say))
    return 0


def say(line: str) -> None:
    """Progress, apart from the result."""
    print(line, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m bench", description="Measure on an embedded stack of its own.")
    commands = result.add_subparsers(dest="what", required=True)
    one = commands.add_parser("profiles", help="the throughput profiles against MirrorMaker 2 as it comes")
    one.add_argument("--records", type=int, default=300_000)
    one.add_argument("--runs", type=int, default=3)
    one.add_argument(
        "--variants",
        type=Variant.parse,
        nargs="+",
        default=[Variant.parse(name) for name in profiles.VARIANTS],
        help="names, each with keys to try, such as: lan,source.consumer.max.poll.records=2000",
    )
    many = commands.add_parser("scale", help="one migration of many topics, in a real Airflow")
    many.add_argument("--topics", type=int, default=360)
    many.add_argument("--partitions", type=int, default=2000)
    many.add_argument("--groups", type=int, default=50)
    ways = commands.add_parser("engines", help="every engine on the same data: start-up and throughput")
    ways.add_argument("--records", type=int, default=500_000)
    ways.add_argument("--runs", type=int, default=3)
    ways.add_argument(
        "--engines", nargs="+", choices=engines.ENGINES, default=list(engines.ENGINES), help="the first is the measure"
    )
    files = commands.add_parser("backup", help="export to S3 and restore, beside OSO kafka-backup where it is given")
    files.add_argument("--runs", type=int, default=3)
    files.add_argument("--oso", type=Path, help="a driver of its core: takes backup or restore, and a YAML file")
    files.add_argument(
        "--sizes",
        type=_size,
        nargs="+",
        default=[(1000, 1_500_000), (100, 6_000_000)],
        help="value bytes and number of records, such as 1000:400000",
    )
    pair = commands.add_parser("connectors", help="export and import by our S3 connectors, beside the engine's own")
    pair.add_argument("--runs", type=int, default=3)
    pair.add_argument("--formats", nargs="+", choices=["parquet", "avro", "jsonl"], default=["parquet", "avro"])
    pair.add_argument("--size", type=_size, default=(1000, 500_000), help="value bytes and number of records")
    return result


def _size(text: str) -> tuple[int, int]:
    size, _, count = text.partition(":")
    return int(size), int(count)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
