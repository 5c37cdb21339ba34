"""Plugins' files from a folder or from Maven, and their way into S3."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from kafka_ferry.exceptions import BadParam, NotAuthorized, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import Coordinates, PluginArchive, is_archive, unpacked
from kafka_ferry.hooks.objects.aws_connection import upload_args

with brought_by("aws"):
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
    from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

_ARCHIVES = (".jar", ".zip", ".tar.gz", ".tgz")
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")
_TEXT = re.compile(r"\.|(LICENSE|LICENCE|NOTICE|README|CHANGELOG|CONTRIBUTE|COPYRIGHT|manifest\.json)", re.IGNORECASE)
_MAVEN_TIMEOUT = 900.0  # seconds
#: What every worker has on its own class path; a second copy in a plugin is at best dead weight.
_PROVIDED = "org.apache.kafka,org.slf4j"


def from_folder(folder: str | Path) -> PluginArchive:
    """The JARs and archives below a folder, as they are. Texts about them, and hidden files, are left out.

    :raises BadParam: no such folder, no JAR in it, a link, or a file that is no archive: it would be uploaded.
    """
    root = Path(folder)
    if not root.is_dir():
        raise BadParam("plugin", f"there is no folder {folder}", "a folder that exists on the Airflow worker")
    files = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            raise BadParam("plugin", f"{name} in {folder} is a link", "the file itself: links are not followed")
        if path.is_dir() or _TEXT.match(path.name):
            continue
        # Opened so that a link put there meanwhile is not followed either.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            data = file.read()
        if not path.name.endswith(_ARCHIVES) or not data.startswith(_MAGIC):
            raise BadParam(
                "plugin", f"{name} in {folder} is not a JAR, ZIP or tar.gz", "a folder with the plugin's files only"
            )
        files[name] = data
    return PluginArchive(files)


def from_maven(coordinates: Iterable[str], maven: str | None = None) -> PluginArchive:
    """Artifacts and, of JARs, what they need at run time; archives (``tar.gz:plugin``) are unpacked.

    Maven's own settings say where from (``~/.m2/settings.xml``).

    :param maven: path of the program; by default found in PATH.
    :raises BadParam: no coordinates, or Maven is not installed.
    :raises TransientError: Maven could not fetch them; with the end of what it said.
    """
    wanted = [Coordinates.parse(text) for text in coordinates]
    program = maven or shutil.which("mvn")
    if not wanted or program is None:
        problem = "there are no coordinates" if not wanted else "the program mvn was not found on the Airflow worker"
        raise BadParam("plugin", problem, "install Maven, or set a folder or an object in S3")
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="ferry-plugin-") as work:
        pom, target = Path(work) / "pom.xml", Path(work) / "files"
        for transitive, some in ((True, [c for c in wanted if not c.is_archive]), (False, _archives(wanted))):
            if some:
                pom.write_text(_pom(some))
                _copy(program, pom, target, transitive=transitive)
        for path in sorted(target.iterdir()):
            data = path.read_bytes()
            files |= unpacked(path.name, data) if is_archive(path.name) else {path.name: data}
    return PluginArchive(files)


def upload(
    archive: PluginArchive,
    base: str,
    bucket: str,
    prefix: str = "",
    *,
    aws_conn_id: str | None = "aws_default",
    **hook: Any,
) -> str:
    """Put the ZIP into S3 under its content's name, unless it is there already; the key.

    :param hook: further arguments of ``AwsBaseHook`` (``region_name``, ``verify``, ``config``).
    :raises TransientError: S3 does not answer, or the bucket is not there.
    :raises NotAuthorized: it says no.
    """
    key = "/".join(part for part in (prefix.strip("/"), f"{archive.name(base)}.zip") if part)
    content = archive.zip()
    source: Any = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3", **hook)
    with _translated(bucket, key):
        s3 = source.conn
        if _size(s3, bucket, key) == len(content):
            log.info("s3://%s/%s exists already", bucket, key)
        else:
            s3.put_object(**upload_args(source), Bucket=bucket, Key=key, Body=content)
            log.info("s3://%s/%s: %d bytes written", bucket, key, len(content))
    return key


def delete(bucket: str, key: str, *, aws_conn_id: str | None = "aws_default", **hook: Any) -> None:
    """Take the ZIP away again; one that is not there counts as deleted.

    Raises as :func:`upload` does.
    """
    source: Any = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3", **hook)
    with _translated(bucket, key):
        s3 = source.conn
        if _size(s3, bucket, key) is not None:
            s3.delete_object(Bucket=bucket, Key=key)
            log.info("s3://%s/%s: deleted", bucket, key)


def size_of(bucket: str, key: str, *, aws_conn_id: str | None = "aws_default", **hook: Any) -> int | None:
    """Bytes of an object; None when there is none. Raises as :func:`upload` does."""
    source: Any = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3", **hook)
    with _translated(bucket, key):
        return _size(source.conn, bucket, key)


def read_text(bucket: str, key: str, *, aws_conn_id: str | None = "aws_default", **hook: Any) -> str | None:
    """A small object's text; None when there is none. Raises as :func:`upload` does."""
    source: Any = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3", **hook)
    with _translated(bucket, key):
        if _size(source.conn, bucket, key) is None:
            return None
        return str(source.conn.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def write_text(bucket: str, key: str, text: str, *, aws_conn_id: str | None = "aws_default", **hook: Any) -> None:
    """Write a small object. Raises as :func:`upload` does."""
    source: Any = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3", **hook)
    with _translated(bucket, key):
        source.conn.put_object(**upload_args(source), Bucket=bucket, Key=key, Body=text.encode())


@contextmanager
def _translated(bucket: str, key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        kind = NotAuthorized if code in ("403", "AccessDenied") else TransientError
        raise kind(f"s3://{bucket}/{key}: {error}") from error
    except BotoCoreError as error:
        raise TransientError(f"s3://{bucket}/{key}: {error}") from error


def _size(s3: Any, bucket: str, key: str) -> int | None:
    try:
        return int(s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError as error:
        if str(error.response.get("Error", {}).get("Code")) in ("404", "NoSuchKey", "NotFound"):
            return None
        raise


def _archives(wanted: list[Coordinates]) -> list[Coordinates]:
    return [coordinates for coordinates in wanted if coordinates.is_archive]


def _copy(maven: str, pom: Path, target: Path, *, transitive: bool) -> None:
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={target}"]
    command += ["-DincludeScope=runtime", f"-DexcludeGroupIds={_PROVIDED}"]
    command += [] if transitive else ["-DexcludeTransitive=true"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_MAVEN_TIMEOUT,
            check=False,
            env={**os.environ},
        )
    except subprocess.TimeoutExpired:
        raise TransientError(f"Maven did not end within {_MAVEN_TIMEOUT:g} s") from None
    if done.returncode:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise TransientError(f"Maven could not fetch the plugin (exit {done.returncode}):\n{end}")


def _pom(wanted: list[Coordinates]) -> str:
    def dependency(one: Coordinates) -> str:
        parts = {"groupId": one.group, "artifactId": one.artifact, "version": one.version, "type": one.type}
        if one.classifier:
            parts["classifier"] = one.classifier
        inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in parts.items())
        return f"<dependency>{inner}</dependency>"

    listed = "".join(dependency(one) for one in wanted)
    head = '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    own = "<groupId>ferry</groupId><artifactId>plugin</artifactId><version>1</version><packaging>pom</packaging>"
    return f"{head}{own}<dependencies>{listed}</dependencies></project>"
