"""Topics whose names differ in ``.`` and ``_`` alone: Kafka makes no second one, as both have the same metrics. Pure.

``ReplicationControlManager.validateNewTopicNames`` (Kafka 4.3) checks a new name against those that are there. Two in
one request pass (measured on 4.3.1), so a source may have both; whether a target gets both would be chance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable


def collisions(wanted: Iterable[str], existing: Collection[str]) -> dict[str, str]:
    """Topics that cannot be made, with the one that is in the way: there already, or to be made, too.

    :param wanted: names that shall be there; existing ones do not matter.
    """
    there, found = set(existing), {}
    by_metric = {name.replace(".", "_"): name for name in sorted(there)}
    for name in sorted(set(wanted) - there):
        other = by_metric.setdefault(name.replace(".", "_"), name)
        if other != name:
            found[name] = other
    return found


def problem_of(other: str, existing: Collection[str], where: str = "on the target") -> str:
    """What is said of a topic that collides with ``other``."""
    what = f"topic {other!r} exists {where}" if other in existing else f"{other!r} would be created too"
    return f"{what}, and Kafka creates no two topics whose names differ in '.' and '_' alone"
