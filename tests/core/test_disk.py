"""A place that cannot be written, in words."""

from __future__ import annotations

import errno
import os

import pytest

from kafka_ferry.core.disk import disk_words


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EDQUOT, "make room there"),
        (errno.EROFS, "let the user of Airflow's processes write there"),
        (errno.EACCES, "let the user of Airflow's processes write there"),
        (errno.EIO, "see that it is there, and can be written"),
    ],
)
def test_what_the_system_says_comes_with_a_cure(number: int, cure: str) -> None:
    assert disk_words(OSError(number, os.strerror(number))) == f"{os.strerror(number)}. Fix: {cure}"


def test_a_librarys_own_words_are_kept() -> None:
    assert disk_words(PermissionError("Access Denied")) == (
        "Access Denied. Fix: let the user of Airflow's processes write there"
    )
