"""Tell people how a run ended: callbacks of a DAG, by Airflow's notifiers, with verdict and link.

No text of a cluster's is in them: a name or a message could be a command of Slack's, or markup in a mail.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from kafka_ferry.compat import CALLBACKS_READ_XCOMS
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.common.job_of import job_of
from kafka_ferry.jobs.common.metrics import plain_name
from kafka_ferry.report.address import report_address
from kafka_ferry.report.artifacts import REPORT, RunArtifacts
from kafka_ferry.report.run import LARGEST_REPORT

log = logging.getLogger(__name__)

NO_VERDICT: Final = "no verdict"
_TASK = re.compile(r"([a-z_]+)(\[\d+\])?: ")


def notify_by(notifier: Callable[..., Callable[[Any], Any]], **fields: Any) -> Callable[[Any], None]:
    """A callback for ``on_success_callback`` and ``on_failure_callback`` of a DAG.

    The notifier's templates know ``verdict`` (PASS, FAIL or "no verdict"), ``report_link``, and ``verdict_line``, which
    has both. Each run gets one of its own: one that has rendered its templates says the same ever after.

    Usage::

        on_failure_callback=notify_by(SlackWebhookNotifier, text="{{ verdict_line }}")

    :param notifier: class of a notifier. ``fields``: its arguments.
    """

    def tell(context: Mapping[str, Any]) -> None:
        notifier(**fields)({**context, **notice_of(context)})

    return tell


def notice_of(context: Mapping[str, Any]) -> dict[str, str]:
    """``verdict``, ``report_link`` and ``verdict_line`` of the run that a callback is called for."""
    dag, run_id = context["dag"], str(context["run_id"])
    name, summary = dag.dag_id, None
    if CALLBACKS_READ_XCOMS:
        try:
            name = job_of(dag, context["ti"]).name
            # It goes when the report is cleared; the file stays, and may be of an earlier try.
            summary = _mapping(context["ti"].xcom_pull(task_ids="report", key="report"))
        except Exception as error:  # noqa: BLE001  # such as in `airflow dags test`, whose callbacks have no API
            log.info("XComs cannot be read here (%s), so report.json is", type(error).__name__)
    summary = _from_file(dag.dag_id, run_id) if summary is None else summary
    verdict, details = str(summary.get("verdict", NO_VERDICT)), _details(summary)
    if verdict == "PASS" and context.get("reason", "success") != "success":
        verdict, details = NO_VERDICT, "The run failed, or was marked so, after its report said PASS. "
    link = report_address(dag.dag_id, run_id)
    called = dag.dag_id if name == dag.dag_id else f"{dag.dag_id}, {plain_name(name)}"
    return {"verdict": verdict, "report_link": link, "verdict_line": f"{verdict}: {called}. {details}{link}"}


def _details(summary: Mapping[str, Any]) -> str:
    if not summary:
        return "A dry run, or the report did not run. "
    if summary.get("verdict") == "PASS":
        return f"{number_of(summary.get('topics') or 0, 'topic')}, {number_of(summary.get('groups') or 0, 'group')}. "
    checks = [name for name, status in (summary.get("checks") or {}).items() if status == "fail"]
    tasks = [found[1] for text in summary.get("failures") or () if (found := _TASK.match(str(text)))]
    parts = [f"Failed checks: {', '.join(checks)}. "] * bool(checks)
    return "".join(parts + [f"Failed: {', '.join(dict.fromkeys(tasks))}. "] * bool(tasks))


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _from_file(dag_id: str, run_id: str) -> Mapping[str, Any]:
    """What the run's report.json says, in short; empty when there is none that can be read."""
    artifacts = RunArtifacts.to_read(dag_id, run_id)
    try:
        if (artifacts.size(REPORT) or 0) > LARGEST_REPORT:
            return {}
        report = _mapping(artifacts.read_json(REPORT))
        groups = {line["group"] for line in report.get("groups", ())}
        checks = {check["name"]: check["status"] for check in report.get("checks", ())}
        numbers = {"topics": len(report.get("topics", ())), "groups": len(groups)}
    except Exception:  # the link is worth telling all the same
        log.exception("The report of %s, run %s, cannot be read", dag_id, run_id)
        return {}
    return {**report, **numbers, "checks": checks} if report else {}
