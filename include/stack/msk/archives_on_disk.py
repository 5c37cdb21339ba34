"""A plugin from the emulated S3 as a folder that a worker can load."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def unpack(content: bytes, content_type: str, folder: Path) -> None:
    """The files of a ZIP, or the JAR itself, below ``folder``; nothing ever lands outside of it."""
    folder.mkdir(parents=True)
    if content_type == "JAR":
        (folder / "plugin.jar").write_bytes(content)
        return
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        for name in opened.namelist():
            if not name.endswith("/"):
                opened.extract(name, folder)  # drops "..", roots and drives from names
