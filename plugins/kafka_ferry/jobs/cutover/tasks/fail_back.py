"""The tasks of ``fail_back``, but for those that it has in common with ``cutover``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.cutover.reported import FAIL_BACK_JOB
from kafka_ferry.jobs.cutover.tasks.work import (
    CutoverReportOperator,
    CutoverShardsOperator,
    LagGateOperator,
    WindowOperator,
    own_journal,
)
from kafka_ferry.report.artifacts import FROZEN, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.report.reading import Reader

_DONE = "nothing to do: the wave is back on the source"
#: Artifact: connectors of the way back that are there when the run ends, to their states.
WAY_BACK = "way_back.json"
#: Artifact: names of the connectors of the way there that the run stops.
STOPPED = "stopped.json"


class PlanFailBackOperator(PlanningOperator):
    """Find the cutover that is taken back, refuse what cannot work, and freeze what is compared before the window.
    Ends the run when ``dry_run`` is true."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.finding import refuse
        from kafka_ferry.core.wave_journal import OPEN, State
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.back_plan import back_changes, refuse_old_connect, rights_findings, tell
        from kafka_ferry.jobs.cutover.live.planning import make_plan, plan_text
        from kafka_ferry.jobs.cutover.live.rollback import roll_back
        from kafka_ferry.jobs.cutover.live.takeover import take_over
        from kafka_ferry.jobs.cutover.live.way_back import FORWARD, WayBack, run_is_active
        from kafka_ferry.jobs.cutover.rules.asked import ASKED, TARGET, asked
        from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec
        from kafka_ferry.jobs.migration.rules.watch import freeze

        run, artifacts = context["dag_run"], RunArtifacts.of(context)
        spec = self.asked(context, FailBackSpec)
        artifacts.write_json(ASKED, asked(spec))
        if is_done(context):
            self.log.info(_DONE)
            return {}
        back = WayBack.begin(run.dag_id, run.run_id, spec)
        artifacts.write_json(ASKED, asked(spec, TARGET))  # else there were no way back
        wave = back.wave
        back.forget_earlier()
        left = wave.journals.read(spec.wave)
        if not spec.dry_run and left is not None and left.state is State.HANDING_OVER:
            acquire_lock(context, *back.shared_names)
            artifacts.write_json(FORWARD, back.forward.to_json())
            take_over(wave, left, artifacts)
            return {}
        back.refuse_late_records()
        if not spec.dry_run:
            acquire_lock(context, *back.shared_names)
            if left is not None and left.state in OPEN:
                roll_back(wave, left, f"left by run {left.run_id}, taken away by run {run.run_id}", artifacts)
        refuse_old_connect(back)
        refuse(rights := rights_findings(back))  # first: every later look needs some of them
        others = back.replicators(run_is_active(context), before=True)
        tell("replicators:", others)
        refuse(others)
        plan = make_plan(wave, [*rights, *others], back_changes(back), with_waves=False)
        plan = plan.model_copy(update={"spec": spec.model_dump(mode="json")})
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", plan_text(plan), path)
        self.end_dry_run(spec.dry_run)
        artifacts.write_json(FORWARD, back.forward.to_json())
        frozen = freeze(
            wave.source.admin, wave.target.admin, wave.names, wave.targets, spec.isolation_level, record_bytes={}
        )
        sizes = wave.migration.record_bytes(frozen.begins, frozen.ends)
        artifacts.write_json(FROZEN, {"planned": plan.planned, **frozen.to_json(), "record_bytes": sizes})
        return {"topics": len(wave.targets), "partitions": len(wave.names)}


class EndForwardOperator(FerryOperator):
    """See that nothing replicates to the target any more, and lift what is left of the cutover's fence."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.way_back import WayBack, run_is_active

        if is_done(context):
            return [_DONE]
        back = WayBack.of(context)
        RunArtifacts.of(context).write_json(STOPPED, back.named_there())  # told before it is done
        return back.end_forward(run_is_active(context))


class DeployBackOperator(FerryOperator):
    """Open the way back, from where the fence saw the target end."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.way_back import WayBack, run_is_active

        if is_done(context):
            return [_DONE]
        back = WayBack.of(context)
        acquire_lock(context, *back.shared_names)
        return back.deploy(run_is_active(context), back.migration.spec.running_timeout)


class BackShardsOperator(CutoverShardsOperator):
    """As in a cutover; a way back that has failed is not waited for."""

    def look(self, context: Context) -> Callable[[], None]:
        from kafka_ferry.jobs.cutover.live.way_back import WayBack

        return WayBack.of(context).refuse_failed


class BackLagGateOperator(LagGateOperator):
    """As in a cutover, once more with a look at whether records could go round, and whether the way back works."""

    def look(self, context: Context) -> Callable[[], None]:
        from kafka_ferry.jobs.cutover.live.way_back import WayBack

        return WayBack.of(context).refuse_failed

    def execute_task(self, context: Context) -> str:
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.way_back import WayBack, run_is_active

        if not is_done(context):
            back = WayBack.of(context)
            back.assert_one_way(run_is_active(context))
            back.refuse_failed()  # near enough already: the window would wait for the rest in vain
        return super().execute_task(context)


class BackWindowOperator(WindowOperator):
    """The same window, from the target to the source; with its hand-over the cutover is taken back."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.cutover.live.way_back import WayBack
        from kafka_ferry.jobs.cutover.live.window import Window
        from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec

        back = WayBack.of(context)
        acquire_lock(context, *back.shared_names)
        window = Window(back.wave, RunArtifacts.of(context), back.failed)
        journal = window.run()
        back.hand_back()
        return self.announce(context, FailBackSpec, window, journal)


class EndBackOperator(FerryOperator):
    """Take the way back away once the applications are on the source; else stop it, and put the fence back.

    A teardown of no setup, as the report is: it runs after a failure, and when a user ends the run.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.as_teardown(on_failure_fail_dagrun=True)

    def execute_task(self, context: Context) -> str:
        from kafka_ferry.jobs.cutover.live.way_back import FORWARD, WayBack

        artifacts = RunArtifacts.of(context)
        if artifacts.read_json(FORWARD) is None:
            return "there is no way back"
        back = WayBack.of(context)
        said = back.close(own_journal(back.wave, artifacts))
        artifacts.write_json(WAY_BACK, back.states())
        self.log.info("%s", said)
        return said


class FailBackReportOperator(CutoverReportOperator):
    """With the window's seconds, whatever became of it, and what is left of the way back."""

    back = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = FAIL_BACK_JOB

    def more(self, reader: Reader) -> dict[str, Any]:
        return {"way_back": reader.mapping(WAY_BACK), "connectors_stopped": reader.sequence(STOPPED)}
