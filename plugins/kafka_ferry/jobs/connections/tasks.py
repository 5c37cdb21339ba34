"""The tasks that ask connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.jobs.common.checks import write_checks
from kafka_ferry.jobs.common.plan import PlanningOperator, read_plan, write_plan
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.common.shard import ShardOperator, write_shards
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import DONE, PLAN, DamagedArtifact, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.core.checks import Report
    from kafka_ferry.jobs.connections.rules.plan import ConnectionsPlan

_ANSWERS = f"{DONE}/ask"


def _planned(artifacts: RunArtifacts) -> ConnectionsPlan:
    from kafka_ferry.jobs.connections.rules.plan import ConnectionsPlan

    plan = read_plan(artifacts, ConnectionsPlan)
    if plan is None:
        raise DamagedArtifact(
            f"{artifacts.path(PLAN)} is not there. Fix: clear the task plan with its downstream tasks"
        )
    return plan


class PlanConnectionsOperator(PlanningOperator):
    """Say which connections there are, and how many tasks ask them: one each, so that none waits for another."""

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.jobs.connections.live.planning import planned_connections
        from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec

        spec, artifacts = self.asked(context, ConnectionsSpec), RunArtifacts.of(context)
        plan = planned_connections(spec)
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", "\n".join(plan.notes), path)
        return write_shards(artifacts, [[one.conn_id] for one in plan.connections], "ask")


class AskOperator(ShardOperator):
    """Ask one connection. What goes wrong there is its answer, and no failure of the task."""

    def execute_task(self, context: Context) -> str:
        from kafka_ferry.jobs.connections.live.asking import ask
        from kafka_ferry.jobs.connections.live.planning import probe_name
        from kafka_ferry.jobs.connections.live.question import Question
        from kafka_ferry.jobs.connections.rules.answer import check_of
        from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec

        artifacts = RunArtifacts.of(context)
        planned = _planned(artifacts).connections[self.number]
        spec = ConnectionsSpec.from_params(context["params"])
        answer = ask(Question(planned, spec, probe_name(artifacts.dag_id, artifacts.run_id, planned.conn_id)))
        artifacts.write_json(f"{_ANSWERS}/{self.number:03}.json", answer.model_dump(mode="json"))
        check = check_of(planned, answer)
        told = [
            f"{planned.conn_id}: {check.status.value}",
            check.actual,
            *answer.notes,
            check.detail * bool(answer.skipped),
        ]
        self.log.info("%s", "\n".join([*filter(None, told), *check.differences]))
        return check.status.value


class ValidateConnectionsOperator(FerryOperator):
    """Judge the answers: one check for each connection."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.connections.rules.answer import Answer, checks_of, sentence_of

        artifacts = RunArtifacts.of(context)
        found = [Answer.read(artifacts.read_json(name) or {}) for name in artifacts.names(_ANSWERS)]
        checks = checks_of(_planned(artifacts).connections, {one.conn_id: one for one in found})
        return write_checks(artifacts, {"checks": checks}, sentence_of(checks))


class ConnectionsReportOperator(ReportOperator):
    """The report of connections that were asked. No event comes with it: nothing was moved that others could use."""

    def proves(self, report: Report) -> bool:
        return False
