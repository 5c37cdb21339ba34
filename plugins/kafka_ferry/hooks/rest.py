"""What the clients of our REST APIs have in common: how long they try, and what they say of a certificate."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import tenacity
from requests.exceptions import SSLError

log = logging.getLogger(__name__)


def retrying(
    again: Callable[[BaseException], bool], patience: float, first_wait: float, what: str
) -> tenacity.Retrying:
    """Tries for a request, longer and longer apart, up to five seconds; the last error is raised as it is.

    :param again: whether an error is worth another try. ``patience``: seconds until the last one. ``what``: for logs.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(again),
        # Not wait_exponential_jitter: the name of its first argument changed between tenacity 9.1 and 9.2.
        wait=tenacity.wait_exponential(first_wait, max=5) + tenacity.wait_random(0, first_wait),
        stop=tenacity.stop_after_delay(patience),
        before_sleep=lambda state: log.debug("%s: try %s failed", what, state.attempt_number),
        reraise=True,
    )


def time_outs(seconds: float) -> tuple[float, float]:
    """For connecting, and for each answer: who does not take a connection soon is not there."""
    return min(10.0, seconds), seconds


def untrusted(fault: SSLError, base_url: str) -> str:
    """What to say of a server whose certificate is not believed; empty: it is another fault of TLS."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(fault):
        return ""
    found = re.search(r"certificate verify failed: ([^(']*)", str(fault))
    why = found[1].strip() if found else str(fault)
    return (
        f"{base_url}: its certificate is not believed: {why}. Fix: verify in the connection's extra: the path of the "
        "CA that signed it"
    )
