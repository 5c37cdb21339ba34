"""Where claims of runs are kept: beside the artifacts, in a store that can create an object only if it is not there."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from kafka_ferry.core.signature import Signer
from kafka_ferry.hooks.objects.errors import ObjectMissing, refuse_large
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.hooks.objects.store import Data, ObjectStore, StoredObject
from kafka_ferry.report.artifacts import artifacts_root

log = logging.getLogger(__name__)

_FOLDER = "_claims"  # beside the DAGs' own folders
PATIENCE = 60.0


def claim_store() -> ObjectStore:
    """Where claims are."""
    return store_beside_artifacts(_FOLDER)


def store_beside_artifacts(folder: str) -> ObjectStore:
    """A folder of ``FERRY_ARTIFACTS`` that all runs share: a folder, S3 by our own client, else what Airflow's object
    storage can do.

    :param folder: its name begins with ``_``, as no DAG's does.
    """
    root = artifacts_root().rstrip("/")
    if "://" not in root or root.startswith("file:///"):
        return FolderStore(Path(root.removeprefix("file://")) / folder)
    if root.startswith("s3://"):
        from kafka_ferry.hooks.objects.s3_connection import store_of

        # As ObjectStoragePath has it: s3://<connection>@<bucket>/<prefix>.
        conn_id, at, place = root.removeprefix("s3://").rpartition("@")
        return store_of(f"s3://{place}/{folder}", conn_id if at else _default_connection(), PATIENCE)
    return _ObjectStorage(root, folder)


def _default_connection() -> str | None:
    return os.environ.get("FERRY_ARTIFACTS_CONN_ID") or "aws_default"


class _ObjectStorage:
    """What ``ObjectStoragePath`` reaches. Google's file system creates conditionally; others look first (fsspec)."""

    def __init__(self, root: str, folder: str) -> None:
        from airflow.sdk import ObjectStoragePath

        self.location, self.puts = root, 0
        self.signer: Signer | None = None  # nothing here is signed
        self._path: Any = ObjectStoragePath(root) / folder

    def put(self, key: str, data: Data) -> None:
        self._full(key).write_bytes(bytes(data))

    def create(self, key: str, data: Data) -> bool:
        path = self._full(key)
        try:
            path.fs.pipe_file(path.path, bytes(data), mode="create")
        except FileExistsError:
            return False
        return True

    def get(self, key: str, limit: int | None = None) -> bytes:
        try:
            data = bytes((self._path / key).read_bytes())  # all that is here is small
        except FileNotFoundError as error:
            raise ObjectMissing(f"{self.location}: no object {key}") from error
        if limit is not None:
            refuse_large(self.location, key, len(data), limit)
        return data

    def load(self, key: str, into: BinaryIO, limit: int) -> None:
        into.write(self.get(key, limit))

    def size(self, key: str) -> int | None:
        path = self._path / key
        return int(path.stat().st_size) if path.exists() else None

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        folder = self._path / prefix.rstrip("/")
        names = sorted(str(one.name) for one in folder.iterdir()) if folder.exists() else []
        yield from (StoredObject(f"{prefix}{name}", 0) for name in names)

    def clock(self) -> datetime | None:
        return None

    def folders(self) -> Sequence[str]:
        return sorted(str(one.name) for one in self._path.iterdir()) if self._path.exists() else []

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            (self._path / key).unlink(missing_ok=True)

    def locks(self, keys: Iterable[str]) -> Mapping[str, str]:
        return {}

    def locking(self) -> bool:
        return False

    def _full(self, key: str) -> Any:
        path = self._path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
