"""Assets of Airflow that mean "proven": their event comes with a PASS, and other DAGs can be scheduled on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from airflow.sdk import Asset, AssetAlias

from kafka_ferry.core.job_name import JobName
from kafka_ferry.core.plan import Kind
from kafka_ferry.report.names import dag_folder

#: What a run proves, where it is not called as its kind is.
_PROVES: Final[Mapping[str, str]] = {
    Kind.COPY: "migration", Kind.COMPARE: "comparison", Kind.VERIFY: "verified-backup", Kind.RETIRE: "retired-source",
    Kind.FAIL_BACK: "failback",
}  # fmt: skip

#: Of all of them: a DAG scheduled on it runs after any PASS.
PROVEN: Final = AssetAlias("kafka-ferry-proven")


def asset_of(job: JobName) -> Asset:
    """What a run of this job proves, as ``Asset("x-kafka-ferry://migration/orders")`` in a DAG that waits for it.

    Name and URI are the same, as they are where only one is given. Airflow looks at no rules of a scheme that begins
    with ``x-``, and MySQL keeps ASCII alone.
    A name that is not plain is told by its digest.
    """
    return Asset(f"x-kafka-ferry://{_PROVES.get(job.kind, job.kind)}/{dag_folder(job.name)}")


def emit(context: Mapping[str, Any], asset: Asset, extra: Mapping[str, str | int | None]) -> None:
    """Let the event of an asset come when the task ends well. The task has the outlet :data:`PROVEN`.

    :param extra: numbers and texts alone: Airflow 3.0 takes no lists and no mappings there.
    """
    context["outlet_events"][PROVEN].add(asset, extra=dict(extra))
