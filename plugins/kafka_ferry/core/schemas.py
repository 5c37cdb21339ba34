"""What a schema registry holds, in the Confluent API's terms. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

#: What the API leaves out.
AVRO: Final = "AVRO"
#: The types whose texts can be compared by what they say (``core/schema_text.py``).
TYPES: Final = (AVRO, "JSON", "PROTOBUF")
IMPORT: Final = "IMPORT"


class Reference(NamedTuple):
    """A schema that another uses, under the name that the other calls it by."""

    name: str
    subject: str
    version: int

    def place(self, parent: str) -> tuple[str, int]:
        """The version that is meant by a schema of the subject ``parent``: one of its context, where none is named."""
        return f"{'' if context_of(self.subject) else context_of(parent)}{self.subject}", self.version


class Schema(NamedTuple):
    """One schema."""

    text: str
    type: str = AVRO
    references: tuple[Reference, ...] = ()


class SubjectVersion(NamedTuple):
    """What a subject has as one of its versions.

    :param id: a number; of AWS Glue's the UUID.
    :param deleted: softly: lists do not show it, and its id still resolves.
    """

    subject: str
    version: int
    id: int | str
    schema: Schema
    deleted: bool = False

    @property
    def place(self) -> tuple[str, int]:
        """Where it is."""
        return self.subject, self.version

    @property
    def needs(self) -> list[tuple[str, int]]:
        """Where what it refers to is."""
        return [ref.place(self.subject) for ref in self.schema.references]

    def __str__(self) -> str:
        return f"{self.subject} version {self.version}"


def context_of(subject: str) -> str:
    """The context that a subject is in, as ``:.name:``; empty: the default one. Ids are unique in a context."""
    if not subject.startswith(":."):
        return ""
    end = subject.find(":", 1)
    return subject[: end + 1] if end > 0 else ""


def plain_name(subject: str) -> str:
    """A subject without its context."""
    return subject.removeprefix(context_of(subject))


def in_order(versions: Iterable[SubjectVersion]) -> list[SubjectVersion]:
    """As they have to be registered: what others refer to before those, older versions of a subject before newer ones,
    and beyond that by id, so that an empty registry that counts gives ids in the source's order. UUIDs have none.

    References that lead in a circle, which no registry takes, are left where they are.
    """
    known = {one.place: one for one in versions}
    before: dict[str, list[int]] = {}
    for subject, version in sorted(known):
        before.setdefault(subject, []).append(version)
    done: dict[tuple[str, int], SubjectVersion] = {}
    for one in sorted(known.values(), key=lambda one: (0 if isinstance(one.id, str) else one.id, one.place)):
        _take(one, known, before, done)
    return list(done.values())


def _take(
    wanted: SubjectVersion,
    known: dict[tuple[str, int], SubjectVersion],
    before: dict[str, list[int]],
    done: dict[tuple[str, int], SubjectVersion],
) -> None:
    """Without recursion: a subject may have thousands of versions."""
    begun: set[tuple[str, int]] = set()
    stack = [wanted]
    while stack:
        one = stack[-1]
        if one.place in done:
            stack.pop()
            continue
        needed = one.needs
        older = [version for version in before[one.subject] if version < one.version]
        needed += [(one.subject, older[-1])] if older else []
        missing = [known[place] for place in needed if place in known and place not in done and place not in begun]
        begun.add(one.place)
        if missing:
            stack.append(missing[0])
        else:
            done[one.place] = stack.pop()
