"""``python -m stack up|down|status|mm1-jars``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from stack import jars, listeners
from stack.errors import StackError
from stack.java import find_java
from stack.stack import LOCAL, PROJECT, Stack
from stack.watchdog import wait_for_end


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 when it was done, 1 when not, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)  # as Ctrl-C: stop what was started, then leave
    try:
        return int(options.run(options))
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stack: interrupted", file=sys.stderr)
        return 130


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description="The embedded stack of Kafka Ferry.")
    commands = parser.add_subparsers(required=True)
    up = _command(commands, "up", _up, "start what is missing and wait until all is healthy")
    up.add_argument("--no-airflow", action="store_true", help="only Kafka, Connect and S3")
    up.add_argument("--secure", action="store_true", help="SASL users and ACLs on both clusters")
    up.add_argument("--database", action="store_true", help="with a MariaDB server and Debezium's connectors")
    up.add_argument("--postgres", action="store_true", help="Airflow's own database on a PostgreSQL server")
    up.add_argument("--executor", default=LOCAL, help="Airflow's: local, or celery (two workers, PostgreSQL, Valkey)")
    up.add_argument("--msk", action="store_true", help="a double of MSK Connect (docs/msk_connect.md)")
    for cluster in ("source", "target"):
        up.add_argument(f"--{cluster}", default="", metavar="KIND", help="version and number of brokers, as 2.6.0x3")
    up.add_argument("--connect", default="", metavar="KIND", help="version and number of Connect workers, as 3.9.2x2")
    up.add_argument("--listener", default="", choices=listeners.KINDS, help="how clients of both clusters come")
    up.add_argument("--racks", default="", metavar="A,B,C", help="racks of the brokers of each cluster, in turn")
    up.add_argument("--exactly-once", action="store_true", help="the worker may write in transactions")
    up.add_argument("--s3-connectors", action="store_true", help="our S3 connectors on the workers")
    up.add_argument("--registry", action="store_true", help="two schema registries (Apicurio)")
    up.add_argument("--owner-pid", type=int, help="stop the stack when this process ends")
    down = _command(commands, "down", _down, "stop all")
    down.add_argument("--purge", action="store_true", help="also remove data and logs")
    _command(commands, "status", _status, "what runs and how it is; exit code 1 when something is not healthy")
    _command(commands, "mm1-jars", _mm1_jars, "fetch the jars of MirrorMaker 1, once, and print their folder")
    watch = _command(commands, "watch", _watch, "(used by the stack itself) run down when the owner has ended")
    watch.add_argument("--owner", required=True, help="<pid>:<create time>")
    return parser


def _command(commands: argparse._SubParsersAction, name: str, run: object, text: str) -> argparse.ArgumentParser:  # type: ignore[type-arg]
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--dir", type=Path, default=Path(".stack"), help="folder of the stack (default: .stack)")
    command.set_defaults(run=run)
    return command


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")  # in one piece, as several threads report
    sys.stdout.flush()


def _up(options: argparse.Namespace) -> int:
    stack = Stack(
        options.dir,
        airflow=not options.no_airflow,
        owner_pid=options.owner_pid,
        report=_say,
        secure=options.secure,
        database=options.database,
        msk=options.msk,
        source=options.source,
        target=options.target,
        connect=options.connect,
        exactly_once=options.exactly_once,
        listener=options.listener,
        racks=[rack for rack in options.racks.split(",") if rack],
        postgres=options.postgres,
        executor=options.executor,
        s3_connectors=options.s3_connectors,
        registry=options.registry,
    ).up()
    values = stack.variables()
    print()
    shown = "SOURCE_BOOTSTRAP TARGET_BOOTSTRAP CONNECT_URL S3_ENDPOINT MSK_ENDPOINT SOURCE_REGISTRY TARGET_REGISTRY"
    for name in (*shown.split(), "AIRFLOW_URL"):
        if value := values.get(f"FERRY_{name}"):
            print(f"  {name.lower().replace('_', ' '):18}{value}")
    if values["FERRY_AIRFLOW_URL"]:
        print(f"  airflow login     {values['FERRY_AIRFLOW_USER']} / {values['FERRY_AIRFLOW_PASSWORD']}")
    file = os.path.relpath(stack.folder / "env")
    print(f"\n  For any command:  . {file} && airflow dags list")
    return 0


def _down(options: argparse.Namespace) -> int:
    Stack(options.dir, report=_say).down(purge=options.purge)
    return 0


def _status(options: argparse.Namespace) -> int:
    lines = Stack(options.dir).status()
    for line in lines:
        print(f"{line.name:22}{line.pid or '-':>8}  {line.problem or 'healthy'}")
    if not lines:
        print(f"no stack in {options.dir}")
    return 0 if lines and not any(line.problem for line in lines) else 1


def _mm1_jars(options: argparse.Namespace) -> int:
    print(jars.resolve_mm1(jars.cache_folder(PROJECT), find_java(), lambda line: print(line, file=sys.stderr)))
    return 0


def _watch(options: argparse.Namespace) -> int:
    wait_for_end(options.owner)
    _say("the owner has ended")
    Stack(options.dir, report=_say).down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
