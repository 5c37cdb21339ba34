"""What a registry holds, as text that others can read: for a backup. Pure."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from kafka_ferry.core.schemas import AVRO, Reference, Schema, SubjectVersion
from kafka_ferry.jobs.registry.rules.state import RegistryState

FORMAT: Final = "kafka-ferry.schemas/1"


def _printable(name: str) -> str:
    """:raises ValueError: half a pair of characters is in it, which no log takes."""
    name.encode()
    return name


#: Registries count versions from 1, and give ids of 32 bits.
_Number = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
_Version = Annotated[int, Field(strict=True, ge=1, lt=2**31)]
_Name = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_printable)]
#: A subject's own setting, or that of all (``""``).
_Settings = dict[str, Annotated[str, Field(max_length=100)]]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Reference(_Model):
    name: _Name
    subject: _Name
    version: _Version


class _Version1(_Model):
    subject: _Name
    version: _Version
    id: _Number
    type: Annotated[str, Field(max_length=100)] = AVRO
    text: str
    references: list[_Reference] = []
    deleted: bool = False


class _Content(_Model):
    """
    :param missing: what schemas refer to, and the registry did not have either: subject and version.
    """

    format: str
    versions: list[_Version1]
    compatibility: _Settings = {}
    modes: _Settings = {}
    missing: list[tuple[_Name, _Version]] = []


def written(state: RegistryState) -> bytes:
    """The same bytes for the same content, whenever it was read."""
    versions = [
        {
            "subject": one.subject,
            "version": one.version,
            "id": one.id,
            "type": one.schema.type,
            "text": one.schema.text,
            "references": [ref._asdict() for ref in one.schema.references],
            "deleted": one.deleted,
        }
        for _, one in sorted(state.versions.items())
    ]
    content = {
        "format": FORMAT,
        "versions": versions,
        "compatibility": _told(state.compatibility),
        "modes": _told(state.modes),
        "missing": sorted({place for _, place in state.missing_references()}),
    }
    return json.dumps(content, indent=1, sort_keys=True).encode()


def _told(settings: Any) -> dict[str, str]:
    return {subject: value for subject, value in settings.items() if value is not None}


def read_content(data: bytes) -> tuple[RegistryState, set[tuple[str, int]]]:
    """What was written, every subject wanted; and what the registry itself did not have of what its schemas refer to.

    :raises ValueError: it is none of it, or says one thing twice.
    """
    found = _Content.model_validate(json.loads(data))
    if found.format != FORMAT:
        raise ValueError(f"format {found.format[:80]!r}; this version reads {FORMAT}")
    versions = [
        SubjectVersion(
            one.subject,
            one.version,
            one.id,
            Schema(one.text, one.type, tuple(Reference(ref.name, ref.subject, ref.version) for ref in one.references)),
            one.deleted,
        )
        for one in found.versions
    ]
    places = {one.place: one for one in versions}
    if len(places) != len(versions):
        raise ValueError("a version is there twice")
    wanted = frozenset(one.subject for one in versions)
    modes: dict[str, str | None] = {"": None, **found.modes}
    return RegistryState(places, wanted, {**found.compatibility}, modes), {(name, n) for name, n in found.missing}
