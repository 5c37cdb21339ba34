"""Before the window: is the copy right, and how do groups and rights stand? From what was compared."""

from __future__ import annotations

from collections.abc import Collection

from kafka_ferry.core.acls import Acl, check_acls, compare_acls
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.exceptions import DataLossError, NotAuthorized
from kafka_ferry.hooks.kafka.authorized_operations import principal_of
from kafka_ferry.jobs.cutover.live.foreign_writers import foreign_writers
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.foreign_writers import how_to_recover, only_more
from kafka_ferry.jobs.cutover.rules.standstill import told
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.rules.around import Acls
from kafka_ferry.jobs.migration.rules.groups import commits_to_write
from kafka_ferry.records.job import PartitionResult


class CopyIsWrong(DataLossError):
    """The target is not what the source is: there is nothing to cut over to."""


def refuse_wrong_copy(wave: Wave, results: list[PartitionResult], *, back: bool = False) -> None:
    """
    :param back: this is a way back.
    :raises CopyIsWrong: names the first partitions that differ, or were not compared.
    """
    wrong = [f"{one.place}: {one.comparison.detail}" for one in results if one.comparison.status == "fail"]
    compared = {(one.source_topic, one.partition) for one in results}
    wrong += [
        f"{topic}-{p}: there is no such partition on the target"
        for topic, p in wave.names
        if (topic, p) not in compared
    ]
    if not wrong:
        return
    more = [one for one in results if only_more(one.comparison)]
    fixes, said = [], ""
    if more:
        found = foreign_writers(wave, {(one.source_topic, one.partition) for one in more})
        said = f". {wave.source.conn_id} does not have these records: somebody writes or wrote beside the replication"
        said += f": {told(found)}" * bool(found)
        fixes.append(how_to_recover({one.target_topic for one in more}, wave.journals.all(), wave.target.conn_id,
                                    back=back))  # fmt: skip
    if len(more) < len(wrong):
        rest = "wait until the replication has copied all, or find what it lost (verify_clusters); then a new run"
        fixes.append(f"{'as for the others, ' * bool(more)}{rest}")
    raise CopyIsWrong(f"the copy is not right, so nothing was stopped: {told(wrong)}{said}. Fix: {'; '.join(fixes)}")


def set_groups(wave: Wave, results: list[PartitionResult]) -> str:
    """Exact offsets of groups that are at rest, so that the window has fewer to set. What was written, in words."""
    there = GroupPositions(wave.target.admin, wave.migration.groups.kinds)
    commits = commits_to_write(results, there.active())
    refused = there.write(commits)
    told_of = [f"{shown(group)}: {why}" for group, why in refused.items()]
    return f"{number_of(len(commits), 'group')} set on the target" + f"; refused: {told(told_of)}" * bool(refused)


def rights_check(
    wave: Wave, fence: Collection[Acl] = (), groups: Collection[str] | None = None, *, back: bool = False
) -> Check:
    """The check ``acls``: what applications need on the target before they move.

    :param fence: ACLs of the source that are ours, and that nobody misses on the target.
    :param groups: default: those that the params mean.
    :param back: this is a way back: our own users' rights are left out. Those that it needs the plan has asked for.
    """
    if wave.spec.acls is Acls.SKIP:
        return Check(name="acls", status=Status.SKIPPED, detail="param acls is skip")
    sides = []
    for cluster in (wave.source, wave.target):
        try:
            found = cluster.admin.acls()
        except NotAuthorized as error:
            return Check(name="acls", status=Status.SKIPPED, detail=str(error))
        if found is None:
            return Check(name="acls", status=Status.SKIPPED, detail=f"{cluster.conn_id} has no authorizer")
        sides.append(found)
    names = wave.migration.groups.selection.names if groups is None else groups
    own = {principal_of(cluster.extra) for cluster in (wave.source, wave.target)} if back else set()
    here, there = ([acl for acl in side if acl.principal not in own] for side in sides)
    check = check_acls(compare_acls([acl for acl in here if acl not in fence], there, wave.targets, names))
    if len(here) == len(sides[0]) and len(there) == len(sides[1]):
        return check
    ours = f"those of {' and '.join(sorted(filter(None, own)))} are left out: the run works as that user"
    return check.model_copy(update={"detail": "; ".join(filter(None, [check.detail, ours]))})
