"""Where the objects of a backup are. Keys are relative to the location.

::

    <backup>/manifests/<backup id>.json                               what one backup holds; COMPLETE is written last
    <backup>/journal/<backup id>/<random>.json                        segments finished so far; gone once it is COMPLETE
    <backup>/verdicts/<backup id>.json                                what was last found when it was verified
    <backup>/schemas/<sha>.json.gz                                    what a schema registry held; backups share it
    <backup>/data/<topic>/<topic id>/<partition>/<begin>-<sha>.parquet
    <backup>/data/<topic>/<topic id>/<partition>/<begin>.avro         by our S3 sink connector (docs/s3_connectors.md)
    <backup>/journal/sink/<topic>/<topic id>/<partition>/<begin>.json     what it has written since its last manifest

Backups of one name share their data, as an incremental one resumes where its parent ended. A segment's key holds the
beginning of its SHA-256: two tries of a killed task can never write different contents under one key. All of a topic
reads as one table: ``<backup>/data/<topic>/*/*/*.parquet``. Exports may have other endings, see ``formats``.

The sink connector sends an object while it grows, so its key cannot hold a hash of it. There one task at a time writes
a partition, and what no manifest names yet is written again under the same key.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from kafka_ferry.exceptions import BadParam

Format = Literal["parquet", "jsonl", "avro"]

SUFFIXES: Final[dict[Format, str]] = {"parquet": ".parquet", "jsonl": ".jsonl.gz", "avro": ".avro"}
"""Ending of a segment's key, by which other tools know its format too."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def check_name(param: str, name: str) -> str:
    """A name that can stand in a key.

    :raises BadParam: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise BadParam(param, f"{name!r} cannot be part of an object key", "letters, digits, dot, - and _, at most 100")
    return name


def manifests_prefix(backup: str) -> str:
    return f"{backup}/manifests/"


def manifest_key(backup: str, backup_id: str) -> str:
    return f"{manifests_prefix(backup)}{backup_id}.json"


def journal_prefix(backup: str, backup_id: str) -> str:
    return f"{backup}/journal/{backup_id}/"


def verdicts_prefix(backup: str) -> str:
    return f"{backup}/verdicts/"


def verdict_key(backup: str, backup_id: str) -> str:
    return f"{verdicts_prefix(backup)}{backup_id}.json"


def sink_prefix(backup: str) -> str:
    """Of the notes of our S3 sink connector."""
    return f"{backup}/journal/sink/"


def data_prefix(backup: str) -> str:
    return f"{backup}/data/"


def schemas_prefix(backup: str) -> str:
    return f"{backup}/schemas/"


def schemas_key(backup: str, sha256: str) -> str:
    """Named by its content: backups have one object for as long as the registry does not change."""
    return f"{schemas_prefix(backup)}{sha256}.json.gz"


def segment_key(
    backup: str, topic: str, topic_id: str, partition: int, begin: int, sha256: str, suffix: str = ".parquet"
) -> str:
    """:param begin: first offset of the range the segment covers; padded, so that keys sort as offsets do.
    :param sha256: of the object; empty for one of the sink connector, whose key has none.
    :param topic_id: librdkafka gives plain base64, in which "/" may occur; in the key it is Kafka's own, URL-safe.
    """
    own = topic_id.replace("/", "_").replace("+", "-")
    name = f"{begin:020}-{sha256[:16]}" if sha256 else f"{begin:020}"
    return f"{data_prefix(backup)}{topic}/{own}/{partition:06}/{name}{suffix}"


def noted_by_sink(backup: str, key: str) -> set[str]:
    """Where the object may be that a note of the sink connector is of, by its format; empty: it is no such note."""
    prefix = sink_prefix(backup)
    if not key.startswith(prefix) or not key.endswith(".json"):
        return set()
    place = f"{data_prefix(backup)}{key.removeprefix(prefix).removesuffix('.json')}"
    return {place + suffix for suffix in SUFFIXES.values()}
