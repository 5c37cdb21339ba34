"""Every run has a folder of its own, whatever its id, on any store."""

from __future__ import annotations

import itertools

import pytest

from kafka_ferry.report.names import dag_folder, run_folder, run_key

RUN = "manual__2026-11-21T08:00:00+00:00"
STRANGE = [
    "a:b", "a+b", "a~b", "a_b", "a/b", "a b", "a%2Fb", "a%3Ab", "A_b", "a_B", "a.b", "a.", ".a", "a..b", "..", ".", "",
    "...", " ", "_", "__", "-", "a\n", "a\0b", "a\\b", "..\\..\\etc", "../../etc", "/etc/passwd", "é",
    "e\u0301", "\ud800",
    "a" * 250, "a" * 249 + "b", "A" * 250, "a" * 120, "a" * 121, "é" * 250, "é" * 249 + "e", "con",
    "nul.txt", "~", "a--b",
    RUN, RUN.lower(), RUN.replace(":", "_").replace("+", "_"), RUN.replace(":", "_").replace("+", "_").lower(),
    RUN.replace("+00:00", "+01:00"), RUN.replace("+", "-"), RUN.replace("00+", "00.000001+"), f"{RUN}_AbCdEfGh",
    f"{RUN}_abcdefgh", f"{RUN}_", "scheduled__2026-11-21T08:00:00+00:00", "Scheduled__2026-11-21T08:00:00+00:00",
    "manual__2026-11-21T08:00:00-00:00", "manual__2026-11-21T08_00_00:00:00",
]  # fmt: skip


def test_no_two_runs_share_a_folder_or_an_export_on_a_store_without_capital_letters() -> None:
    short = ("".join(one) for one in itertools.product("ab:+~_A", repeat=4))
    ids = {*STRANGE, *map(run_folder, STRANGE), *map(run_key, STRANGE), *short}
    for naming in (run_folder, run_key):
        assert len({naming(one).lower() for one in ids}) == len(ids)


@pytest.mark.parametrize("name", STRANGE)
def test_a_folder_is_one_component_that_every_store_takes(name: str) -> None:
    for folder in (run_folder(name), dag_folder(name), run_key(name)):
        assert 1 <= len(folder) <= 120
        assert set(folder) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        assert not folder.startswith(".")
        assert not folder.endswith(".")


@pytest.mark.parametrize(
    ("run_id", "folder"),
    [
        (RUN, "manual__2026-11-21T08_00_00_00_00"),
        ("scheduled__2026-11-21T08:00:00.123456+00:00", "scheduled__2026-11-21T08_00_00.123456_00_00"),
        ("asset_triggered__2026-11-21T08:00:00+00:00", "asset_triggered__2026-11-21T08_00_00_00_00"),
        ("run", "run"),
        ("c_1", "c_1"),
        ("wave-1.2", "wave-1.2"),
        ("_migrations", "_migrations"),
    ],
)
def test_folders_that_there_were_keep_their_names(run_id: str, folder: str) -> None:
    assert run_folder(run_id) == folder


def test_the_folder_of_a_dag_keeps_capital_letters() -> None:
    assert dag_folder("backup_topics") == "backup_topics"
    assert dag_folder("Our.DAG-1") == "Our.DAG-1"
    assert dag_folder("a:b") != dag_folder("a_b")
