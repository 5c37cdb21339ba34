"""Topics whose names differ in ``.`` and ``_`` alone: Kafka makes no second one, as both have the same metrics. Pure.

``ReplicationControlManager.validateNewTopicNames`` (Kafka 4.3) checks a new name against those that are there. Two in
one request pass (measured on 4.3.1), so a source may have both; whether a target gets both would be chance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.name_collisions import collisions, problem_of
from kafka_ferry.jobs.migration.rules.naming import param_of
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


def collision_findings(
    spec: MigrationSpec, targets: Mapping[str, str], own: Iterable[str], existing: Collection[str]
) -> list[Finding]:
    """:param targets: source topic to target topic. ``own``: topics of the engine's and ours on the target.

    ``existing``: all topics of the target.
    """
    sources = {target: source for source, target in targets.items()}
    found = []
    for name, other in collisions([*sources, *own], existing).items():
        if name in sources:
            renamed = f" (on the target {name})" if name != sources[name] else ""
            param, subject = param_of(spec), f"topic {sources[name]}{renamed}"
            fix = "exclude_topics, or naming: rename with another topic_rename_format and a migration of its own"
        else:
            param, subject = "migration", f"topic {name} of Kafka Ferry"
            fix = "another source_alias and migration name"
        free = f"; or delete {other!r}, if nobody uses it" if other in existing else ""
        found.append(
            Finding(
                Severity.REFUSE, "name_collision", subject, f"cannot be created: {problem_of(other, existing)}",
                f"{fix}{free}", param,
            )
        )  # fmt: skip
    return found
