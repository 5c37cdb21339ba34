"""One file that others wrote, as a segment of a partition. Pure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.s3.files.rules.formats import Kind
from kafka_ferry.jobs.s3.files.rules.names import NamedFile


class SideFile(BaseModel):
    """The keys, or the headers, of a file's records. ``sha256``: empty until it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    size: int
    kind: Kind
    sha256: str = ""

    @classmethod
    def of(cls, file: NamedFile | None) -> SideFile | None:
        return None if file is None else cls(key=file.key, size=file.size, kind=file.kind)


class FileSegment(Segment):
    """
    :param topic, partition: as its name says.
    :param first: offset that the file's first record has, where its records do not say theirs; those that stand below
        ``begin`` are in a file before it, too.
    :param moved: by how much its offsets are more than its name or its records say, as others stand there.
    :param kind: what is in it. ``modified``: when it was written, ms: what records without a time get.
    :param keys, headers: files beside it.
    """

    newer = Segment.newer | {"moved", "keys", "headers"}

    topic: str
    partition: int
    first: int
    kind: Kind
    modified: int
    moved: int = 0
    keys: SideFile | None = None
    headers: SideFile | None = None

    @property
    def files(self) -> list[tuple[str, int, str]]:
        """(key, size, SHA-256) of all that it is made of."""
        sides = [(one.key, one.size, one.sha256) for one in (self.keys, self.headers) if one]
        return [(self.key or "", self.size, self.sha256), *sides]
