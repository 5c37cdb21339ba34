"""A migration's own tasks, run in order without a scheduler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.specs import spec_of
from kafka_ferry.jobs.migration.tasks.canary import CanaryOperator
from kafka_ferry.jobs.migration.tasks.converge import ConvergenceSensor
from kafka_ferry.jobs.migration.tasks.engine import DeployOperator, RemoveOperator
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.groups import TranslateGroupsOperator
from kafka_ferry.jobs.migration.tasks.plan import PlanOperator
from kafka_ferry.jobs.migration.tasks.report import MigrationReportOperator
from kafka_ferry.jobs.migration.tasks.topics import ProvisionTopicsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator
from kafka_ferry.jobs.migration.tasks.wait_until_running import MigrationRunningSensor
from tasks_by_hand import TasksByHand

FAST = {"poll_interval": 0.5, "running_timeout": 60, "convergence_timeout": 120, "no_progress_timeout": 60}


class Run(TasksByHand):
    """One run of a migration's DAG."""

    def __init__(self, dag_id: str, engine: str = "mirror_maker2_on_connect", **params: Any) -> None:
        params = {**FAST, **params}
        self.migration = Migration(dag_id, spec_of(engine).from_params(params))
        super().__init__(dag_id, self.migration.spec.migration, engine, params)

    def plan(self) -> dict[str, Any]:
        self.do(PlanOperator, "plan")
        return self.written("plan.json")

    def provision(self) -> None:
        self.do(ProvisionTopicsOperator, "provision_topics")

    def deploy(self) -> None:
        self.do(DeployOperator, "deploy")

    def wait_until_running(self) -> None:
        self.do(MigrationRunningSensor, "wait_until_running")

    def remove(self) -> None:
        self.do(RemoveOperator, "remove")

    def prove(self) -> None:
        self.do(ConvergenceSensor, "wait_until_converged")
        for shard in self.do(ShardsOperator, "shards"):
            self.do(FingerprintOperator, "fingerprint", shard=shard)
        self.do(TranslateGroupsOperator, "translate_groups")
        self.do(ValidateOperator, "validate")

    def report(self) -> dict[str, Any]:
        self.do(MigrationReportOperator, "report")
        return self.written("report.json")

    def whole(self, meanwhile: Callable[[], None] = lambda: None) -> tuple[dict[str, Any], dict[str, Any]]:
        """All tasks; ``meanwhile`` is called while the connectors run. Returns plan.json and report.json."""
        plan = self.plan()
        self.provision()
        try:
            self.deploy()
            self.wait_until_running()
            meanwhile()
            self.do(CanaryOperator, "canary")
            self.prove()
        finally:
            self.remove()
        return plan, self.report()

    def leftovers(self) -> list[str]:
        engine = engine_of(self.migration)
        return [*engine.left(), *KafkaAdmin(self.migration.target.extra, "t").topic_ids(engine.own_topics())]
