"""Text files of others, line by line, whatever packs them; memory and time are bounded. Pure.

What packs a file is told by its first bytes: names leave it out, or say something else.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import Any, Final

import cramjam
import pyarrow as pa

from kafka_ferry.records.damage import DamagedSegment

#: Of one line: the largest record that is ever sent has 128 MB, and base64 makes a third more of it.
LINE_BYTES: Final = 256 * 1024 * 1024
#: What a file may become: so much, and so many times what it is packed.
_UNPACKED, _TIMES = 1024 * 1024 * 1024, 200
_BLOCK_BYTES: Final = 64 * 1024 * 1024
_XERIAL: Final = b"\x82SNAPPY\x00"


class _Bytes(io.RawIOBase):
    """A buffer as a file."""

    def __init__(self, data: Any) -> None:
        self._data, self._at = memoryview(data), 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        piece = self._data[self._at : self._at + len(into)]
        into[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


class _Pieces(io.RawIOBase):
    """Pieces, one after the other, as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken = self._left[: len(into)]
        into[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _unpacked(data: Any) -> Any:
    """What is in a file, as a file."""
    plain = io.BufferedReader(_Bytes(data), 1024 * 1024)
    head = bytes(memoryview(data)[:8])
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=plain)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return io.BufferedReader(_Pieces(_zstd(plain)))
    if head == _XERIAL:
        return io.BufferedReader(_Pieces(_xerial(plain)))
    return plain


def _zstd(file: Any) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd") as stream:
        while piece := stream.read(1024 * 1024):
            yield piece


def _xerial(file: Any) -> Iterator[bytes]:
    """Snappy as Java's SnappyOutputStream frames it."""
    file.read(16)
    while size := file.read(4):
        block = file.read(int.from_bytes(size, "big"))
        if snappy_size(block) > _BLOCK_BYTES:
            raise ValueError(f"a block of {snappy_size(block):,} bytes")
        yield bytes(cramjam.snappy.decompress_raw(block))


def snappy_size(block: bytes) -> int:
    """What a block becomes, by the number that it begins with."""
    size = shift = 0
    for byte in block[:5]:
        size |= (byte & 127) << shift
        if byte < 128:
            return size
        shift += 7
    raise ValueError("no block of snappy")


def lines(data: Any, what: str) -> Iterator[bytes]:
    """The lines of a file that are not empty, without their ends.

    :param data: bytes, or a file in memory. ``what``: the file.
    :raises DamagedSegment: a line, or the file, becomes too large.
    """
    if not len(data):
        return
    total, most = 0, _UNPACKED + _TIMES * len(data)
    with _unpacked(data) as file:
        while line := file.readline(LINE_BYTES + 1):
            total += len(line)
            if len(line) > LINE_BYTES:
                raise DamagedSegment(f"{what}: a line has more than {LINE_BYTES:,} bytes")
            if total > most:
                raise DamagedSegment(
                    f"{what}: {len(data):,} bytes unpack to more than {most:,}, which no sink makes of records"
                )
            if line := line.rstrip(b"\r\n"):
                yield line
