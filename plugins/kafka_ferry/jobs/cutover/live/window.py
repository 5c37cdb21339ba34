"""The window, from the fence to the hand-over, in one go: as long as it lasts nobody can write."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pendulum

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.wave_journal import OPEN, Journal, StageLine, State, acl_to_json, name_of
from kafka_ferry.exceptions import BadParam, FerryError, NotAuthorized, TransientError
from kafka_ferry.jobs.cutover.live.fence import raise_fence
from kafka_ferry.jobs.cutover.live.group_moves import GroupMoves
from kafka_ferry.jobs.cutover.live.proof import NotStopped, TransactionOpen, assert_still, prove_stopped
from kafka_ferry.jobs.cutover.live.rollback import roll_back
from kafka_ferry.jobs.cutover.live.tails import LAG, TAILS, Tails
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.live.webhook import NobodyListened, Webhook
from kafka_ferry.jobs.cutover.rules.fence import copied_to_target, fence_acls, to_add
from kafka_ferry.jobs.cutover.rules.groups import offsets_of
from kafka_ferry.jobs.cutover.rules.handover import handed_over
from kafka_ferry.jobs.cutover.rules.spec import Fence
from kafka_ferry.jobs.cutover.rules.standstill import Look, at_work
from kafka_ferry.jobs.cutover.rules.tails import most_behind
from kafka_ferry.jobs.cutover.rules.timeline import HAND_OVER, longest_pause, seconds_between
from kafka_ferry.jobs.migration.live.artifacts import read_frozen
from kafka_ferry.report.artifacts import RunArtifacts, read_results

log = logging.getLogger(__name__)

#: Artifact: what was compared, before the window and in it, and the groups as they were set.
RESULTS = "cutover_results.json"
_POLL = 0.1
_ASK_SECONDS = 1.0
_NAMED = 1_000
_STABLE_SECONDS = 2.0


class LagTooLarge(FerryError):
    """The replication does not come near enough to the source."""


class DrainStalled(FerryError):
    """Records that were written before the fence did not arrive on the target."""


class WindowTooLong(FerryError):
    """The window was interrupted, and is open for longer than it may be."""


def wait_for_lag(
    tails: Tails, most: int, timeout: float, poll: float = 1.0, look: Callable[[], None] = lambda: None
) -> None:
    """Wait until the replication is near enough, by contents.

    :param look: called before each wait: it may say that what copies has failed.
    :raises LagTooLarge: names the partitions with most left.
    """
    deadline, first = time.monotonic() + timeout, None
    while (left := tails.advance()) > most:
        first = left if first is None else first
        if time.monotonic() > deadline:
            raise LagTooLarge(
                f"the replication is {left:,} records behind after {timeout:g} s ({first:,} at first), and max_lag is "
                f"{most:,}: {most_behind(tails.behind)}. Fix: see that it works and is fast enough; or a larger max_lag"
            )
        look()
        log.info("%s records behind, at most %s may be", f"{left:,}", f"{most:,}")
        beat()
        time.sleep(poll)


class Window:
    """One try. Every stage finds out where it stands from the clusters and from the wave's journal.

    :param failed: asked whether what replicates has failed: its trace, or nothing.
    """

    def __init__(self, wave: Wave, artifacts: RunArtifacts, failed: Callable[[], str] = lambda: "") -> None:
        self._wave, self._artifacts, self._spec, self._failed = wave, artifacts, wave.spec, failed
        self._working: dict[int, int] = {}
        self._posted_before = False

    def run(self) -> Journal:
        """From wherever an earlier try stopped to the hand-over. Whatever fails before it is rolled back at once.

        :raises FerryError: what went wrong, after the rollback.
        """
        journal = self._journal()
        if journal.state is State.HANDED_OVER:
            return journal
        if journal.state is State.HANDING_OVER:
            self._posted_before = True
            self._hand_over(journal)
            return journal
        try:
            self._work(journal)
        except BaseException as error:
            if journal.state in OPEN:
                why = str(error) or type(error).__name__
                if isinstance(error, NotStopped):
                    journal.not_stopped = (error.named or [why])[:_NAMED]
                roll_back(self._wave, journal, why, self._artifacts)
            raise
        return journal

    def _journal(self) -> Journal:
        wave, spec = self._wave, self._spec
        found = wave.journals.read(spec.wave)
        own = (wave.dag_id, wave.run_id)
        if found is not None and found.own == own and found.state is not State.ROLLED_BACK:
            age = seconds_between(found.fenced_at, _now())
            if found.state in OPEN and age is not None and age > spec.window_timeout:
                why = f"the window has been open for {age:.0f} s, and window_timeout is {spec.window_timeout:g}"
                roll_back(wave, found, why, self._artifacts)
                raise WindowTooLong(f"{why}: it was interrupted. Fix: clear window, which begins again")
            log.info("an earlier try of this task left the wave %s", found.state.value)
            return found
        if found is not None and found.state in OPEN:  # its run has ended: ours has the name
            roll_back(wave, found, f"left by run {found.run_id}", None)
        return Journal(
            wave=spec.wave, source_cluster=wave.source_cluster, target_cluster=wave.target_cluster, dag_id=own[0],
            run_id=own[1], topics=wave.targets, fence=spec.fence.value, state=State.PLANNED,
        )  # fmt: skip

    def _work(self, journal: Journal) -> None:
        wave, spec = self._wave, self._spec
        wave.guard(read_frozen(self._artifacts))
        results = read_results(self._artifacts)
        noted = self._artifacts.read_json(TAILS)
        with Tails(wave, results, noted) as tails, self._lag_kept(tails):
            begun, first = _ms(), wave.look(time.monotonic())
            groups = GroupMoves(wave)
            if journal.state not in OPEN:
                if why := self._failed():  # asked here as well, so that in the window it is known whom to ask
                    log.warning("what replicates has failed, of this wave or of other topics: %s", why)
                wait_for_lag(tails, spec.max_lag, spec.lag_timeout, poll=0.2)
                self._artifacts.write_json(TAILS, tails.to_json())
                self._working = at_work(first, wave.look(time.monotonic()), (begun, _ms()))
                self._begin(journal)
            with self._stage(journal, "fence"):
                raise_fence(wave, journal)
                journal.state = State.FENCED
                wave.journals.write(journal, self._artifacts)
            with self._stage(journal, "prove"):
                still = prove_stopped(wave, spec.silence, spec.fence_timeout, spec.transaction_timeout)
                ends = self._ends(still)
                journal.ends = {name_of(tp): end for tp, end in ends.items()}
            with self._stage(journal, "drain"):
                self._drain(tails, ends)
            with self._stage(journal, "groups"):
                groups.settle(tails, ends, spec.groups_timeout)
                whole, lines = groups.move(tails)
                journal.target_ends = {name_of(tp): end for tp, end in tails.target_ends.items()}
                journal.committed = {
                    group: {name_of(tp): offset for tp, offset in offsets_of(places).items()}
                    for group, places in groups.stood.items()
                }
            with self._stage(journal, "verify"):
                self._artifacts.write_json(
                    RESULTS,
                    {
                        "results": [result.to_json() for result in whole],
                        "groups": [line.model_dump(mode="json") for line in lines],
                    },
                )
                self._refuse_copied_fence(journal)
                groups.assert_still()
                assert_still(wave, still, when="before the hand-over")
        self._hand_over(journal)

    @contextmanager
    def _lag_kept(self, tails: Tails) -> Iterator[None]:
        """Written once, at the end: in the window nothing is written that can wait."""
        before = self._artifacts.read_json(LAG) or []
        try:
            yield
        finally:
            self._artifacts.write_json(LAG, [*before, *tails.lag])

    def _begin(self, journal: Journal) -> None:
        """Note what will be done; from here on there is something to undo."""
        wanted = fence_acls(self._wave.targets) if self._spec.fence is Fence.ACL else []
        there = self._wave.source.admin.acls() if wanted else []
        if there is None:
            raise BadParam("fence", "is acl, and the source has no authorizer", "fence: webhook or prove")
        added, kept = to_add(wanted, there)
        journal.added, journal.kept = [*map(acl_to_json, added)], [*map(acl_to_json, kept)]
        journal.stages, journal.ends, journal.target_ends, journal.committed = [], {}, {}, {}
        journal.not_stopped = []
        journal.state, journal.lifted, journal.failure, journal.fenced_at = State.FENCING, False, "", _now()
        self._wave.journals.write(journal, self._artifacts)

    def _ends(self, still: Look) -> dict[Partition, int]:
        """Where the source ends, as the replication reads it. A marker lands a moment after its transaction ended."""
        wave, deadline = self._wave, time.monotonic() + max(_STABLE_SECONDS, self._spec.transaction_timeout)
        while True:
            ends = wave.source.admin.offsets(wave.names, "latest", self._spec.isolation_level)
            held = sorted(tp for tp, end in ends.items() if end < still.ends[tp])
            if not held:
                return ends
            if time.monotonic() > deadline:
                topic, partition = held[0]
                raise TransactionOpen(
                    f"{topic}-{partition} and {len(held) - 1} more partitions: an open transaction holds back offsets "
                    f"from {ends[held[0]]} on, and the brokers do not tell whose it is. Fix: end it, then clear window"
                )
            beat()
            time.sleep(_POLL)

    def _drain(self, tails: Tails, ends: dict[Partition, int]) -> None:
        asked, before = time.monotonic(), -1
        deadline = asked + self._spec.drain_timeout
        while left := tails.advance(ends):
            now = time.monotonic()
            if now > deadline:
                raise DrainStalled(
                    f"{left:,} records did not arrive on the target within {self._spec.drain_timeout:g} s: "
                    f"{most_behind(tails.behind)}. Fix: see that the replication works, then clear window"
                )
            if now - asked > _ASK_SECONDS:
                # A task that failed may be one of other topics: then ours still come.
                if left == before and (why := self._failed()):
                    raise DrainStalled(
                        f"{left:,} records do not arrive on the target ({most_behind(tails.behind)}), as what "
                        "replicates has failed. Fix: what the last cause of its trace names, restart it, then clear "
                        f"window: {why}"
                    )
                asked, before = now, left
            beat()
            time.sleep(_POLL)

    def _refuse_copied_fence(self, journal: Journal) -> None:
        """:raises FerryError: the replication has copied the fence, so that nobody could write to the target."""
        if not journal.added:
            return
        try:
            there = self._wave.target.admin.acls() or []
        except NotAuthorized:
            return
        if copied := copied_to_target(journal.topics.values(), there):
            by_hand = copied[0].command().replace("--add", "--remove")
            raise FerryError(
                f"on the target there is {copied[0]}, and {len(copied) - 1} more: the replication copies ACLs. Fix: "
                f"sync.topic.acls.enabled=false there; kafka-acls {by_hand} on the target, for each; then clear window"
            )

    def _hand_over(self, journal: Journal) -> None:
        with self._stage(journal, HAND_OVER):
            if journal.state is not State.HANDING_OVER:
                journal.handed_over_at = _now()
                journal.state = State.HANDING_OVER
                self._wave.journals.write(journal, self._artifacts)
            self._tell(journal)
        journal.state, journal.delivered = State.HANDED_OVER, True
        journal.longest_pause = longest_pause(self._working, journal.handed_over_at)
        self._wave.journals.write(journal, self._artifacts)
        log.info("handed over: applications are to use %s", self.payload(journal)["target"])

    def _tell(self, journal: Journal) -> None:
        conn_id = self._spec.handover_webhook_conn_id
        if not conn_id:
            return
        try:
            Webhook(conn_id).post(self.payload(journal), self._spec.fence_timeout)
        except NobodyListened:
            if not self._posted_before:  # nobody can have heard of it: it can still be rolled back
                journal.state, journal.handed_over_at = State.FENCED, ""
            raise
        except TransientError:
            self._posted_before = True
            raise

    def payload(self, journal: Journal) -> dict[str, Any]:
        """What the webhook is told."""
        return handed_over(journal, self._wave.target.extra, journal.committed)

    @contextmanager
    def _stage(self, journal: Journal, name: str) -> Iterator[None]:
        begun, clock = _now(), time.monotonic()
        try:
            yield
        finally:
            seconds = round(time.monotonic() - clock, 3)
            journal.stages.append(StageLine(stage=name, started=begun, ended=_now(), seconds=seconds))
            log.info("%s: %.2f s", name, seconds)


def _now() -> str:
    return pendulum.now("UTC").isoformat(timespec="milliseconds")


def _ms() -> int:
    return int(time.time() * 1000)
