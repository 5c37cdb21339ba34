"""From intent to MirrorMaker 2's connectors and worker configuration on MSK Connect. Pure.

The worker's own cluster is the target there, and its login is the service role's: so nothing has to say where the
producer of the records writes to. What tunes it goes into the worker configuration, as
``connector.client.config.override.policy`` is MSK Connect's own and not told (developer guide, "Supported worker
configuration properties").
"""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent, configs

KINDS = ("source", "checkpoint", "heartbeat")

_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"
_OVERRIDE = "producer.override."
#: MirrorMaker 2's own, loaded from the plugin, where alone the rename policy is seen (docs/connect_plugins.md).
PLUGIN_CLASSES = {
    "source": "kafkaferry.connect.PluginMirrorSourceConnector",
    "checkpoint": "kafkaferry.connect.PluginMirrorCheckpointConnector",
}


def connector_configs(intent: MirrorIntent) -> dict[str, dict[str, str]]:
    """Kind (``source``, ``checkpoint``, ``heartbeat``) to configuration, in the order they should be created."""
    found = configs(intent)
    names = {
        "source": intent.source_connector,
        "checkpoint": intent.checkpoint_connector,
        "heartbeat": intent.heartbeat_connector,
    }
    result = {}
    for kind, name in names.items():
        if name in found:
            result[kind] = {key: value for key, value in found[name].items() if not key.startswith(_OVERRIDE)}
            if intent.rename_format and kind in PLUGIN_CLASSES:
                result[kind]["connector.class"] = PLUGIN_CLASSES[kind]
    return result


def worker_properties(intent: MirrorIntent, offsets_topic: str, more: Mapping[str, str]) -> dict[str, str]:
    """One worker configuration for all connectors of the migration.

    :param offsets_topic: named by us: MSK Connect's own name changes with each connector, and with it the position.
    :param more: the user's, over ours; never over converters and the offsets topic.
    """
    source = configs(intent)[intent.source_connector]
    address = {f"{_OVERRIDE}{key}" for key in intent.target}
    producer = {
        f"producer.{key.removeprefix(_OVERRIDE)}": value
        for key, value in source.items()
        if key.startswith(_OVERRIDE) and key not in address
    }
    return {
        # Progress is what was flushed; the default is a minute.
        "offset.flush.interval.ms": "1000",
        **producer,
        **more,
        "key.converter": _BYTES,
        "value.converter": _BYTES,
        # Without it header bytes are rewritten as base64 text (measured).
        "header.converter": _BYTES,
        "offset.storage.topic": offsets_topic,
    }
