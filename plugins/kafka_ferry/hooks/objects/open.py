"""The store that a location names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kafka_ferry.core.object_key import key_problem
from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.hooks.objects.store import PATIENCE, ObjectStore, S3Store


def open_store(
    location: str,
    settings: Mapping[str, Any] | None = None,
    patience: float = PATIENCE,
    signing: Mapping[str, Any] | None = None,
) -> ObjectStore:
    """The store of a location.

    :param location: ``s3://bucket/prefix``, or ``file:///folder``.
    :param settings: see :class:`S3Store`; unused for a folder.
    :param patience: seconds for which a store that does not answer is asked again.
    :param signing: ``Signer.to_json`` of the key for what is written and read there; None: nothing is signed.
    :raises BadParam: it is neither.
    """
    kind, _, rest = location.partition("://")
    signer = Signer.from_json(signing) if signing else None
    if kind == "s3" and rest.split("/")[0]:
        prefix = rest.partition("/")[2].rstrip("/")
        if prefix and (problem := key_problem(prefix)):
            raise BadParam("location", f"{location!r} cannot be a prefix: {problem}", "s3://bucket/prefix")
        return S3Store(location, settings or {}, patience, signer)
    if kind == "file" and rest.startswith("/"):
        return FolderStore(Path(rest), signer)
    raise BadParam("location", f"{location!r} is not a location for backups", "s3://bucket/prefix, or file:///folder")
