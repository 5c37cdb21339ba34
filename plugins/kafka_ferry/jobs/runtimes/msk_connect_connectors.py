"""Connectors on MSK Connect as an engine wants them: compared, updated by operations, deleted for good."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.capacity import Capacity
from kafka_ferry.hooks.msk_connect.rules.connector import Connector, Update, config_changes, worker_setting_changes
from kafka_ferry.hooks.msk_connect.rules.errors import OperationFailed
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState

log = logging.getLogger(__name__)

_DELETION = 180  # looks


class MskConnectors:
    """What takes minutes is waited for here.

    :param delay: seconds between two looks. ``attempts``: how many, of what is made or changed.
    """

    def __init__(self, hook: MskConnectHook, delay: float, attempts: int) -> None:
        self._hook, self._delay, self._attempts = hook, delay, attempts

    def change(self, name: str, config: Mapping[str, str], capacity: Capacity) -> Change:
        """What ``deploy`` would do with one connector; without secrets."""
        found = self._hook.find_connector(name)
        if found is None:
            return Change(Action.CREATE, "connector", name, f"{len(config)} keys")
        lines = config_changes(config, found)
        lines += [f"~ {member}" for member in worker_setting_changes({"capacity": capacity.to_request()}, found)]
        if found.state is ConnectorState.FAILED:
            lines.append("it is FAILED: recreated, resuming where it was")
        return Change(Action.UPDATE if lines else Action.NONE, "connector", name, "; ".join(lines))

    def clear_away(self, name: str) -> None:
        """Delete a connector that is FAILED, and wait for one that is being deleted: the name is needed."""
        found = self._hook.find_connector(name)
        if found and found.state in (ConnectorState.FAILED, ConnectorState.DELETING):
            log.info("connector %s is %s: recreated. %s", name, found.state, found.reason)
            self.delete([found])

    def update(self, arn: str, request: Mapping[str, Any]) -> None:
        """Make a connector match the desired state, and let it run.

        :raises ConnectorFailed, OperationFailed: with MSK Connect's own words.
        """
        self._finish_what_runs(arn)
        if not self._hook.changes(arn, request) and self._hook.connector(arn).state is not ConnectorState.PAUSED:
            return  # also one that is still CREATING
        self._settled(arn)
        made: set[Update] = set()
        while (update := self._hook.next_update(arn, request, made=made)) is not None:
            made.add(update[0])
            self._complete(update[1])
        self._hook.confirm(arn, request)
        if operation := self._hook.resume(arn):
            self._complete(operation)

    def pause(self, arn: str) -> None:
        """Pause, and wait until it is."""
        self._finish_what_runs(arn)
        if operation := self._hook.pause(arn):
            self._complete(operation)

    def resume(self, arn: str) -> None:
        """Let it go on, and wait until it does."""
        self._finish_what_runs(arn)
        if operation := self._hook.resume(arn):
            self._complete(operation)

    def delete(self, found: Iterable[Connector]) -> list[str]:
        """Delete and wait until all are gone; returns the names of those that were there."""
        going = list(found)
        for connector in going:
            self._hook.delete_connector(connector.arn)
        for connector in going:
            self._hook.wait("connector_deleted", self._delay, _DELETION, connectorArn=connector.arn)
        return [connector.name for connector in going]

    def _finish_what_runs(self, arn: str) -> None:
        """What a try of this task began that was killed; how it ends does not matter, as all is compared afterwards."""
        if operation := self._hook.running_operation(arn):
            try:
                self._complete(operation)
            except OperationFailed as failure:
                log.warning("an earlier operation failed: %s", failure)

    def _settled(self, arn: str) -> None:
        if self._hook.connector(arn).state is not ConnectorState.PAUSED:
            self._hook.wait("connector_running", self._delay, self._attempts, connectorArn=arn)

    def _complete(self, operation: str) -> None:
        self._hook.wait("operation_complete", self._delay, self._attempts, connectorOperationArn=operation)
