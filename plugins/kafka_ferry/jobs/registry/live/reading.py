"""Read what a registry holds: the subjects, what they refer to, their settings, and what ids stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Protocol

from kafka_ferry.core.schemas import Schema, SubjectVersion, context_of
from kafka_ferry.hooks.registry.hook import RegistryHook, RegistryNotFound
from kafka_ferry.jobs.common.at_once import each
from kafka_ferry.jobs.registry.rules.state import Id, Place, RegistryState


class ReadableRegistry(Protocol):
    """What a source is asked: by the Confluent API (``RegistryHook`` says what each is), or of AWS Glue."""

    def subjects(self, deleted: bool = False) -> list[str]: ...
    def versions(self, subject: str, deleted: bool = False) -> list[int]: ...
    def version(self, subject: str, version: int, deleted: bool = False) -> SubjectVersion: ...
    def compatibility(self, subject: str = "", inherited: bool = False) -> str | None: ...
    def mode(self, subject: str = "", inherited: bool = False) -> str | None: ...


class RegistryReader:
    """What one registry holds."""

    def __init__(self, hook: ReadableRegistry) -> None:
        self.hook = hook

    def source(self, wants: Callable[[str], bool], deleted: bool) -> RegistryState:
        """All of the subjects that are wanted.

        :param deleted: also deleted versions, and subjects that have such alone.
        """
        names = [name for name in self.hook.subjects(deleted) if wants(name)]
        return self._state(names, deleted, wanted=names)

    def _state(self, names: Sequence[str], deleted: bool, wanted: Sequence[str] = ()) -> RegistryState:
        numbers = each(lambda name: self._numbers(name, deleted), names)
        places = [(name, number, gone) for name, found in zip(names, numbers, strict=True) for number, gone in found]
        versions = {one.place: one for one in each(self._version, places) if one is not None}
        versions = self._with_references(versions, [place for one in versions.values() for place in one.needs])
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
        self, versions: dict[Place, SubjectVersion], needed: Iterable[Place]
    ) -> dict[Place, SubjectVersion]:
        """With all of these, and what they refer to, as far as it is there."""
        asked: set[Place] = set()
        todo = set(needed)
        while todo:
            new = sorted(todo - set(versions) - asked)
            asked.update(new)
            found = [one for one in each(self._referred_to, new) if one is not None]
            versions |= {one.place: one for one in found}
            todo = {place for one in found for place in one.needs}
        return versions

    def _referred_to(self, place: Place) -> SubjectVersion | None:
        subject, number = place
        found = self._version((subject, number, True))
        return None if found is None else found._replace(deleted=number not in self.hook.versions(subject))

    def _settings(self, names: Sequence[str]) -> tuple[dict[str, str | None], dict[str, str | None]]:
        """Own ones of subjects, that of all, and what counts in each context, where that of all does not."""
        asked, contexts = ["", *names], sorted({context_of(name) for name in names} - {""})
        levels = dict(zip(asked, each(self.hook.compatibility, asked), strict=True))
        levels |= {context: self.hook.compatibility(context, inherited=True) for context in contexts}
        mode = self.hook.mode()
        if mode is None:
            return levels, {"": None}
        modes = dict(zip(names, each(self.hook.mode, names), strict=True))
        return levels, {"": mode, **modes, **{context: self.hook.mode(context, inherited=True) for context in contexts}}


class TargetReader(RegistryReader):
    """What a registry with the Confluent API holds of what is to come there."""

    def __init__(self, hook: RegistryHook) -> None:
        super().__init__(hook)
        self._registry = hook

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
        needed = [ref.place(key[0]) for key, one in found.items() if one for ref in one.references]
        versions = self._with_references(dict(state.versions), needed)
        return replace(state, versions=versions, by_id={**state.by_id, **dict.fromkeys(ids), **found})

    @cached_property
    def _there(self) -> set[str]:
        return set(self._registry.subjects(deleted=True))

    def _by_id(self, key: Id) -> Schema | None:
        context, number = key
        # A registry finds the context by the name of a subject in it, whichever.
        return self._registry.by_id(int(number), f"{context}x" if context else None)
