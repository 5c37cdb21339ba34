"""Connectors and their operations: the state machines of the double."""

from __future__ import annotations

from typing import Any

from stack.msk.account import MOST_WORKERS, MOST_WORKERS_OF_ONE, Account, page
from stack.msk.archives import properties
from stack.msk.resources import Connector, Operation
from stack.msk.runtime import INVALID, Launch, Phase
from stack.msk.wire import Refused

_WORKER_MEMBERS = ("capacity", "plugins", "workerConfiguration", "useDefaultWorkerConfiguration")
_DESCRIBED = (
    "capacity", "connectorConfiguration", "connectorDescription", "connectorName", "kafkaCluster",
    "kafkaClusterClientAuthentication", "kafkaClusterEncryptionInTransit", "kafkaConnectVersion", "logDelivery",
    "networkType", "plugins", "serviceExecutionRoleArn", "workerConfiguration",
)  # fmt: skip
_LISTED = (
    "connectorOperationArn", "connectorOperationType", "connectorOperationState", "creationTime", "endTime"
)  # fmt: skip
_IDENTICAL = "The specified parameter value is identical to the current value for the connector"  # aws-cdk 28128


class Connectors:
    """Their operations; each takes and gives what botocore's model says."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create_connector(self, params: dict[str, Any]) -> dict[str, Any]:
        account, name = self._account, params["connectorName"]
        account.free_name(account.connectors.values(), name)
        self._check_workers(params["capacity"])
        self._plugin_of(params)
        request = {key: value for key, value in params.items() if key != "tags"}
        arn = account.arn("connector", name)
        connector = Connector(arn, name, account.looks, dict(params.get("tags", {})), request=request)
        if account.faults.connectors:
            connector.fault = account.faults.connectors.pop(0)
        account.runtime.start(arn, self._launch(request))
        account.connectors[arn] = connector
        return {"connectorArn": arn, "connectorName": name, "connectorState": connector.state}

    def describe_connector(self, params: dict[str, Any]) -> dict[str, Any]:
        connector = self._account.find(self._account.connectors, params["connectorArn"])
        self._go_on(connector)
        self._account.find(self._account.connectors, connector.arn)
        return self._described(connector)

    def list_connectors(self, params: dict[str, Any]) -> dict[str, Any]:
        prefix, everything = params.get("connectorNamePrefix", ""), self._account.connectors.values()
        found = [self._described(one) for one in everything if one.name.startswith(prefix)]
        secret = ("connectorConfiguration", "stateDescription")  # a list has neither
        listed, more = page([{k: v for k, v in one.items() if k not in secret} for one in found], params)
        return {"connectors": listed, **more}

    def delete_connector(self, params: dict[str, Any]) -> dict[str, Any]:
        connector = self._account.find(self._account.connectors, params["connectorArn"])
        if params.get("currentVersion", connector.version) != connector.version:
            raise Refused("BadRequestException", "The currentVersion does not match the connector's current version.")
        connector.state, connector.looks = "DELETING", self._account.looks
        self._account.runtime.stop(connector.arn)
        return {"connectorArn": connector.arn, "connectorState": connector.state}

    def update_connector(self, params: dict[str, Any]) -> dict[str, Any]:
        connector = self._account.find(self._account.connectors, params["connectorArn"])
        workers = {key: params[key] for key in _WORKER_MEMBERS if key in params}
        if ("connectorConfiguration" in params) == bool(workers):
            raise Refused("BadRequestException", "Either connectorConfiguration or worker settings must be given.")
        if params["currentVersion"] != connector.version:
            raise Refused("BadRequestException", "The currentVersion does not match the connector's current version.")
        if connector.state not in ("RUNNING", "PAUSED"):
            raise Refused("BadRequestException", f"The connector is {connector.state}.")
        if connector.state == "PAUSED" and not params.get("skipHealthValidation"):
            raise Refused("BadRequestException", "skipHealthValidation is required for a paused connector.")
        target = self._target(connector, params, workers)
        kind = "UPDATE_WORKER_SETTING" if workers else "UPDATE_CONNECTOR_CONFIGURATION"
        operation = self._begin(connector, kind, "UPDATE", "UPDATING")
        operation.origin, operation.target = dict(connector.request), target
        operation.skip_health = bool(params.get("skipHealthValidation"))
        self._account.runtime.update(connector.arn, self._launch(target))
        state = {"connectorState": connector.state}
        return {"connectorArn": connector.arn, "connectorOperationArn": operation.arn, **state}

    def _target(self, connector: Connector, params: dict[str, Any], workers: dict[str, Any]) -> dict[str, Any]:
        if not workers:
            return {**connector.request, "connectorConfiguration": params["connectorConfiguration"]}
        for key, value in workers.items():
            if value == connector.request.get(key):
                kind = next(iter(value)) if isinstance(value, dict) else key
                raise Refused("BadRequestException", f"Invalid parameter {kind}: {_IDENTICAL}.")
        target = {**connector.request, **workers}
        if target.pop("useDefaultWorkerConfiguration", False):
            target.pop("workerConfiguration", None)
        self._check_workers(target["capacity"], besides=connector)
        self._plugin_of(target)
        return target

    def pause_connector(self, params: dict[str, Any]) -> dict[str, Any]:
        connector = self._still(params, "ConflictException", "RUNNING")
        operation = self._begin(connector, "PAUSE_CONNECTOR", "PAUSE", "PAUSING")
        self._account.runtime.pause(connector.arn)
        return {"connectorArn": connector.arn, "connectorOperationArn": operation.arn}

    def resume_connector(self, params: dict[str, Any]) -> dict[str, Any]:
        connector = self._still(params, "ConflictException", "PAUSED")
        operation = self._begin(connector, "RESUME_CONNECTOR", "RESUME", "RESUMING")
        self._account.runtime.resume(connector.arn)
        return {"connectorArn": connector.arn, "connectorOperationArn": operation.arn}

    def restart_connector(self, params: dict[str, Any]) -> dict[str, Any]:
        connector = self._still(params, "BadRequestException", "RUNNING", "FAILED")
        operation = self._begin(connector, "RESTART_CONNECTOR", "RESTART", "RESTARTING")
        self._account.runtime.restart(connector.arn, bool(params.get("onlyFailedTasks")))
        return {"connectorArn": connector.arn, "connectorOperationArn": operation.arn}

    def list_connector_operations(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = self._account.find(self._account.connectors, params["connectorArn"]).arn
        found = [self._operation(one) for one in self._account.operations.values() if one.connector == arn]
        short = [{key: value for key, value in one.items() if key in _LISTED} for one in reversed(found)]
        listed, more = page(short, params)
        return {"connectorOperations": listed, **more}

    def describe_connector_operation(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = params["connectorOperationArn"]
        if arn not in self._account.operations:
            raise Refused("NotFoundException", f"The requested resource does not exist: {arn}")
        operation = self._account.operations[arn]
        if connector := self._account.connectors.get(operation.connector):
            self._go_on(connector)
        return self._operation(operation)

    # -- the machine ---------------------------------------------------------------------------------------------------

    def _begin(self, connector: Connector, kind: str, doing: str, state: str) -> Operation:
        arn = self._account.arn("connector-operation", connector.name)
        operation = Operation(arn, connector.arn, kind, doing, state=f"{doing}_IN_PROGRESS")
        self._account.operations[arn] = connector.operation = operation
        connector.state, connector.looks = state, self._account.looks
        return operation

    def _go_on(self, connector: Connector) -> None:
        """What has happened since the last look."""
        if connector.is_still:
            self._watch(connector)
        elif connector.looked():
            if connector.state == "DELETING":
                if self._account.runtime.gone(connector.arn):
                    del self._account.connectors[connector.arn]
            elif connector.state == "CREATING":
                self._created(connector)
            else:
                self._operated(connector)

    def _watch(self, connector: Connector) -> None:
        health = self._account.runtime.health(connector.arn)
        if connector.state == "RUNNING" and health.phase is Phase.FAILED:
            connector.state, connector.problem = "FAILED", {"code": health.code, "message": health.message}

    def _created(self, connector: Connector) -> None:
        if self._account.faults.never_runs:
            return
        health = self._account.runtime.health(connector.arn)
        problem = connector.fault
        if health.phase is Phase.FAILED:
            problem = {"code": health.code, "message": health.message}
        if problem:
            connector.state, connector.problem = "FAILED", problem
        elif health.phase is Phase.RUNNING:
            connector.state = "RUNNING"

    def _operated(self, connector: Connector) -> None:
        operation = connector.operation
        if operation is None:
            return
        health = self._account.runtime.health(connector.arn)
        aim = Phase.PAUSED if operation.doing == "PAUSE" else Phase.RUNNING
        planned = self._account.faults.operations.pop(0) if self._account.faults.operations else None
        if planned:
            problem = {"code": planned.get("code", "Planned"), "message": planned.get("message", "asked for")}
            self._failed(connector, operation, planned["state"], problem)
        elif health.phase is Phase.FAILED and not operation.skip_health:
            state = "ROLLBACK_COMPLETE" if operation.doing == "UPDATE" else f"{operation.doing}_FAILED"
            self._failed(connector, operation, state, {"code": health.code or INVALID, "message": health.message})
        elif health.phase is aim or operation.skip_health:
            if operation.doing == "UPDATE":
                connector.request = operation.target
            connector.bump()
            connector.state = health.phase.value if health.phase in (Phase.PAUSED, Phase.FAILED) else "RUNNING"
            connector.problem = None
            operation.end(f"{operation.doing}_COMPLETE")

    def _failed(self, connector: Connector, operation: Operation, state: str, problem: dict[str, str]) -> None:
        """The old config runs again: the connector is RUNNING, and says nothing."""
        operation.end(state, problem)
        connector.bump()
        if operation.doing == "UPDATE":
            self._account.runtime.update(connector.arn, self._launch(operation.origin))
        connector.state = "PAUSED" if operation.doing == "RESUME" else "RUNNING"

    # -- checks and words ----------------------------------------------------------------------------------------------

    def _still(self, params: dict[str, Any], code: str, *states: str) -> Connector:
        connector = self._account.find(self._account.connectors, params["connectorArn"])
        if connector.state not in states:
            raise Refused(code, f"The connector is {connector.state}.")
        return connector

    def _check_workers(self, capacity: dict[str, Any], besides: Connector | None = None) -> None:
        if len(capacity) != 1:
            raise Refused("BadRequestException", "Invalid parameter capacity: exactly one kind is allowed.")
        (kind,) = capacity.values()
        least, most = kind.get("minWorkerCount", 1), _most(capacity)
        if kind["mcuCount"] not in (1, 2, 4, 8):
            raise Refused("BadRequestException", f"Invalid parameter mcuCount: {kind['mcuCount']}.")
        if not 1 <= least <= most <= MOST_WORKERS_OF_ONE:
            raise Refused("BadRequestException", "Invalid parameter capacity: worker counts are out of range.")
        if kind.get("maxAutoscalingTaskCount", most) < most:
            raise Refused("BadRequestException", "Invalid parameter maxAutoscalingTaskCount: less than maxWorkerCount.")
        others = (one for one in self._account.connectors.values() if one is not besides)
        if sum(_most(one.request["capacity"]) for one in others) + most > MOST_WORKERS:
            raise Refused("TooManyRequestsException", "Limit exceeded. Resource limit reached.")

    def _plugin_of(self, request: dict[str, Any]) -> Any:
        if len(request["plugins"]) != 1:
            raise Refused("BadRequestException", "Invalid parameter plugins: exactly one plugin is allowed.")
        plugin = self._account.find(self._account.plugins, request["plugins"][0]["customPlugin"]["customPluginArn"])
        if plugin.state != "ACTIVE" or request["plugins"][0]["customPlugin"]["revision"] != 1:
            raise Refused("BadRequestException", f"The custom plugin {plugin.name} is not ACTIVE.")
        return plugin

    def _launch(self, request: dict[str, Any]) -> Launch:
        plugin, settings = self._plugin_of(request), {}
        if named := request.get("workerConfiguration"):
            found = self._account.find(self._account.worker_configurations, named["workerConfigurationArn"])
            settings = properties(found.content)
        settings["connector.client.config.override.policy"] = self._account.faults.override_policy
        bootstrap = request["kafkaCluster"]["apacheKafkaCluster"]["bootstrapServers"]
        kind, config = plugin.request["contentType"], request["connectorConfiguration"]
        return Launch(request["connectorName"], config, plugin.content, kind, settings, bootstrap)

    @staticmethod
    def _described(connector: Connector) -> dict[str, Any]:
        found = {key: connector.request[key] for key in _DESCRIBED if key in connector.request}
        found |= {"connectorArn": connector.arn, "connectorState": connector.state}
        found |= {"currentVersion": connector.version, "creationTime": connector.created}
        if connector.state == "FAILED":
            found["stateDescription"] = connector.problem
        return found

    @staticmethod
    def _operation(operation: Operation) -> dict[str, Any]:
        found: dict[str, Any] = {
            "connectorArn": operation.connector,
            "connectorOperationArn": operation.arn,
            "connectorOperationType": operation.type,
            "connectorOperationState": operation.state,
            "creationTime": operation.created,
            "operationSteps": operation.steps,
        }
        if operation.doing == "UPDATE":
            for side, request in (("origin", operation.origin), ("target", operation.target)):
                setting = {k: request[k] for k in ("capacity", "plugins", "workerConfiguration") if k in request}
                found[f"{side}WorkerSetting"] = setting
                found[f"{side}ConnectorConfiguration"] = request["connectorConfiguration"]
        if operation.problem:
            found["errorInfo"] = operation.problem
        if operation.ended:
            found["endTime"] = operation.ended
        return found


def _most(capacity: dict[str, Any]) -> int:
    """Workers as the quota counts them: autoscaled ones at their maximum."""
    (kind,) = capacity.values()
    return int(kind.get("maxWorkerCount", kind.get("workerCount", 0)))
