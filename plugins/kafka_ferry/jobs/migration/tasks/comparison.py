"""Begin a comparison of two clusters as they are: freeze what must be on the target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pendulum

from kafka_ferry.core.plan import PlannedTopic, Side
from kafka_ferry.core.table import table
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.naming import refuse_shared_targets
from kafka_ferry.jobs.migration.rules.plan import ComparisonPlan
from kafka_ferry.jobs.migration.rules.watch import freeze
from kafka_ferry.report.artifacts import FROZEN, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class FreezeOperator(PlanningOperator):
    """Resolve the topics, freeze the source's ends, and wait for a target that somebody is still filling."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.migration.live.catch_up import wait_for_tails
        from kafka_ferry.jobs.migration.live.migration import Migration
        from kafka_ferry.jobs.migration.live.schema_ids import refuse_no_registry

        run = context["dag_run"]
        spec = self.asked(context, ComparisonSpec)
        refuse_no_registry(spec)
        migration, artifacts = Migration(run.dag_id, spec), RunArtifacts.of(context)
        source, target = migration.source.admin.describe_cluster(), migration.target.admin.describe_cluster()
        targets = migration.topics.targets(spec)
        refuse_shared_targets(targets, "rename")
        partitions = migration.topics.partitions
        frozen = freeze(
            migration.source.admin, migration.target.admin, partitions, targets, spec.isolation_level, record_bytes={}
        )
        frozen = replace(frozen, record_bytes=migration.record_bytes(frozen.begins, frozen.ends))
        plan = ComparisonPlan(
            planned=pendulum.now("UTC").isoformat(),
            spec=spec.model_dump(mode="json"),
            source=Side(conn_id=spec.source_conn_id, cluster_id=source.cluster_id, brokers=source.brokers),
            target=Side(conn_id=spec.target_conn_id, cluster_id=target.cluster_id, brokers=target.brokers),
            topics=[PlannedTopic(source=name, target=there) for name, there in targets.items()],
        )
        write_plan(artifacts, plan)
        artifacts.write_json(FROZEN, {"planned": plan.planned} | frozen.to_json())
        rows = [[name, there, migration.topics.topics[name].partitions] for name, there in targets.items()]
        self.log.info("to compare:\n%s", table(["source topic", "target topic", "partitions"], rows))
        late = wait_for_tails(migration, frozen, spec.catch_up_timeout)
        for topic, partition in late[:20]:
            self.log.warning("%s-%d: its last record was not found on the target", topic, partition)
        return {"topics": len(targets), "partitions": len(partitions), "late": len(late)}
