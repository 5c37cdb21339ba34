"""Say in which part two versions of a record differ. Never shows content: it may be personal or secret."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from kafka_ferry.records.record_hash import Headers


@dataclass(frozen=True)
class Record:
    """One whole record. ``headers`` is empty when there are none."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def differing_parts(source: Record, target: Record, with_timestamp: bool = True) -> tuple[str, ...]:
    """Return which parts differ, each with what can be told about it, e.g. ``("value: null became empty",)``."""
    parts = [
        f"{name}{_how(before, after)}"
        for name, before, after in (("key", source.key, target.key), ("value", source.value, target.value))
        if before != after
    ]
    if source.headers != target.headers:
        parts.append(f"header{_how_headers(source.headers, target.headers)}")
    if with_timestamp and source.timestamp_ms != target.timestamp_ms:
        parts.append(f"timestamp: {target.timestamp_ms - source.timestamp_ms:+} ms")
    return tuple(parts)


def _how(before: bytes | None, after: bytes | None) -> str:
    if before is None or after is None:
        names = ["null" if part is None else "empty" if not part else "content" for part in (before, after)]
        return f": {names[0]} became {names[1]}"
    return ": base64 text of the source's" if after == b64encode(before) else ""


def _how_headers(before: Headers, after: Headers) -> str:
    if sorted(before, key=repr) == sorted(after, key=repr):
        return ": in another order"
    if len(before) != len(after):
        return f": {len(before)} became {len(after)}"
    names = [(old, new) for (old, _), (new, _) in zip(before, after, strict=True) if old != new]
    if names:
        # Java reads a name as text, and what is none as U+FFFD.
        java = all("\ufffd" in new and not _is_text(old) for old, new in names)
        return ": a name that is not UTF-8, which Java clients cannot represent" if java else ": other names"
    changed = [(name, old, new) for (name, old), (_, new) in zip(before, after, strict=True) if old != new]
    if all(old is not None and new == b64encode(old) for _, old, new in changed):
        return ": base64 text of the source's; the connector lacks header.converter=ByteArrayConverter"
    name, old, new = changed[0]
    return f" {name!r}{_how(old, new)}"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
