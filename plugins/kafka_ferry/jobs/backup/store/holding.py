"""What a target takes of the configs that topics have while records arrive, asked without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.retention import SIZES
from kafka_ferry.hooks.kafka.survey import KafkaSurvey

T = TypeVar("T")


@dataclass(frozen=True)
class Holding:
    """What the target answered.

    :param refused: topic to why it cannot be made, or what deletes and restamps records not be held on it.
    :param sizes_stay: topic to why its limits of size stay in force.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    sizes_stay: Mapping[str, str] = field(default_factory=dict)

    def of(self, topic: str, held: Mapping[str, str]) -> dict[str, str]:
        """What to set on a topic."""
        return without_sizes(held) if topic in self.sizes_stay else dict(held)

    @classmethod
    def asked(
        cls,
        survey: KafkaSurvey,
        there: Mapping[str, Mapping[str, str]],
        absent: Mapping[str, tuple[DesiredTopic, DesiredTopic]],
    ) -> Holding:
        """Ask for it.

        :param there: topic to the configs to set on it. ``absent``: topics to make, with limits of size lifted and not.
        """
        both = {topic: (held, without_sizes(held)) for topic, held in there.items() if held}
        altered = _ask(lambda some: survey.try_configs(some, validate_only=True), both)
        made = _ask(lambda some: survey.not_to_be_made(some.values()), absent)
        return cls({**altered[0], **made[0]}, {**altered[1], **made[1]})


def without_sizes(held: Mapping[str, str]) -> dict[str, str]:
    """What of a hold is no limit of size."""
    return {key: value for key, value in held.items() if key not in SIZES}


def _ask(
    ask: Callable[[Mapping[str, T]], Mapping[str, str]], wanted: Mapping[str, tuple[T, T]]
) -> tuple[dict[str, str], dict[str, str]]:
    """(topics refused even with limits of size as they are, topics refused only with those lifted), with reasons."""
    first = ask({topic: lifted for topic, (lifted, _) in wanted.items()})
    again = ask({topic: wanted[topic][1] for topic in first if wanted[topic][1]})  # all but sizes may be held already
    return dict(again), {topic: why for topic, why in first.items() if topic not in again}
