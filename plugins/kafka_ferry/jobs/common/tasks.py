"""What every task of Kafka Ferry shares: its stage in the run's timeline, and how it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import BaseOperator

from kafka_ferry.compat import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped, TaskWaits, redact
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import FerryError
from kafka_ferry.report.artifacts import STAGES, ArtifactsUnwritable, RunArtifacts
from kafka_ferry.report.reading import Reader

if TYPE_CHECKING:
    from airflow.sdk import Context


log = logging.getLogger(__name__)


def stage_file(context: Context) -> str:
    """Artifact that tells when this task worked and how it ended; one per task and map index."""
    ti = context["ti"]
    index = "" if ti.map_index is None or ti.map_index < 0 else f".{ti.map_index}"
    return f"{STAGES}/{ti.task_id}{index}.json"


@contextmanager
def stage(context: Context, at_any_rate: bool = False) -> Iterator[None]:
    """Note start, end and error of the task; turn a ``FerryError`` that no retry can fix into a failure without retry.

    A task that resumes after deferring keeps the start it noted first. One that makes no progress is ended
    (``jobs/common/task_watch.py``). Where the start cannot be noted (a full disk) nothing is begun.

    :param at_any_rate: a teardown: it works even then, and fails afterwards.
    :raises ArtifactsUnwritable: the start, or the success, could not be noted; a retry may.
    """
    artifacts, name, ti = RunArtifacts.of(context), stage_file(context), context["ti"]
    before = Reader(artifacts).mapping(name)  # a note that cannot be read is rewritten
    resumed = before.get("state") == "deferred" and before.get("try_number") == ti.try_number
    entry: dict[str, Any] = {
        "stage": ti.task_id,
        "try_number": ti.try_number,
        "started": before.get("started", _now()) if resumed else _now(),
        "ended": None,
        "state": "running",
        "error": "",
    }

    def note(**more: Any) -> None:
        artifacts.write_json(name, entry | more)

    def note_if_possible(**more: Any) -> None:
        """What is raised says more than that it could not be noted."""
        try:
            note(**more)
        except ArtifactsUnwritable as error:
            log.warning("%s", error)

    def tell(why: str) -> None:
        note(state="failed", ended=_now(), error=why)

    (note_if_possible if at_any_rate else note)()
    try:
        with _watched(context, tell):
            yield
    except TaskWaits:
        note_if_possible(state="deferred")
        raise
    except (AirflowSkipException, DownstreamTasksSkipped):
        note_if_possible(state="success", ended=_now())
        raise
    except FerryError as error:
        note_if_possible(state="failed", ended=_now(), error=_shown(error))
        if error.retriable:
            raise
        raise AirflowFailException(str(error)) from error
    except BaseException as error:
        # Anybody's words: artifacts and the page show them.
        note_if_possible(state="failed", ended=_now(), error=_shown(error) or type(error).__name__)
        raise
    note(state="success", ended=_now())


def _watched(context: Context, tell: Callable[[str], None]) -> AbstractContextManager[None]:
    from kafka_ferry.jobs.common.task_watch import ended_without_progress, limit_of

    params = context.get("params") or {}
    waits = [params.get(name) for name in ("no_progress_timeout", "patience")]
    return ended_without_progress(limit_of(*(float(one) for one in waits if isinstance(one, int | float))), tell)


class FerryOperator(BaseOperator):
    """Base of our operators: ``execute_task`` does the work, ``execute`` keeps the books.

    :param engine: what moves the records; all tasks of a DAG get the same from its ``default_args``.
    """

    def __init__(self, *, engine: str = "mirror_maker2_on_connect", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.engine = engine

    def nothing_below(self, *kept: str) -> DownstreamTasksSkipped:
        """What ends the run here, raised: no task below works, and no teardown has anything to take away.

        :param kept: tasks that run all the same.
        """
        below = [task for task in self.get_flat_relatives(upstream=False) if not task.is_teardown]
        # The report is a teardown, which no skipped setup holds back.
        left_out = {task.task_id for task in below} | {"report"}
        return DownstreamTasksSkipped(tasks=sorted(left_out - set(kept)))

    def execute(self, context: Context) -> Any:
        with stage(context, at_any_rate=self.is_teardown):
            return self.execute_task(context)

    def execute_task(self, context: Context) -> Any:
        raise NotImplementedError


def _shown(error: BaseException) -> str:
    """An error's words without what reads as a secret, and without what Airflow's masker knows of connections."""
    return redact_text(str(redact(str(error))))


def _now() -> str:
    return pendulum.now("UTC").isoformat(timespec="milliseconds")
