"""What has to be done so that a target registry has what a source has, and what stands against it. Pure.

The same is computed for the plan, for the work and, when all is done, for the proof: then nothing may be left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kafka_ferry.core.schemas import IMPORT, SubjectVersion, context_of
from kafka_ferry.jobs.registry.rules.asked import Ids
from kafka_ferry.jobs.registry.rules.state import Id, RegistryState


@dataclass(frozen=True)
class Step:
    """One version that is to be there.

    :param version: as it is at the source. ``register``: it is not there. ``delete``: it is to be deleted softly.
    :param at: the number that it has at the target; None: that comes with its registration.
    """

    version: SubjectVersion
    register: bool
    delete: bool = False
    at: int | None = None


@dataclass(frozen=True)
class Clash:
    """Why a version cannot be as it is at the source.

    :param of: ``content``, ``id`` or ``version``.
    """

    of: str
    version: SubjectVersion
    what: str

    def __str__(self) -> str:
        return f"{self.version} (id {self.version.id}): {self.what}"


@dataclass(frozen=True)
class Setting:
    """A subject's own setting, as it is to become.

    :param kind: ``compatibility`` or ``mode``. ``now``: what counts for it at the target.
    """

    kind: str
    subject: str
    wanted: str
    now: str | None


@dataclass
class Decision:
    """
    :param steps: in the order in which they can be done.
    :param same: versions that are there as they are to be.
    :param ids: an id of the source to the one that the same schema has at the target, as far as it has one.
    """

    steps: list[Step] = field(default_factory=list)
    same: list[SubjectVersion] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    ids: dict[Id, int | str] = field(default_factory=dict)

    @property
    def to_register(self) -> list[SubjectVersion]:
        return [step.version for step in self.steps if step.register]

    @property
    def filled(self) -> list[str]:
        """Subjects that get versions."""
        return sorted({version.subject for version in self.to_register})

    def other_ids(self) -> list[tuple[Id, int | str]]:
        """Those that the same schema has another one for."""
        return [(key, there) for key, there in sorted(self.ids.items()) if key[1] != there]


def decide(source: RegistryState, target: RegistryState, ids: Ids) -> Decision:
    """Compare."""
    found = Decision()
    for one in source.ordered:
        if ids is Ids.KEEP:
            _keep(found, source, target, one)
        else:
            _map(found, source, target, one)
    found.settings = [*_levels(source, target), *_modes(source, target)]
    return found


# --- ids and versions are kept ----------------------------------------------------------------------------------------


def _keep(found: Decision, source: RegistryState, target: RegistryState, one: SubjectVersion) -> None:
    there, says = target.versions.get(one.place), source.digests[one.place]
    if there is None:
        why = _why_not(source, target, one)
        if why:
            found.clashes.append(why)
        else:
            found.steps.append(Step(one, register=True, delete=one.deleted))
        return
    if target.digests[one.place] != says:
        found.clashes.append(Clash("content", one, f"the target has another schema there, with id {there.id}"))
    elif there.id != one.id:
        found.clashes.append(Clash("id", one, f"the target has the same schema with id {there.id}"))
    else:
        found.ids[context_of(one.subject), one.id] = there.id
        _as_deleted(found, one, there)


def _why_not(source: RegistryState, target: RegistryState, one: SubjectVersion) -> Clash | None:
    says, key = source.digests[one.place], (context_of(one.subject), one.id)
    held = target.id_digests.get(key)
    if held is not None and held != says:
        return Clash("id", one, f"the target uses id {one.id} for another schema")
    for other in target.by_subject.get(one.subject, []):
        twice = source.versions.get(other.place)  # the source may have one schema twice: once deleted
        is_own = twice is not None and source.digests[other.place] == says
        if target.digests[other.place] == says and not other.deleted and not (is_own and (twice and twice.deleted)):
            return Clash("version", one, f"the target has the same schema as version {other.version}")
    return None


def _as_deleted(found: Decision, one: SubjectVersion, there: SubjectVersion) -> None:
    """It is there; also as deleted, or as not deleted, as at the source?"""
    if there.deleted and not one.deleted:
        found.steps.append(Step(one, register=True))
    elif one.deleted and not there.deleted:
        found.steps.append(Step(one, register=False, delete=True, at=there.version))
    else:
        found.same.append(one)


# --- the target gives ids and versions --------------------------------------------------------------------------------


def _map(found: Decision, source: RegistryState, target: RegistryState, one: SubjectVersion) -> None:
    says = source.digests[one.place]
    same = [other for other in target.by_subject.get(one.subject, []) if target.digests[other.place] == says]
    same.sort(key=lambda other: (other.deleted is not one.deleted, -other.version))
    if one.deleted and _lives_on(source, one):
        # The same schema is there once more, and not deleted: at the target it is one version.
        if same:
            found.same.append(one)
            found.ids.setdefault((context_of(one.subject), one.id), same[0].id)
        return
    if not same:
        found.steps.append(Step(one, register=True, delete=one.deleted))
        return
    found.ids[context_of(one.subject), one.id] = same[0].id
    _as_deleted(found, one, same[0])


def _lives_on(source: RegistryState, one: SubjectVersion) -> bool:
    says = source.digests[one.place]
    return any(not other.deleted and source.digests[other.place] == says for other in source.by_subject[one.subject])


# --- settings ---------------------------------------------------------------------------------------------------------


def _levels(source: RegistryState, target: RegistryState) -> Iterable[Setting]:
    """By what counts: registries that tell a subject's own level as that of all cannot be told from others."""
    for subject in source.subjects:
        wanted, now = source.level(subject), target.level(subject)
        if subject in source.wanted and wanted and wanted != now:
            yield Setting("compatibility", subject, wanted, now)


def _modes(source: RegistryState, target: RegistryState) -> Iterable[Setting]:
    """A subject's own alone: that of all is the registry's, as the clusters' settings are not the topics'."""
    for subject in source.subjects:
        wanted, now = source.modes.get(subject), target.mode(subject)
        if subject in source.wanted and wanted and wanted != IMPORT and target.has_modes and wanted != now:
            yield Setting("mode", subject, wanted, now)
