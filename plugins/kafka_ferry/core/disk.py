"""A place that cannot be written, in words. Pure."""

from __future__ import annotations

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def disk_words(error: OSError) -> str:
    """What the operating system, or a library in its place, says; with what to do about it: ``…. Fix: …``."""
    if error.errno in _FULL:
        cure = "make room there"
    elif error.errno in _FORBIDDEN or isinstance(error, PermissionError):
        cure = "let the user of Airflow's processes write there"
    else:
        cure = "see that it is there, and can be written"
    return f"{error.strerror or error}. Fix: {cure}"
