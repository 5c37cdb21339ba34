"""All topics and consumer groups of the demo, by name."""

from __future__ import annotations

from dataclasses import replace

from demo import flights, hard_cases
from demo.spec import GroupSpec, TopicSpec

GROUPS = (
    GroupSpec("flights.dashboard", ("flights.departures", "flights-by-dest"), 1.0),
    GroupSpec("billing-nightly", ("flights.departures", "flights_cancelled"), 0.5),
    GroupSpec("audit_replay", ("flights_cancelled", "nyc.weather_hourly-by-origin"), 0.0),
    GroupSpec("weather.half-way_1", ("nyc.weather_hourly-by-origin",), 0.37, partitions=(0, 2)),
    GroupSpec("hard.reader", ("hard.binary", "hard-big_records"), 0.5),
    GroupSpec("hard.tx-reader_1", ("hard_transactions",), 0.5),
    GroupSpec("hard.tx-at-end", ("hard_transactions", "hard.empty"), 1.0),
    GroupSpec("hard-cache", ("hard-compacted",), 1.0),
)


def topics(scale: float = 1.0, prefix: str = "") -> list[TopicSpec]:
    """Every demo topic, its name preceded by ``prefix`` (tests use one cluster for many loads)."""
    if not 0 < scale <= 10:
        raise ValueError(f"scale {scale} is not in (0, 10]: 1 is the 336,776 flights, 0.05 a quick look")
    made = flights.topics(scale) + hard_cases.topics(scale)
    return [replace(topic, name=prefix + topic.name) for topic in made]


def groups(prefix: str = "") -> list[GroupSpec]:
    """Every demo group, its name and its topics' names preceded by ``prefix``."""
    return [replace(g, name=prefix + g.name, topics=tuple(prefix + t for t in g.topics)) for g in GROUPS]
