"""Read what a registry holds: the subjects, what they refer to, their settings, and what ids stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from kafka_ferry.core.schemas import Schema, SubjectVersion, context_of
from kafka_ferry.hooks.registry.hook import RegistryHook, RegistryNotFound
from kafka_ferry.jobs.common.at_once import each
from kafka_ferry.jobs.registry.rules.state import Id, Place, RegistryState


class RegistryReader:
    """What one registry holds."""

    def __init__(self, hook: RegistryHook) -> None:
        self.hook = hook

    def source(self, wants: Callable[[str], bool], deleted: bool) -> RegistryState:
        """All of the subjects that are wanted.

        :param deleted: also deleted versions, and subjects that have such alone.
        """
        names = [name for name in self.hook.subjects(deleted) if wants(name)]
        return self._state(names, deleted, wanted=names)

    def target(self, source: RegistryState) -> RegistryState:
        """The same subjects, whatever of them is there, deleted or not."""
        there = self._there
        state = self._state([name for name in source.subjects if name in there], deleted=True)
        levels, modes = self._settings([name for name in source.subjects if name not in state.compatibility])
        return replace(state, compatibility={**levels, **state.compatibility}, modes={**modes, **state.modes})

    def with_ids(self, state: RegistryState, ids: Collection[Id]) -> RegistryState:
        """What ids stand for, each asked by itself, in addition."""
        contexts = {context_of(name) for name in self._there}
        # Where nothing is, no id stands for anything: an empty registry is not asked for each of them.
        asked = [key for key in ids if key[0] in contexts]
        found = dict(zip(asked, each(self._by_id, asked), strict=True))
        versions = self._with_references(dict(state.versions), [one for one in found.values() if one])
        return replace(state, versions=versions, by_id={**state.by_id, **dict.fromkeys(ids), **found})

    @cached_property
    def _there(self) -> set[str]:
        return set(self.hook.subjects(deleted=True))

    def _by_id(self, key: Id) -> Schema | None:
        context, number = key
        # A registry finds the context by the name of a subject in it, whichever.
        return self.hook.by_id(number, f"{context}x" if context else None)

    def _state(self, names: Sequence[str], deleted: bool, wanted: Sequence[str] = ()) -> RegistryState:
        numbers = each(lambda name: self._numbers(name, deleted), names)
        places = [(name, number, gone) for name, found in zip(names, numbers, strict=True) for number, gone in found]
        versions = {one.place: one for one in each(self._version, places) if one is not None}
        versions = self._with_references(versions, [one.schema for one in versions.values()])
        return RegistryState(versions, frozenset(wanted), *self._settings(sorted({place[0] for place in versions})))

    def _numbers(self, subject: str, deleted: bool) -> list[tuple[int, bool]]:
        live = set(self.hook.versions(subject))
        every = self.hook.versions(subject, deleted=True) if deleted else sorted(live)
        return [(number, number not in live) for number in every]

    def _version(self, place: tuple[str, int, bool]) -> SubjectVersion | None:
        subject, number, gone = place
        try:
            return self.hook.version(subject, number, deleted=gone)._replace(deleted=gone)
        except RegistryNotFound:
            return None  # deleted since the list was made

    def _with_references(
        self, versions: dict[Place, SubjectVersion], schemas: Iterable[Schema]
    ) -> dict[Place, SubjectVersion]:
        """All that they refer to, and what that refers to, as far as it is there."""
        asked: set[Place] = set()
        todo = list(schemas)
        while todo:
            named = {(ref.subject, ref.version) for schema in todo for ref in schema.references}
            new = sorted(named - set(versions) - asked)
            asked.update(new)
            found = [one for one in each(self._referred_to, new) if one is not None]
            versions |= {one.place: one for one in found}
            todo = [one.schema for one in found]
        return versions

    def _referred_to(self, place: Place) -> SubjectVersion | None:
        subject, number = place
        found = self._version((subject, number, True))
        return None if found is None else found._replace(deleted=number not in self.hook.versions(subject))

    def _settings(self, names: Sequence[str]) -> tuple[dict[str, str | None], dict[str, str | None]]:
        asked = ["", *names]
        levels = dict(zip(asked, each(self.hook.compatibility, asked), strict=True))
        mode = self.hook.mode()
        if mode is None:
            return levels, {"": None}
        return levels, {"": mode, **dict(zip(names, each(self.hook.mode, names), strict=True))}
