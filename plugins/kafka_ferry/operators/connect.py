"""Operators for connectors on a Kafka Connect cluster."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from kafka_ferry.compat import AirflowFailException
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.operators.masked import MaskedFields

if TYPE_CHECKING:
    from airflow.sdk import Context


class ConnectOperator(BaseOperator):
    """Base of the operators on one connector.

    A transient fault (rebalance, worker unreachable) is raised unchanged, so that Airflow retries the task; any other
    fails it at once.

    :param connector: name of the connector. (templated)
    :param connect_conn_id: Airflow connection of the Connect cluster. (templated)
    """

    template_fields: Sequence[str] = ("connector", "connect_conn_id")

    def __init__(self, *, connector: str, connect_conn_id: str = ConnectHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connector = connector
        self.connect_conn_id = connect_conn_id

    @cached_property
    def hook(self) -> ConnectHook:
        """The client of the Connect cluster."""
        return ConnectHook(self.connect_conn_id)

    def execute(self, context: Context) -> Any:
        """Run the operator; see the class for what is retried."""
        try:
            return self.act()
        except FerryError as fault:
            if fault.retriable:
                raise
            raise AirflowFailException(str(fault)) from fault

    @abstractmethod
    def act(self) -> Any:
        """The one call to the hook; its result is the XCom."""
        raise NotImplementedError


class ApplyConnectorOperator(MaskedFields, ConnectOperator):
    """Bring a connector's config up to date: compare, validate on the worker, PUT only when it differs.

    Example::

        ApplyConnectorOperator(
            task_id="deploy",
            connector="orders-mirror",
            config={"connector.class": "MirrorSourceConnector", ...},
            client_settings={"source.cluster.": "kafka_source", "target.cluster.": "kafka_target"},
        )

    Known limitation: rendered fields show ``config`` with its secrets masked, but the DAG file's own text cannot be
    masked: pass secrets by ``client_settings``, a ConfigProvider reference or ``{{ conn.x.password }}``.

    :param config: the whole connector config; existing keys that are not in it are removed. (templated)
    :param client_settings: prefix → Airflow ``kafka`` connection, whose Java client settings are added to the config
        under that prefix when the task runs. (templated)
    :return: ``{"connector": …, "changes": ["~ tasks.max: 1 -> 2", …]}``, without secrets.
    """

    template_fields: Sequence[str] = (*ConnectOperator.template_fields, "config", "client_settings")
    template_fields_renderers: ClassVar[dict[str, str]] = {"config": "json", "client_settings": "json"}
    masked = ("config",)

    def __init__(
        self, *, config: Mapping[str, Any], client_settings: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.client_settings = client_settings

    def act(self) -> dict[str, Any]:
        """Apply the config and return what changed."""
        config = dict(self.secret_field("config"))
        for prefix, conn_id in (self.client_settings or {}).items():
            config |= self.hook.client_settings(conn_id, prefix)
        changes = self.hook.apply(self.connector, config)
        return {"connector": self.connector, "changes": [str(change) for change in changes]}


class DeleteConnectorOperator(ConnectOperator):
    """Delete a connector; one that does not exist counts as deleted.

    :param reset_offsets: stop it and delete its offsets first, so that a connector recreated under this name starts
        from the beginning.
    :return: whether it existed.
    """

    def __init__(self, *, reset_offsets: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reset_offsets = reset_offsets

    def act(self) -> bool:
        """Delete."""
        return self.hook.delete(self.connector, reset_offsets=self.reset_offsets)


class PauseConnectorOperator(ConnectOperator):
    """Pause a connector and wait until its tasks are PAUSED."""

    def act(self) -> None:
        """Pause."""
        self.hook.pause(self.connector)


class ResumeConnectorOperator(ConnectOperator):
    """Resume a paused or stopped connector. Follow it with a ``ConnectorRunningSensor``."""

    def act(self) -> None:
        """Resume."""
        self.hook.resume(self.connector)


class StopConnectorOperator(ConnectOperator):
    """Stop a connector and wait until no task is left, as altering its offsets requires."""

    def act(self) -> None:
        """Stop."""
        self.hook.stop(self.connector)


class RestartConnectorOperator(ConnectOperator):
    """Restart a connector and its tasks. Follow it with a ``ConnectorRunningSensor``: Connect restarts later.

    :param include_tasks: restart the tasks too.
    :param only_failed: restart only instances that are FAILED.
    """

    def __init__(self, *, include_tasks: bool = True, only_failed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.include_tasks = include_tasks
        self.only_failed = only_failed

    def act(self) -> None:
        """Restart."""
        self.hook.restart(self.connector, include_tasks=self.include_tasks, only_failed=self.only_failed)


class AlterConnectorOffsetsOperator(ConnectOperator):
    """Set the offsets of a STOPPED connector.

    :param offsets: ``[{"partition": {...}, "offset": {...}}, …]`` as ``GET /connectors/{name}/offsets`` returns them;
        ``"offset": None`` deletes a partition's offset. (templated)
    """

    template_fields: Sequence[str] = (*ConnectOperator.template_fields, "offsets")
    template_fields_renderers: ClassVar[dict[str, str]] = {"offsets": "json"}

    def __init__(self, *, offsets: Sequence[Mapping[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.offsets = offsets

    def act(self) -> None:
        """Alter the offsets and read them back."""
        self.hook.alter_offsets(self.connector, self.offsets)


class ResetConnectorOffsetsOperator(ConnectOperator):
    """Delete the offsets of a STOPPED connector."""

    def act(self) -> None:
        """Reset."""
        self.hook.reset_offsets(self.connector)
