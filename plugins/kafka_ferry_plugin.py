"""For a plugins folder: hands the plugin loader the plugin. Where the wheel is installed its entry point does that.

Every process of Airflow loads this file, some of them twice: no state.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

try:
    distribution("kafka-ferry")
except PackageNotFoundError:
    from kafka_ferry.plugin import KafkaFerryPlugin  # noqa: F401 - what the loader looks for
