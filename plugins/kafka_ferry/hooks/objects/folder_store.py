"""Objects by key in a folder: the store of ``file://`` locations. Free of Airflow."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from kafka_ferry.core.disk import disk_words
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.object_key import ForeignKey, check_key
from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing, refuse_large
from kafka_ferry.hooks.objects.store import Data, StoredObject


class FolderStore:
    """A folder of this machine, or of a network file system that all workers share.

    Links in it may lead anywhere, so none is followed out of it; the folder itself may be one.
    """

    def __init__(self, folder: Path, signer: Signer | None = None) -> None:
        self.location, self.puts, self.signer = f"file://{folder}", 0, signer
        self._folder = folder

    def _path(self, key: str) -> Path:
        """:raises ForeignKey: it is outside, by its words or by a link."""
        path = self._folder / check_key(key, self.location)
        try:
            inside = path.resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError):  # links in a circle
            inside = False
        if not inside:
            raise ForeignKey(f"{self.location}: the key {key[:200]!r} is refused: a link leads out of the folder")
        return path

    def put(self, key: str, data: Data) -> None:
        path = self._path(key)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        with self._faults(f"write {key}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)  # a full disk must not be kept full by what was not written
                raise
        self.puts += 1

    def create(self, key: str, data: Data) -> bool:
        """By a hard link, which fails where the name is taken, over NFS too (open(2), O_EXCL)."""
        path = self._path(key)
        temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}")
        with self._faults(f"create {key}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    return False
            finally:
                temporary.unlink(missing_ok=True)
        self.puts += 1
        return True

    def get(self, key: str, limit: int | None = None) -> bytes:
        path = self._path(key)
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ForeignKey(f"{self.location}: {key} is not a file")
        with self._faults(f"read {key}"), path.open("rb") as file:
            if limit is not None:
                refuse_large(self.location, key, os.fstat(file.fileno()).st_size, limit)
            return file.read()

    def load(self, key: str, into: BinaryIO, limit: int) -> None:
        path = self._path(key)
        if path.exists() and not path.is_file():
            raise ForeignKey(f"{self.location}: {key} is not a file")
        with self._faults(f"read {key}"), path.open("rb") as file:
            refuse_large(self.location, key, os.fstat(file.fileno()).st_size, limit)
            while piece := file.read(1024 * 1024):
                into.write(piece)
                beat()

    def size(self, key: str) -> int | None:
        path = self._path(key)
        with self._faults(f"look at {key}"):
            return path.stat().st_size if path.is_file() else None

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        folder = prefix.rpartition("/")[0]
        start = self._path(folder) if folder else self._folder
        found = []
        for path in start.rglob("*") if start.is_dir() else ():  # links to folders are not followed
            key = path.relative_to(self._folder).as_posix()
            if key.startswith(prefix) and not path.name.startswith(".") and path.is_file() and not path.is_symlink():
                about = path.stat()
                found.append(StoredObject(key, about.st_size, about.st_mtime_ns // 1_000_000))
        yield from sorted(found, key=lambda one: one.key)

    def clock(self) -> datetime | None:
        """As the file system dates what is written: another machine's clock when it is shared."""
        with self._faults("check the clock"):
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".") as file:
                file.write(b"1")
                file.flush()
                return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)

    def folders(self) -> Sequence[str]:
        if not self._folder.is_dir():
            return []
        with self._faults("list names"):
            return sorted(one.name for one in self._folder.iterdir() if one.is_dir())[:1000]

    def delete(self, keys: Iterable[str]) -> None:
        for path in [self._path(key) for key in keys]:
            with self._faults(f"delete {path.name}"):
                path.unlink(missing_ok=True)

    def locks(self, keys: Iterable[str]) -> Mapping[str, str]:
        return {}

    def locking(self) -> bool:
        return False

    @contextlib.contextmanager
    def _faults(self, what: str) -> Iterator[None]:
        try:
            yield
            beat()
        except FileNotFoundError as error:
            raise ObjectMissing(f"{self.location}: no object to {what}") from error
        except OSError as error:
            kind = BadConnection if isinstance(error, PermissionError) else TransientError
            raise kind(f"{self.location}: cannot {what}: {disk_words(error)}") from error
