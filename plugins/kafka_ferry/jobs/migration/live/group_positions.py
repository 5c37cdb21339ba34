"""Where groups of every type that can be carried stand on one cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import SHARE
from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.admin import KafkaAdmin


class GroupPositions:
    """Committed offsets of consumer groups and streams groups (KIP-1071), whose offsets are committed and read alike,
    and starts of share groups (KIP-932). Raises what ``KafkaAdmin`` raises.

    :param kinds: groups that are no consumer groups, to their type.
    """

    def __init__(self, admin: KafkaAdmin, kinds: Mapping[str, str]) -> None:
        self._admin, self._shares = admin, {group for group, kind in kinds.items() if kind == SHARE}

    def commits(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        """Where each group stands; partitions on which it stands nowhere are left out."""
        wanted = list(groups)
        shares = [group for group in wanted if group in self._shares]
        found = self._admin.commits([group for group in wanted if group not in self._shares])
        return {**found, **(self._admin.share_starts(shares) if shares else {})}

    def write(self, commits: Mapping[str, Mapping[Partition, Commit]]) -> dict[str, str]:
        """Set positions, on the partitions named only; group to reason where the broker refused."""
        shares = {
            group: {tp: commit.offset for tp, commit in own.items()}
            for group, own in commits.items()
            if group in self._shares
        }
        refused = self._admin.commit({group: own for group, own in commits.items() if group not in self._shares})
        return {**refused, **(self._admin.set_share_starts(shares) if shares else {})}

    def active(self) -> set[str]:
        """Groups of any type that have members, so that brokers would refuse to set their positions."""
        return self._admin.all_groups().at_work

    def unsettled(self, groups: Iterable[str]) -> dict[str, set[Partition]]:
        """Where groups have committed within a transaction that has not ended, so that they do not stand yet."""
        return self._admin.unsettled([group for group in groups if group not in self._shares])

    def acknowledged(
        self, commits: Mapping[str, Mapping[Partition, Commit]], partitions: Iterable[Partition]
    ) -> dict[str, dict[Partition, int | None]]:
        """How many records behind their starts share groups are done with; None: the brokers do not tell.

        :param commits: as ``commits`` gave them, a moment ago. ``partitions``: those that there are.
        """
        there = set(partitions)
        starts = {
            group: {tp: start for tp, start in own.items() if tp in there}
            for group, own in commits.items()
            if group in self._shares
        }
        places = sorted({tp for own in starts.values() for tp in own})
        ends = self._admin.offsets(places, "latest", "read_uncommitted") if places else {}
        return {group: {tp: start.acknowledged(ends[tp]) for tp, start in own.items()} for group, own in starts.items()}
