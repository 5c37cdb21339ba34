"""Schemas are carried to a registry: look, register, take settings back, look again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from kafka_ferry.core.checks import Check
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.schemas import IMPORT, Reference, SubjectVersion, context_of
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.registry.hook import RegistryHook
from kafka_ferry.jobs.common.at_once import each
from kafka_ferry.jobs.common.run_lock import SharedName
from kafka_ferry.jobs.registry.live.journal import SettingsJournal
from kafka_ferry.jobs.registry.live.reading import TargetReader
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids
from kafka_ferry.jobs.registry.rules.decide import Decision, Setting, Step, decide
from kafka_ferry.jobs.registry.rules.findings import findings_of
from kafka_ferry.jobs.registry.rules.judge import checks_of, sentence_of
from kafka_ferry.jobs.registry.rules.state import Id, Place, RegistryState, ids_of

log = logging.getLogger(__name__)


class IdNotKept(FerryError):
    """A registry took an id and gave the schema another one."""


@dataclass
class Done:
    """What was done. ``ids``: those that the target gave, by the source's."""

    registered: int = 0
    deleted: int = 0
    settings: int = 0
    ids: dict[Id, int] = field(default_factory=dict)


class SchemasCarrier:
    """Carries schemas to a registry; all it knows, it reads.

    :param asked: what for. ``read``: the schemas that are to be there. ``target``: the registry.
    """

    def __init__(self, asked: Asked, read: Callable[[], RegistryState], target: RegistryHook) -> None:
        self.asked, self._read, self._target = asked, read, target

    @cached_property
    def source(self) -> RegistryState:
        """What is to be there."""
        return self._read()

    @cached_property
    def shared_name(self) -> SharedName:
        """The target registry: of two runs one would take back what the other has set."""
        return SharedName(self.asked.target_param, self._target.registry_conn_id, f"registry/{self._target.url}")

    def _look(self) -> tuple[RegistryState, Decision]:
        """What is there now, with the ids that new schemas would take where they are to be kept."""
        reader = TargetReader(self._target)
        found = reader.target(self.source)
        decision = decide(self.source, found, self.asked.ids)
        if self.asked.ids is Ids.KEEP and decision.to_register:
            found = reader.with_ids(found, ids_of(decision.to_register))
            decision = decide(self.source, found, self.asked.ids)
        return found, decision

    def planned(self) -> tuple[Decision, list[Finding]]:
        """What would be done, and all that stands against it. Changes nothing."""
        target, decision = self._look()
        return decision, findings_of(self.asked, self.source, target, decision)

    # -- the work ------------------------------------------------------------------------------------------------------

    def apply(self, journal: SettingsJournal) -> Done:
        """Do what is left to be done. What was begun before and not ended is taken back first.

        :raises RegistryError: the target refuses something; settings are as they were.
        :raises IdNotKept: it takes ids and gives others.
        """
        self.take_back(journal)
        target, decision = self._look()
        if decision.clashes:
            first = decision.clashes[0]
            raise FerryError(f"the target has changed since the plan: {first}. Fix: clear the task plan, and all below")
        done = Done()
        with self._open_for_writing(journal, target, decision.filled):
            if self.asked.ids is Ids.KEEP:
                self._register_kept(decision.steps, done)
            else:
                self._register_mapped(decision, target, done)
        for setting in decision.settings:
            self._set(setting)
            done.settings += 1
        return done

    def take_back(self, journal: SettingsJournal) -> int:
        """Settings of the target as they were before it was written to; how many."""
        noted = journal.open()
        each(lambda one: self._target.set_mode(*one), noted["mode"].items())
        each(lambda one: self._target.set_compatibility(*one), noted["compatibility"].items())
        journal.close()
        return len(noted["mode"]) + len(noted["compatibility"])

    @contextmanager
    def _open_for_writing(
        self, journal: SettingsJournal, target: RegistryState, subjects: Sequence[str]
    ) -> Iterator[None]:
        """Subjects in mode IMPORT, or without a check of compatibility: history was checked when it was made."""
        if self.asked.ids is Ids.KEEP:
            journal.note("mode", {subject: target.modes.get(subject) for subject in subjects})
        else:
            strict = [subject for subject in subjects if target.level(subject) not in (None, "NONE")]
            journal.note("compatibility", {subject: target.compatibility.get(subject) for subject in strict})
        try:
            if self.asked.ids is Ids.KEEP:
                each(lambda subject: self._target.set_mode(subject, IMPORT), subjects)
            else:
                each(lambda subject: self._target.set_compatibility(subject, "NONE"), strict)
            yield
        finally:
            self.take_back(journal)

    def _set(self, setting: Setting) -> None:
        change: Callable[[str, str | None], None] = self._target.set_mode
        if setting.kind == "compatibility":
            change = self._target.set_compatibility
        change(setting.subject, setting.wanted)

    # -- ids are kept --------------------------------------------------------------------------------------------------

    def _register_kept(self, steps: Sequence[Step], done: Done) -> None:
        """Several at once: those that refer to nothing that is not there yet, each subject's in their order."""
        first = True
        for wave in _waves(steps):
            if first and wave:  # one alone, to see whether ids are kept at all
                self._keep_subject(wave[0][:1])
                wave[0] = wave[0][1:]
                first = False
            each(self._keep_subject, wave)
        done.registered = sum(step.register for step in steps)
        done.deleted = sum(step.delete for step in steps)

    def _keep_subject(self, steps: Sequence[Step]) -> None:
        for step in steps:
            one = step.version
            if step.register:
                given = self._target.register(one.subject, one.schema, int(one.id), one.version)
                if given != one.id:
                    raise IdNotKept(
                        f"the target registry took the id {one.id} for {one} and gave it {given}: it does not keep ids "
                        f"(seen of Apicurio 3). That version is there now. Fix: delete it, and use {self.asked.mapped}"
                    )
            if step.delete:
                self._target.delete_version(one.subject, one.version)

    # -- the target gives ids ------------------------------------------------------------------------------------------

    def _register_mapped(self, decision: Decision, target: RegistryState, done: Done) -> None:
        """One after the other in the source's order: an empty registry that counts gives the same ids then."""
        needed = {place for one in decision.to_register for place in one.needs}
        at = self._known_places(target)
        for step in decision.steps:
            one = step.version
            if step.register:
                schema = one.schema._replace(references=_at_the_target(one, at))
                done.ids[context_of(one.subject), one.id] = self._target.register(one.subject, schema)
                done.registered += 1
                if step.delete or one.place in needed:
                    at[one.place] = self._target.version_of(one.subject, schema)
            if step.delete:
                number = step.at if step.at is not None else at[one.place]
                self._target.delete_version(one.subject, number)
                done.deleted += 1

    def _known_places(self, target: RegistryState) -> dict[Place, int]:
        """A version of the source to the number that the same schema has at the target."""
        found: dict[Place, int] = {}
        for subject, versions in target.by_subject.items():
            numbers = {target.digests[one.place]: one.version for one in versions}
            for own in self.source.by_subject.get(subject, []):
                number = numbers.get(self.source.digests[own.place])
                if number is not None:
                    found[own.place] = number
        return found

    # -- the proof -----------------------------------------------------------------------------------------------------

    def verify(self) -> tuple[list[Check], str, dict[Id, int | str]]:
        """The checks, the sentence of a PASS, and what each id of the source is at the target.

        Both registries are read again, and the target is asked for each id.
        """
        reader, keep = TargetReader(self._target), self.asked.ids is Ids.KEEP
        target = reader.target(self.source)
        decision = decide(self.source, target, self.asked.ids)
        own = ids_of(self.source.ordered)
        asked = set(own) if keep else {(key[0], decision.ids[key]) for key in own if key in decision.ids}
        target = reader.with_ids(target, asked)
        decision = decide(self.source, target, self.asked.ids)
        checks = checks_of(self.asked, self.source, target, decision)
        return checks, sentence_of(self.source, checks), decision.ids


def _at_the_target(one: SubjectVersion, at: dict[Place, int]) -> tuple[Reference, ...]:
    """What it refers to, by the versions' numbers there."""
    return tuple(
        ref._replace(version=at.get(place, ref.version))
        for ref, place in zip(one.schema.references, one.needs, strict=True)
    )


def _waves(steps: Sequence[Step]) -> list[list[list[Step]]]:
    """Steps that can be done at the same time: of each wave a list for each subject, in which they come in order.

    A step is in a later wave than all it refers to, and in no earlier one than what comes before it in its subject.
    """
    level: dict[Place, int] = {}
    newest: dict[str, int] = {}
    waves: dict[int, dict[str, list[Step]]] = {}
    for step in steps:
        one = step.version
        after = [level[place] + 1 for place in one.needs if place in level]
        number = max([newest.get(one.subject, 0), *after])
        level[one.place] = newest[one.subject] = number
        waves.setdefault(number, {}).setdefault(one.subject, []).append(step)
    return [list(waves[number].values()) for number in sorted(waves)]
