"""What Airflow 3.0.6 to 3.3 keep in different places: the only module that knows of versions.

A newer place is tried first, as the older ones warn there. ``airflow.providers.common.compat.sdk`` does the same, but
not in the release of it that managed Airflows of 3.0 are pinned to (1.7; it came with 1.8).
"""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

__all__ = [
    "CALLBACKS_READ_XCOMS",
    "HAS_TABS",
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "BaseHook",
    "DownstreamTasksSkipped",
    "Stats",
    "TaskDeferred",
    "TaskWaits",
    "answer_within",
    "conf",
    "flush_stats",
    "hitl_operator",
    "redact",
    "stats",
]  # fmt: skip

#: Whether a run has tabs of plugins.
HAS_TABS: bool
#: Whether callbacks of a DAG, which work in the DAG processor, may read XComs. Before 3.1 it does not answer them, and
#: they wait until they are killed.
CALLBACKS_READ_XCOMS: bool

#: What a task raises that waits for something, and goes on when it has come.
TaskWaits: tuple[type[BaseException], ...]

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
    try:  # 3.3: for a person
        from airflow.sdk.exceptions import TaskAwaitingInput

        TaskWaits = (TaskDeferred, TaskAwaitingInput)
    except ImportError:
        TaskWaits = (TaskDeferred,)
    try:  # 3.1
        from airflow.sdk import BaseHook

        HAS_TABS = CALLBACKS_READ_XCOMS = True
    except (ImportError, AttributeError):
        from airflow.hooks.base import BaseHook

        HAS_TABS = CALLBACKS_READ_XCOMS = False
    try:  # 3.1
        from airflow.sdk.log import redact
    except ImportError:
        from airflow.sdk.execution_time.secrets_masker import redact


class Stats(Protocol):
    """What we use of Airflow's metrics."""

    def gauge(self, stat: str, value: float, *, tags: dict[str, str] | None = None) -> Any:
        """Set a value."""

    def incr(self, stat: str, *, tags: dict[str, str] | None = None) -> Any:
        """Count one more."""


def stats() -> Stats:
    """Airflow's metrics, as this deployment sends them."""
    try:  # 3.2
        # Sets them up in a process where the task runner has not: of the triggerer, of `airflow dags test`.
        import airflow.sdk.serde  # noqa: F401
        from airflow.sdk.observability.stats import Stats as found
    except ImportError:
        from airflow.stats import Stats as found
    sends: Stats = found
    return sends


def flush_stats() -> None:
    """Send what OpenTelemetry collects for a minute: a task's process may end before. From 3.2 on Airflow does so."""
    try:
        import airflow.sdk.observability  # noqa: F401
    except ImportError:
        from opentelemetry.metrics import get_meter_provider

        flush = getattr(get_meter_provider(), "force_flush", None)
        if flush:
            flush(timeout_millis=5_000)


def hitl_operator() -> type[Any] | None:
    """The operator that asks a person; None before 3.1, which has none."""
    try:
        from airflow.providers.standard.operators.hitl import HITLOperator as found
    except Exception:  # noqa: BLE001 - the provider refuses an Airflow that is too old by an exception of its own
        return None
    operator: type[Any] = found
    return operator


def answer_within(operator: type[Any], time: timedelta) -> dict[str, timedelta]:
    """The argument of :func:`hitl_operator`'s that bounds how long a person may take.

    In the standard provider of Airflow 3.1 (1.11) it is the task's ``execution_timeout``, which later ones warn of.
    """
    asked = inspect.signature(operator.__init__).parameters
    return {"response_timeout" if "response_timeout" in asked else "execution_timeout": time}
