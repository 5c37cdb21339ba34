"""The manifest: what one backup holds, written before its first object and declared COMPLETE after its last. Pure."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.backup.rules.layout import manifest_key
from kafka_ferry.jobs.backup.rules.manifest_check import MANIFEST_BYTES, manifest_problems
from kafka_ferry.jobs.backup.rules.timestamps import parse_timestamp

SCHEMA: Final = "kafka-ferry.backup/1"
_METADATA = 32767  # of a commit: what Kafka's protocol takes in a string
_PROBLEMS = 3  # named of one manifest
GAPS_NAMED = 20  # per segment; a topic with one record per transaction has as many holes as records


class DamagedManifest(FerryError):
    """A manifest that does not say what was written, or that this version cannot read."""


class State(StrEnum):
    """Only what is COMPLETE is a backup."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETE = "COMPLETE"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Grown(_Model):
    """Has fields that its first version did not have: written only when they say something.

    So a manifest without them keeps its bytes. (pydantic's ``Field(exclude_if=…)`` does it from 2.12 on; Airflow 3.0 is
    pinned to 2.11.)
    """

    newer: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _without_empty(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in written(self).items()
            if name not in self.newer or getattr(self, name) != fields[name].default
        }


class Gap(_Model):
    """Offsets ``begin <= offset < end`` for which the backup has no record, and why.

    ``retention``: deleted before it could be read (by retention or DeleteRecords): lost to this backup.
    ``transaction``: control markers and aborted records. ``compaction``: a newer record of the same key exists; on a
    compacted topic it includes transactions' markers, which a consumer cannot tell apart.
    """

    begin: int
    end: int
    reason: Literal["retention", "transaction", "compaction"]


class LargestRecord(_Model):
    """The largest record of a segment, as Kafka counts it.

    :param offset: of it, on the source. ``bytes``: of a batch of it alone, uncompressed.
    :param packed: of a batch of it alone as a restore packs it (lz4, or uncompressed where that is smaller).
    """

    offset: int = Field(strict=True)
    bytes: int = Field(strict=True)
    packed: int = Field(strict=True)


class LargestBatch(_Model):
    """The largest batch that records of a segment lay in on the source.

    :param offset: its base, perhaps before the segment. ``bytes``: on the wire, as its producer compressed it.
    """

    offset: int = Field(strict=True)
    bytes: int = Field(strict=True)


class Segment(_Grown):
    """One object, or a range without any record (``key`` is None).

    :param begin: the range it covers, ``begin <= offset < end``; ranges of a partition follow on one another.
    :param bytes: key and value bytes. ``size``: of the object.
    :param min_timestamp: of its records, ms. ``max_timestamp`` alike.
    :param fingerprint: ``records.fingerprint.Fingerprint`` of its records.
    :param missing: offsets of the range that hold no record; ``gaps`` names the first ``GAPS_NAMED`` runs of them.
    :param largest_record, largest_batch: not in manifests of before these fields; no batch either where only librdkafka
        could read the source. Left out where they are None, so that manifests without them keep their digests.
    """

    newer = frozenset(("largest_record", "largest_batch"))

    begin: int
    end: int
    key: str | None = None
    records: int = 0
    bytes: int = 0
    size: int = 0
    sha256: str = ""
    min_timestamp: int | None = None
    max_timestamp: int | None = None
    fingerprint: dict[str, Any] | None = None
    missing: int = 0
    gaps: list[Gap] = []
    largest_record: LargestRecord | None = None
    largest_batch: LargestBatch | None = None


class PartitionBackup(_Model):
    """The frozen range of a partition and, once exported, its segments in order.

    :param gaps: what was gone before ``begin``, since the parent's end or since offset 0.
    """

    partition: int
    begin: int
    end: int
    segments: list[Segment] = []
    gaps: list[Gap] = []

    @property
    def records(self) -> int:
        return sum(segment.records for segment in self.segments)

    def all_gaps(self) -> list[Gap]:
        """The gaps that are named, in order."""
        return [*self.gaps, *(gap for segment in self.segments for gap in segment.gaps)]


class TopicBackup(_Model):
    """A topic as it was.

    :param configs: set on the topic itself. :param recreated: topic id that the parent had, when it is another one.
    :param with_records: timestamps are the broker's (``LogAppendTime``) when ``log_append_time``.
    """

    name: str
    topic_id: str
    replication_factor: int
    configs: dict[str, str] = {}
    compacted: bool = False
    log_append_time: bool = False
    recreated: str | None = None
    partitions: list[PartitionBackup] = []


class GroupOffset(_Grown):
    """A committed offset.

    :param metadata: what the group noted beside it. Not written when empty: so manifests without any are as before.
    """

    newer = frozenset(("metadata",))

    topic: str
    partition: int
    offset: int
    metadata: str = Field(default="", max_length=_METADATA)


class EntityQuotas(_Model):
    """The client quotas of one entity.

    :param entity: kind (``user``, ``client-id``, ``ip``) to name; None: the default of the kind.
    :param values: quota to its limit, as the brokers tell it.
    """

    entity: dict[str, str | None]
    values: dict[str, float]


class SchemasPart(_Model):
    """The object with what a schema registry held: some megabytes, which do not change with each backup.

    :param subjects, versions: how many are in it.
    """

    key: str
    size: int = Field(strict=True)
    sha256: str
    subjects: int
    versions: int


class Totals(_Model):
    """What the backup itself wrote. ``puts`` are requests that write, of its last try."""

    records: int = 0
    bytes: int = 0
    size: int = 0
    objects: int = 0
    seconds: float = 0
    puts: int = 0


class Manifest(_Grown):
    """One backup. Times are ISO 8601, UTC.

    :param backup: name that backups of one kind share. ``backup_id``: of this one.
    :param parent: id of the backup that an incremental one builds on.
    :param follows: id of the newest backup there was when it began. Not in manifests of before this field, and left
        out where it is None, so that those keep their digests.
    :param acls: None when there is no authorizer, or they were not asked for.
    :param quotas: the cluster's client quotas. Not written when there are none, or they were not asked for.
    :param schemas: of a schema registry. Not written when they were not asked for.
    :param groups_left_out: group to why it is not in here: those of other types, and those left out by default. Not
        written when empty.
    :param notes: what a reader should know: topics recreated, ACLs that may not be read, …
    """

    newer = frozenset(("follows", "groups_left_out", "quotas", "schemas"))

    schema_: str = Field(default=SCHEMA, alias="schema")
    backup: str
    backup_id: str
    state: State = State.IN_PROGRESS
    mode: Literal["full", "incremental"]
    parent: str | None = None
    follows: str | None = None
    created: str
    completed: str | None = None
    cluster_id: str
    isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed"
    topics: list[TopicBackup] = []
    groups: dict[str, list[GroupOffset]] = {}
    groups_left_out: dict[str, str] = {}
    acls: list[dict[str, str]] | None = None
    quotas: list[EntityQuotas] = []
    schemas: SchemasPart | None = None
    notes: list[str] = []
    totals: Totals = Totals()

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    def partitions(self) -> Iterator[tuple[TopicBackup, PartitionBackup]]:
        for topic in self.topics:
            for partition in topic.partitions:
                yield topic, partition

    def segments(self) -> Iterator[tuple[TopicBackup, PartitionBackup, Segment]]:
        for topic, partition in self.partitions():
            for segment in partition.segments:
                yield topic, partition, segment

    @property
    def created_at(self) -> datetime:
        """``created`` in UTC."""
        found = parse_timestamp(self.created)
        if found is None:  # one that was read has a time
            raise DamagedManifest(f"backup {self.backup_id!r}: created {self.created[:80]!r} is not a time")
        return found

    def comes_after(self) -> list[str]:
        """Ids of backups that were there before it, as it says itself."""
        return [one for one in (self.parent, self.follows) if one is not None]

    def keys(self) -> set[str]:
        """Objects that this manifest itself points to."""
        own = {self.schemas.key} if self.schemas else set[str]()
        return own | {segment.key for _, _, segment in self.segments() if segment.key}

    def to_bytes(self, signer: Signer | None = None) -> bytes:
        """As it is stored: JSON with a digest of itself, so that a changed byte in it is found.

        :param signer: signs it for its key; versions before that knew no signatures call such a manifest damaged.
        """
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=False)
        proof: dict[str, Any] = {"sha256": _digest(content)}
        if signer is not None:
            proof["signature"] = signer.sign(manifest_key(self.backup, self.backup_id), content)
        return json.dumps({**proof, **content}, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes, key: str, signer: Signer | None = None) -> Manifest:
        """:param key: under which it lies. ``signer``: what must have signed it; None: signatures are not looked at.

        :raises DamagedManifest: it is not what was written, or says what cannot be: keys of others' objects, …
        """
        content = parsed(data, key)
        if not isinstance(content, dict) or "sha256" not in content:
            raise DamagedManifest(f"{key}: damaged, it is not a manifest")
        digest, signature = content.pop("sha256"), content.pop("signature", None)
        if content.get("schema") != SCHEMA:
            raise DamagedManifest(f"{key}: schema {str(content.get('schema'))[:80]!r}; this version reads {SCHEMA}")
        if digest != _digest(content):
            raise DamagedManifest(f"{key}: damaged, its digest does not match its content")
        if signer is not None and (unsigned := signer.problem(key, content, signature)):
            raise DamagedManifest(f"{key}: refused, it {unsigned}")
        try:
            found = cls.model_validate(content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))[:200]
            raise DamagedManifest(f"{key}: damaged, {place}: {first['msg'][:200]}") from None
        problems = list(itertools.islice(manifest_problems(found, key), _PROBLEMS))
        if problems:
            raise DamagedManifest(f"{key}: refused, it is inconsistent: {'; '.join(problems)}")
        return found


def parsed(data: bytes, key: str) -> Any:
    """JSON that others may have written.

    :raises DamagedManifest: it is none, or larger than any of ours.
    """
    if len(data) > MANIFEST_BYTES:
        raise DamagedManifest(f"{key}: refused, {len(data)} bytes; the largest that is read has {MANIFEST_BYTES}")
    try:
        found = json.loads(data, parse_constant=_no_number)
        if b"\\ud" in data.lower():  # half of a pair, by its escape: no text, and no client takes it
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise DamagedManifest(f"{key}: damaged, it is not JSON ({type(error).__name__})") from None
    return found


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
