"""The halves of the integration tests: what needs the shared Airflow, and the rest; ``pytest -n 2 --dist loadgroup``.

They have no stack in common and wait more than they work, so they go side by side; within each, one test goes after the
other. Modules whose stacks nobody else uses go wherever there is room, so that both sides end at about the same time.
pytest-xdist 3.8 loses its own groups with pytest 9.2 (it writes to ``Item._nodeid``, which is read no more).
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

SCHEDULER, REST = "scheduler", "rest"
_FILES = re.compile(r"tests/integration/.*test_(every_dag|dag_runs\w*|\w+_dags)\.py::")
_ALONE = re.compile(
    r"(tests/integration/.*test_(airflow_oldest|broken_parts|celery|emr_clusters|"
    r"kafka_versions|listeners|several_brokers|share_groups_of_4_1|two_workers|version_matrix|whole_old_cluster)\.py)::"
)
SHARED = {"stack", "secure_stack", "database_stack", "airflow_stack"}


def half_of(nodeid: str) -> str:
    """Where a test goes; one that is not of the integration tests, wherever there is room."""
    if _FILES.search(nodeid):
        return SCHEDULER
    if alone := _ALONE.search(nodeid):
        return alone[1]
    return REST if "tests/integration/" in nodeid else nodeid


class Halves(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each half to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return half_of(nodeid)
