"""An application's user on both clusters of a secured stack, with ``. .stack/env``: ``python -m demo.application``.

``--write flights.departures`` writes a record again and again on the source as that user, and says when it may not any
more: so what a fence does can be seen.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from stack.state import write_private

SIDES = ("source", "target")
#: What applications need that read and write topics of one prefix, with groups and transactions of any name.
RIGHTS = (
    (ResourceType.TOPIC, ("READ", "WRITE", "DESCRIBE"), True),
    (ResourceType.GROUP, ("READ", "DESCRIBE"), False),
    (ResourceType.TRANSACTIONAL_ID, ("WRITE", "DESCRIBE"), False),
)


def admin_settings(side: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Those of the stack's super user.

    :raises SystemExit: the environment is none of a secured stack.
    """
    name = f"AIRFLOW_CONN_KAFKA_{side.upper()}_ADMIN"
    if name not in environment:
        raise SystemExit(f"{name} is not set. Fix: make up SECURE=1, then . .stack/env")
    return dict(json.loads(environment[name])["extra"])


def settings_of(side: str, user: str, password: str) -> dict[str, str]:
    """What the application's clients use there."""
    mine = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": password}
    return admin_settings(side) | mine


def make_user(side: str, user: str, password: str, prefix: str) -> None:
    """The user and its rights. Safe to repeat; the password is then this one."""
    admin = AdminClient({**admin_settings(side), "log_level": "2"})
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    made = [UserScramCredentialUpsertion(user, scram, password.encode())]
    acls = [
        AclBinding(
            kind, prefix if prefixed else "*",
            ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL,
            f"User:{user}", "*", AclOperation[operation], AclPermissionType.ALLOW,
        )
        for kind, operations, prefixed in RIGHTS
        for operation in operations
    ]  # fmt: skip
    for future in (*admin.alter_user_scram_credentials(made).values(), *admin.create_acls(acls).values()):
        future.result(timeout=30)


def write(topic: str, settings: Mapping[str, str], rate: float) -> str:
    """Write until it is refused; what was said then."""
    told: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Any) -> None:
        if error is not None:
            told.append(error)

    producer = Producer({**settings, "enable.idempotence": True, "log_level": 2})
    for number in count():
        try:
            producer.produce(topic, str(number).encode(), on_delivery=delivered)
        except KafkaException as error:  # from the second refused record on
            told.append(error.args[0])
        producer.poll(0)
        if told:
            producer.purge()
            producer.flush(5)
            return f"after {number} records: {told[0].str()}"
        if number and number % max(1, round(10 * rate)) == 0:
            print(f"{number} records written to {topic}", flush=True)
        time.sleep(1 / rate)
    raise AssertionError  # it counts for ever


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.application", description=__doc__)
    parser.add_argument("--user", default="app")
    parser.add_argument("--prefix", default="flights", help="of the topics that it may read and write")
    parser.add_argument("--write", metavar="TOPIC", help="write to it on the source, until that is refused")
    parser.add_argument("--rate", type=float, default=20, help="records/s")
    parser.add_argument("--folder", type=Path, default=Path(".stack"), help="where its clients' settings are written")
    args = parser.parse_args()
    password = secrets.token_urlsafe(16)
    for side in SIDES:
        make_user(side, args.user, password, args.prefix)
        path = args.folder / f"{args.user}-{side}.properties"
        settings = settings_of(side, args.user, password)
        write_private(path, "".join(f"{key}={value}\n" for key, value in settings.items()))
        print(f"User:{args.user} may read and write {args.prefix}* on the {side}: settings for librdkafka in {path}")
    if args.write:
        print(write(args.write, settings_of("source", args.user, password), args.rate))


if __name__ == "__main__":
    main()
