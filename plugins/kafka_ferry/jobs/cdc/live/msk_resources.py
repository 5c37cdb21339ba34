"""What a stream's connector on MSK Connect is made of; the plugin by Maven, once."""

from __future__ import annotations

import logging
from functools import cached_property

from kafka_ferry.exceptions import NotAuthorized, TransientError
from kafka_ferry.hooks.msk_connect.plugin_upload import delete, from_maven, read_text, size_of, write_text
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import PluginArchive
from kafka_ferry.jobs.cdc.rules.plugin_marker import PluginMarker, is_fixed
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.deployment import check_plugin
from kafka_ferry.jobs.runtimes.msk_connect_resources import MskResources

log = logging.getLogger(__name__)


class StreamResources(MskResources):
    """With Debezium's archive for a plugin."""

    param = "plugin"

    def __init__(self, spec: StreamSpec, base: str) -> None:
        super().__init__(spec, base)
        self._stream = spec

    def _without_folder(self) -> PluginArchive:
        check_plugin(self._stream.plugin)
        return from_maven([self._stream.plugin])

    def has_class(self, name: str) -> bool:
        return bool(self._marker and name in self._marker.classes) or super().has_class(name)

    @property
    def _bucket(self) -> str:
        return str(self.spec.plugin_bucket)

    @property
    def _marker_key(self) -> str:
        """One for each stream: other coordinates take its place."""
        return f"{self.base}-plugin.json"

    @property
    def _by_maven(self) -> bool:
        """Whether the plugin is built from coordinates that mean the same for ever."""
        spec = self._stream
        return not spec.custom_plugin_arn and not spec.plugin_folder and is_fixed(spec.plugin)

    @cached_property
    def _marker(self) -> PluginMarker | None:
        """Of the ZIP in S3 that was built from these coordinates: then Maven need not be asked again."""
        if not self._by_maven:
            return None
        try:
            text = read_text(self._bucket, self._marker_key, **self._s3)
            marker = PluginMarker.read(text or "", self._stream.plugin, f"{self.base}-plugin")
            there = marker and size_of(self._bucket, marker.key, **self._s3) == marker.size
        except (TransientError, NotAuthorized) as fault:
            log.info("cannot see whether the plugin is in S3 already, so Maven fetches it: %s", fault)
            return None
        return marker if there else None

    def _uploaded(self) -> tuple[str, str, str]:
        if marker := self._marker:
            log.info("s3://%s/%s was built from %s already", self._bucket, marker.key, marker.coordinates)
            return marker.name, self._bucket, marker.key
        name, bucket, key = super()._uploaded()
        if self._by_maven:
            spec, size = self._stream, size_of(bucket, key, **self._s3) or 0
            classes = [one for one in (spec.database.connector_class,) if self._archive.has_class(one)]
            marker = PluginMarker(spec.plugin, name, size, tuple(classes))
            write_text(bucket, self._marker_key, marker.to_json(), **self._s3)
        return name, bucket, key

    def delete(self) -> list[str]:
        deleted = super().delete()
        if self._by_maven:
            delete(self._bucket, self._marker_key, **self._s3)
        return deleted
