"""How far an import has come on a target topic: so that the next one resumes without reading all again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.backup.rules.manifest import Segment

Below = Callable[[Segment, int], int]
"""How many records of a segment stand below an offset."""


@dataclass(frozen=True)
class Mark:
    """All of a source partition below ``source`` is proven to be in the target's below ``target``.

    :param records: how many they were, of files that others may add to; None: of an export, which does not change.
    """

    source: int
    target: int
    records: int | None = None

    def to_json(self) -> list[int]:
        return [self.source, self.target, *([] if self.records is None else [self.records])]


@dataclass(frozen=True)
class Bookmark:
    """One target topic.

    :param topic_id: of the target topic, ``source_id`` of the source's: another id is another topic of the same name,
        of which nothing is known.
    :param configs: what it shall have when the import is over; None while nothing is held.
    """

    topic_id: str = ""
    source_id: str = ""
    configs: Mapping[str, str] | None = None
    marks: Mapping[int, Mark] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "topic_id": self.topic_id,
            "source_id": self.source_id,
            "configs": None if self.configs is None else dict(self.configs),
            "marks": {str(number): mark.to_json() for number, mark in sorted(self.marks.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """:raises ValueError: it is none; whoever may write the artifacts may have written it."""
        try:
            marks = {int(number): Mark(*pair) for number, pair in data["marks"].items()}
            numbers = [one for mark in marks.values() for one in mark.to_json()]
            found = cls(**{**data, "marks": marks})
            texts = [found.topic_id, found.source_id, *(found.configs or {}), *(found.configs or {}).values()]
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(type(error).__name__) from None
        if not all(type(one) is int and 0 <= one < 2**63 for one in numbers):
            raise ValueError("a malformed offset")
        if not all(isinstance(one, str) for one in texts):
            raise ValueError("a malformed name")
        return found

    def of(self, topic_id: str, source_id: str) -> Bookmark:
        """This one, or an empty one when either topic was recreated since."""
        if (self.topic_id, self.source_id) == (topic_id, source_id):
            return self
        # What was held is still to be put back when only the source is another.
        return Bookmark(topic_id, source_id, self.configs if self.topic_id in ("", topic_id) else None)

    def with_mark(self, partition: int, mark: Mark) -> Bookmark:
        return replace(self, marks={**self.marks, partition: mark})


def unread(place: str, segments: Sequence[Segment], mark: Mark | None, log: tuple[int, int], below: Below) -> Unread:
    """What of a partition is still to be imported, and at which offset of the target its first record belongs.

    :param place: for the error text. ``log``: the target partition's log start and end.
    :raises DataLossError: the target has less than was proven to be there.
    """
    start, end = log
    if mark is None:
        return Unread(start, tuple(segments))
    if end < mark.target:
        raise DataLossError(
            f"{place}: its log ends at {end}, but an earlier import has verified it up to {mark.target}: records "
            "are gone "
            "from the target (an unclean leader election, or a restored disk). Fix: find the cause; then delete "
            "the topic and import it again"
        )
    left = [segment for segment in segments if segment.end > mark.source]
    if left and left[0].begin < mark.source:  # another export cut the range elsewhere
        return Unread(mark.target - below(left[0], mark.source), tuple(left))
    return Unread(mark.target, tuple(left))


@dataclass(frozen=True)
class Unread:
    """Segments in order; the first record of the first one belongs at ``base``."""

    base: int
    segments: tuple[Segment, ...]
