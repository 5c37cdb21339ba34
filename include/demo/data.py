"""Loads the demo's data on the source cluster: ``python -m demo.data HOST:PORT [--scale 0.05]``.

On a secured stack, with ``. .stack/env``: ``python -m demo.data kafka_source_admin``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import humanize

from demo import catalogue
from demo.loader import Loader, LoadError
from demo.spec import TopicSpec


@dataclass(frozen=True)
class Summary:
    """What the cluster holds after :func:`load`, and what this call wrote.

    :param records: records of all topics, aborted ones too.
    :param written: records that this call wrote; 0 when all was there.
    :param written_bytes: their keys and values.
    """

    topics: int
    partitions: int
    records: int
    groups: int
    written: int
    written_bytes: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.topics} topics, {self.partitions} partitions, {self.records:,} records, {self.groups} groups "
            f"({self.written:,} records, {humanize.naturalsize(self.written_bytes)} written now, {self.seconds:.1f} s)"
        )


def load(
    cluster: str | Mapping[str, str],
    scale: float = 1.0,
    prefix: str = "",
    say: Callable[[str], None] | None = None,
) -> Summary:
    """Put the demo's topics and groups on a cluster. A second call changes nothing.

    :param cluster: ``bootstrap.servers``, or all librdkafka settings of a secured cluster.
    :param scale: 1 is all 336,776 flights; 0.05 a twentieth, spread over the year. The hard cases stay.
    :param prefix: put before every topic and group name.
    :param say: gets one readable line a topic.
    :raises LoadError: a topic of that name holds something else, or the broker refused records.
    """
    started = time.monotonic()
    specs = catalogue.topics(scale, prefix)
    groups = catalogue.groups(prefix)
    loader = Loader(cluster)
    loader.create(specs)
    written = size = 0
    for spec in specs:
        fresh = _is_unfilled(loader, spec)
        if fresh:
            size += loader.fill(spec)
            written += spec.count
        if say:
            say(f"{spec.name}: {spec.count:,} records{'' if fresh else ' already there'}")
    by_name = {spec.name: spec for spec in specs}
    for group in groups:
        loader.commit(group, by_name)
    return Summary(
        topics=len(specs),
        partitions=sum(spec.partitions for spec in specs),
        records=sum(spec.count for spec in specs),
        groups=len(groups),
        written=written,
        written_bytes=size,
        seconds=time.monotonic() - started,
    )


def _is_unfilled(loader: Loader, spec: TopicSpec) -> bool:
    end = sum(loader.end_offsets(spec).values())
    if end not in (0, spec.offsets):
        raise LoadError(
            f"topic {spec.name} ends at offset {end} in total, this load would end at {spec.offsets}: "
            "an earlier load broke off or had another scale. Delete the topic, or start from a fresh stack"
        )
    return end != spec.offsets


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.data", description=__doc__)
    parser.add_argument("cluster", help="bootstrap.servers, or the id of an Airflow connection in the environment")
    parser.add_argument("--scale", type=float, default=1.0)
    args = parser.parse_args()
    connection = os.environ.get(f"AIRFLOW_CONN_{args.cluster.upper()}")
    print(load(json.loads(connection)["extra"] if connection else args.cluster, args.scale, say=print))


if __name__ == "__main__":
    main()
