"""Run ids and DAG ids as names of folders: each its own, also where a store knows no capital letters. Pure."""

from __future__ import annotations

import hashlib
import re

# Airflow's own: ``scheduled__2026-11-21T08:00:00+00:00`` (DagRunType.generate_run_id), with microseconds or not.
_OF_AIRFLOW = re.compile(r"[a-z]+(?:_[a-z]+)*__\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00", re.ASCII)
_ITS_FOLDER = re.compile(
    r"[a-z]+(?:_[a-z]+)*__\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d(?:\.\d{6})?_00_00", re.ASCII | re.IGNORECASE
)
_PLAIN_RUN = re.compile(r"[a-z0-9_][a-z0-9._-]{0,118}[a-z0-9_-]|[a-z0-9_]", re.ASCII)
_PLAIN_DAG = re.compile(_PLAIN_RUN.pattern, re.ASCII | re.IGNORECASE)
_WITH_DIGEST = re.compile(r".*--[0-9a-f]{32}", re.IGNORECASE | re.DOTALL)
_READABLE = 80  # characters before the digest; file systems take 255 bytes


def run_folder(run_id: str) -> str:
    """One path component, another for every run id.

    Airflow's own ids and those of small letters, digits, ``.``, ``_`` and ``-`` stay readable as they are; any other
    ends with a digest of itself.
    """
    if _OF_AIRFLOW.fullmatch(run_id):
        return safe_name(run_id)
    plain = _PLAIN_RUN.fullmatch(run_id) and not _ITS_FOLDER.fullmatch(run_id)
    return run_id if plain and not _WITH_DIGEST.fullmatch(run_id) else _digested(run_id)


def dag_folder(dag_id: str) -> str:
    """One path component. Capital letters of a DAG's id stay: its bookmarks and claims lie there."""
    plain = _PLAIN_DAG.fullmatch(dag_id) and not _WITH_DIGEST.fullmatch(dag_id)
    return dag_id if plain else _digested(dag_id)


def safe_name(name: str) -> str:
    """A name in characters that every store takes; several names may become one."""
    # A name of dots alone would leave its folder.
    return re.sub(r"[^A-Za-z0-9._-]|^\.+$", "_", name)


def run_key(run_id: str, longest: int = 60) -> str:
    """As :func:`run_folder`, for keys: shorter, and beginning with a letter or digit."""
    name = run_folder(run_id)
    return name if len(name) <= longest and name[0].isalnum() else _digested(run_id, longest - 34, "._-")


def _digested(name: str, readable_length: int = _READABLE, strip: str = ".-") -> str:
    readable = safe_name(name)[:readable_length].strip(strip) or "run"
    # A lone surrogate has no UTF-8; it is another name all the same.
    return f"{readable}--{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:32]}"
