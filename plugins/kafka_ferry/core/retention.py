"""Limits by age or size that would act on records while they are copied, and their hold. Pure.

MirrorMaker 2 keeps timestamps, so a copied record is as old as its original: the target may delete it minutes after
its arrival (``retention.ms``), or not take it at all (``message.timestamp.before.max.ms``, KIP-937). And brokers
measure a batch as it was compressed: what a producer packed well may be larger when it is recompressed, and be refused
by ``max.message.bytes`` or, where that is smaller, ``segment.bytes`` (``UnifiedLog.append`` compares with both).

During the copy these limits are lifted to values that nobody else sets, ``HELD_AS``. The value itself says that we hold
a limit, so whoever comes later (a retry, a cleared task, another host) can put it back without any memory of the run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kafka_ferry.core.desired_topic import DesiredTopic
    from kafka_ferry.core.topics import TopicState

#: 2^62: unlimited in milliseconds and in bytes. Taken by Kafka 4.3.1 for all four keys (measured).
HELD = str(2**62)
#: 2^63 - 2: unlimited for timestamps, which may be 2^63 - 1; the default of these configs is that: not to be lowered.
HELD_TIME = str(2**63 - 2)
HOLDABLE = (
    "retention.ms",
    "retention.bytes",
    "message.timestamp.before.max.ms",
    "message.timestamp.after.max.ms",
)
#: 2^31 - 19: unlimited in bytes, for configs of 32 bits.
HELD_SIZE = str(2**31 - 19)
SIZES = ("max.message.bytes", "segment.bytes")
#: Config to the value that says that it is held.
HELD_AS: Mapping[str, str] = {
    **{key: HELD_TIME if key.startswith("message.timestamp.") else HELD for key in HOLDABLE},
    **dict.fromkeys(SIZES, HELD_SIZE),
}
#: Segments of less are in the way of large batches; others are left as they are.
SMALL_SEGMENT = 16 * 1024 * 1024

# Topic config to the broker config that is its default; of several the first that is set.
_BROKER_KEYS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "retention.ms": (("log.retention.ms", 1), ("log.retention.minutes", 60_000), ("log.retention.hours", 3_600_000)),
    "retention.bytes": (("log.retention.bytes", 1),),
    "message.timestamp.before.max.ms": (
        ("log.message.timestamp.before.max.ms", 1),
        ("log.message.timestamp.difference.max.ms", 1),  # before Kafka 3.6
    ),
    "message.timestamp.after.max.ms": (
        ("log.message.timestamp.after.max.ms", 1),
        ("log.message.timestamp.difference.max.ms", 1),
    ),
    "max.message.bytes": (("message.max.bytes", 1),),
    "segment.bytes": (("log.segment.bytes", 1),),
}
_BROKER_TEXTS = {"cleanup.policy": "log.cleanup.policy", "message.timestamp.type": "log.message.timestamp.type"}


def topic_defaults(broker: Mapping[str, str]) -> dict[str, str]:
    """The configs a topic has when it sets none, from a broker's configuration."""
    result = {key: broker[name] for key, name in _BROKER_TEXTS.items() if name in broker}
    for key, names in _BROKER_KEYS.items():
        for name, factor in names:
            if name in broker:
                result[key] = str(int(broker[name]) * factor)
                break
    return result


def is_held(key: str, value: str | None) -> bool:
    """Whether a config's value says that we hold it."""
    return value is not None and (HELD_AS.get(key) == value or (key in HOLDABLE and value == HELD))  # as it was once


def small_segments(configs: Mapping[str, str]) -> bool:
    """Whether ``segment.bytes`` may refuse a batch that ``max.message.bytes`` lets pass."""
    return int(configs.get("segment.bytes", SMALL_SEGMENT)) < SMALL_SEGMENT


def size_limit(configs: Mapping[str, str], *, lifted: bool = False) -> tuple[str, int] | None:
    """The config that refuses a large batch first, and the bytes from which on it does not; None: none is known.

    :param configs: in force. ``lifted``: while what we lift is lifted.
    """
    stays = [key for key in SIZES if key in configs]
    if lifted:
        stays = [key for key in stays if key == "segment.bytes" and not small_segments(configs)]
    return min(((key, int(configs[key])) for key in stays), key=lambda one: one[1], default=None)


def configs_after(desired: DesiredTopic, existing: TopicState | None, defaults: Mapping[str, str]) -> dict[str, str]:
    """The configs in force on the target topic once it is provisioned and no limit is held any more."""
    kept = {key: value for key, value in (existing.effective if existing else {}).items() if not is_held(key, value)}
    return {**defaults, **kept, **desired.configs}


def limit(configs: Mapping[str, str], key: str) -> int | None:
    """A limit as a number; None when there is none: negative, or the largest number there is."""
    value = int(configs.get(key, -1))
    return value if 0 <= value < 2**62 else None


def can_hold(desired: DesiredTopic, existing: TopicState | None, key: str) -> bool:
    """Whether the value to put back can be known later: the source sets it, or it is the default."""
    own = existing.configs.get(key) if existing else None
    return key in desired.configs or own is None or is_held(key, own)


def to_hold(desired: DesiredTopic, existing: TopicState | None, at_risk: Collection[str]) -> dict[str, str]:
    """What to set on the target topic before the copy.

    :param at_risk: keys of ``HELD_AS`` whose limit would act on records of this topic.
    """
    held = existing.configs if existing else {}
    return {
        key: value
        for key, value in HELD_AS.items()
        if key in at_risk and can_hold(desired, existing, key) and held.get(key) != value
    }


def to_put_back(desired: Iterable[DesiredTopic], target: Mapping[str, TopicState]) -> dict[str, dict[str, str | None]]:
    """Target topic to the configs that end its hold: the source's value, or None for the default."""
    result: dict[str, dict[str, str | None]] = {}
    for topic in desired:
        state = target.get(topic.name)
        held = [key for key in HELD_AS if state and is_held(key, state.configs.get(key))]
        if held:
            result[topic.name] = {key: topic.configs.get(key) for key in held}
    return result
