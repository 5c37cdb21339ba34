"""Which topics and groups a migration takes, and why others are left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kafka_ferry.exceptions import BadParam


@dataclass(frozen=True)
class TopicState:
    """A topic as a cluster has it.

    :param topic_id: changes when a topic of the same name is created anew (KIP-516).
    :param configs: only what is set on the topic itself, not broker defaults.
    :param effective: all configs in force, defaults included.
    """

    name: str
    topic_id: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str] = field(default_factory=dict)
    effective: Mapping[str, str] = field(default_factory=dict)

    @property
    def compacted(self) -> bool:
        return "compact" in self.effective.get("cleanup.policy", "delete")

    @property
    def log_append_time(self) -> bool:
        return self.effective.get("message.timestamp.type") == "LogAppendTime"


@dataclass(frozen=True)
class Skipped:
    """A name that a pattern of the user matches and that is left out all the same."""

    name: str
    reason: str


@dataclass(frozen=True)
class Selection:
    """What a list of names and regexes means on a live cluster.

    :param patterns: the same list as MirrorMaker 2 takes it: regexes, with exact names quoted.
    :param exclude_patterns: likewise what to leave out, by name where it exists now.
    :param unmatched: entries that match nothing that exists: a typing error, or not there yet.
    """

    names: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    patterns: tuple[str, ...]
    exclude_patterns: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


def mm2_topic_refusal(name: str) -> str | None:
    """Why MirrorMaker 2 never replicates a topic of this name, whatever ``topics`` says; None when it does.

    Read in ``ReplicationPolicy.isInternalTopic`` of Kafka 4.3.1 (KIP-1074 took ``*.internal`` and ``*-internal`` out).
    """
    if name.startswith("__"):
        return "Kafka's own topics (__*) are never replicated"
    if name.startswith("."):
        return "MirrorMaker 2 never replicates names that begin with a dot"
    if (name.startswith("mm2") and name.endswith(".internal")) or name.endswith(".checkpoints.internal"):
        return "MirrorMaker 2's own topics are never replicated"
    if name == "heartbeats" or name.endswith(".heartbeats"):
        return "heartbeats belong to another MirrorMaker 2; they are not data"
    return None


def default_topic_exclude(name: str) -> str | None:
    """Left out by MirrorMaker 2's default ``topics.exclude`` (4.3.1: ``mm2.*\\.internal,.*\\.replica,__.*``)."""
    if name.endswith(".replica"):
        return "MirrorMaker 2 leaves *.replica out by default; name it exactly to take it"
    return None


def mm2_group_refusal(name: str) -> str | None:
    """Left out by MirrorMaker 2's default ``groups.exclude`` (4.3.1: ``console-consumer-.*,connect-.*,__.*``)."""
    if name.startswith(("console-consumer-", "__")):
        return "console and internal groups are left out by default; name it exactly to take it"
    if name.startswith("connect-"):
        return "MirrorMaker 2 leaves sink connectors' groups (connect-*) out by default; name it exactly to take it"
    return None


def select(
    param: str,
    existing: Iterable[str],
    include: Sequence[str],
    exclude: Sequence[str],
    *,
    never: Callable[[str], str | None],
    by_default: Callable[[str], str | None],
) -> Selection:
    """Resolve names and regexes against the names that exist.

    An entry that is the exact name of something existing means only that; any other entry is a regex that must match
    the whole name, as in MirrorMaker 2. A default exclusion gives way to an exact name; ``never`` does not.

    :param param: the DAG param the entries come from, for the error text.
    :raises BadParam: an entry is no regex, or has a comma (MirrorMaker 2 splits its lists there), or names exactly
        something that ``never`` forbids.
    """
    names = set(existing)
    exact = {entry for entry in include if entry in names}
    regexes = [_compile(param, entry) for entry in include if entry not in names]
    excludes = [_compile(f"exclude_{param}", entry) for entry in exclude if entry not in names]
    chosen, skipped = [], []
    for name in sorted(names):
        if name not in exact and not any(regex.fullmatch(name) for regex in regexes):
            continue
        if name in exclude or any(regex.fullmatch(name) for regex in excludes):
            skipped.append(Skipped(name, f"param exclude_{param}"))
        elif reason := never(name):
            if name in exact:
                raise BadParam(param, f"{name!r} cannot be replicated: {reason}", "leave it out")
            skipped.append(Skipped(name, reason))
        elif name not in exact and (reason := by_default(name)):
            skipped.append(Skipped(name, reason))
        else:
            chosen.append(name)
    patterns = tuple(_quote(entry) if entry in names else entry for entry in include)
    left_out = (*(entry for entry in exclude if entry not in names), *(_quote(item.name) for item in skipped))
    unmatched = tuple(e for e in include if e not in names and not any(re.fullmatch(e, name) for name in names))
    return Selection(tuple(chosen), tuple(skipped), patterns, left_out, unmatched)


def _quote(name: str) -> str:
    """A name as a regex that Kafka's list parsing leaves whole: it splits at commas and strips blanks (group ids have
    both)."""
    return "".join(f"\\x{ord(char):02x}" if char in ", \t\n\r\f\v" else re.escape(char) for char in name)


def _compile(param: str, entry: str) -> re.Pattern[str]:
    if "," in entry:
        raise BadParam(
            param, f"{entry!r} has a comma, where MirrorMaker 2 splits its lists", "one entry per name or regex"
        )
    try:
        return re.compile(entry)
    except re.error as error:
        hint = " (use .* for everything)" if entry.startswith("*") else ""
        raise BadParam(
            param, f"{entry!r} is no regular expression: {error}", f"a topic name or a regex{hint}"
        ) from error
