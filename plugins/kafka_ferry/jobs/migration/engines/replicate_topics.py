"""Chosen topics under a new name, by one replicator on a Kafka Connect cluster, told as its REST API tells it."""

from __future__ import annotations

from typing import Any, cast

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.topic_rename import TOPIC
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import Readiness, Verdict
from kafka_ferry.jobs.migration.engines.emr_replicator_config import CONNECTOR_CLASS, EmrReplicatorIntent, config
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_connect import MirrorMaker2OnConnect
from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec, Replicator


class ReplicateTopics(MirrorMaker2OnConnect):
    """MirrorMaker 2 with the rename policy; EMR's connector is planned and validated only.

    We cannot read how far EMR's closed connector has come, so a run with it could prove nothing.
    """

    @property
    def spec(self) -> ReplicateSpec:
        return cast(ReplicateSpec, self.migration.spec)

    @property
    def is_emr(self) -> bool:
        return self.spec.replicator is Replicator.EMR

    def about(self) -> dict[str, Any]:
        if not self.is_emr:
            return {"replicator": self.spec.replicator.value, **super().about()}
        self._check_emr()
        version = self.connect.info().version
        return {"replicator": "emr", "conn_id": self.spec.connect_conn_id, "version": version, "connectors": self._emr}

    def changes(self) -> list[Change]:
        if not self.is_emr:
            return super().changes()
        made = self._emr_config()
        problems = self.connect.validate({**made, "name": self._emr[0]})
        if not problems.ok:
            raise BadParam("replicator", f"the worker refuses connector {self._emr[0]}: {problems}", "see the keys")
        return [Change(Action.CREATE, "connector", self._emr[0], f"{len(made)} keys")]

    def deploy(self) -> None:
        if self.is_emr:  # a run whose plan was marked as done by hand
            raise self._only_planned()
        super().deploy()

    def readiness(self) -> Readiness:
        found = super().readiness()
        if found.verdict is not Verdict.RUNNING:
            return found
        # As the reason, which the task's log shows whether the sensor or its trigger has seen it.
        return Readiness(found.verdict, "\n".join([found.reason, *self._task_lines()]))

    def _task_lines(self) -> list[str]:
        """The connectors of the worker, and of ours status and tasks."""
        lines = [f"GET /connectors: {', '.join(sorted(self.connect.connectors()))}"]
        for name in self.mirror.wanted:
            status = self.connect.status(name)
            lines.append(f"GET /connectors/{name}/status: {status.state} on {status.worker_id}")
            lines += [
                f"GET /connectors/{name}/tasks/{task.id}/status: {task.state} on {task.worker_id}"
                for task in status.tasks
            ]
        return lines

    @property
    def _emr(self) -> list[str]:
        return [f"{self.migration.name}.{CONNECTOR_CLASS}"]

    def _check_emr(self) -> None:
        known = [plugin.class_name for plugin in self.connect.plugins()]
        if not any(name.rpartition(".")[2] == CONNECTOR_CLASS for name in known):
            raise BadParam(
                "replicator",
                f"is emr, but the worker has no {CONNECTOR_CLASS}; it is a closed jar that only EMR's Connect clusters "
                "have",
                "replicator: mirror_maker2, or connect_conn_id of an EMR cluster",
            )
        if not self.spec.dry_run:
            raise self._only_planned()

    @staticmethod
    def _only_planned() -> BadParam:
        return BadParam(
            "replicator",
            "is emr, whose progress nobody outside can read: a run could prove nothing",
            "replicator: mirror_maker2; or dry_run: true, which validates the configuration for EMR's connector",
        )

    def _emr_config(self) -> dict[str, str]:
        spec, topics = self.spec, sorted(self.migration.topics.topics)
        try:
            return config(
                EmrReplicatorIntent(
                    source=self.connect.client_settings(spec.source_conn_id),
                    source_zookeeper=spec.source_zookeeper or "",
                    target_zookeeper=spec.target_zookeeper or "",
                    topics=topics,
                    rename_format=spec.topic_rename.format if spec.topic_rename else TOPIC,
                    max_poll_records=spec.max_poll_records,
                )
            )
        except ValueError as error:
            raise BadParam("replicator", f"is emr: {error}", "set what is missing, or use mirror_maker2") from error
