"""The plugin file, which every process of Airflow loads: it brings in nothing heavy, and knows a path prefix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"
PROBE = """
import json, sys
import airflow.configuration, airflow.plugins_manager
before = set(sys.modules)
import kafka_ferry_plugin as plugin
print(json.dumps({
    "new": sorted(set(sys.modules) - before),
    "views": plugin.KafkaFerryPlugin.external_views,
    "apps": [entry["url_prefix"] for entry in plugin.KafkaFerryPlugin.fastapi_apps],
}))
"""


@pytest.mark.parametrize("prefix", ["", "/airflow/prod"])
def test_loading_it_costs_nothing_and_its_pages_carry_the_prefix(prefix):
    environment = os.environ | {
        "PYTHONPATH": str(PLUGINS),
        "AIRFLOW__API__BASE_URL": f"http://ferry.test:8080{prefix}/",
    }
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=environment)
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["new"] == ["kafka_ferry", "kafka_ferry.plugin", "kafka_ferry_plugin"]
    assert told["apps"] == ["/kafka-ferry"]
    assert told["views"] == [
        {
            "name": "Kafka Ferry",
            "href": f"{prefix}/kafka-ferry/report/{{DAG_ID}}/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "kafka_ferry",
        },
        {
            "name": "Kafka Ferry",
            "href": f"{prefix}/kafka-ferry/",
            "destination": "nav",
            "url_route": "kafka_ferry_jobs",
            "icon": f"{prefix}/kafka-ferry/static/ferry.svg",
        },
    ]
