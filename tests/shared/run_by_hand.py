"""A DAG's own tasks, run in order without a scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import TaskDeferred

from kafka_ferry.hooks.engines import engine_of
from kafka_ferry.hooks.kafka_admin import KafkaAdmin
from kafka_ferry.hooks.migration import Migration
from kafka_ferry.migration.specs import spec_of
from kafka_ferry.operators.canary import CanaryOperator
from kafka_ferry.operators.engine import DeployOperator, RemoveOperator
from kafka_ferry.operators.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.operators.groups import TranslateGroupsOperator
from kafka_ferry.operators.plan import PlanOperator
from kafka_ferry.operators.report import ReportOperator
from kafka_ferry.operators.topics import ProvisionTopicsOperator
from kafka_ferry.operators.validate import ValidateOperator
from kafka_ferry.report.storage import RunArtifacts
from kafka_ferry.sensors.convergence import ConvergenceSensor
from kafka_ferry.sensors.migration import MigrationRunningSensor

FAST = {"poll_interval": 0.5, "running_timeout": 60, "convergence_timeout": 120, "no_progress_timeout": 60}


class Run:
    """One run of the DAG without a scheduler; it remembers all that a user could see of it."""

    def __init__(self, dag_id: str, engine: str = "mirror_maker2_on_connect", **params: Any) -> None:
        self.dag_id, self.engine = dag_id, engine
        self.params = {**FAST, **params}
        self.migration = Migration(dag_id, spec_of(engine).from_params(self.params))
        self.artifacts = RunArtifacts(dag_id, self.migration.spec.migration)
        self.seen: list[str] = []  # XComs and rendered fields

    def context(self, task: str) -> Any:
        ti = SimpleNamespace(
            task_id=task,
            map_index=-1,
            try_number=1,
            xcom_push=lambda **kw: self.seen.append(str(kw)),
            get_dr_count=lambda **_: 0,  # Airflow knows of no run
        )
        run = SimpleNamespace(dag_id=self.dag_id, run_id=self.migration.spec.migration, conf=self.params)
        return {"dag_run": run, "params": self.params, "ti": ti}

    def do(self, kind: type[Any], task_id: str, **more: Any) -> Any:
        """Execute a task; a deferred one is waited for as the triggerer does."""
        operator = kind(task_id=task_id, engine=self.engine, **more)
        context = self.context(task_id)
        try:
            result = operator.execute(context)
        except TaskDeferred as deferred:
            self.seen.append(str(deferred.trigger.serialize()))
            event: Any = asyncio.run(anext(deferred.trigger.run()))
            result = operator.execute_complete(context, event.payload)
        self.seen.append(str(result))
        self.seen += [str(getattr(operator, field)) for field in operator.template_fields]
        return result

    def plan(self) -> dict[str, Any]:
        self.do(PlanOperator, "plan")
        plan: dict[str, Any] = self.artifacts.read_json("plan.json")
        return plan

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
        self.do(ReportOperator, "report")
        report: dict[str, Any] = self.artifacts.read_json("report.json")
        return report

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
