"""Whether the names that a migration gives its topics can work. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kafka_ferry.core.topic_rename import name_problem
from kafka_ferry.core.topics import Selection, mm2_topic_refusal
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, Naming

#: What the user must change, by way of naming.
_PARAM = {Naming.IDENTITY: "topics", Naming.PREFIX: "source_alias", Naming.RENAME: "topic_rename_format"}


def param_of(spec: MigrationSpec) -> str:
    """The param that gives target names."""
    return _PARAM[spec.naming]


def check_names(spec: MigrationSpec, targets: Mapping[str, str]) -> None:
    """Refuse target names that Kafka would not take, or that nobody would ever migrate again.

    :param targets: source topic to target topic.
    :raises BadParam: the first one, with its source topic.
    """
    refuse_shared_targets(targets, _PARAM[spec.naming])
    for topic, target in targets.items():
        problem = name_problem(target) or (mm2_topic_refusal(target) if target != topic else None)
        if problem:
            raise BadParam(
                _PARAM[spec.naming],
                f"topic {topic!r} would be called {target!r} on the target: {problem}",
                "another format or alias, or leave the topic out (exclude_topics)",
            )


def refuse_shared_targets(targets: Mapping[str, str], param: str) -> None:
    """Two topics in one would be a mixture that nobody can tell apart again.

    :raises BadParam: on ``param``, naming both.
    """
    by_target: dict[str, list[str]] = {}
    for topic, target in targets.items():
        by_target.setdefault(target, []).append(topic)
    for target, topics in by_target.items():
        if len(topics) > 1:
            raise BadParam(param, f"{', '.join(topics)} would all be {target!r}", "one target topic for each")


def refuse_copies_of_copies(spec: MigrationSpec, selection: Selection, targets: Mapping[str, str]) -> None:
    """Within one cluster a copy is a topic of the source too: when ``topics`` matches it, it is copied again, for ever.

    :raises BadParam: ``topics`` matches the name of a copy.
    """
    for topic, target in targets.items():
        if _takes(selection, target):
            before, _, after = spec.target_topic("\0").partition("\0")
            raise BadParam(
                "topics",
                f"source and target are one cluster, and {target!r}, the copy of {topic!r}, would be copied again as "
                f"{spec.target_topic(target)!r}, without an end",
                f'exclude_topics: ["{re.escape(before)}.*{re.escape(after)}"], or names instead of regexes in topics',
            )


def _takes(selection: Selection, name: str) -> bool:
    """Whether MirrorMaker 2 would take a topic of this name when it appears."""

    def matches(patterns: tuple[str, ...]) -> bool:
        return any(re.fullmatch(pattern, name) for pattern in patterns)

    return matches(selection.patterns) and not matches(selection.exclude_patterns) and mm2_topic_refusal(name) is None
