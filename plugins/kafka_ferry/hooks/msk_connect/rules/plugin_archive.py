"""A plugin's ZIP, the same bytes for the same files, so that its digest can be its name."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.naming import content_name

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a ZIP can tell
_ARCHIVES = (".zip", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class PluginArchive:
    """Files of a plugin: path inside the ZIP → content. JARs stand flat or in folders; MSK Connect finds both."""

    files: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if not any(name.endswith(".jar") for name in self.files):
            raise BadParam("plugin", "there is no JAR in it", "a folder or Maven coordinates of a connector")

    @property
    def content(self) -> bytes:
        """The digest's input: names, sizes and contents, whatever the compression."""
        parts = (f"{name}\0{len(data)}\0".encode() + data for name, data in sorted(self.files.items()))
        return b"".join(parts)

    def name(self, base: str) -> str:
        """``<base>-<digest>``: other files get another name, as plugins cannot be changed."""
        return content_name(base, self.content)

    def zip(self) -> bytes:
        """The ZIP: sorted, with one time and one mode."""
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, data in sorted(self.files.items()):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.external_attr = 0o644 << 16
                # A JAR is compressed already.
                entry.compress_type = zipfile.ZIP_STORED if name.endswith(".jar") else zipfile.ZIP_DEFLATED
                opened.writestr(entry, data)
        return whole.getvalue()

    @property
    def digest(self) -> str:
        """sha256 of :attr:`content`."""
        return hashlib.sha256(self.content).hexdigest()

    def has_class(self, name: str) -> bool:
        """Whether a class is in one of the JARs: a connector of another class would end FAILED after minutes."""
        entry = f"{name.replace('.', '/')}.class"
        for file, data in self.files.items():
            if file.endswith(".jar"):
                with zipfile.ZipFile(io.BytesIO(data)) as jar:
                    if entry in jar.namelist():
                        return True
        return False


def placeholder() -> PluginArchive:
    """A plugin of one JAR without classes: for connectors that are on the workers' class path, as MirrorMaker 2's are.

    CreateConnector asks for a plugin all the same (botocore's model: ``plugins`` is required).
    """
    jar = io.BytesIO()
    with zipfile.ZipFile(jar, "w") as opened:
        opened.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF", _EPOCH), "Manifest-Version: 1.0\r\n\r\n")
    return PluginArchive({"placeholder.jar": jar.getvalue()})


@dataclass(frozen=True)
class Coordinates:
    """``group:artifact:version[:type[:classifier]]``, as Maven's tools spell it."""

    group: str
    artifact: str
    version: str
    type: str = "jar"
    classifier: str = ""

    @classmethod
    def parse(cls, text: str) -> Coordinates:
        """:raises BadParam: it is none."""
        parts = text.strip().split(":")
        if not 3 <= len(parts) <= 5 or not all(parts):
            fix = "group:artifact:version[:type[:classifier]]"
            raise BadParam("plugin", f"{text!r} is not a Maven coordinate", fix)
        return cls(*parts)

    @property
    def is_archive(self) -> bool:
        """Whether it holds a plugin's files, such as Debezium's ``tar.gz:plugin``, and not a JAR."""
        return f".{self.type}" in _ARCHIVES

    def __str__(self) -> str:
        parts = [self.group, self.artifact, self.version]
        if self.type != "jar" or self.classifier:
            parts.append(self.type)
        return ":".join([*parts, self.classifier] if self.classifier else parts)


def is_archive(name: str) -> bool:
    """Whether a file of this name is to be unpacked."""
    return name.endswith(_ARCHIVES)


def unpacked(name: str, data: bytes) -> dict[str, bytes]:
    """The files in a ``.zip`` or ``.tar.gz``, without links and folders.

    :raises BadParam: it cannot be read, or a path leads out of it.
    """
    found: dict[str, bytes] = {}
    try:
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as opened:
                found = {entry: opened.read(entry) for entry in opened.namelist() if not entry.endswith("/")}
        else:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
                for member in tar:
                    if member.isfile() and (content := tar.extractfile(member)):
                        found[member.name.removeprefix("./")] = content.read()
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError) as error:
        raise BadParam("plugin", f"{name} cannot be read: {error}", "a whole ZIP or tar.gz") from error
    for path in found:
        if path.startswith("/") or ".." in path.split("/"):
            raise BadParam("plugin", f"{name}: the path {path!r} leads out of it", "the vendor's original archive")
    return found
