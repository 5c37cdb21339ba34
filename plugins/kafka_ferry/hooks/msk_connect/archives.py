"""Custom plugins and worker configurations: created or adopted, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_ferry.hooks.msk_connect.client import MskConnectClient
from kafka_ferry.hooks.msk_connect.rules import worker_configuration
from kafka_ferry.hooks.msk_connect.rules.connector import Revision
from kafka_ferry.hooks.msk_connect.rules.errors import DifferentResource, NameTaken, PluginFailed, ResourceNotFound
from kafka_ferry.hooks.msk_connect.rules.states import PluginState, WorkerConfigurationState


class ArchivesHook(MskConnectClient):
    """The part of the hook for what connectors are made of."""

    # -- custom plugins ------------------------------------------------------------------------------------------------

    def find_custom_plugin(self, name: str) -> dict[str, Any] | None:
        """Its description, or None when there is none of exactly this name."""
        for found in self.pages("list_custom_plugins", "customPlugins", namePrefix=name):
            if found["name"] == name:
                return self.call("describe_custom_plugin", customPluginArn=found["customPluginArn"])
        return None

    def create_custom_plugin(
        self, name: str, bucket: str, key: str, *, content_type: str = "ZIP", replace_failed: bool = True, **other: Any
    ) -> str:
        """Create a custom plugin or adopt the one of this name; does not wait for ACTIVE.

        A plugin never changes, so a name should tell its content (``PluginArchive.name``).

        :param replace_failed: delete one that is CREATE_FAILED and create it again.
        :return: its ARN.
        :raises DifferentResource: the plugin of this name was made from another object.
        """
        place = {"bucketArn": f"arn:aws:s3:::{bucket}", "fileKey": key}
        found = self.find_custom_plugin(name)
        if found is not None and (arn := self._adopted(found, place, replace_failed)):
            self.log.info("Custom plugin %s exists: adopted", name)
            return arn
        request = {"name": name, "contentType": content_type, "location": {"s3Location": place}, **other}
        try:
            return str(self.call("create_custom_plugin", **request)["customPluginArn"])
        except NameTaken:
            # Between the look and the call, or by a call of ours whose answer was lost.
            found = self.find_custom_plugin(name)
            if found is None or not (arn := self._adopted(found, place, replace_failed=False)):
                raise
            return arn

    def _adopted(self, found: Mapping[str, Any], place: dict[str, str], replace_failed: bool) -> str | None:
        arn, state, name = str(found["customPluginArn"]), PluginState(found["customPluginState"]), found["name"]
        if state.is_failure and not replace_failed:
            raise PluginFailed(f"custom plugin {name} is {state}. Fix: delete it, or set replace_failed")
        if state.is_failure:
            self.log.info("Custom plugin %s is %s: recreated", name, state)
            self.delete_custom_plugin(arn)
        if state.is_failure or state is PluginState.DELETING:
            self.wait_until_gone("custom_plugin_deleted", customPluginArn=arn)
            return None
        there = found.get("latestRevision", {}).get("location", {}).get("s3Location", {})
        for member, wanted in place.items():
            if there and there.get(member) != wanted:
                problem = f"custom plugin {name} was made from {there.get(member)}, not from {wanted}"
                raise DifferentResource(f"{problem}. Fix: another name, one for this content")
        return arn

    def custom_plugin_revision(self, arn: str) -> Revision:
        """ARN and latest revision; the revision is there once the plugin was ACTIVE."""
        found = self.call("describe_custom_plugin", customPluginArn=arn)
        return Revision(arn, int(found.get("latestRevision", {}).get("revision", 1)))

    def delete_custom_plugin(self, arn: str) -> bool:
        """Delete; one that does not exist is deleted already. Does not wait.

        :return: whether it existed.
        """
        return self._deleted("delete_custom_plugin", customPluginArn=arn)

    # -- worker configurations -----------------------------------------------------------------------------------------

    def find_worker_configuration(self, name: str) -> dict[str, Any] | None:
        """Its description with its content, or None."""
        for found in self.pages("list_worker_configurations", "workerConfigurations", namePrefix=name):
            if found["name"] == name:
                arn = found["workerConfigurationArn"]
                return self.call("describe_worker_configuration", workerConfigurationArn=arn)
        return None

    def create_worker_configuration(self, name: str, properties: Mapping[str, str], **other: Any) -> Revision:
        """Create a worker configuration or adopt the one of this name; it is ACTIVE at once.

        :raises BadParam: MSK Connect would refuse a property; found out before the call.
        :raises DifferentResource: the one of this name has other properties: it cannot be changed.
        """
        worker_configuration.check(properties)
        found = self.find_worker_configuration(name)
        if found is not None and (revision := self._same_configuration(found, properties)):
            self.log.info("Worker configuration %s exists: adopted", name)
            return revision
        content = worker_configuration.content(properties)
        try:
            made = self.call("create_worker_configuration", name=name, propertiesFileContent=content, **other)
        except NameTaken:
            found = self.find_worker_configuration(name)
            if found is None or not (revision := self._same_configuration(found, properties)):
                raise
            return revision
        return Revision(made["workerConfigurationArn"], int(made["latestRevision"]["revision"]))

    def _same_configuration(self, found: Mapping[str, Any], properties: Mapping[str, str]) -> Revision | None:
        arn, name = found["workerConfigurationArn"], found["name"]
        if found["workerConfigurationState"] == WorkerConfigurationState.DELETING:
            self.wait_until_gone("worker_configuration_deleted", workerConfigurationArn=arn)
            return None
        there = worker_configuration.parse(found["latestRevision"]["propertiesFileContent"])
        differing = sorted(key for key in there.keys() | properties.keys() if there.get(key) != properties.get(key))
        if differing:
            problem = f"worker configuration {name} differs in {', '.join(differing)} and cannot be changed"
            raise DifferentResource(f"{problem}. Fix: another name, one for this content")
        return Revision(arn, int(found["latestRevision"]["revision"]))

    def delete_worker_configuration(self, arn: str) -> bool:
        """Delete; one that does not exist is deleted already. Does not wait.

        :return: whether it existed.
        """
        return self._deleted("delete_worker_configuration", workerConfigurationArn=arn)

    def _deleted(self, operation: str, **params: str) -> bool:
        try:
            self.call(operation, **params)
        except ResourceNotFound:
            return False
        return True
