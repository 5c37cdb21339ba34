"""Who still replicates a wave, in words of ``fail_back``: cures of a migration name params that it lacks. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.jobs.migration.rules.loops import LOOP

_CONNECTOR = "connector "


def in_words_of_fail_back(found: Sequence[Finding], named: Iterable[str], *, same_connect: bool) -> list[Finding]:
    """The same findings, with cures that ``fail_back`` has.

    :param found: of ``Flows``. ``named``: ``forward_connectors``.
    :param same_connect: whether these are looked for on the Kafka Connect whose connectors are told here.
    """
    running = {name for item in found if _stops_us(item) for name in _connectors(item)}
    fix = f"forward_connectors: {json.dumps(list(dict.fromkeys([*named, *sorted(running)])))}"
    made = []
    for item in found:
        if item.code != LOOP:
            made.append(replace(item, fix="wait until it has ended, or end it first", param="migration"))
        elif not _stops_us(item):
            made.append(replace(item, fix="see that it stays so until the way back has ended", param="migration"))
        elif _connectors(item) and same_connect:
            rest = "if they replicate this wave and nothing else; else stop them first"
            made.append(replace(item, fix=f"{fix}, {rest}", param="forward_connectors"))
        else:
            rest = "connectors on another Kafka Connect: forward_connect_conn_id with forward_connectors"
            made.append(replace(item, fix=f"stop {item.flows[-1]} first; {rest}", param="migration"))
    return made


def _stops_us(item: Finding) -> bool:
    return item.code == LOOP and item.severity is Severity.REFUSE and bool(item.flows)


def _connectors(item: Finding) -> list[str]:
    return [name.removeprefix(_CONNECTOR) for name in item.flows if name.startswith(_CONNECTOR)]
