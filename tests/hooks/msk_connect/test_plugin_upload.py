from __future__ import annotations

import io
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import msk_lab
from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.hooks.msk_connect.plugin_upload import from_folder, from_maven, upload
from stack.msk.server import MskConnectDouble

# In place of Maven: notes the pom it was given, writes what Maven would write.
MAVEN = """\
#!{python}
import pathlib, sys
pom = pathlib.Path(sys.argv[sys.argv.index("-f") + 1]).read_text()
if "no.such" in pom:
    sys.exit("Could not find artifact no.such:thing")
target = pathlib.Path(next(a for a in sys.argv if a.startswith("-DoutputDirectory=")).partition("=")[2])
target.mkdir(exist_ok=True)
archive = "<type>zip</type>" in pom
assert ("-DexcludeTransitive=true" in sys.argv) == archive, sys.argv
name = "plugin.zip" if archive else "orders.jar"
(target / name).write_bytes(pathlib.Path({source!r}).read_bytes())
"""

JAR = b"PK\x03\x04jar"


@pytest.fixture
def maven(tmp_path: Path) -> str:
    source = tmp_path / "source.zip"
    source.write_bytes(msk_lab.archive("shop.Orders"))
    program = tmp_path / "mvn"
    program.write_text(MAVEN.format(python=sys.executable, source=str(source)))
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    with msk_lab.connected(monkeypatch) as running:
        yield running


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "orders.jar").write_bytes(JAR)
    (tmp_path / "NOTICE").write_bytes(b"text")
    (tmp_path / ".done").write_bytes(b"")
    assert from_folder(tmp_path).files == {"lib/orders.jar": JAR}
    with pytest.raises(BadParam, match="there is no folder"):
        from_folder(tmp_path / "none")


@pytest.mark.parametrize(
    "kind", ["link to a file", "link to a folder", "link to nothing", "other file", "named as a JAR", "pipe"]
)
def test_only_archives_are_taken_and_links_are_refused(tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.jar").write_bytes(JAR)
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "a.jar").write_bytes(JAR)
    if kind == "pipe":
        os.mkfifo(folder / "b.jar")
    elif kind.startswith("link"):
        to = {"link to a file": outside / "x.jar", "link to a folder": outside}.get(kind, outside / "none")
        (folder / "b.jar").symlink_to(to)
    else:
        (folder / ("b.jar" if kind == "named as a JAR" else "airflow.cfg")).write_text("fernet_key = x")
    with pytest.raises(BadParam, match=r"is a link|is not a JAR"):
        from_folder(folder)


def test_maven_jars_with_what_they_need_and_archives_unpacked(maven: str) -> None:
    assert set(from_maven(["g:a:1"], maven).files) == {"orders.jar"}
    both = from_maven(["g:a:1", "g:plugin:1:zip"], maven)
    assert set(both.files) == {"orders.jar", "shop/orders.jar"}
    assert both.has_class("shop.Orders")


def test_what_maven_cannot_do(maven: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransientError, match="Could not find artifact"):
        from_maven(["no.such:thing:1"], maven)
    with pytest.raises(BadParam, match="no coordinates"):
        from_maven([], maven)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadParam, match="mvn was not found"):
        from_maven(["g:a:1"])


def test_upload_once_under_the_contents_name(aws: MskConnectDouble, maven: str) -> None:
    archive = from_maven(["g:a:1"], maven)
    key = upload(archive, "orders", "plugins", "connect/")
    assert key == f"connect/{archive.name('orders')}.zip"
    assert aws.stored == {f"plugins/{key}": archive.zip()}
    aws.stored[f"plugins/{key}"] = archive.zip()[:-1] + b"!"  # same size: not written again
    assert upload(archive, "orders", "plugins", "connect") == key
    assert aws.stored[f"plugins/{key}"].endswith(b"!")
    aws.stored[f"plugins/{key}"] = b"half"
    upload(archive, "orders", "plugins", "connect")
    assert zipfile.is_zipfile(io.BytesIO(aws.stored[f"plugins/{key}"]))


def test_s3_that_does_not_answer(aws: MskConnectDouble, maven: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", msk_lab.connection(aws).replace(aws.url, "http://127.0.0.1:9"))
    with pytest.raises(TransientError, match="s3://plugins/orders-"):
        upload(from_maven(["g:a:1"], maven), "orders", "plugins")
