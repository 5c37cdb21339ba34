"""What Airflow 3.0.6 to 3.3 keep in different places: the only module that knows of versions.

A newer place is tried first, as the older ones warn there. ``airflow.providers.common.compat.sdk`` does the same, but
not in the release of it that managed Airflows of 3.0 are pinned to (1.7; it came with 1.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = [
    "AirflowException", "AirflowFailException", "AirflowNotFoundException", "AirflowSensorTimeout",
    "AirflowSkipException", "BaseHook", "DownstreamTasksSkipped", "TaskDeferred", "conf", "redact",
]  # fmt: skip

if TYPE_CHECKING:
    from airflow.sdk import BaseHook, conf
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
        DownstreamTasksSkipped,
        TaskDeferred,
    )
    from airflow.sdk.log import redact  # type: ignore[attr-defined]  # the masker's own, for what is no log
else:
    try:  # 3.2
        from airflow.sdk import conf
        from airflow.sdk.exceptions import (
            AirflowException,
            AirflowFailException,
            AirflowNotFoundException,
            AirflowSensorTimeout,
            AirflowSkipException,
            DownstreamTasksSkipped,
            TaskDeferred,
        )
    except (ImportError, AttributeError):
        from airflow.configuration import conf
        from airflow.exceptions import (
            AirflowException,
            AirflowFailException,
            AirflowNotFoundException,
            AirflowSensorTimeout,
            AirflowSkipException,
            DownstreamTasksSkipped,
            TaskDeferred,
        )
    try:  # 3.1
        from airflow.sdk import BaseHook
    except (ImportError, AttributeError):
        from airflow.hooks.base import BaseHook
    try:  # 3.1
        from airflow.sdk.log import redact
    except ImportError:
        from airflow.sdk.execution_time.secrets_masker import redact
