"""The files of a partition, one after the other: what is missing between them, and what two of them have. Pure.

A sink that was stopped begins again at its last commit, and may cut its files elsewhere: records are in two files then.
They are told by their content: where a file begins among records that are known, and goes on with the same ones, they
are taken once. Without an offset in each record, a record's offset is at least its file's plus its place: so files that
overlap by their names do overlap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

KEPT: Final = 5_000_000
"""Records whose hashes are kept for the files to come."""
NAMED: Final = 20
_TRIES: Final = 1000


@dataclass(frozen=True)
class Place:
    """Where a file's records stand.

    :param repeated: its first records that are in the files before it. ``moved``: by how much its offsets are more than
        it says, as others stand there.
    """

    repeated: int = 0
    moved: int = 0


@dataclass
class Chain:
    """Takes files in the order of their first offsets.

    :param end: offset behind the last record; None: there is none yet.
    :param missing: offsets without a record, between files and in them. ``gaps``: the first of them.
    :param repeated: records that were in two files.
    """

    end: int | None = None
    missing: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    repeated: int = 0
    _offsets: Any = field(default_factory=lambda: np.empty(0, np.int64))
    _hashes: Any = field(default_factory=lambda: np.empty(0, np.uint64))

    def add(self, offsets: Any, hashes: Any) -> Place:
        """A file's records.

        :param offsets: int64, at least one, ascending. ``hashes``: of all but the time, uint64.
        """
        place = self._place(offsets, hashes)
        self.repeated += place.repeated
        offsets, hashes = offsets[place.repeated :] + place.moved, hashes[place.repeated :]
        if len(offsets) == 0:
            return place
        if self.end is not None:
            self._leave_out(self.end, int(offsets[0]))
        for at in np.flatnonzero(np.diff(offsets) > 1).tolist():  # where records say their offsets
            self._leave_out(int(offsets[at]) + 1, int(offsets[at + 1]))
        self.end = int(offsets[-1]) + 1
        self._offsets = np.concatenate((self._offsets, offsets))[-KEPT:]
        self._hashes = np.concatenate((self._hashes, hashes))[-KEPT:]
        return place

    def _leave_out(self, begin: int, end: int) -> None:
        self.missing += max(0, end - begin)
        if end > begin and len(self.gaps) < NAMED:
            self.gaps.append((begin, end))

    def _place(self, offsets: Any, hashes: Any) -> Place:
        first = int(offsets[0])
        if self.end is None or first >= self.end:
            return Place()
        at = int(np.searchsorted(self._offsets, first))
        # Holes inside of a file make its later offsets too small, never too large.
        for begin in np.flatnonzero(self._hashes[: at + 1] == hashes[0])[::-1][:_TRIES].tolist():
            known = self._hashes[begin : begin + len(hashes)]
            if np.array_equal(known, hashes[: len(known)]):
                return Place(repeated=len(known))
        return Place(moved=self.end - first)
