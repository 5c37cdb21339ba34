"""What connectors need of their service role: the documents, and the questions to IAM's policy simulator. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kafka_ferry.core.arns import account_of, region_of
from kafka_ferry.hooks.msk_connect.rules.secrets import ANY_SUFFIX, SOME_SUFFIX, secrets_head
from kafka_ferry.jobs.runtimes.service_role.rules.roles import (
    READ,
    SINKS,
    Kind,
    Statement,
    of_secrets,
    policy_of,
    statements_of,
    trust_policy,
)

#: What a connector's id looks like; a new connector gets one that nobody knows before.
SAMPLE_ID = "00000000-0000-0000-0000-000000000000-1"
#: Topics and groups that are asked about, of each: one answer of IAM's holds a thousand decisions.
MOST_NAMES = 60


@dataclass(frozen=True)
class RoleNeeds:
    """Connectors of one kind on one cluster, with one role.

    :param base: what the connectors' names begin with. ``connectors``: their names.
    :param topics: that they write to. ``pattern``: stands for these in the document when they are many.
    :param own: topics that they also read: offsets, schema history and the like.
    :param groups: that MirrorMaker 2 commits for. ``secrets``: ARNs that a ConfigProvider reads.
    :param iam: whether the connectors log in by IAM; otherwise the cluster asks for no permission.
    :param cluster_arn: empty for a cluster that is not MSK's. ``region``: of the connectors; empty: the cluster's.
    """

    role_arn: str
    cluster_arn: str
    kind: Kind
    base: str
    connectors: tuple[str, ...]
    topics: tuple[str, ...]
    own: tuple[str, ...]
    pattern: str = "*"
    groups: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    iam: bool = True
    region: str = ""

    @property
    def role_name(self) -> str:
        """Without its path."""
        return self.role_arn.rpartition("/")[2]

    @property
    def is_service_linked(self) -> bool:
        """Whether AWS made it for a service; its path tells."""
        return ":role/aws-service-role/" in self.role_arn

    @property
    def account(self) -> str:
        """That the connectors are made in: a role can only be handed over within its account."""
        return account_of(self.role_arn)

    @property
    def connector_arns(self) -> list[str]:
        """As they will be, with a made-up id."""
        head = f"arn:{self._partition}:kafkaconnect:{self._region}:{self.account}:connector"
        return [f"{head}/{name}/{SAMPLE_ID}" for name in self.connectors]

    def trust(self) -> dict[str, Any]:
        """The trust policy to use."""
        return trust_policy(self.account, f"{self.base}*", self._region, self._partition)

    @property
    def secrets_head(self) -> str:
        """What ARNs of secrets beside the connectors begin with."""
        place = self.cluster_arn or f"arn:{self._partition}:kafka:{self._region}:{self.account}:"
        return secrets_head(place)

    @property
    def _region(self) -> str:
        return self.region or region_of(self.cluster_arn)

    @property
    def _partition(self) -> str:
        return self.role_arn.split(":")[1]

    def generated(self) -> list[Statement]:
        """The statements of the permission policy to use; empty without IAM and secrets."""
        many = len(self.topics) > MOST_NAMES
        found = self._statements((self.pattern,) if many else self.topics)
        return [*found, of_secrets(self.secrets)] if self.secrets else found

    def policy(self) -> dict[str, Any] | None:
        """The permission policy to use; None when none is needed."""
        generated = self.generated()
        return policy_of(generated) if generated else None

    def asked(self) -> list[Statement]:
        """:meth:`generated`, line by line, with names in place of patterns: a role that has just these names will do.

        Of more than :data:`MOST_NAMES` topics or groups only so many.
        """
        ids = [f"{name}_{SAMPLE_ID}" for name in self.connectors]
        internal = [f"__amazon_msk_connect_{what}_{one}" for what in ("configs", "offsets", "status") for one in ids]
        workers = [f"__amazon_msk_connect_cluster_{one}" for one in ids]
        found = self._statements(
            self.topics[:MOST_NAMES],
            groups=self.groups[:MOST_NAMES],
            internal=(tuple(internal), tuple(workers)),
        )
        if found and self.kind not in SINKS:  # only a sink has a group connect-<name>
            found[-1] = _without(found[-1], f"/connect-{self.base}")
        if self.secrets:
            found.append(of_secrets(tuple(arn.replace(ANY_SUFFIX, SOME_SUFFIX) for arn in self.secrets)))
        return found

    def _statements(self, topics: tuple[str, ...], **names: Any) -> list[Statement]:
        """Those of the generator, but that only its own topics are read."""
        if not self.iam:
            return []
        found = statements_of(self.kind, self.cluster_arn, self.base, self.own, **names)
        (written,) = statements_of(self.kind, self.cluster_arn, self.base, topics)[1:2]
        if self.kind not in SINKS:
            written = replace(written, actions=tuple(one for one in written.actions if one != READ))
        own = found[1:2] if self.own else []
        return [found[0], *own, written, *found[2:]]

    def left_out(self) -> str:
        """What :meth:`asked` does not ask; empty when it asks all."""
        if not self.iam:
            return ""
        more = [
            f"{len(names) - MOST_NAMES:,} more {what}"
            for what, names in (("topics", self.topics), ("groups", self.groups))
            if len(names) > MOST_NAMES
        ]
        return " and ".join(more)


def _without(statement: Statement, end: str) -> Statement:
    kept: Sequence[str] = [resource for resource in statement.resources if not resource.endswith(end)]
    return replace(statement, resources=tuple(kept))
