"""Groups in the window: wait until none moves on the source, then set each to its exact record on the target."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

from kafka_ferry.core.checks import GroupLine, Status
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.words import shown
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.cutover.live.tails import Tails
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.groups import (
    Commits,
    beyond_the_end,
    known_lines,
    marks_to_find,
    moved_since,
    offsets_of,
    restless,
    unsettled_words,
    with_lines,
)
from kafka_ferry.jobs.cutover.rules.standstill import told
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.rules.groups import commits_to_write, judge_groups
from kafka_ferry.records.job import PartitionResult

log = logging.getLogger(__name__)

_POLL = 0.25


class GroupsRestless(FerryError):
    """A group goes on at the source, so that its position on the target would be wrong a moment later."""


class GroupsNotExact(FerryError):
    """A group cannot be set to its exact record on the target."""


class GroupMoves:
    """The groups of a wave. Made before the window: which there are is asked then.

    :ivar stood: where they stand on the source.
    """

    def __init__(self, wave: Wave) -> None:
        self._wave = wave
        groups = wave.migration.groups
        self.kinds = dict(groups.kinds)
        self._names = list(groups.selection.names)
        self._here = GroupPositions(wave.source.admin, self.kinds)
        self._there = GroupPositions(wave.target.admin, self.kinds)
        self.stood = self._commits()
        self._ends: Mapping[Partition, int] = {}
        self._set: Commits = {}

    def _commits(self) -> Commits:
        names = self._wave.names
        found = {
            group: {tp: commit for tp, commit in places.items() if tp in names}
            for group, places in self._here.commits(self._names).items()
        }
        return {group: places for group, places in found.items() if places}

    def _unsettled(self, groups: Iterable[str]) -> set[str]:
        """An application that reads other topics, too, may always have a transaction open for these."""
        names = self._wave.names
        return {group for group, places in self._here.unsettled(groups).items() if any(tp in names for tp in places)}

    def settle(self, tails: Tails, ends: Mapping[Partition, int], timeout: float) -> None:
        """Wait until what is read is final.

        :param ends: of the source, where nobody writes.
        :raises GroupsRestless: names each group, and where it is.
        """
        deadline = time.monotonic() + timeout
        while True:
            beat()
            # Members first: one that leaves has committed before.
            working = self._here.active()
            now = self._commits()
            unread = {
                group: tails.unread(offsets_of(places), ends) for group, places in now.items() if group in working
            }
            found = restless(self.stood, now, working, unread) or unsettled_words(self._unsettled(now))
            self.stood, self._ends = now, ends
            if not found:
                return
            if time.monotonic() > deadline:
                who = f"{told(found.values())}{self._members(found)}"
                raise GroupsRestless(
                    f"groups still move on the source after {timeout:g} s: {who}. Fix: stop their consumers (where one "
                    "has an open transaction, end it), or let them catch up first, or leave the groups out "
                    "(exclude_groups); then clear window"
                )
            time.sleep(_POLL)

    def still_there(self) -> dict[str, list[str]]:
        """Groups that have members on the source, to client ids and hosts of these, as far as the cluster tells."""
        working = sorted(self._here.active() & self.stood.keys())
        who = self._who(working)
        return {group: sorted(who.get(group, ())) for group in working}

    def _who(self, groups: Iterable[str]) -> dict[str, set[str]]:
        from kafka_ferry.hooks.kafka.survey import KafkaSurvey

        try:
            return KafkaSurvey.of(self._wave.source).members(group for group in groups if group not in self.kinds)
        except FerryError:
            return {}

    def _members(self, groups: Iterable[str]) -> str:
        """Client ids and hosts of their consumers, as far as the cluster tells."""
        found = self._who(groups)
        named = [f"{shown(group)}: {', '.join(sorted(who)[:3])}" for group, who in found.items() if who]
        return f" (members: {'; '.join(named[:5])})" if named else ""

    def move(self, tails: Tails) -> tuple[list[PartitionResult], list[GroupLine]]:
        """Set exact offsets on the target where they are not there yet, and read them back.

        :raises GroupsNotExact: a group would lose records, or has members on the target already.
        """
        results, names = tails.results(), self._wave.names
        before = self._there.commits(self.stood)
        known = known_lines([tail.base for tail in tails.tails.values()], self.stood, before)
        acknowledged = self._here.acknowledged(self.stood, names)
        marks = marks_to_find(self.stood, known, before, names, self.kinds, acknowledged)
        found = tails.translate(marks)
        results = with_lines(results, known, found, before)
        active = self._there.active()
        commits = commits_to_write(results, active)
        refused = dict.fromkeys(active & self.stood.keys(), "it has active members on the target")
        refused |= self._there.write(commits)
        now = self._there.commits(self.stood)
        self._set = now
        lines = beyond_the_end(judge_groups(results, now, refused), self._ends)
        wrong = [
            f"{shown(line.group)} on {line.topic}-{line.partition}: {line.detail or line.status.value}"
            for line in lines
            if line.status is Status.FAIL or (line.status is not Status.PASS and line.group in refused)
        ]
        if wrong:
            raise GroupsNotExact(
                f"groups cannot be set to their exact record on the target: {told(wrong)}. Fix: stop consumers there; "
                "where a group is ahead there, reset it (kafka-consumer-groups --reset-offsets); then clear window"
            )
        log.info("%d positions known before, %d found in the window, %d groups written", len(known), len(found),
                 len(commits))  # fmt: skip
        return results, lines

    def assert_still(self) -> None:
        """
        :raises GroupsRestless: a group has committed on the source since it was set on the target, or is about to.
        :raises GroupsNotExact: somebody has moved a group on the target since.
        """
        now = self._commits()
        moved = {group for group in now if offsets_of(now[group]) != offsets_of(self.stood.get(group, {}))}
        if moved := moved | self._unsettled(now):
            who = f"{told(sorted(map(shown, moved)))}{self._members(moved)}"
            raise GroupsRestless(f"groups committed on the source again: {who}. Fix: stop them, then clear window")
        if moved_there := moved_since(self._set, self._there.commits(self._set)):
            raise GroupsNotExact(
                f"groups were moved on the target since they were set there: {told(map(shown, moved_there))}. Fix: "
                "stop what commits for them: consumers, or a replication with sync.group.offsets.enabled; where one is "
                "ahead now, reset it (kafka-consumer-groups --reset-offsets); then clear window"
            )
