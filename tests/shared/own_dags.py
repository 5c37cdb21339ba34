"""DAG files of a user's own, as the docs show them, in a folder beside ours: bundles of Airflow."""

from __future__ import annotations

import json
import os
from pathlib import Path

_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
VARIABLE = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"


def own_dags_folder() -> Path:
    """The folder of this test session; looked at when Airflow is started with ``own_dags_config``."""
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "own-dags"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def own_dags_config() -> str:
    """Value of ``VARIABLE``: our dags/ and that folder."""
    return json.dumps(
        [
            {"name": "dags-folder", "classpath": _BUNDLE, "kwargs": {}},
            {"name": "own-dags", "classpath": _BUNDLE, "kwargs": {"path": str(own_dags_folder())}},
        ]
    )
