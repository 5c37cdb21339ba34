"""The properties of a standalone Connect worker. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.core.client_settings import with_prefix
from kafka_ferry.exceptions import BadParam

_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"
_PROTECTED = ("bootstrap.servers", "listeners", "offset.storage.file.filename", "header.converter", "key.converter",
              "value.converter", "connector.client.config.override.policy", "sasl.jaas.config")  # fmt: skip


def worker_properties(
    target: Mapping[str, str], listeners: str, offsets_file: str, overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """``worker.properties``.

    :param target: Java client settings of the cluster that the worker's producers write to.
    :param offsets_file: absolute path, of this migration's own: another connector of the same name would go on from it.
    :raises BadParam: an override of what must not be changed here.
    """
    for key in overrides or {}:
        if key in _PROTECTED:
            raise BadParam("overrides", f"{key!r} cannot be set here", "params and connections decide it")
    return {
        **target,
        **with_prefix(target, "producer."),
        **with_prefix(target, "consumer."),
        **with_prefix(target, "admin."),
        "listeners": listeners,
        "offset.storage.file.filename": offsets_file,
        "offset.flush.interval.ms": "1000",
        "key.converter": _BYTES,
        "value.converter": _BYTES,
        # The default one rewrites header bytes as base64 text (measured on 4.3.1).
        "header.converter": _BYTES,
        "connector.client.config.override.policy": "All",
        "plugin.discovery": "service_load",
        **(overrides or {}),
    }
