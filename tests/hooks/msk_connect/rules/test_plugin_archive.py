from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

import msk_lab
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import Coordinates, PluginArchive, unpacked


def tar(**files: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as opened:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            opened.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
    return whole.getvalue()


def test_the_same_files_are_the_same_bytes_and_the_same_name() -> None:
    files = {"b.jar": b"b", "LICENSE": b"free", "a/a.jar": b"a"}
    one, two = PluginArchive(files), PluginArchive(dict(reversed(files.items())))
    assert one.zip() == two.zip()
    assert one.name("orders") == two.name("orders") != PluginArchive({**files, "b.jar": b"c"}).name("orders")
    with zipfile.ZipFile(io.BytesIO(one.zip())) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == files
        assert opened.namelist() == sorted(files)
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_files_whose_names_run_into_their_contents_differ() -> None:
    assert PluginArchive({"a.jar": b"b.jar"}).digest != PluginArchive({"a.jar": b"", "b.jar": b""}).digest


def test_no_jar_is_no_plugin() -> None:
    with pytest.raises(BadParam, match="no JAR"):
        PluginArchive({"README": b""})


def test_whether_the_class_is_in_it() -> None:
    plugin = PluginArchive({"lib/orders.jar": msk_lab.jar("shop.Orders"), "LICENSE": b""})
    assert plugin.has_class("shop.Orders")
    assert not plugin.has_class("shop.Order")


@pytest.mark.parametrize(
    ("text", "archive"),
    [("g:a:1", False), ("g:a:1:tar.gz:plugin", True), ("g:a:1:zip", True), ("g:a:1:jar:all", False)],
)
def test_coordinates(text: str, archive: bool) -> None:
    assert str(Coordinates.parse(text)) == text
    assert Coordinates.parse(text).is_archive is archive


@pytest.mark.parametrize("text", ["", "g:a", "g::1", "a:b:c:d:e:f"])
def test_no_coordinates(text: str) -> None:
    with pytest.raises(BadParam, match="not a Maven coordinate"):
        Coordinates.parse(text)


def test_unpacking_follows_no_links() -> None:
    assert unpacked("x.tar.gz", tar(**{"./d/a.jar": b"a"})) == {"d/a.jar": b"a"}
    assert set(unpacked("x.zip", msk_lab.archive("a.B"))) == {"shop/orders.jar"}


def test_paths_that_lead_out_and_files_that_are_none() -> None:
    with pytest.raises(BadParam, match="leads out of it"):
        unpacked("x.tar.gz", tar(**{"../a.jar": b"a"}))
    for name in ("x.zip", "x.tar.gz"):
        with pytest.raises(BadParam, match="cannot be read"):
            unpacked(name, b"text")
