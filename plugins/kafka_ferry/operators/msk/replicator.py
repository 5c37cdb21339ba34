"""Operators for MSK Replicator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from kafka_ferry.exceptions import BadParam
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.hooks.msk.rules.cluster import ReplicatorCluster
from kafka_ferry.hooks.msk.rules.replicator import Compression, ReplicatorIntent, StartingPosition, TopicNaming
from kafka_ferry.operators.msk_connect.base import MskOperator

with brought_by("aws"):
    from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

Kind = TypeVar("Kind", bound=StrEnum)


class MskCreateReplicatorOperator(MskOperator[MskReplicatorHook]):
    """Create a replicator between two MSK clusters, or adopt the one of this name, and wait until it is RUNNING.

    An existing one is compared: topics and groups are updated, what cannot be changed is refused by name. So clearing
    or retrying the task is safe.

    Example::

        MskCreateReplicatorOperator(
            task_id="replicator",
            replicator_name="old-to-new",
            source_cluster_arn="arn:aws:kafka:…",
            cluster_arn="arn:aws:kafka:…",
            service_execution_role_arn="arn:aws:iam::…:role/replicator",
            topics=["orders.*"],
        )

    Known limitation: RUNNING says nothing about records moving.

    :param replicator_name: its name: letters, digits and hyphens. (templated)
    :param source_cluster_arn: MSK cluster read from; its subnets and security groups are taken from it. (templated)
    :param source: in its place a Kafka that is not MSK's, or another account's: arguments of ``ReplicatorCluster``:
        ``cluster_id``, ``bootstrap_servers``, ``subnets``, ``security_groups``, ``authentication``, ``root_ca``.
        (templated)
    :param cluster_arn: MSK cluster written to, in the region of the connection. (templated)
    :param service_execution_role_arn: role of the replicator. (templated)
    :param topics, exclude_topics, groups, exclude_groups: regular expressions. (templated)
    :param starting_position: EARLIEST copies existing records; LATEST, the service's own default, skips them.
    :param naming: IDENTICAL, or PREFIXED_WITH_SOURCE_CLUSTER_ALIAS, the service's own default.
    :param compression: NONE, GZIP, SNAPPY, LZ4 or ZSTD, for what is written to the target.
    :param log_group: CloudWatch log group. (templated)
    :param replace_failed: delete a FAILED one and create it again, which starts from ``starting_position``.
    :param intent_kwargs: further arguments of ``ReplicatorIntent``. (templated)
    :return: ARN of the replicator.
    """

    aws_hook_class = MskReplicatorHook
    template_fields: Sequence[str] = aws_template_fields(
        "replicator_name", "source_cluster_arn", "cluster_arn", "service_execution_role_arn", "topics",
        "exclude_topics", "groups", "exclude_groups", "log_group", "intent_kwargs", "source",
    )  # fmt: skip
    template_fields_renderers: ClassVar[dict[str, str]] = {"intent_kwargs": "json", "source": "json"}

    def __init__(
        self,
        *,
        replicator_name: str,
        cluster_arn: str,
        service_execution_role_arn: str,
        topics: Sequence[str],
        source_cluster_arn: str | None = None,
        source: Mapping[str, Any] | None = None,
        exclude_topics: Sequence[str] = (),
        groups: Sequence[str] = (".*",),
        exclude_groups: Sequence[str] = (),
        starting_position: str = "EARLIEST",
        naming: str = "IDENTICAL",
        compression: str = "NONE",
        log_group: str | None = None,
        replace_failed: bool = False,
        intent_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replicator_name = replicator_name
        self.source_cluster_arn, self.source, self.cluster_arn = source_cluster_arn, source, cluster_arn
        self.service_execution_role_arn = service_execution_role_arn
        self.topics, self.exclude_topics = topics, exclude_topics
        self.groups, self.exclude_groups = groups, exclude_groups
        self.starting_position, self.naming, self.compression = starting_position, naming, compression
        self.log_group = log_group
        self.replace_failed = replace_failed
        self.intent_kwargs = intent_kwargs or {}

    def intent(self) -> ReplicatorIntent:
        """The desired replicator.

        :raises BadParam: MSK would reject it.
        """
        source, target = self.hook.ends(self._source(), self.cluster_arn)
        return ReplicatorIntent(
            name=self.replicator_name,
            source=source,
            target=target,
            role_arn=self.service_execution_role_arn,
            topics=self.topics,
            topics_exclude=self.exclude_topics,
            groups=self.groups,
            groups_exclude=self.exclude_groups,
            starting_position=_one_of(StartingPosition, "starting_position", self.starting_position),
            naming=_one_of(TopicNaming, "naming", self.naming),
            compression=_one_of(Compression, "compression", self.compression),
            log_group=self.log_group,
            **self.intent_kwargs,
        )

    def _source(self) -> str | ReplicatorCluster:
        if bool(self.source_cluster_arn) == bool(self.source):
            problem = "is given beside source" if self.source else "is missing"
            raise BadParam("source_cluster_arn", problem, "one of the two: an ARN, or source for a Kafka outside MSK")
        if not self.source:
            return str(self.source_cluster_arn)
        lists = {name: tuple(self.source.get(name, ())) for name in ("subnets", "security_groups")}
        try:
            return ReplicatorCluster(**{**self.source, **lists})
        except TypeError as error:
            raise BadParam("source", str(error).rpartition("() ")[2], "arguments of ReplicatorCluster") from None

    def act(self) -> str:
        """Create or adopt, wait until it runs, then update what differs."""
        arn: str = self.hook.create_replicator(self.intent(), replace_failed=self.replace_failed)
        if not self.wait_for_completion:
            return arn
        self.await_("replicator_running", arn, ReplicatorArn=arn)
        return self.done(arn, {})

    def done(self, arn: str, event: Mapping[str, Any]) -> str:
        """Update what differs, once; then confirm that it matches, or fail naming what still differs."""
        wanted = self.intent()
        if not event.get("updated") and self.hook.update_replicator(arn, wanted):
            self.await_("replicator_running", arn, {"updated": True}, ReplicatorArn=arn)
        self.hook.confirm(arn, wanted)
        return arn


class MskDeleteReplicatorOperator(MskOperator[MskReplicatorHook]):
    """Delete a replicator and wait until it is deleted; one that does not exist counts as deleted.

    :param replicator_arn: its ARN. (templated)
    """

    aws_hook_class = MskReplicatorHook
    template_fields: Sequence[str] = aws_template_fields("replicator_arn")

    def __init__(self, *, replicator_arn: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.replicator_arn = replicator_arn

    def act(self) -> str:
        """Delete and wait."""
        if self.hook.delete_replicator(self.replicator_arn):
            self.await_("replicator_deleted", self.replicator_arn, ReplicatorArn=self.replicator_arn)
        return self.replicator_arn


def _one_of(kind: type[Kind], param: str, value: str) -> Kind:
    try:
        return kind(value)
    except ValueError:
        raise BadParam(param, f"{value!r} is unknown", f"one of {', '.join(kind)}") from None
