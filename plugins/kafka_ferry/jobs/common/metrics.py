"""What jobs tell the deployment's metrics, by Airflow's own: StatsD, Datadog or OpenTelemetry, as it is configured.

Series are few: one a measure, a DAG and a job. There is none a topic, a partition, a group or a run.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from kafka_ferry.compat import conf, flush_stats, stats

log = logging.getLogger(__name__)

PREFIX: Final = "kafka_ferry"
#: Characters of a name: with Airflow's prefix, a measure and two of them, 250 is the most that a backend takes.
_LONGEST: Final = 60


class Measure(StrEnum):
    """What is measured; docs/operate.md says when, and in which unit."""

    LAG = "lag"
    LAG_SECONDS = "lag_seconds"
    RATE = "records_per_second"
    LOST = "lost"
    VERDICTS = "verdicts"
    BACKUP_AGE = "backup_age"
    BACKUP_TIME = "backup_time"


@dataclass(frozen=True)
class JobMetrics:
    """Metrics of one job. Where the backend takes tags, they are ``dag_id`` and ``job``; plain StatsD takes none, and
    there they end the name.

    :param dag_id: of the run. ``job``: what people call it, such as the migration's name.
    """

    dag_id: str
    job: str

    def tell(self, values: Mapping[Measure, float | None], verdict: str = "") -> None:
        """Send them. What cannot be sent is logged, and never fails a task.

        :param values: None: it is not known now, and stays what it was.
        :param verdict: counts one more of it, PASS or FAIL.
        """
        try:
            backend = stats()
            for measure, value in values.items():
                if value is not None:
                    name, tags = self._named(measure)
                    backend.gauge(name, round(value, 3), tags=tags)
            if verdict:
                name, tags = self._named(Measure.VERDICTS, verdict=verdict.lower())
                backend.incr(name, tags=tags)
            if conf.getboolean("metrics", "otel_on", fallback=False):
                flush_stats()
        except Exception as error:  # noqa: BLE001  # whatever a backend of the deployment does
            _warn(f"{type(error).__name__}: {error}")

    def _named(self, measure: Measure, **more: str) -> tuple[str, dict[str, str] | None]:
        name, labels = f"{PREFIX}.{measure}", {"dag_id": plain_name(self.dag_id), "job": plain_name(self.job), **more}
        return (name, labels) if _takes_tags() else (".".join([name, *labels.values()]), None)


def _takes_tags() -> bool:
    """In the order in which Airflow chooses one of them."""
    if conf.getboolean("metrics", "statsd_datadog_enabled", fallback=False):
        return bool(conf.getboolean("metrics", "statsd_datadog_metrics_tags", fallback=True))
    if conf.getboolean("metrics", "statsd_on", fallback=False):
        return bool(conf.getboolean("metrics", "statsd_influxdb_enabled", fallback=False))
    return bool(conf.getboolean("metrics", "otel_on", fallback=False))


def plain_name(name: str) -> str:
    """A part of a metric's name: no dot, which would begin another part, and nothing that a backend refuses."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST - 9]}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


@cache
def _warn(why: str) -> None:
    """Once for each reason: a wait measures every few seconds."""
    log.warning("Metrics could not be sent: %s", why)
