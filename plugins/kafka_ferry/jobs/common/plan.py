"""The typed plan of a run, from the task that makes it to those that go by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from kafka_ferry.core.job_name import KEY, JobName
from kafka_ferry.core.plan import JobPlan, PlanFile
from kafka_ferry.core.spec import Spec
from kafka_ferry.jobs.common.pool import check_pool
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import PLAN, DamagedArtifact, RunArtifacts
from kafka_ferry.report.upgrade import plan_of

if TYPE_CHECKING:
    from airflow.sdk import Context

AnyPlan = TypeVar("AnyPlan", bound=PlanFile)
AnySpec = TypeVar("AnySpec", bound=Spec)


class PlanningOperator(FerryOperator):
    """Base of the tasks that begin a run with its plan."""

    @staticmethod
    def asked(context: Context, kind: type[AnySpec]) -> AnySpec:
        """What the run asks for. Airflow is told what the run is of, for the page of all jobs: as XCom ``KEY``, and
        also where what it asks for is refused.

        :raises BadParam: a param is unknown, missing or has a bad value.
        :raises BadSetting: there is no pool for tasks of this run.
        """
        # Airflow lets unknown conf keys pass (measured on 3.3.2); a typing error must not become a default.
        asked = {**context["params"], **(context["dag_run"].conf or {})}
        if kind.run_kind:  # else it has not said what its runs are of
            context["ti"].xcom_push(key=KEY, value=JobName.of(kind, asked).to_json())
        check_pool(context)
        return kind.from_params(asked)

    def end_dry_run(self, dry_run: bool) -> None:
        """End the run here when its plan is all that was asked for.

        :raises DownstreamTasksSkipped: it was.
        """
        if dry_run:
            self.log.info("dry_run: nothing was changed, and the run ends here")
            raise self.nothing_below()


def write_plan(artifacts: RunArtifacts, plan: JobPlan) -> str:
    """Write plan.json. Returns its path, for people."""
    return artifacts.write_json(PLAN, plan.to_json())


def read_plan(artifacts: RunArtifacts, kind: type[AnyPlan]) -> AnyPlan | None:
    """plan.json as far as ``kind`` knows it; None when there is none.

    :raises DamagedArtifact: it is there, and is no such plan.
    """
    found = artifacts.read_json(PLAN)
    if found is None:
        return None
    try:
        return kind.from_json(plan_of(found) if isinstance(found, dict) else found)
    except ValidationError as error:
        raise DamagedArtifact(
            f"{artifacts.path(PLAN)} is not a plan of this version. Fix: clear the task plan with its downstream tasks"
        ) from error
