"""Admin calls about groups: which there are, of whatever type, and what they have committed."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import AllGroups, OtherGroup, others_among
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.unnamed_groups import CANNOT_NAME
from kafka_ferry.exceptions import NotAuthorized, TransientError
from kafka_ferry.hooks.kafka.batches import chunks
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.capabilities import Capabilities
    from kafka_ferry.hooks.kafka.group_wire import GroupWire
    from kafka_ferry.hooks.kafka.share_groups import ShareGroupWire


#: What ``_result`` gives when the error was one that the caller allows.
ALLOWED = object()
# A broker that started a moment ago, or a new cluster whose offsets topic the first question about a group makes.
COORDINATOR = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
#: The id of old clients that had none. Brokers keep its offsets; librdkafka refuses to name it.
NO_NAME = ""

_UNTOLD = "UNKNOWN"
_GROUPS_IN_FLIGHT = 50
_READINGS = 10
_HAS_MEMBERS = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP)
_MEMBERS = KafkaError(KafkaError.NON_EMPTY_GROUP, "it has active members on the target")


class GroupCalls:
    """The part of ``KafkaAdmin`` that is about groups."""

    _config: dict[str, Any]
    _client: AdminClient
    name: str
    timeout: float

    def _result(self, future: Future[Any], what: str, *allowed: int) -> Any:
        raise NotImplementedError

    def _fail(self, error: KafkaException | KafkaError, what: str) -> NoReturn:
        raise NotImplementedError

    @cached_property
    def capabilities(self) -> Capabilities:
        raise NotImplementedError

    def consumer_groups(self) -> dict[str, str]:
        """Group id to state (``EMPTY``, ``STABLE`` …) of all consumer groups."""
        listing = self._result(self._client.list_consumer_groups(request_timeout=self.timeout), "list consumer groups")
        for error in listing.errors:
            self._fail(error, "list consumer groups")
        states = {group.group_id: group.state.name for group in listing.valid}
        untold = [group for group, state in states.items() if state == _UNTOLD and group != NO_NAME]
        return states | self._described_states(untold)

    def _described_states(self, groups: Iterable[str]) -> dict[str, str]:
        """Of groups whose state is not in the list: brokers before 2.6 have none there (KIP-518)."""
        states: dict[str, str] = {}
        for chunk in chunks(groups, _GROUPS_IN_FLIGHT):
            futures = self._client.describe_consumer_groups(chunk, request_timeout=self.timeout)
            for group, future in futures.items():
                found = self._result(
                    future, f"describe group {group!r}", KafkaError.GROUP_AUTHORIZATION_FAILED, *COORDINATOR
                )
                states |= {} if found is ALLOWED else {group: found.state.name}
        return states

    def all_groups(self) -> AllGroups:
        """All groups: consumer groups with their state as ``consumer_groups`` gives it, and the others."""
        listed = self._listed()
        consumers = self.consumer_groups()
        types = {name: listed[name].type if name in listed else "" for name in consumers}
        return AllGroups(consumers, others_among(listed, consumers), types)

    def _listed(self) -> dict[str, OtherGroup]:
        """Every group of any type. Where only librdkafka knows the login, types and states are not told."""
        if self._has_wire:
            try:
                return self._wire().groups()
            except TransientError:  # librdkafka says why, or knows a way
                pass
        with warnings.catch_warnings():  # there is no other call of it that names groups of every type
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                found = self._client.list_groups(timeout=self.timeout)
            except KafkaException as error:
                self._fail(error, "list groups")
        return {group.id: OtherGroup("") for group in found}

    @property
    def _has_wire(self) -> bool:
        return not only_librdkafka_knows(self._config)

    def metadata_note(self) -> list[str]:
        """For a plan: that metadata of commits is neither read nor written; nothing where it is."""
        why = (
            f"{self.name}: commit metadata is not copied: only librdkafka supports this login, and it cannot "
            "read metadata"
        )
        return [] if self._has_wire else [why]

    def can_name(self, group: str) -> bool:
        """Whether this group's offsets can be read and written at all."""
        return group != NO_NAME or self._has_wire

    def committed(self, groups: Iterable[str]) -> dict[str, dict[Partition, int]]:
        """Committed offsets per group; partitions without a commit are left out."""
        return {
            group: {tp: commit.offset for tp, commit in commits.items()}
            for group, commits in self.commits(groups).items()
        }

    def commits(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        """What groups have committed, with their metadata; partitions without a commit are left out.

        Where only librdkafka knows the login there is no metadata, as it reads beyond its end, and nothing of the empty
        id (see ``can_name``).
        """
        wanted = list(groups)
        if wanted and self._has_wire:
            try:
                return self._wire().commits(wanted)
            except TransientError:  # librdkafka says why, or knows a way
                pass
        result: dict[str, dict[Partition, Commit]] = {group: {} for group in wanted if group == NO_NAME}
        for chunk in chunks([group for group in wanted if group != NO_NAME], _GROUPS_IN_FLIGHT):
            for group, future in self._asked(chunk).items():
                places = self._offsets_of(group, future)
                result[group] = {(tp.topic, tp.partition): Commit(tp.offset) for tp in places if tp.offset >= 0}
        return result

    def unsettled(self, groups: Iterable[str]) -> dict[str, set[Partition]]:
        """Where groups have offsets in a transaction that has not ended (KIP-447): what is read of them may change."""
        found: dict[str, set[Partition]] = {}
        for chunk in chunks([group for group in groups if group != NO_NAME], _GROUPS_IN_FLIGHT):
            for group, future in self._asked(chunk, stable=True).items():
                places = self._offsets_of(group, future, stable=True)
                open_ = [tp for tp in places if tp.error and tp.error.code() == KafkaError.UNSTABLE_OFFSET_COMMIT]
                found |= {group: {(tp.topic, tp.partition) for tp in open_}} if open_ else {}
        return found

    def _asked(self, groups: Iterable[str], *, stable: bool = False) -> dict[str, Future[Any]]:
        """One group per request is all librdkafka can do (KIP-709 is not in it), so the requests are pipelined."""
        futures: dict[str, Future[Any]] = {}
        for group in groups:
            futures |= self._client.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], require_stable=stable, request_timeout=self.timeout
            )
        return futures

    def _offsets_of(self, group: str, future: Future[Any], *, stable: bool = False) -> list[TopicPartition]:
        for _ in range(_READINGS):
            try:
                found: list[TopicPartition] = self._result(future, f"read offsets of group {group!r}").topic_partitions
            except UnicodeDecodeError:  # it took what lies behind a commit's metadata for a part of it
                future = self._asked([group], stable=stable)[group]
            else:
                return found
        raise TransientError(f"{self.name}: the client library cannot read the commit metadata of group {group!r}")

    def commit(self, offsets: Mapping[str, Mapping[Partition, int | Commit]]) -> dict[str, str]:
        """Write committed offsets per group, on the partitions named only; a bare number has no metadata.

        Groups with metadata, and the empty id, go by a request of our own; where that is not possible the metadata is
        left out, and the empty id is refused.

        Returns group to reason where it was refused: the broker refuses a group that has members (KIP-396).
        """
        wanted = {group: {tp: _commit_of(one) for tp, one in places.items()} for group, places in offsets.items()}
        refused: dict[str, str] = {}
        if self._has_wire:
            ours = {group: places for group, places in wanted.items() if group == NO_NAME or _noted(places)}
            refused |= self._wire().commit(ours) if ours else {}
            wanted = {group: places for group, places in wanted.items() if group not in ours}
        elif wanted.pop(NO_NAME, None):
            refused[NO_NAME] = CANNOT_NAME
        waiting, deadline = dict(wanted), time.monotonic() + self.timeout
        while waiting:
            errors = self._commit(waiting)
            waiting = {group: wanted[group] for group, error in errors.items() if error.code() in COORDINATOR}
            refused |= {group: error.str() for group, error in errors.items() if group not in waiting}
            for group in waiting:  # told by partition, not as a failed request (measured on a cluster's first commits)
                if time.monotonic() > deadline:
                    raise TransientError(f"{self.name}: cannot commit for group {group!r}: {errors[group].str()}")
            time.sleep(0.25 * bool(waiting))
        return refused

    def _commit(self, offsets: Mapping[str, Mapping[Partition, Commit]]) -> dict[str, KafkaError]:
        """The first error of each group that has one."""
        errors: dict[str, KafkaError] = {}
        for chunk in chunks(offsets, _GROUPS_IN_FLIGHT):
            futures: dict[str, Future[Any]] = {}
            for group in chunk:
                places = [TopicPartition(*tp, commit.offset) for tp, commit in offsets[group].items()]
                request = [ConsumerGroupTopicPartitions(group, places)]
                futures |= self._client.alter_consumer_group_offsets(request, request_timeout=self.timeout)
            for group, future in futures.items():
                result = self._result(future, f"commit for group {group!r}", *_HAS_MEMBERS)
                found = [_MEMBERS] if result is ALLOWED else [tp.error for tp in result.topic_partitions if tp.error]
                errors |= {group: found[0]} if found else {}
        return errors

    @cached_property
    def no_share_starts(self) -> str:
        """Why starts of share groups can be neither read nor set; empty where they can."""
        if not self._has_wire:
            return f"{self.name}: only librdkafka supports this login, and it cannot read or set starts of share groups"
        if not self.capabilities.tells_share_starts:
            return f"{self.name}: its brokers cannot tell or set starts of share groups (Kafka 4.1 and later can)"
        try:
            off = self._share_wire().is_switched_off()
        except NotAuthorized:  # to ask about a group that nobody has: what is asked of real ones will tell
            off = False
        return f"{self.name}: its share groups are switched off (feature share.version)" if off else ""

    def share_starts(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        """Where share groups start; partitions without a start are left out. See ``no_share_starts``."""
        wanted = list(groups)
        return self._share_wire().starts(wanted) if wanted else {}

    def set_share_starts(self, starts: Mapping[str, Mapping[Partition, int]]) -> dict[str, str]:
        """Set starts of share groups on the partitions named only; group to reason where it was refused, as it is for
        one that has members. See ``no_share_starts``."""
        if not starts:
            return {}
        wire = self._share_wire()
        refused = wire.set_starts(starts)
        if not self.capabilities.makes_share_groups:  # 4.1.1 says nothing of what it did not do (measured)
            there = wire.starts(starts)
            left = [g for g, own in starts.items() if any(tp not in there[g] for tp in own)]
            refused |= {group: wire.NOT_THERE for group in left if group not in refused}
        return refused

    def _share_wire(self) -> ShareGroupWire:
        from kafka_ferry.hooks.kafka.share_groups import ShareGroupWire  # late: few clusters have any

        return ShareGroupWire(self._config, self.name)

    def _wire(self) -> GroupWire:
        from kafka_ferry.hooks.kafka.group_wire import (
            GroupWire,  # late: processes that ask nothing of groups need it not
        )

        return GroupWire(self._config, self.name)


def _noted(places: Mapping[Partition, Commit]) -> bool:
    return any(commit.metadata for commit in places.values())


def _commit_of(one: int | Commit) -> Commit:
    return one if isinstance(one, Commit) else Commit(one)
