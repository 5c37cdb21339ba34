"""A plugin's files from a folder that the deployment allows."""

from __future__ import annotations

from kafka_ferry.hooks.msk_connect.plugin_upload import from_folder
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import PluginArchive
from kafka_ferry.jobs.common.deployment import check_plugin_folder


def allowed_folder(folder: str) -> PluginArchive:
    """As :func:`from_folder`, of a folder that a param names.

    :raises BadParam: also when the deployment does not allow it.
    """
    check_plugin_folder(folder)
    return from_folder(folder)
