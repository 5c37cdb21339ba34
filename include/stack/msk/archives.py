"""Custom plugins and worker configurations: made, described, listed, deleted."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from typing import Any

from stack.msk.account import MOST_PLUGINS, MOST_WORKER_CONFIGURATIONS, Account, page
from stack.msk.resources import Plugin, WorkerConfiguration
from stack.msk.wire import Refused

# A part of what the guide refuses, enough that a forgotten check is seen.
REFUSED = re.compile(r"(admin|client|connect|internal|metrics|rest|sasl|security|ssl)\.|(bootstrap.servers|group.id)$")


def properties(encoded: str) -> dict[str, str]:
    """Of ``propertiesFileContent``; no escapes, no continued lines.

    :raises Refused: no base64 of text.
    """
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except ValueError as error:
        raise Refused("BadRequestException", "Invalid parameter propertiesFileContent: no base64 of text") from error
    lines = [line.strip() for line in text.splitlines()]
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


class Archives:
    """The operations of both; each takes and gives what botocore's model says."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create_custom_plugin(self, params: dict[str, Any]) -> dict[str, Any]:
        account, name = self._account, params["name"]
        account.free_name(account.plugins.values(), name)
        if len(account.plugins) >= MOST_PLUGINS:
            raise Refused("TooManyRequestsException", "Limit exceeded. Resource limit reached.")
        plugin = Plugin(account.arn("custom-plugin", name), name, account.looks, dict(params.get("tags", {})))
        plugin.request = params
        self._inspect(plugin)
        account.plugins[plugin.arn] = plugin
        return {"customPluginArn": plugin.arn, "customPluginState": plugin.state, "name": name, "revision": 1}

    def _inspect(self, plugin: Plugin) -> None:
        """Found out at the start, told when it is looked at later, as AWS does."""
        place = plugin.request["location"]["s3Location"]
        content = self._account.objects(place["bucketArn"].rpartition(":::")[2], place["fileKey"])
        if self._account.faults.plugins:
            plugin.problem = self._account.faults.plugins.pop(0)
        elif content is None:
            message = f"The object {place['fileKey']} cannot be read."
            plugin.problem = {"code": "InvalidInput.InvalidS3Location", "message": message}
        elif not zipfile.is_zipfile(io.BytesIO(content)):
            message = f"The file is no {plugin.request['contentType']}."
            plugin.problem = {"code": "InvalidInput.InvalidCustomPlugin", "message": message}
        else:
            plugin.content = content

    def describe_custom_plugin(self, params: dict[str, Any]) -> dict[str, Any]:
        plugin = self._account.find(self._account.plugins, params["customPluginArn"])
        if plugin.state in ("CREATING", "DELETING") and plugin.looked():
            if plugin.state == "DELETING":
                del self._account.plugins[plugin.arn]
                return self.describe_custom_plugin(params)
            plugin.state = "CREATE_FAILED" if plugin.problem else "ACTIVE"
        return self._plugin(plugin)

    def list_custom_plugins(self, params: dict[str, Any]) -> dict[str, Any]:
        found = [p for p in self._account.plugins.values() if p.name.startswith(params.get("namePrefix", ""))]
        listed, more = page([_without(self._plugin(plugin), "stateDescription") for plugin in found], params)
        return {"customPlugins": listed, **more}

    def delete_custom_plugin(self, params: dict[str, Any]) -> dict[str, Any]:
        plugin = self._account.find(self._account.plugins, params["customPluginArn"])
        self._unused(plugin.arn)
        plugin.state, plugin.looks = "DELETING", self._account.looks
        return {"customPluginArn": plugin.arn, "customPluginState": plugin.state}

    def create_worker_configuration(self, params: dict[str, Any]) -> dict[str, Any]:
        account, name = self._account, params["name"]
        account.free_name(account.worker_configurations.values(), name)
        if len(account.worker_configurations) >= MOST_WORKER_CONFIGURATIONS:
            raise Refused("TooManyRequestsException", "Limit exceeded. Resource limit reached.")
        content = params["propertiesFileContent"]
        settings = properties(content)
        bad = [key for key in settings if REFUSED.match(key)]
        missing = [key for key in ("key.converter", "value.converter") if key not in settings]
        if bad or missing:
            raise Refused("BadRequestException", f"Invalid worker configuration: {[*bad, *missing]}")
        arn = account.arn("worker-configuration", name)
        made = WorkerConfiguration(arn, name, account.looks, dict(params.get("tags", {})), content=content)
        made.description = params.get("description", "")
        account.worker_configurations[arn] = made
        return _without(self._configuration(made), "description")

    def describe_worker_configuration(self, params: dict[str, Any]) -> dict[str, Any]:
        found = self._account.find(self._account.worker_configurations, params["workerConfigurationArn"])
        if found.state == "DELETING" and found.looked():
            del self._account.worker_configurations[found.arn]
            return self.describe_worker_configuration(params)
        description = self._configuration(found)
        description["latestRevision"]["propertiesFileContent"] = found.content
        return description

    def list_worker_configurations(self, params: dict[str, Any]) -> dict[str, Any]:
        prefix, everything = params.get("namePrefix", ""), self._account.worker_configurations.values()
        listed, more = page([self._configuration(one) for one in everything if one.name.startswith(prefix)], params)
        return {"workerConfigurations": listed, **more}

    def delete_worker_configuration(self, params: dict[str, Any]) -> dict[str, Any]:
        found = self._account.find(self._account.worker_configurations, params["workerConfigurationArn"])
        self._unused(found.arn)
        found.state, found.looks = "DELETING", self._account.looks
        return {"workerConfigurationArn": found.arn, "workerConfigurationState": found.state}

    def _unused(self, arn: str) -> None:
        if any(arn in str(connector.request) for connector in self._account.connectors.values()):
            raise Refused("BadRequestException", "The resource is used by a connector.")

    @staticmethod
    def _plugin(plugin: Plugin) -> dict[str, Any]:
        found: dict[str, Any] = {
            "customPluginArn": plugin.arn,
            "name": plugin.name,
            "customPluginState": plugin.state,
            "creationTime": plugin.created,
            "description": plugin.request.get("description", ""),
        }
        if plugin.state == "CREATE_FAILED":
            found["stateDescription"] = plugin.problem
        if plugin.state == "ACTIVE":  # there is no revision before the first success
            md5 = hashlib.md5(plugin.content, usedforsecurity=False).hexdigest()
            found["latestRevision"] = {
                "revision": 1,
                "contentType": plugin.request["contentType"],
                "creationTime": plugin.created,
                "fileDescription": {"fileMd5": md5, "fileSize": len(plugin.content)},
                "location": {"s3Location": plugin.request["location"]["s3Location"]},
            }
        return found

    @staticmethod
    def _configuration(found: WorkerConfiguration) -> dict[str, Any]:
        return {
            "workerConfigurationArn": found.arn,
            "name": found.name,
            "workerConfigurationState": found.state,
            "creationTime": found.created,
            "description": found.description,
            "latestRevision": {"revision": 1, "creationTime": found.created},
        }


def _without(found: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in keys}
