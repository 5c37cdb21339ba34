"""The tasks of ``retire_source``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kafka_ferry.core.checks import Report
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.cutover.reported import RETIREMENT_JOB
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, FROZEN, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.core.partition import Partition
    from kafka_ferry.jobs.cutover.live.retirement import Retirement
    from kafka_ferry.jobs.migration.live.migration import Migration
    from kafka_ferry.jobs.migration.rules.convergence import Frozen
    from kafka_ferry.records.job import PartitionJob
    from kafka_ferry.report.stages import Tasks


def retirement_of(context: Context) -> Retirement:
    """As the plan found the waves: a journal that changes meanwhile changes nothing of what is judged."""
    from kafka_ferry.core.wave_journal import Journal
    from kafka_ferry.jobs.cutover.live.certificate import FILES, WAVES
    from kafka_ferry.jobs.cutover.live.retirement import Retirement
    from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec
    from kafka_ferry.report.artifacts import DamagedArtifact

    artifacts, run = RunArtifacts.of(context), context["dag_run"]
    for stale in FILES:  # it says nothing of what is done again
        artifacts.discard(stale)
    found = artifacts.read_json(WAVES)
    if found is None:
        raise DamagedArtifact(f"{artifacts.path(WAVES)} is not there. Fix: clear plan with its downstream tasks")
    spec = RetireSpec.from_params(context["params"])
    return Retirement(run.dag_id, run.run_id, spec, [Journal.read(one) for one in found])


class PlanRetirementOperator(PlanningOperator):
    """Read the journals of the source's waves, and freeze what is compared: all below their fences."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.cutover.live.certificate import FACTS, FILES, WAVES, ed25519_signer
        from kafka_ferry.jobs.cutover.live.retirement import Retirement
        from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec

        run, artifacts = context["dag_run"], RunArtifacts.of(context)
        for stale in (*FILES, FACTS):  # of an earlier try: it says nothing of this one
            artifacts.delete(stale)
        spec = self.asked(context, RetireSpec)
        ed25519_signer(spec.signing_conn_id)
        found = Retirement(run.dag_id, run.run_id, spec)
        plan = found.plan()
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", "\n".join([*plan.notes, *plan.waves]), path)
        artifacts.write_json(WAVES, [wave.to_json() for wave in found.waves])
        frozen = found.freeze()
        artifacts.write_json(FROZEN, {"planned": plan.planned, **frozen.to_json()})
        return {"waves": len(found.waves), "topics": len(found.targets), "partitions": len(frozen.ends)}


class RetirementShardsOperator(ShardsOperator):
    """As in a comparison."""

    def migration(self, context: Context) -> Migration:
        return retirement_of(context).wave.migration


class RetirementFingerprintOperator(FingerprintOperator):
    """As in a comparison, each side up to where the fence saw it end."""

    def migration(self, context: Context) -> Migration:
        return retirement_of(context).wave.migration

    def jobs(
        self, context: Context, migration: Migration, frozen: Frozen, partitions: list[Partition]
    ) -> Sequence[PartitionJob]:
        return retirement_of(context).jobs(frozen, partitions)


class LookAtSourceOperator(FerryOperator):
    """Who still writes, commits or works on the source, and what it has more than its waves."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.cutover.live.certificate import FACTS
        from kafka_ferry.jobs.cutover.live.source_look import SourceLook

        facts = SourceLook(retirement_of(context)).look()
        RunArtifacts.of(context).write_json(FACTS, facts.model_dump(mode="json"))
        return {"grown": len(facts.grown), "writing": len(facts.writing), "members": len(facts.members)}


class ValidateRetirementOperator(FerryOperator):
    """Make the checks from what was compared and seen."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.cutover.live.certificate import FACTS
        from kafka_ferry.jobs.cutover.rules.retirement import SourceFacts
        from kafka_ferry.report.artifacts import DamagedArtifact, read_results

        artifacts = RunArtifacts.of(context)
        found = artifacts.read_json(FACTS)
        if found is None:
            raise DamagedArtifact(f"{artifacts.path(FACTS)} is not there. Fix: clear look_at_source")
        made = retirement_of(context).checks(SourceFacts.read(found), read_results(artifacts))
        artifacts.write_json(CHECKS_MADE, made)
        return {check["name"]: check["status"] for check in made["checks"]}


class CertificateOperator(FerryOperator):
    """Write certificate.json, certificate.html and, with a key, certificate.sig."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.cutover.live.certificate import write_certificate

        told = write_certificate(retirement_of(context), RunArtifacts.of(context))
        self.log.info("may the source be switched off? %s; SHA-256 %s; %s", *told.values())
        return told


class RetirementReportOperator(ReportOperator):
    """PASS: yes. Without a certificate it is FAIL, whatever the checks say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(job=RETIREMENT_JOB, **kwargs)

    def build(self, artifacts: RunArtifacts, tasks: Tasks | None = None) -> Report:
        from kafka_ferry.jobs.cutover.rules.certificate import CERTIFICATE

        report = super().build(artifacts, tasks)
        if artifacts.size(CERTIFICATE) is None and not report.failures:
            missing = "certificate: there is no certificate.json. Fix: clear certificate"
            return report.model_copy(update={"verdict": "FAIL", "failures": [missing]})
        return report
