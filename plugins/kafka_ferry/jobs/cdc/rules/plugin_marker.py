"""What is noted beside a plugin's ZIP in S3: which Maven coordinates it was built from. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Self

from kafka_ferry.hooks.msk_connect.rules.naming import DIGEST_CHARACTERS
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import Coordinates

_MOVING = re.compile(r"-SNAPSHOT$|^(LATEST|RELEASE)$|[\[\](),]")


@dataclass(frozen=True)
class PluginMarker:
    """One ZIP.

    :param coordinates: as the param has them. ``name``: the plugin's, with its digest. ``size``: of the ZIP, in bytes.
    :param classes: connector classes that were found in it.
    """

    coordinates: str
    name: str
    size: int
    classes: tuple[str, ...]

    @property
    def key(self) -> str:
        """The ZIP's, beside which it is noted."""
        return f"{self.name}.zip"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str, coordinates: str, base: str) -> Self | None:
        """The marker, or None when it is none, or of other coordinates or another plugin.

        :param base: what the plugin's name begins with.
        """
        try:
            found = json.loads(text)
            marker = cls(found["coordinates"], found["name"], int(found["size"]), tuple(found["classes"]))
        except (ValueError, KeyError, TypeError):
            return None
        ours = re.fullmatch(rf"{re.escape(base)}-[0-9a-f]{{{DIGEST_CHARACTERS}}}", str(marker.name))
        return marker if ours and marker.coordinates == coordinates else None


def is_fixed(coordinates: str) -> bool:
    """Whether they mean the same files for ever: a release does, by Maven's rules; a snapshot or a range does not.

    :raises BadParam: they are none.
    """
    return not _MOVING.search(Coordinates.parse(coordinates).version)
