"""Set on the target, for each group and partition, the offset whose record is the source's next record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.core.words import shown
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.migration.rules.spec import GroupOffsets
from kafka_ferry.report.artifacts import GROUPS, RunArtifacts, read_results

if TYPE_CHECKING:
    from airflow.sdk import Context


class TranslateGroupsOperator(FerryOperator):
    """Write exact offsets where a group has none on the target or is behind; never rewind, never touch an active group.
    Of share groups (KIP-932) the start is set, alike.

    MirrorMaker 2's own translation is exact only at the end of a partition (measured: groups in the middle were
    thousands of records behind, and stayed so). With ``group_offsets=mm2`` nothing is written.
    """

    def execute_task(self, context: Context) -> dict[str, int]:
        from kafka_ferry.jobs.migration.engines.registry import no_groups
        from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.rules.groups import commits_to_write, kinds_of

        migration, artifacts = migration_of(context, self.engine), RunArtifacts.of(context)
        if reason := no_groups(migration):
            self.log.info("nothing is written: %s", reason)
            artifacts.write_json(GROUPS, {"refused": {}})
            return {"written": 0, "refused": 0}
        if migration.spec.group_offsets is GroupOffsets.MM2:
            self.log.info("group_offsets=mm2: nothing is written; the report shows what would be delivered again")
            artifacts.write_json(GROUPS, {"refused": {}})
            return {"written": 0, "refused": 0}
        results = read_results(artifacts)
        positions = GroupPositions(migration.target.admin, kinds_of(results))
        active = positions.active()
        commits = commits_to_write(results, active)
        refused = dict.fromkeys(active & migration.groups.committed.keys(), "it has active members on the target")
        refused |= positions.write(commits)
        for group, offsets in commits.items():
            told = ", ".join(f"{t}-{p} at {commit}" for (t, p), commit in offsets.items())
            self.log.info("group %s: %s", shown(group), (refused.get(group) or told)[:500])
        artifacts.write_json(GROUPS, {"refused": refused})
        written = sum(len(offsets) for group, offsets in commits.items() if group not in refused)
        self.log.info("%d commits written for %d groups, %d groups refused", written, len(commits), len(refused))
        return {"written": written, "refused": len(refused)}
