"""What a registry holds of the subjects that are looked at. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from kafka_ferry.core.schema_text import digest
from kafka_ferry.core.schemas import Schema, SubjectVersion, context_of, in_order

#: A subject and the number of a version.
Place = tuple[str, int]
#: A context and an id in it; of AWS Glue's the UUID of a schema version.
Id = tuple[str, int | str]


@dataclass(frozen=True)
class RegistryState:
    """
    :param versions: of the subjects, and of what they refer to.
    :param wanted: subjects that were asked for; others are there as somebody refers to them.
    :param compatibility, modes: a subject's own; None or missing: it has none. ``""``: those of all, of modes None
        where the registry knows no modes. A context (``:.name:``): what counts there.
    :param by_id: what ids stand for, as far as that was asked; None: for nothing.
    """

    versions: Mapping[Place, SubjectVersion]
    wanted: frozenset[str] = frozenset()
    compatibility: Mapping[str, str | None] = field(default_factory=dict)
    modes: Mapping[str, str | None] = field(default_factory=dict)
    by_id: Mapping[Id, Schema | None] = field(default_factory=dict)

    @property
    def has_modes(self) -> bool:
        """Whether the registry knows modes."""
        return self.modes.get("") is not None

    @property
    def has_uuids(self) -> bool:
        """Whether it is AWS Glue's."""
        return any(isinstance(one.id, str) for one in self.versions.values())

    @cached_property
    def subjects(self) -> list[str]:
        """All that has a version here."""
        return sorted({subject for subject, _ in self.versions})

    @cached_property
    def ordered(self) -> list[SubjectVersion]:
        """All versions in the order in which they can be registered."""
        return in_order(self.versions.values())

    @cached_property
    def digests(self) -> dict[Place, str]:
        """What each version says, with all that it refers to."""
        found: dict[Place, str] = {}
        for one in self.ordered:
            found[one.place] = digest(one.schema, references_of(one.schema, one.subject, found))
        return found

    @cached_property
    def id_digests(self) -> dict[Id, str | None]:
        """What each id of :attr:`by_id` says; None: nothing."""
        return {
            key: None if schema is None else digest(schema, references_of(schema, key[0], self.digests))
            for key, schema in self.by_id.items()
        }

    @cached_property
    def by_subject(self) -> dict[str, list[SubjectVersion]]:
        """Versions of each subject, the oldest first."""
        found: dict[str, list[SubjectVersion]] = {}
        for place in sorted(self.versions):
            found.setdefault(place[0], []).append(self.versions[place])
        return found

    def level(self, subject: str) -> str | None:
        """The compatibility that counts for a subject."""
        found = self.compatibility
        return found.get(subject) or found.get(context_of(subject)) or found.get("")

    def mode(self, subject: str) -> str | None:
        """The mode that counts for a subject."""
        every = self.modes.get(context_of(subject)) or self.modes.get("")
        return every if every == "READONLY_OVERRIDE" else self.modes.get(subject) or every

    def only(self, wants: Callable[[str], bool]) -> RegistryState:
        """The part that is wanted, with all it refers to."""
        wanted = frozenset(subject for subject in self.wanted if wants(subject))
        kept = {place: one for place, one in self.versions.items() if place[0] in wanted}
        todo = list(kept.values())
        while todo:
            places = todo.pop().needs
            new = {place: self.versions[place] for place in places if place in self.versions and place not in kept}
            kept |= new
            todo += new.values()
        return replace(self, versions=kept, wanted=wanted)

    def missing_references(self) -> list[tuple[SubjectVersion, Place]]:
        """Who refers to what is not there."""
        return [(one, place) for one in self.ordered for place in one.needs if place not in self.versions]


def references_of(schema: Schema, subject: str, known: Mapping[Place, str]) -> dict[str, str]:
    """Name to digest of what a schema refers to; what is not known is told by its place.

    :param subject: that it is of, or its context.
    """
    places = {ref.name: ref.place(subject) for ref in schema.references}
    return {name: known.get(place, f"? {place[0]} {place[1]}") for name, place in places.items()}


def ids_of(versions: Iterable[SubjectVersion]) -> list[Id]:
    """The ids of versions, each once."""
    return list(dict.fromkeys((context_of(one.subject), one.id) for one in versions))
