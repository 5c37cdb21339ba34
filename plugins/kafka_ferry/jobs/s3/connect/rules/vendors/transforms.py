"""Transforms of Kafka's own for source connectors that cannot choose topics or rename them. Pure.

``RegexRouter``, ``Filter`` and ``TopicNameMatches`` come with every worker of Kafka 2.6 or newer
(https://kafka.apache.org/documentation/#connect_transforms).
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

from kafka_ferry.exceptions import BadParam

_TRANSFORMS = "org.apache.kafka.connect.transforms"


def steps(
    topics: tuple[str, ...], renames: Mapping[str, str], more: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> dict[str, str]:
    """Settings that drop records of other topics, and rename those that get another name.

    :param topics: names as the files have them; empty: all.
    :param more: further transforms, behind these: name to its settings.
    :raises BadParam: names are exchanged in a circle.
    """
    config: dict[str, str] = {}
    names = []
    if topics:
        names.append("chosen")
        config |= {
            "transforms.chosen.type": f"{_TRANSFORMS}.Filter",
            "transforms.chosen.predicate": "chosen",
            "transforms.chosen.negate": "true",
            "predicates": "chosen",
            "predicates.chosen.type": f"{_TRANSFORMS}.predicates.TopicNameMatches",
            "predicates.chosen.pattern": "|".join(map(_exactly, topics)),
        }
    for number, old in enumerate(_in_order(renames)):
        names.append(f"rename{number}")
        config |= {
            f"transforms.rename{number}.type": f"{_TRANSFORMS}.RegexRouter",
            f"transforms.rename{number}.regex": _exactly(old),
            f"transforms.rename{number}.replacement": renames[old],
        }
    for name, settings in more.items():
        names.append(name)
        config |= {f"transforms.{name}.{key}": value for key, value in settings.items()}
    return {"transforms": ",".join(names), **config} if names else {}


def _exactly(topic: str) -> str:
    """As a regular expression; no other letter of a topic's name means something else there."""
    return topic.replace(".", "\\.")


def _in_order(renames: Mapping[str, str]) -> list[str]:
    """Who frees a name before who takes it: the routers stand one behind the other, and none may see what another has
    renamed."""
    sorter = TopologicalSorter[str]()
    for old, new in sorted(renames.items()):
        sorter.add(old, *([new] if new in renames and new != old else []))
    try:
        return [old for old in sorter.static_order() if old in renames]
    except CycleError as problem:
        circle = " -> ".join(map(str, problem.args[1]))
        raise BadParam(
            "rename",
            f"exchanges names in a circle ({circle}), which RegexRouter, one name after the other, cannot do",
            "other names on the target, or connector kafka_ferry",
        ) from problem
