"""Give the target the source's topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.changes import Action
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.migration.rules.provision import topic_changes
from kafka_ferry.report.artifacts import RunArtifacts
from kafka_ferry.report.plan_lines import first_lines

if TYPE_CHECKING:
    from airflow.sdk import Context

_USABLE_SECONDS = 300  # 2,000 partitions took 10 s on one small broker


class ProvisionTopicsOperator(FerryOperator):
    """Register the schemas of ``schema_ids``; create missing target topics, grow partitions, set configs. What is right
    stays.

    ACLs of ``acls=copy`` are made by ``validate``, when all has been read back: one of them may stop the copy.

    MirrorMaker 2 would create topics too, but leaves configs out and, when it fails, lets brokers auto-create them with
    a partition count of their own.

    With ``provision_through=msk_api`` MSK makes the topics, and the target's brokers are not asked.
    """

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.live.registry import carrier_of
        from kafka_ferry.jobs.migration.live.topic_admin import topic_admin
        from kafka_ferry.jobs.registry.live.stage import carry

        migration = migration_of(context, self.engine)
        if carrier := carrier_of(migration.spec):  # before the records, so that who reads them there can
            carry(context, carrier, RunArtifacts.of(context))
        admin = topic_admin(migration)
        desired = migration.desired_topics(migration.topics.topics.values())
        changes = topic_changes(desired, admin.topics([topic.name for topic in desired]))
        to_do = [str(change.change) for change in changes if change.action is not Action.NONE]
        if to_do:
            self.log.info("%d changes:\n%s", len(to_do), "\n".join(first_lines(to_do, "changes")))
        admin.create_topics(change.desired for change in changes if change.action is Action.CREATE)
        admin.grow_partitions({change.desired.name: change.grow_to for change in changes if change.grow_to})
        admin.set_configs({change.desired.name: dict(change.set_configs) for change in changes if change.set_configs})
        partitions = [(topic.name, p) for topic in desired for p in range(topic.partitions)]
        admin.wait_until_usable(partitions, _USABLE_SECONDS)
        counts = {str(action): sum(change.action is action for change in changes) for action in Action}
        self.log.info("%d target topics are up to date: %s", len(desired), counts)
        return counts
