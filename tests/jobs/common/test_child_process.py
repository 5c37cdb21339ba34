"""How a child answers and ends."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.common.child_process import run_children

CHILD = """
import atexit, gc, os, sys, threading, time
from pathlib import Path
from kafka_ferry.jobs.common.child_process import answer_order

def work(order):
    if order["fail"]:
        raise ZeroDivisionError("of the work")
    atexit.register(Path(order["tidied"]).touch)
    threading.Thread(target=time.sleep, args=(20,)).start()  # a plain end waits for it, then tidies
    print("a word to whoever reads the log", file=sys.stderr)
    print("a library's own word, as Airflow's log is")
    os.write(1, b"and one of C")
    return [gc.get_threshold(), "x" * order["size"]]

answer_order(work)
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "child_of_this_test.py").write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "child_of_this_test"


def test_a_child_answers_in_full_and_ends_at_once(child: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    size = 3_000_000  # many times what a pipe holds
    order = {"fail": False, "size": size, "tidied": str(tmp_path / "tidied")}
    [(threshold, answer)] = run_children(child, "a child", [(order, [])])
    assert len(answer) == size
    assert threshold[0] > gc.get_threshold()[0], "it looks for garbage seldom"
    assert not (tmp_path / "tidied").exists(), "it took itself apart"
    assert "a word to whoever reads the log" in caplog.text
    for word in ("a library's own word", "and one of C"):
        assert word in caplog.text, "it is no answer"


def test_what_nobody_foresaw_ends_a_child_with_its_trace(child: str, tmp_path: Path) -> None:
    order = {"fail": True, "size": 0, "tidied": str(tmp_path / "tidied")}
    with pytest.raises(TransientError, match=r"a child ended with exit code 1: (.|\n)*ZeroDivisionError: of the work"):
        run_children(child, "a child", [(order, [])])
