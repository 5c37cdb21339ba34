"""Which topics and groups a migration takes, and why others are left out. Pure."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kafka_ferry.core.expression import LONGEST, longest_for, problem_of
from kafka_ferry.exceptions import BadParam

#: How librdkafka writes the topic id of a broker that has none: before 2.8.
NO_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"


def without_ids(conn_id: str, ids: Iterable[str], instead: str) -> list[str]:
    """For a plan: that recreated topics are not told by their ids; nothing where they are.

    :param ids: topic ids. ``instead``: what guards in their place, and what does not.
    """
    if NO_TOPIC_ID not in ids:
        return []
    return [f"{conn_id}: its brokers give no topic ids (Kafka before 2.8): {instead}"]


@dataclass(frozen=True)
class TopicState:
    """A topic as a cluster has it.

    :param topic_id: changes when a topic of the same name is recreated (KIP-516); ``NO_TOPIC_ID`` before Kafka 2.8.
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

    @property
    def untimed(self) -> bool:
        """Whether its records have no timestamp, as they are kept in the format of before Kafka 0.10 (KIP-32)."""
        return self.effective.get("message.format.version", "").startswith(("0.8.", "0.9."))

    @property
    def has_writers_time(self) -> bool:
        """Whether its records have the timestamp that their writer gave them, which a copy of them has too."""
        return not (self.log_append_time or self.untimed)


@dataclass(frozen=True)
class Skipped:
    """A name that a pattern of the user matches and that is left out all the same.

    :param excluded: the user said so.
    """

    name: str
    reason: str
    excluded: bool = False


@dataclass(frozen=True)
class Selection:
    """What a list of names and regexes means on a live cluster.

    :param patterns: the same list as MirrorMaker 2 takes it: regexes, with exact names quoted.
    :param exclude_patterns: likewise what to leave out, by name where it exists now.
    :param unmatched: entries that match nothing that exists: a typing error, or not there yet.
    :param others: names that the list means of what cannot be taken.
    """

    names: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    patterns: tuple[str, ...]
    exclude_patterns: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


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
        return "MirrorMaker 2 leaves *.replica out by default; name it exactly to include it"
    return None


def mm2_group_refusal(name: str) -> str | None:
    """Left out by MirrorMaker 2's default ``groups.exclude`` (4.3.1: ``console-consumer-.*,connect-.*,__.*``)."""
    if name.startswith(("console-consumer-", "__")):
        return "console and internal groups are left out by default; name it exactly to include it"
    if name.startswith("connect-"):
        return "MirrorMaker 2 leaves sink connectors' groups (connect-*) out by default; name it exactly to include it"
    return None


#: What a name must be free of to mean only itself: with any of these it reads as an expression too.
_EXPRESSION = re.compile(r"[\\^$*+?{}\[\]|()]")
_PLAIN = re.compile(r"[\x21-\x7e]+")
#: The empty group id as a regex: nothing at all would be refused in a list (KIP-1161).
_NOTHING = "(?:)"


def select(
    param: str,
    existing: Iterable[str],
    include: Sequence[str],
    exclude: Sequence[str],
    *,
    never: Callable[[str], str | None],
    by_default: Callable[[str], str | None],
    others: Iterable[str] = (),
) -> Selection:
    """Resolve names and regexes against the names that exist.

    An entry that is the exact name of something existing means only that; any other entry is a regex that must match
    the whole name, as in MirrorMaker 2. A name that reads as an expression too (a group may be called ``.*``) means
    itself *and* what it matches: taken for a name alone it would leave all others behind. A default exclusion gives way
    to an exact name; ``never`` does not.

    :param param: the DAG param the entries come from, for the error text.
    :param others: names of what exists and cannot be taken; those that the entries mean are told in ``others``.
    :raises BadParam: an entry is no regex, or too slow for a name that exists, or none that Java reads alike, or has a
        comma (MirrorMaker 2 splits its lists there), or names exactly something that ``never`` forbids.
    """
    names, elsewhere = set(existing), set(others)
    there = names | elsewhere
    regexes, exact = _entries(param, include, there), there.intersection(include)
    excludes, left = _entries(f"exclude_{param}", exclude, there), there.intersection(exclude)
    for own, found in ((param, regexes), (f"exclude_{param}", excludes)):
        _refuse_long(own, found, there)
    chosen, skipped, untaken = [], [], []
    for name in sorted(there):
        if name not in exact and not _matches(regexes, name):
            continue
        if name in left or _matches(excludes, name):
            skipped.append(Skipped(name, f"param exclude_{param}", excluded=True))
        elif name in elsewhere:
            untaken.append(name)
        elif reason := never(name):
            if name in exact:
                raise BadParam(param, f"{name!r} cannot be replicated: {reason}", "leave it out")
            skipped.append(Skipped(name, reason))
        elif name not in exact and (reason := by_default(name)):
            skipped.append(Skipped(name, reason))
        else:
            chosen.append(name)
    # What Java's expressions may not match as ours do: its \w is of ASCII, its dot stops at more kinds of line ends.
    odd = [_quote(name) for name in chosen if name and name not in exact and not _PLAIN.fullmatch(name)]
    patterns = (*(form for entry in include for form in _forms(entry, names, regexes)), *odd)
    left_out = (*excludes, *(_quote(item.name) for item in skipped if item.name in names))
    if "" in names and _NOTHING not in left_out:
        # Brokers refuse to describe the empty group id, which MirrorMaker 2 does: we carry its offsets ourselves.
        left_out = (*left_out, _NOTHING)
    unmatched = tuple(e for e in include if e not in there and not _matches({e: regexes[e]}, there))
    return Selection(tuple(chosen), tuple(skipped), patterns, left_out, unmatched, tuple(untaken))


def _entries(param: str, entries: Sequence[str], there: Container[str]) -> dict[str, re.Pattern[str]]:
    """Those that are expressions; what is a name and cannot be an expression too is none."""
    found = {}
    for entry in entries:
        if entry not in there:
            found[entry] = _compile(param, entry)
        elif _EXPRESSION.search(entry):
            with contextlib.suppress(BadParam):  # a name all the same
                found[entry] = _compile(param, entry)
    return found


def _refuse_long(param: str, entries: Iterable[str], there: Iterable[str]) -> None:
    """A group's name may be far longer than a topic's, and MirrorMaker 2 meets all of them, left out or not."""
    long = max((name for name in there if len(name) > LONGEST), key=len, default="")
    for entry in entries:
        if len(long) > longest_for(entry, re.DOTALL):
            raise BadParam(
                param,
                f"{entry!r} could take minutes on {long[:40]!r}… of {len(long):,} characters",
                "an expression with fewer parts that can match at many lengths, or names",
            )


def _forms(entry: str, names: Container[str], regexes: Container[str]) -> list[str]:
    """An entry as MirrorMaker 2 takes it: as a name, as an expression, or both."""
    return [_quote(entry)] * (entry in names) + [entry] * (entry in regexes)


def _matches(regexes: Mapping[str, re.Pattern[str]], names: str | Iterable[str]) -> bool:
    """Whether any of the names, or the one, is matched as a whole."""
    wanted = [names] if isinstance(names, str) else names
    return any(regex.fullmatch(name) for name in wanted for regex in regexes.values())


def _quote(name: str) -> str:
    """A name as a regex that Kafka's list parsing leaves whole: it splits at commas, strips blanks and control
    characters (Java's ``trim``), and refuses what is empty. Group ids have all of these."""
    if not name:
        return _NOTHING
    return "".join(f"\\x{ord(char):02x}" if char <= " " or char in ",\x7f" else re.escape(char) for char in name)


def _compile(param: str, entry: str) -> re.Pattern[str]:
    if "," in entry:
        raise BadParam(
            param, f"{entry!r} has a comma, where MirrorMaker 2 splits its lists", "one entry per name or regex"
        )
    if problem := _not_java(entry):
        raise BadParam(param, f"{entry!r} has {problem}, which Java regexes read differently, and MirrorMaker 2 "
            "uses Java",
                       "an expression with the same meaning in Python and Java")  # fmt: skip
    if refusal := problem_of(entry):
        hint = " (use .* for everything)" if entry.startswith("*") else ""
        raise BadParam(param, refusal, f"a topic name or a regex{hint}")
    return re.compile(entry, re.DOTALL)  # a group id may hold a line end, and .* means every group


_ESCAPED, _CLASS = re.compile(r"\\."), re.compile(r"\[\^?\]?([^\]]*)\]")
#: What Python's ``re`` takes and ``java.util.regex.Pattern`` refuses, or takes for something else.
_PYTHON_ONLY = (
    (re.compile(r"\(\?P"), "a group named as in Python, (?P"),
    (re.compile(r"\(\?\("), "a condition, (?("),
    (re.compile(r"\(\?[a-zA-Z]*[aL]"), "a flag of Python's, (?a or (?L"),
    (re.compile(r"\{(?!\d+\})"), "a brace that is not a count"),
)


def _not_java(entry: str) -> str:
    if "\\U" in entry.replace("\\\\", ""):
        return "the escape \\U"
    bare = _ESCAPED.sub("", entry)
    if any("[" in inside or "&&" in inside for inside in _CLASS.findall(bare)):
        return "a [ or && within brackets"
    plain = _CLASS.sub("", bare)
    return next((what for pattern, what in _PYTHON_ONLY if pattern.search(plain)), "")
