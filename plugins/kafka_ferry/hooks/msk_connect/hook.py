"""MSK Connect: connectors, and the whole hook."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kafka_ferry.core.config_diff import connector_config
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.client import cluster_error
from kafka_ferry.hooks.msk_connect.archives import ArchivesHook
from kafka_ferry.hooks.msk_connect.logs import log_tail
from kafka_ferry.hooks.msk_connect.rules.cluster import ConnectorCluster, cluster_of
from kafka_ferry.hooks.msk_connect.rules.connector import (
    Connector,
    Update,
    config_changes,
    immutable_differences,
    worker_setting_changes,
)
from kafka_ferry.hooks.msk_connect.rules.errors import (
    ConnectorFailed,
    DifferentResource,
    MskConnectUnavailable,
    NameTaken,
    OperationFailed,
    ResourceNotFound,
    StaleVersion,
)
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState, Operation, OperationState

with brought_by("aws"):
    from botocore.exceptions import BotoCoreError, ClientError

_VERSION_TRIES = 3


class MskConnectHook(ArchivesHook):
    """Interact with Amazon Managed Streaming for Kafka Connect.

    Provide thin wrapper around :external+boto3:py:class:`boto3.client("kafkaconnect") <KafkaConnect.Client>`, with
    create-or-adopt by name, updates that compare first, and waiters.

    Additional arguments (such as ``aws_conn_id``) may be specified and are passed down to the underlying AwsBaseHook.

    .. seealso::
        - :class:`airflow.providers.amazon.aws.hooks.base_aws.AwsBaseHook`
    """

    # -- looking -------------------------------------------------------------------------------------------------------

    def connector(self, arn: str) -> Connector:
        """A connector by its ARN.

        :raises ResourceNotFound: there is none.
        """
        return Connector.from_description(self.call("describe_connector", connectorArn=arn))

    def find_connector(self, name: str) -> Connector | None:
        """A connector by its exact name."""
        for found in self.pages("list_connectors", "connectors", connectorNamePrefix=name):
            if found["connectorName"] == name:
                try:
                    return self.connector(found["connectorArn"])
                except ResourceNotFound:  # deleted since it was listed
                    return None
        return None

    def operation(self, arn: str) -> Operation:
        """An operation by its ARN."""
        return Operation.from_description(self.call("describe_connector_operation", connectorOperationArn=arn))

    def running_operation(self, connector_arn: str) -> str | None:
        """ARN of the operation that is under way, also when somebody else began it."""
        for found in self.pages("list_connector_operations", "connectorOperations", connectorArn=connector_arn):
            if not OperationState(found["connectorOperationState"]).is_terminal:
                return str(found["connectorOperationArn"])
        return None

    def log_tail(self, connector: Connector, lines: int = 20) -> list[str]:
        """The last lines of its workers' log in CloudWatch; says so when it cannot be read."""
        return log_tail(self, connector, lines)

    def explained(self, connector_arn: str, reason: str) -> str:
        """A failure with the end of the connector's log, as far as it can be had."""
        try:
            lines = self.log_tail(self.connector(connector_arn))
        except ResourceNotFound:
            lines = []
        return "\n".join([reason, *(f"    {line}" for line in lines)])

    def connector_cluster(self, cluster_arn: str, authentication: str | None = None) -> ConnectorCluster:
        """Brokers, subnets, security groups and login of an MSK cluster, from its ARN alone.

        :raises BadParam: there is no such cluster, or it cannot be used by a connector.
        """
        kafka = self.sibling("kafka")
        try:
            description = kafka.describe_cluster_v2(ClusterArn=cluster_arn)["ClusterInfo"]
            brokers = kafka.get_bootstrap_brokers(ClusterArn=cluster_arn)
        except ClientError as error:
            raise cluster_error("cluster_arn", cluster_arn, dict(error.response.get("Error", {}))) from None
        except BotoCoreError as error:
            raise MskConnectUnavailable(f"cluster: {error}", type(error).__name__) from None
        return cluster_of(description, brokers, authentication)

    # -- creating and deleting -----------------------------------------------------------------------------------------

    def create_connector(self, request: Mapping[str, Any], *, replace_failed: bool = False) -> str:
        """Create a connector or adopt the one of this name; does not wait for RUNNING and changes nothing.

        :param request: arguments of ``create_connector``, such as ``ConnectorIntent.to_request`` gives.
        :param replace_failed: delete one that is FAILED and create it again. Unless its worker configuration names an
            ``offset.storage.topic`` of its own, the new one begins from the beginning.
        :return: its ARN.
        :raises DifferentResource: the one of this name differs in what cannot be changed.
        :raises ConnectorFailed: the one of this name is FAILED, and shall not be replaced.
        """
        name = request["connectorName"]
        config = connector_config(request["connectorConfiguration"])
        wanted = {**request, "connectorConfiguration": config}
        found = self.find_connector(name)
        if found is not None and self._adopt(found, wanted, replace_failed):
            return found.arn
        try:
            return str(self.call("create_connector", **wanted)["connectorArn"])
        except NameTaken:
            # Between the look and the call, or by a call of ours whose answer was lost.
            found = self.find_connector(name)
            if found is None or not self._adopt(found, wanted, replace_failed=False):
                raise
            return found.arn

    def _adopt(self, found: Connector, wanted: Mapping[str, Any], replace_failed: bool) -> bool:
        """Whether the connector found is the one to use; False once it is gone."""
        if found.state is ConnectorState.FAILED and not replace_failed:
            fix = "delete it, or set replace_failed (its position is kept only in an offset.storage.topic)"
            reason = f"connector {found.name} is FAILED: {found.reason}. Fix: {fix}"
            raise ConnectorFailed(self.explained(found.arn, reason))
        if found.state is ConnectorState.FAILED:
            self.log.info("Connector %s is FAILED: recreated", found.name)
            self.delete_connector(found.arn)
        if found.state in (ConnectorState.FAILED, ConnectorState.DELETING):
            self.wait_until_gone("connector_deleted", connectorArn=found.arn)
            return False
        if differences := immutable_differences(wanted, found):
            problem = f"connector {found.name} exists, and its {'; its '.join(differences)}"
            raise DifferentResource(f"{problem}. Fix: delete it first, or use another name")
        self.log.info("Connector %s exists: adopted", found.name)
        return True

    def delete_connector(self, arn: str) -> bool:
        """Delete; one that does not exist is deleted already. Does not wait.

        Its internal topics ``__amazon_msk_connect_*`` stay on the cluster: MSK Connect never removes them.

        :return: whether it existed.
        """
        try:
            if self.connector(arn).state is not ConnectorState.DELETING:
                self.call("delete_connector", connectorArn=arn)
        except ResourceNotFound:
            return False
        return True

    # -- changing ------------------------------------------------------------------------------------------------------

    def changes(self, arn: str, request: Mapping[str, Any]) -> list[str]:
        """What :meth:`next_update` has still to do, one line each, without secrets."""
        found = self.connector(arn)
        lines = []
        if "connectorConfiguration" in request:
            lines += config_changes(request["connectorConfiguration"], found)
        return lines + [f"~ {member}" for member in worker_setting_changes(request, found)]

    def next_update(
        self,
        arn: str,
        request: Mapping[str, Any],
        *,
        skip_health_validation: bool | None = None,
        made: Collection[str] = (),
    ) -> tuple[Update, str] | None:
        """Begin the next update towards the desired connector, if there is one to make; nothing equal is ever sent.

        Config and workers need a call each. Wait for the operation, then call again until it gives None.

        :param request: members of ``create_connector``; those that are missing are left as they are.
        :param skip_health_validation: None skips it only where it must be: on a PAUSED connector.
        :param made: kinds that are COMPLETE already; they are not sent twice, whatever the description says.
        :return: kind of update and ARN of its operation.
        :raises DifferentResource: a member differs that cannot be changed.
        :raises StaleVersion: somebody else keeps changing the connector.
        """
        for attempt in range(_VERSION_TRIES):
            found = self.connector(arn)
            if differences := immutable_differences(request, found):
                raise DifferentResource(
                    f"connector {found.name}: its {'; its '.join(differences)}, which cannot be changed"
                )
            update = self._update_of(request, found, made)
            if update is None:
                return None
            kind, members = update
            if skip_health_validation or (skip_health_validation is None and found.state is ConnectorState.PAUSED):
                members["skipHealthValidation"] = True
            try:
                answer = self.call("update_connector", connectorArn=arn, currentVersion=found.version, **members)
            except StaleVersion:
                if attempt + 1 == _VERSION_TRIES:
                    raise
                self.log.info("Connector %s was changed by someone else: reading it again", found.name)
                continue
            return kind, str(answer["connectorOperationArn"])
        raise AssertionError("the last try returns or raises")

    def _update_of(
        self, request: Mapping[str, Any], found: Connector, made: Collection[str]
    ) -> tuple[Update, dict[str, Any]] | None:
        if Update.WORKER_SETTING not in made and (members := worker_setting_changes(request, found)):
            self.log.info("Connector %s: %s differ", found.name, ", ".join(members))
            return Update.WORKER_SETTING, members
        if Update.CONFIGURATION in made or "connectorConfiguration" not in request:
            return None
        if lines := config_changes(request["connectorConfiguration"], found):
            self.log.info("Connector %s: %d changes\n%s", found.name, len(lines), "\n".join(lines))
            config = connector_config(request["connectorConfiguration"])
            return Update.CONFIGURATION, {"connectorConfiguration": config}
        return None

    def confirm(self, arn: str, request: Mapping[str, Any]) -> None:
        """After the updates: the connector is what was asked for.

        :raises OperationFailed: MSK Connect said COMPLETE, and it is not.
        """
        if left := self.changes(arn, request):
            raise OperationFailed("the updates are COMPLETE, but the connector differs:\n" + "\n".join(left))

    def pause(self, arn: str) -> str | None:
        """Begin to pause; ARN of the operation, None when it is PAUSED already."""
        return self._to(arn, "pause_connector", ConnectorState.PAUSED, ConnectorState.PAUSING)

    def resume(self, arn: str) -> str | None:
        """Begin to resume; ARN of the operation, None when it is RUNNING already."""
        return self._to(arn, "resume_connector", ConnectorState.RUNNING, ConnectorState.RESUMING)

    def restart(self, arn: str, *, only_failed_tasks: bool = False) -> str:
        """Begin to restart; ARN of the operation."""
        return str(
            self.call("restart_connector", connectorArn=arn, onlyFailedTasks=only_failed_tasks)["connectorOperationArn"]
        )

    def _to(self, arn: str, operation: str, aim: ConnectorState, on_the_way: ConnectorState) -> str | None:
        state = self.connector(arn).state
        if state is aim:
            return None
        if state is on_the_way and (running := self.running_operation(arn)):
            return running  # begun before, by a try of this task that was killed
        return str(self.call(operation, connectorArn=arn)["connectorOperationArn"])
