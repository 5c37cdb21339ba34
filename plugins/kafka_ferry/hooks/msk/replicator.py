"""MSK Replicator: created or adopted, updated by difference, deleted; and how far CloudWatch says it is behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from kafka_ferry.core.arns import region_of
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.client import MskClient, cluster_error
from kafka_ferry.hooks.msk.rules.cluster import ReplicatorCluster, check_arn, check_pair, check_region, cluster_end
from kafka_ferry.hooks.msk.rules.replicator import (
    Replicator,
    ReplicatorIntent,
    ReplicatorState,
    change_lines,
    immutable_differences,
    replication_changes,
)
from kafka_ferry.hooks.msk_connect.rules.errors import (
    DifferentResource,
    MskConnectUnavailable,
    NameTaken,
    OperationFailed,
    ReplicatorFailed,
    ResourceNotFound,
    StaleVersion,
)

with brought_by("aws"):
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

_VERSION_TRIES = 3
_METRIC_MINUTES = 10
#: A hint is not worth waiting for: boto3's own patience is minutes where CloudWatch cannot be reached.
_QUICKLY = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})


class MskReplicatorHook(MskClient):
    """Interact with Amazon MSK Replicator.

    Provide thin wrapper around :external+boto3:py:class:`boto3.client("kafka") <Kafka.Client>`, with create-or-adopt by
    name, updates that compare first, and waiters.

    Additional arguments (such as ``aws_conn_id``) may be specified and are passed down to the underlying AwsBaseHook.

    .. seealso::
        - :class:`airflow.providers.amazon.aws.hooks.base_aws.AwsBaseHook`
    """

    next_page: ClassVar[str] = "NextToken"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "kafka"
        super().__init__(*args, **kwargs)
        self._no_metrics = False

    # -- looking -------------------------------------------------------------------------------------------------------

    def replicator(self, arn: str) -> Replicator:
        """A replicator by its ARN.

        :raises ResourceNotFound: there is none.
        """
        return Replicator.from_description(self.call("describe_replicator", ReplicatorArn=arn))

    def find_replicator(self, name: str) -> Replicator | None:
        """A replicator by its exact name."""
        for found in self.pages("list_replicators", "Replicators", ReplicatorNameFilter=name):
            if found["ReplicatorName"] == name:
                try:
                    return self.replicator(found["ReplicatorArn"])
                except ResourceNotFound:  # deleted since it was listed
                    return None
        return None

    def ends(self, source: str | ReplicatorCluster, target_arn: str) -> tuple[ReplicatorCluster, ReplicatorCluster]:
        """Both clusters; MSK's with their subnets and security groups from their ARNs alone.

        :param source: an ARN; or a Kafka that is not MSK's, or another account's.
        :raises BadParam: one replicator cannot stand between them.
        """
        check_arn("cluster_arn", target_arn)
        if isinstance(source, ReplicatorCluster):
            check_region(target_arn, self.conn_region_name)
            return source, self._end("cluster_arn", target_arn)
        check_arn("source_cluster_arn", source)
        check_pair(source, target_arn, self.conn_region_name)
        return self._end("source_cluster_arn", source), self._end("cluster_arn", target_arn)

    def _end(self, param: str, arn: str) -> ReplicatorCluster:
        kafka = self.sibling("kafka", region_of(arn))
        try:
            return cluster_end(param, kafka.describe_cluster_v2(ClusterArn=arn)["ClusterInfo"])
        except ClientError as error:
            raise cluster_error(param, arn, dict(error.response.get("Error", {}))) from None
        except BotoCoreError as error:
            raise MskConnectUnavailable(f"{param}: {error}", type(error).__name__) from None

    def message_lag(self, name: str) -> float | None:
        """``MessageLag`` of CloudWatch, the latest of some minutes; None when there is none or it may not be read.

        A hint only: it counts what the replicator has not consumed yet, not what is missing on the target (developer
        guide, "Metrics reference"). Once it could not be read, it is not asked for again.
        """
        if self._no_metrics:
            return None
        now = datetime.now(UTC)
        try:
            found = self.sibling("cloudwatch", config=_QUICKLY).get_metric_statistics(
                Namespace="AWS/Kafka",
                MetricName="MessageLag",
                Dimensions=[{"Name": "ReplicatorName", "Value": name}],
                StartTime=now - timedelta(minutes=_METRIC_MINUTES),
                EndTime=now,
                Period=60,
                Statistics=["Sum"],
            )
        except (BotoCoreError, ClientError) as error:
            self.log.info("MessageLag of %s cannot be read: %s", name, error)
            self._no_metrics = True
            return None
        points = sorted(found["Datapoints"], key=lambda point: point["Timestamp"])
        return float(points[-1]["Sum"]) if points else None

    # -- creating and deleting -----------------------------------------------------------------------------------------

    def create_replicator(self, wanted: ReplicatorIntent, *, replace_failed: bool = False) -> str:
        """Create a replicator or adopt the one of this name; does not wait for RUNNING and changes nothing.

        :param replace_failed: delete one that is FAILED and create it again, which begins at ``starting_position``:
            with EARLIEST all is copied a second time.
        :return: its ARN.
        :raises DifferentResource: the one of this name differs in what cannot be changed.
        :raises ReplicatorFailed: the one of this name is FAILED, and shall not be replaced.
        """
        found = self.find_replicator(wanted.name)
        if found is not None and self._adopt(found, wanted, replace_failed):
            return found.arn
        try:
            return str(self.call("create_replicator", **wanted.to_request())["ReplicatorArn"])
        except NameTaken:
            # Between the look and the call, or by a call of ours whose answer was lost.
            found = self.find_replicator(wanted.name)
            if found is None or not self._adopt(found, wanted, replace_failed=False):
                raise
            return found.arn

    def _adopt(self, found: Replicator, wanted: ReplicatorIntent, replace_failed: bool) -> bool:
        """Whether the replicator found is the one to use; False once it is gone."""
        if found.state is ReplicatorState.FAILED and not replace_failed:
            raise ReplicatorFailed(f"{found}. Fix: delete it, or set replace_failed, which starts over")
        if found.state is ReplicatorState.FAILED:
            self.log.info("%s: recreated", found)
            self.delete_replicator(found.arn)
        if found.state in (ReplicatorState.FAILED, ReplicatorState.DELETING):
            self.wait_until_gone("replicator_deleted", ReplicatorArn=found.arn)
            return False
        if differences := immutable_differences(wanted, found):
            problem = f"replicator {found.name} exists, and its {'; its '.join(differences)}"
            raise DifferentResource(f"{problem}. Fix: delete it first, or use another name")
        self.log.info("Replicator %s exists: adopted", found.name)
        return True

    def delete_replicator(self, arn: str) -> bool:
        """Delete; one that does not exist is deleted already. Does not wait.

        :return: whether it existed.
        """
        try:
            if self.replicator(arn).state is not ReplicatorState.DELETING:
                self.call("delete_replicator", ReplicatorArn=arn)
        except ResourceNotFound:
            return False
        return True

    # -- changing ------------------------------------------------------------------------------------------------------

    def update_replicator(self, arn: str, wanted: ReplicatorIntent) -> bool:
        """Begin the update that makes the replicator match the desired state; nothing equal is ever sent.

        An update has no operation to ask: wait until it is RUNNING again, then call :meth:`confirm`.

        :return: whether there was anything to do.
        :raises DifferentResource: something differs that cannot be changed.
        :raises StaleVersion: somebody else keeps changing it.
        """
        for attempt in range(_VERSION_TRIES):
            found = self.replicator(arn)
            if differences := immutable_differences(wanted, found):
                raise DifferentResource(
                    f"replicator {found.name}: its {'; its '.join(differences)}, which cannot be changed"
                )
            changes = replication_changes(wanted, found)
            if not changes:
                return False
            self.log.info("Replicator %s:\n%s", found.name, "\n".join(change_lines(wanted, found)))
            try:
                self.call("update_replication_info", ReplicatorArn=arn, CurrentVersion=found.version, **changes)
            except StaleVersion:
                if attempt + 1 == _VERSION_TRIES:
                    raise
                self.log.info("Replicator %s was changed by someone else: reading it again", found.name)
                continue
            return True
        raise AssertionError("the last try returns or raises")

    def confirm(self, arn: str, wanted: ReplicatorIntent) -> None:
        """After the update: the replicator is what was asked for.

        :raises OperationFailed: it is RUNNING, and is not.
        """
        found = self.replicator(arn)
        if left := change_lines(wanted, found):
            raise OperationFailed(f"replicator {found.name} was updated, but differs:\n" + "\n".join(left))
