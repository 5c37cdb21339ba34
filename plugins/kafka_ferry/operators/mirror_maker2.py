"""Start MirrorMaker 2 on a Kafka Connect cluster, and take it away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.exceptions import FerryError, NotAuthorized, OutsideFault
from kafka_ferry.hooks.canary import delete_canary
from kafka_ferry.hooks.migration import Migration, migration_of
from kafka_ferry.hooks.mirror_maker2 import deploy
from kafka_ferry.hooks.retention import held_topics, put_limits_back
from kafka_ferry.hooks.run_lock import claim, other_holder
from kafka_ferry.migration.canary import canary_topic
from kafka_ferry.operators.base import FerryOperator
from kafka_ferry.report.leftovers import leftovers_check
from kafka_ferry.report.model import Check
from kafka_ferry.report.storage import LEFTOVERS, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeployMirrorMaker2Operator(FerryOperator):
    """Create or adopt the migration's connectors. Returns connector to expected tasks."""

    def ferry(self, context: Context) -> dict[str, int]:
        migration = migration_of(context)
        claim(context, migration.spec.migration)  # again: this run may have been cleared while another one works
        return deploy(migration)


class RemoveMirrorMaker2Operator(FerryOperator):
    """Delete the migration's connectors, their offsets and MirrorMaker 2's own topics, or say how to stop them.

    Asks neither source nor target for anything it can know without them: it must work when they are dead.
    """

    def ferry(self, context: Context) -> dict[str, Any]:
        migration, artifacts = migration_of(context), RunArtifacts.of(context)
        if other := other_holder(context, migration.spec.migration):
            text = f"run {other} works on this migration now: its connectors and topics are left alone"
            self.log.warning("%s", text)
            _note(artifacts, leftovers_check(kept=text))
            return {"kept": migration.wanted_connectors}
        if migration.spec.keep_replicating:
            text = _how_to_stop(migration)
            self.log.info("%s", text)
            _note(artifacts, leftovers_check(kept=text))
            return {"kept": migration.wanted_connectors}
        removed = [name for name in migration.connector_names if migration.connect.delete(name, reset_offsets=True)]
        topics = migration.target.admin.delete_topics(self._own_topics(migration))
        canary = _delete_canary(migration) if migration.spec.canary else []
        self.log.info("removed connectors: %s; topics: %s", removed or "none", topics or "none")
        left = [*self._left(migration), *canary, *_put_back(migration)]
        _note(artifacts, leftovers_check(left))
        if left:
            raise FerryError(f"still there after the removal: {', '.join(left)}. Cure: clear this task")
        return {"connectors": removed, "topics": topics}

    def _own_topics(self, migration: Migration) -> list[str]:
        own = list(migration.residue())
        if migration.spec.heartbeats and migration.heartbeats_are_ours():
            own.append("heartbeats")
        return own

    def _left(self, migration: Migration) -> list[str]:
        there = set(migration.connect.connectors())
        topics = migration.target.admin.topic_ids(migration.residue())
        return [f"connector {name}" for name in migration.connector_names if name in there] + [
            f"topic {name} on {migration.spec.target_conn_id}" for name in topics
        ]


def _note(artifacts: RunArtifacts, check: Check) -> None:
    artifacts.write_json(LEFTOVERS, [check.model_dump(mode="json")])


def _put_back(migration: Migration) -> list[str]:
    """End a hold that the checks did not come to end. Returns what may be left of it.

    Only a hold needs the source, which may be dead.
    """
    held = held_topics(migration)
    try:
        if held:
            put_limits_back(migration)
    except FerryError as error:
        return [f"limits that are off during a copy, on {', '.join(held[:10])}: {error}"]
    return []


def _delete_canary(migration: Migration) -> list[str]:
    """Returns what may be left: the source may be dead, and that must not keep the rest from being removed."""
    try:
        delete_canary(migration)
    except NotAuthorized:
        return []  # it is deleted before it is made: then it was never made
    except OutsideFault as fault:
        return [f"topic {canary_topic(migration.spec.migration)}, perhaps: {fault}"]
    return []


def _how_to_stop(migration: Migration) -> str:
    names = migration.wanted_connectors
    deletes = "\n".join(f"  curl -X DELETE $CONNECT/connectors/{name}" for name in names)
    return (
        f"keep_replicating: replication goes on with {', '.join(names)}. To stop it and clean up, trigger this DAG "
        f"again with the same params and keep_replicating off; or delete the connectors by hand:\n{deletes}\n"
        f"then the topics {', '.join(migration.residue())} on {migration.spec.target_conn_id}"
    )
