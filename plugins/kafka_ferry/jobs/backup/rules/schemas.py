"""The schemas of a backup: an object of their own beside the manifest, which names it by its SHA-256. Pure."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.backup.rules.decoding import DECODED_BYTES, named, refuse_large
from kafka_ferry.jobs.backup.rules.layout import schemas_key
from kafka_ferry.jobs.backup.rules.manifest import SchemasPart
from kafka_ferry.jobs.backup.rules.manifest_check import SCHEMAS_BYTES
from kafka_ferry.jobs.registry.rules.content import read_content, written
from kafka_ferry.jobs.registry.rules.state import RegistryState
from kafka_ferry.records.damage import DamagedSegment

_NAMED = 50


def pack(backup: str, state: RegistryState) -> tuple[SchemasPart, bytes]:
    """The object, and what a manifest says of it. The same content gives the same bytes.

    :raises FerryError: a restore could not read it: an odd name, or more than is ever read.
    """
    data = gzip.compress(written(state), mtime=0)
    sha256 = hashlib.sha256(data).hexdigest()
    part = SchemasPart(
        key=schemas_key(backup, sha256), size=len(data), sha256=sha256, subjects=len(state.subjects),
        versions=len(state.versions),
    )  # fmt: skip
    if len(data) > SCHEMAS_BYTES:
        raise FerryError(f"the registry's schemas take {len(data):,} bytes, compressed; at most {SCHEMAS_BYTES:,} are "
                         "read again. Fix: leave registry_conn_id out")  # fmt: skip
    unpack(part, data)
    return part, data


def unpack(part: SchemasPart, data: bytes) -> tuple[RegistryState, set[tuple[str, int]]]:
    """What is in the object; and places that schemas refer to, and that the registry did not have either.

    :raises DamagedSegment: it is not what was written, or not what the manifest says of it.
    """
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise DamagedSegment(f"{part.key}: its SHA-256 is not the manifest's")
    with named(part.key, "schemas"):
        opened = zlib.decompressobj(wbits=31)
        text = opened.decompress(data, DECODED_BYTES)
        if opened.unconsumed_tail:
            refuse_large(part.key, DECODED_BYTES + 1)
        if not opened.eof or opened.unused_data:
            raise ValueError("it ends too early, or too late")
        state, missing = read_content(text)
    if (len(state.subjects), len(state.versions)) != (part.subjects, part.versions):
        found = f"{len(state.versions)} versions of {len(state.subjects)} subjects"
        raise DamagedSegment(f"{part.key}: {found}, and by the manifest {part.versions} of {part.subjects}")
    return state, missing


def lost_references(state: RegistryState, missing: set[tuple[str, int]]) -> tuple[list[str], list[str]]:
    """References that lead nowhere in the backup: those that should not, and those that led nowhere before it."""
    lost, before = [], []
    for one, (subject, version) in state.missing_references():
        place = f"{shown(subject)} version {version}"
        if (subject, version) in missing:
            before.append(f"{one} refers to {place}, which the registry did not have either")
        else:
            lost.append(f"{one} refers to {place}, which is not in the backup")
    return lost, before


def registry_check(
    parts: Sequence[SchemasPart], problems: Sequence[str], before: Sequence[str], *, why_none: str
) -> Check:
    """Whether the schemas of one or more backups are what was written, and complete in themselves.

    :param problems: what is wrong. ``before``: what led nowhere already in the registry.
    :param why_none: why there are none, where there are none.
    """
    if not parts:
        return Check(name="registry", status=Status.SKIPPED, detail=why_none)
    versions = sum(part.versions for part in parts)
    return Check(
        name="registry",
        status=Status.FAIL if problems else Status.EXPLAINED if before else Status.PASS,
        expected=f"{number_of(versions, 'version')} of {number_of(sum(p.subjects for p in parts), 'subject')}",
        actual=number_of(len(problems), "problem") if problems else "read, as they were written",
        detail="a restore leaves such a subject out by its param subjects, or its plan refuses it" if before else "",
        differences=[*problems, *before][:_NAMED],
    )
