"""The tasks that exports and imports have for their connector; with ``transport`` ``engine`` they do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.leftovers import leftovers_check
from kafka_ferry.exceptions import BadParam, FerryError, NotAuthorized
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import CONNECTORS
from kafka_ferry.jobs.s3.connect.sides import Side, side_of
from kafka_ferry.report.artifacts import CHECKS_MADE, LEFTOVERS, PLAN, RunArtifacts
from kafka_ferry.report.reading import Reader

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.core.checks import Report
    from kafka_ferry.jobs.runtimes.connectors import ConnectorRuntime
    from kafka_ferry.report.stages import Tasks

_ENGINE = "transport is engine: no connector"


class ConnectorDeployOperator(FerryOperator):
    """Make or adopt the connector, and let it run.

    :param side: ``export`` or ``import``.
    """

    def __init__(self, *, side: Side, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.side: Side = side

    def execute_task(self, context: Context) -> str | None:
        from kafka_ferry.jobs.common.run_lock import acquire_lock

        side = side_of(self.side, context)
        if side.spec.transport == "engine":
            self.log.info("%s", _ENGINE)
            return None
        acquire_lock(context, side.shared_name())  # this run may have been cleared while another works
        return side.deploy()


class ConnectorRemoveOperator(FerryOperator):
    """What ``connector_afterwards`` says of the connector; whatever is left is reported.

    A teardown of no setup, as the report is: it runs after a failure, and when a user ends the run.

    :param side: ``export`` or ``import``.
    """

    def __init__(self, *, side: Side, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.side: Side = side
        self.as_teardown(on_failure_fail_dagrun=True)

    def execute_task(self, context: Context) -> Any:
        from kafka_ferry.jobs.common.run_lock import other_holder

        artifacts = RunArtifacts.of(context)
        try:
            side = side_of(self.side, context)
        except BadParam as error:  # the plan refused them, and nothing was made
            return str(error)
        if (name := side.deployed()) is None:
            return "no connector was made"
        artifacts.discard(LEFTOVERS)  # of an earlier try: it says nothing about this one
        runtime = side.runtime
        if other := other_holder(context, side.shared_name()):
            kept = f"run {other} is working on this {self.side}: its connector is left alone"
        else:
            kept = _kept(side.spec.connector_afterwards, runtime, name)
        if kept:
            self.log.info("%s", kept)
            artifacts.write_json(LEFTOVERS, [leftovers_check(kept=kept).model_dump(mode="json")])
            return {"kept": [name]}
        # Without its position nobody knows which records of a target that was not compared are the export's.
        proven = self.side == "export" or artifacts.read_json(CHECKS_MADE) is not None
        forget = side.spec.connector_afterwards == "forget" and proven
        try:
            removed = runtime.remove([name], forget=forget)
        except NotAuthorized as refusal:
            if runtime.left([name]):
                raise
            # What its workers kept on a cluster that this Airflow may only read does no harm there.
            kept = f"the connector is gone, and something of it stays: {refusal}"
            self.log.warning("%s", kept)
            artifacts.write_json(LEFTOVERS, [leftovers_check(kept=kept).model_dump(mode="json")])
            return {"kept": [kept]}
        left = runtime.left([name])
        artifacts.write_json(LEFTOVERS, [leftovers_check(left).model_dump(mode="json")])
        if left:
            raise FerryError(f"still present after the removal: {', '.join(left)}. Fix: clear this task")
        return {"removed": removed}


class S3ReportOperator(ReportOperator):
    """The report, which names what has copied."""

    def build(self, artifacts: RunArtifacts, tasks: Tasks | None = None) -> Report:
        report = super().build(artifacts, tasks)
        spec = Reader(artifacts).mapping(PLAN).get("spec")
        if not isinstance(spec, dict) or spec.get("transport", "engine") == "engine":
            return report
        whose = CONNECTORS[spec.get("connector", "kafka_ferry")].whose
        where = "Amazon MSK Connect" if spec["transport"] == "msk_connect" else "Kafka Connect"
        words = report.words.model_copy(update={"engine": f"{whose} S3 connector, on {where}"})
        return report.model_copy(update={"words": words})


def _kept(afterwards: str, runtime: ConnectorRuntime, name: str) -> str:
    """Let it stay as the run asks for; what to tell people of it, empty where it shall go."""
    if afterwards not in ("pause", "run") or not runtime.existing([name]):
        return ""
    if afterwards == "pause":
        runtime.pause([name])
        said = "stays, paused"
    else:
        runtime.resume([name])
        said = "keeps copying"
    return (
        f"connector_afterwards is {afterwards}: connector {name} {said}. To end it, trigger this DAG again with the "
        f"same params and connector_afterwards remove; or by hand:\n{runtime.how_to_stop([name])}"
    )
