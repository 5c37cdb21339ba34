"""What is the same of an export's sink and an import's source connector, for the tasks that both have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from kafka_ferry.report.artifacts import RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.jobs.common.run_lock import SharedName
    from kafka_ferry.jobs.runtimes.connectors import ConnectorRuntime
    from kafka_ferry.jobs.s3.connect.carrier import Carrier
    from kafka_ferry.jobs.s3.connect.rules.reached import Look
    from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Way
    from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

Side = Literal["export", "import"]
#: Artifact: a connector was made, or was about to be.
DEPLOYED = "connector/deployed.json"


class Carried(ABC):
    """One side of a run: what its connector has to do, and how far it is.

    :param params: the run's.
    """

    way: ClassVar[Way]

    def __init__(self, dag_id: str, run_id: str, params: Mapping[str, Any]) -> None:
        self.dag_id, self.run_id, self.params = dag_id, run_id, params
        self.artifacts = RunArtifacts(dag_id, run_id)

    @property
    @abstractmethod
    def spec(self) -> ExportSpec | ImportSpec:
        """:raises BadParam: the params cannot work."""

    @property
    @abstractmethod
    def carrier(self) -> Carrier:
        """The connector as this run wants it."""

    @abstractmethod
    def shared_name(self) -> SharedName:
        """What only one run may work on at a time."""

    @abstractmethod
    def look(self) -> Look:
        """How far the connector has come."""

    @abstractmethod
    def _deploy(self) -> None: ...

    @cached_property
    def runtime(self) -> ConnectorRuntime:
        """What runs the connector that was made, without asking anybody else."""
        from kafka_ferry.jobs.s3.connect.carrier import runtime_of

        return runtime_of(self.way, self.spec, self.deployed() or "", self.own_cluster)

    @property
    @abstractmethod
    def own_cluster(self) -> str:
        """Connection of the cluster that workers of MSK Connect are of."""

    def deploy(self) -> str:
        """Make or adopt the connector, and let it run; its name."""
        # Before it is made: whatever ends this task, the teardown looks.
        self.artifacts.write_json(DEPLOYED, {"connector": self.carrier.name})
        self._deploy()
        return self.carrier.name

    def deployed(self) -> str | None:
        """Name of the connector that this run made, or was about to make."""
        found = self.artifacts.read_json(DEPLOYED)
        return str(found["connector"]) if found else None


class ExportSide(Carried):
    """The sink."""

    way = "sink"

    @property
    def own_cluster(self) -> str:
        return self.spec.source_conn_id

    @cached_property
    def spec(self) -> ExportSpec:
        from kafka_ferry.jobs.s3.s3_spec import ExportSpec

        return ExportSpec.from_params(self.params)

    @cached_property
    def _run(self) -> Any:
        from kafka_ferry.jobs.s3.runs import export_run

        return export_run(self.dag_id, self.run_id, self.params)

    @property
    def carrier(self) -> Carrier:
        found: Carrier = self._run.carrier
        return found

    def shared_name(self) -> SharedName:
        from kafka_ferry.jobs.backup.store.shared_names import stored_name

        return stored_name("export", self.spec.export, self.spec.location)

    def _deploy(self) -> None:
        self.carrier.deploy()

    @cached_property
    def _watch(self) -> Any:
        return self._run.watch()

    def look(self) -> Look:
        found: Look = self._watch.look()
        return found


class ImportSide(Carried):
    """The source connector."""

    way = "source"

    @property
    def own_cluster(self) -> str:
        return self.spec.target_conn_id

    @cached_property
    def spec(self) -> ImportSpec:
        from kafka_ferry.jobs.s3.s3_spec import ImportSpec

        return ImportSpec.from_params(self.params)

    @cached_property
    def _job(self) -> Any:
        from kafka_ferry.jobs.s3.runs import ImportJob

        return ImportJob({"params": self.params, "dag_run": SimpleNamespace(dag_id=self.dag_id, run_id=self.run_id)})

    @cached_property
    def _import(self) -> Any:
        from kafka_ferry.core.plan import Plan
        from kafka_ferry.jobs.common.plan import read_plan

        plan = read_plan(self.artifacts, Plan)
        return self._job.by_connector(plan.export_id if plan else None)

    @property
    def carrier(self) -> Carrier:
        found: Carrier = self._import.carrier
        return found

    def shared_name(self) -> SharedName:
        from kafka_ferry.jobs.backup.store.shared_names import read_name

        return read_name("export", self.spec.export, self.spec.location, self._job.cluster)

    def _deploy(self) -> None:
        from kafka_ferry.jobs.s3.connect.import_by_connector import keep_wanted

        keep_wanted(self.artifacts, self._import.wanted())
        self._import.deploy()

    def look(self) -> Look:
        from kafka_ferry.jobs.s3.connect.import_by_connector import kept_wanted

        found: Look = self._import.look(kept_wanted(self.artifacts))
        return found


SIDES: Final[Mapping[Side, type[Carried]]] = {"export": ExportSide, "import": ImportSide}


def side_of(side: Side, context: Context) -> Carried:
    """:raises BadParam: the run's params cannot work."""
    run = context["dag_run"]
    made = SIDES[side](run.dag_id, run.run_id, dict(context["params"]))
    assert made.spec  # noqa: S101  # it refuses what cannot work
    return made
