"""Start the engine, and take it away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.checks import Check
from kafka_ferry.core.leftovers import leftovers_check
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import LEFTOVERS, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.jobs.migration.live.migration import Migration


class DeployOperator(FerryOperator):
    """Start or adopt what moves the records; change only what differs. Returns what it runs as."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.core.finding import refuse
        from kafka_ferry.jobs.common.run_lock import acquire_lock, is_active
        from kafka_ferry.jobs.migration.engines.registry import engine_of
        from kafka_ferry.jobs.migration.live.flows import Flows
        from kafka_ferry.jobs.migration.live.handed_over import handed_over
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.live.removal import by_hand
        from kafka_ferry.jobs.migration.live.shared_names import migration_names

        migration, run = migration_of(context, self.engine), context["dag_run"]
        acquire_lock(context, *migration_names(migration))  # again: this run may have been cleared while another works
        flows = Flows(migration, run.dag_id, run.run_id, is_active(context))
        # First said, then looked: of two that start at the same moment at least one sees the other.
        flows.note()
        refuse(flows.findings())
        refuse(handed_over(migration, by_hand))  # a cleared run must not begin again what a cutover ended
        engine = engine_of(migration)
        engine.deploy()
        return engine.names


class RemoveOperator(FerryOperator):
    """Take the engine and all its traces away, or say how to stop it (``keep_replicating``).

    Leaves them alone when another run works on the same migration now. What a killed task has left of the target
    registry's settings is taken back in any case.
    """

    def execute_task(self, context: Context) -> dict[str, Any]:
        from contextlib import ExitStack

        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.live.registry import carrier_of
        from kafka_ferry.jobs.registry.live.journal import SettingsJournal

        with ExitStack() as both:  # one that does not answer keeps nobody from taking the other's away
            if carrier := carrier_of(migration_of(context, self.engine).spec):
                both.callback(carrier.take_back, SettingsJournal(RunArtifacts.of(context)))
            return self._remove(context)

    def _remove(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.common.run_lock import is_active, other_holder
        from kafka_ferry.jobs.migration.engines.registry import engine_of
        from kafka_ferry.jobs.migration.live.flows import Flows, forget
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.live.removal import how_to_stop, remove, remove_canary
        from kafka_ferry.jobs.migration.live.shared_names import own_name

        migration, artifacts = migration_of(context, self.engine), RunArtifacts.of(context)
        artifacts.discard(LEFTOVERS)  # of an earlier try: it says nothing about this one
        kept = how_to_stop(migration) if migration.spec.keep_replicating else ""
        if other := other_holder(context, own_name(migration)):
            kept = f"run {other} is working on this migration: its engine and topics are left alone"
        elif kept and (left := remove_canary(migration)):
            kept = f"{kept}\n# not deleted: {', '.join(left)}"
        if kept:
            self.log.info("%s", kept)
            _note(artifacts, leftovers_check(kept=kept))
            return {"kept": engine_of(migration).names}
        run = context["dag_run"]
        flows = Flows(migration, run.dag_id, run.run_id, is_active(context))
        flows.let_go()
        alias_is_anothers = self._alias_is_anothers(context, migration)
        removed = remove(migration, keep_topics=alias_is_anothers, others=flows.held_for_others)
        if not removed.left:
            forget(migration)
        _note(artifacts, leftovers_check(removed.left))
        if removed.left:
            kind = TransientError if removed.unanswered else FerryError
            raise kind(f"still present after the removal: {', '.join(removed.left)}. Fix: clear this task")
        return {"ended": removed.stopped, "topics": removed.topics}

    def _alias_is_anothers(self, context: Context, migration: Migration) -> bool:
        from kafka_ferry.jobs.common.run_lock import is_active, other_holder
        from kafka_ferry.jobs.migration.live.flows import Flows, known_as
        from kafka_ferry.jobs.migration.live.shared_names import alias_names

        run = context["dag_run"]
        try:
            names = alias_names(migration)
            target = known_as(migration.target) if names else set()
        except FerryError as fault:  # a target that does not answer: what runs must be ended all the same
            self.log.warning("could not check whether another migration uses the topics of this alias: %s", fault)
            return False
        other = other_holder(context, *names)
        flows = Flows(migration, run.dag_id, run.run_id, is_active(context))
        who = f"run {other}" if other else next(map(str, flows.keepers_of_alias(target)), "")
        if who:
            self.log.info("%s uses the topics of alias %r: they are kept", who, migration.spec.alias)
        return bool(who)


def _note(artifacts: RunArtifacts, check: Check) -> None:
    artifacts.write_json(LEFTOVERS, [check.model_dump(mode="json")])
