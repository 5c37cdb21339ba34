"""The tasks of a cutover, but for the approval."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from kafka_ferry.core.checks import Report
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.proven import PROVEN, asset_of, emit
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.cutover.reported import CUTOVER_JOB
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, FROZEN, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.core.spec import Spec
    from kafka_ferry.core.wave_journal import Journal
    from kafka_ferry.jobs.cutover.live.wave import Wave
    from kafka_ferry.jobs.cutover.live.window import Window
    from kafka_ferry.jobs.migration.live.migration import Migration
    from kafka_ferry.report.reading import Reader
    from kafka_ferry.report.stages import Tasks

_DONE = "nothing to do: the wave is handed over"


def goes_back(context: Context) -> bool:
    """Whether it is a run of ``fail_back``: the same wave the other way round."""
    return "forward_connectors" in context["params"]


def wave_of(context: Context) -> Wave:
    from kafka_ferry.jobs.cutover.live.wave import Wave

    if goes_back(context):
        from kafka_ferry.jobs.cutover.live.way_back import WayBack

        return WayBack.of(context).wave
    return Wave.of(context)


def own_journal(wave: Wave, artifacts: RunArtifacts) -> Journal | None:
    from kafka_ferry.jobs.common.wave_journals import journal_of

    return journal_of(artifacts, wave.source_cluster, wave.spec.wave)


class PlanCutoverOperator(PlanningOperator):
    """Reconcile: resolve topics and groups, take away what a run that died has left, say who writes and who reads,
    refuse what cannot work, and freeze what is compared before the window. Ends the run when ``dry_run`` is true."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.wave_journal import OPEN, State
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.planning import make_plan, plan_text
        from kafka_ferry.jobs.cutover.live.rollback import roll_back
        from kafka_ferry.jobs.cutover.live.takeover import take_over
        from kafka_ferry.jobs.cutover.live.wave import Wave
        from kafka_ferry.jobs.cutover.rules.asked import ASKED, asked, where_now
        from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec
        from kafka_ferry.jobs.migration.rules.watch import freeze

        run, artifacts = context["dag_run"], RunArtifacts.of(context)
        spec = self.asked(context, CutoverSpec)
        artifacts.write_json(ASKED, asked(spec))
        wave = Wave(run.dag_id, run.run_id, spec)
        if is_done(context):
            self.log.info(_DONE)
            return {"topics": len(wave.targets)}
        artifacts.write_json(ASKED, asked(spec, where_now(wave.journals.all(), spec.wave, wave.targets)))
        left = wave.journals.read(spec.wave)
        if not spec.dry_run:
            acquire_lock(context, wave.shared_name)
            if left is not None and left.state in OPEN:  # its run has ended: the name is ours
                roll_back(wave, left, f"left by run {left.run_id}, taken away by run {run.run_id}", artifacts)
            elif left is not None and left.state is State.HANDING_OVER:
                take_over(wave, left, artifacts)
                return {"topics": len(wave.targets)}
        elif left is not None and left.state in OPEN:
            self.log.warning("run %s left a fence of %d ACLs: a run takes it away", left.run_id, len(left.added))
        plan = make_plan(wave)
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", plan_text(plan), path)
        self.end_dry_run(spec.dry_run)
        migration = wave.migration
        frozen = freeze(
            wave.source.admin, wave.target.admin, wave.names, wave.targets, spec.isolation_level, record_bytes={}
        )
        sizes = migration.record_bytes(frozen.begins, frozen.ends)
        artifacts.write_json(FROZEN, {"planned": plan.planned, **frozen.to_json(), "record_bytes": sizes})
        return {"topics": len(wave.targets), "partitions": len(wave.names)}


class CutoverShardsOperator(ShardsOperator):
    """As in a migration, once the target has what the source had at the plan. Tails compared earlier are forgotten."""

    def migration(self, context: Context) -> Migration:
        return wave_of(context).migration

    def look(self, context: Context) -> Callable[[], None]:
        """What is called again and again while the replication is waited for. Whose it is, a cutover does not know."""
        return lambda: None

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.tails import TAILS
        from kafka_ferry.jobs.cutover.live.window import LagTooLarge
        from kafka_ferry.jobs.cutover.rules.standstill import told
        from kafka_ferry.jobs.migration.live.artifacts import read_frozen
        from kafka_ferry.jobs.migration.live.catch_up import wait_for_tails

        if is_done(context):
            self.log.info(_DONE)
            return [0]
        artifacts, wave = RunArtifacts.of(context), wave_of(context)
        artifacts.delete(TAILS)
        late = wait_for_tails(wave.migration, read_frozen(artifacts), wave.spec.lag_timeout, self.look(context))
        if late:
            named = told(f"{topic}-{partition}" for topic, partition in late)
            raise LagTooLarge(
                f"the replication did not bring what was on the source when the plan was made within "
                f"{wave.spec.lag_timeout:g} s: {named}. Fix: see that it works; or a larger lag_timeout"
            )
        return super().execute_task(context)


class CutoverFingerprintOperator(FingerprintOperator):
    """As in a migration."""

    def migration(self, context: Context) -> Migration:
        return wave_of(context).migration

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.common.wave_journals import is_done

        if is_done(context):
            self.log.info(_DONE)
            return {}
        return super().execute_task(context)


class PrepareOperator(FerryOperator):
    """Refuse a copy that is not right, set groups that are at rest, and tell which rights the target lacks."""

    def execute_task(self, context: Context) -> str:
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.baseline import refuse_wrong_copy, rights_check, set_groups
        from kafka_ferry.report.artifacts import read_results

        if is_done(context):
            return _DONE
        wave, results = wave_of(context), read_results(RunArtifacts.of(context))
        refuse_wrong_copy(wave, results, back=goes_back(context))
        said = set_groups(wave, results)
        for text in rights_check(wave, back=goes_back(context)).differences:
            self.log.warning("%s", text)
        self.log.info("%s", said)
        return said


class LagGateOperator(FerryOperator):
    """Wait until the replication is near enough, by contents; the window begins where this ended."""

    def look(self, context: Context) -> Callable[[], None]:
        """As of ``CutoverShardsOperator``."""
        return lambda: None

    def execute_task(self, context: Context) -> str:
        from kafka_ferry.jobs.common.wave_journals import is_done
        from kafka_ferry.jobs.cutover.live.tails import LAG, TAILS, Tails
        from kafka_ferry.jobs.cutover.live.window import wait_for_lag
        from kafka_ferry.report.artifacts import read_results

        if is_done(context):
            return _DONE
        wave, artifacts = wave_of(context), RunArtifacts.of(context)
        with Tails(wave, read_results(artifacts), artifacts.read_json(TAILS)) as tails:
            wait_for_lag(tails, wave.spec.max_lag, wave.spec.lag_timeout, look=self.look(context))
            artifacts.write_json(TAILS, tails.to_json())
            artifacts.write_json(LAG, tails.lag)
            return f"{sum(tails.behind.values()):,} records behind"


class WindowOperator(FerryOperator):
    """From the fence to the hand-over, in one task. Its success is the asset event of the wave."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"outlets": [PROVEN], **kwargs})

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.cutover.live.carriers import Carriers
        from kafka_ferry.jobs.cutover.live.window import Window
        from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

        wave = wave_of(context)
        acquire_lock(context, wave.shared_name)
        window = Window(wave, RunArtifacts.of(context), Carriers(wave).failed)
        return self.announce(context, CutoverSpec, window, window.run())

    def announce(self, context: Context, spec: type[Spec], window: Window, journal: Journal) -> dict[str, Any]:
        """The wave's event, and what Airflow keeps of the task.

        :param spec: of the DAG, whose job the event is of.
        """
        from kafka_ferry.core.job_name import JobName
        from kafka_ferry.jobs.cutover.rules.timeline import cutover_of

        run, told, target = context["dag_run"], cutover_of(journal), window.payload(journal)["target"]
        emit(
            context,
            asset_of(JobName.of(spec, context["params"])),
            {
                "event": "handed_over", "wave": journal.wave, "dag_id": run.dag_id, "run_id": run.run_id,
                "topics": len(journal.topics), "fenced_at": journal.fenced_at,
                "handed_over_at": journal.handed_over_at, "target": target.get("bootstrap.servers"),
            },
        )  # fmt: skip
        self.log.info("to switch to: %s", target)
        return {key: told[key] for key in ("wave", "handed_over_at", "write_downtime_seconds")}


class WatchOperator(FerryOperator):
    """Name who still writes to the source, and who still commits there."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.cutover.live.watch import LATE, watch

        wave, artifacts = wave_of(context), RunArtifacts.of(context)
        journal = own_journal(wave, artifacts)
        if journal is None or not wave.spec.watch_seconds:
            artifacts.delete(LATE)
            return {}
        late = watch(wave, journal, wave.spec.watch_seconds)
        artifacts.write_json(LATE, late)
        return {"writers": len(late["writers"]), "committers": len(late["committers"]), "offsets": late["offsets"]}


class EndReplicationOperator(FerryOperator):
    """Stop the connectors that the params name; with none, the replication goes on."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.hooks.connect.hook import ConnectHook

        wave, artifacts = wave_of(context), RunArtifacts.of(context)
        spec = wave.spec
        if not spec.connect_conn_id:
            return []
        for name in spec.end_connectors:
            ConnectHook(spec.connect_conn_id).stop(name)
            self.log.info("connector %s is stopped; its offsets are kept", name)
        if spec.end_connectors and (journal := own_journal(wave, artifacts)) is not None:
            journal.stopped = spec.end_connectors  # the page of all jobs says so of the migration
            wave.journals.write(journal, artifacts)
        return spec.end_connectors


class ValidateCutoverOperator(FerryOperator):
    """Make the checks from what the window and the watch found."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.exceptions import FerryError
        from kafka_ferry.jobs.cutover.live.validation import make_checks

        wave, artifacts = wave_of(context), RunArtifacts.of(context)
        journal = own_journal(wave, artifacts)
        if journal is None:
            raise FerryError("the wave's journal is not this run's any more. Fix: a new run")
        made = make_checks(wave, journal, artifacts, back=goes_back(context))
        artifacts.write_json(CHECKS_MADE, made)
        return {check["name"]: check["status"] for check in made["checks"]}


class UnfenceOperator(FerryOperator):
    """Whatever happened before: no fence is left that should not be.

    A teardown of no setup, as the report is: it runs after a failure, and when a user ends the run.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.as_teardown(on_failure_fail_dagrun=True)

    def execute_task(self, context: Context) -> str:
        from kafka_ferry.exceptions import BadParam
        from kafka_ferry.jobs.common.wave_journals import CUTOVER
        from kafka_ferry.jobs.cutover.live.rollback import close

        artifacts = RunArtifacts.of(context)
        if artifacts.read_json(CUTOVER) is None:
            return "nothing was fenced"
        try:
            wave = wave_of(context)
        except BadParam as error:  # the plan refused them, and nothing was done
            return str(error)
        said = close(wave, own_journal(wave, artifacts), artifacts)
        self.log.info("%s", said)
        return said


class CutoverReportOperator(ReportOperator):
    """With the window's seconds, whatever became of it. The wave's event came with the hand-over.

    :cvar back: whether the window leads back to the source.
    """

    back: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(job=CUTOVER_JOB, **kwargs)

    def build(self, artifacts: RunArtifacts, tasks: Tasks | None = None) -> Report:
        from kafka_ferry.core.wave_journal import Journal
        from kafka_ferry.jobs.common.wave_journals import CUTOVER
        from kafka_ferry.jobs.cutover.live.tails import LAG
        from kafka_ferry.jobs.cutover.rules.asked import ASKED
        from kafka_ferry.jobs.cutover.rules.stopped import with_writers
        from kafka_ferry.jobs.cutover.rules.timeline import NOT_BEGUN, cutover_of
        from kafka_ferry.report.reading import Reader

        report = super().build(artifacts, tasks)
        reader = Reader(artifacts)
        asked, found = reader.mapping(ASKED), reader.mapping(CUTOVER)
        if not found:
            told = {**NOT_BEGUN, **{key: asked[key] for key in NOT_BEGUN if key in asked}}
            return report.model_copy(update={"cutover": told | self.more(reader)})
        journal = Journal.read(found)
        told = cutover_of(journal, reader.sequence(LAG), back=self.back) | {"told_by": asked.get("told_by")}
        checks = with_writers(report.checks, journal)
        return report.model_copy(update={"cutover": told | self.more(reader), "checks": checks})

    def more(self, reader: Reader) -> dict[str, Any]:
        """What else ``cutover`` of report.json has."""
        return {}

    def proves(self, report: Report) -> bool:
        return False
