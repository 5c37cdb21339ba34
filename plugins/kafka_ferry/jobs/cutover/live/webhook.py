"""Requests to the user's webhooks: signed, repeated, and with an answer to whether anybody can have heard."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import requests
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, RequestException

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import BadConnection, FerryError, TransientError
from kafka_ferry.jobs.cutover.rules.handover import SIGNATURE, signature

log = logging.getLogger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0
_REFUSED = ("refused", "Name or service not known", "Temporary failure in name resolution", "NewConnectionError")


class NobodyListened(FerryError):
    """No request was ever taken: nobody can have heard of it."""


class NoAnswer(TransientError):
    """Somebody may have heard, and nobody said yes: the same is to be said again."""


class Webhook:
    """An Airflow connection of type http: host (or URL), port, schema; login and password for basic authentication.

    Extra: ``endpoint`` (the path), ``secret`` (signs the body; without a login the password does), ``headers``,
    ``verify``.

    :raises BadConnection: there is no such connection, or it has no host.
    """

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id
        try:
            conn = BaseHook.get_connection(conn_id)
        except AirflowNotFoundException as error:
            raise BadConnection(f"connection {conn_id!r} does not exist. Fix: create it with type http") from error
        if not conn.host:
            raise BadConnection(f"connection {conn_id!r} has no host. Fix: the host, or the whole URL, of the webhook")
        extra = conn.extra_dejson
        # A URI such as http://host:80/path leaves the path in the schema.
        scheme = conn.schema if conn.schema in ("http", "https") else "https" if conn.conn_type == "https" else "http"
        path = str(extra.get("endpoint") or ("" if conn.schema in (None, "http", "https") else conn.schema))
        host = conn.host.rstrip("/") if path else conn.host
        base = host if "://" in host else f"{scheme}://{host}"
        if conn.port and not base.partition("://")[2].partition("/")[0].rpartition(":")[2].isdigit():
            place, slash, rest = base.partition("://")[2].partition("/")
            base = f"{base.partition('://')[0]}://{place}:{conn.port}{slash}{rest}"
        self.url = urljoin(f"{base}/", path.lstrip("/")) if path else base
        self._auth = (conn.login, conn.password or "") if conn.login else None
        self._secret = str(extra.get("secret") or ("" if conn.login else conn.password) or "")
        self._headers = {str(name): str(value) for name, value in (extra.get("headers") or {}).items()}
        self._verify = extra.get("verify", True)

    def post(self, payload: Mapping[str, Any], seconds: float) -> None:
        """Say it until somebody answers with 2xx.

        :param seconds: for all tries, and for each answer.
        :raises NobodyListened: not one request was taken. ``NoAnswer``: at least one may have been.
        """
        body = json.dumps(payload).encode()
        headers = {"Content-Type": "application/json", **self._headers}
        if self._secret:
            headers[SIGNATURE] = signature(body, self._secret)
        deadline, wait, heard, problem = time.monotonic() + seconds, _FIRST_WAIT, False, ""
        while True:
            left = max(0.5, deadline - time.monotonic())
            try:
                answer = requests.post(
                    self.url, data=body, headers=headers, auth=self._auth, verify=self._verify,
                    timeout=(min(5.0, left), left), allow_redirects=False,
                )  # fmt: skip
                if answer.ok and answer.status_code < 300:
                    return
                heard, problem = True, f"answered {answer.status_code}: {answer.text[:200]}"
            except RequestException as error:
                heard = heard or not _never_sent(error)
                problem = redact_text(str(error))[:300]
            if time.monotonic() + wait >= deadline:
                break
            log.warning("webhook %s: %s; again in %.2f s", self.conn_id, problem, wait)
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        kind = NoAnswer if heard else NobodyListened
        raise kind(
            f"webhook of connection {self.conn_id!r} did not say yes within {seconds:g} s: {problem}. Fix: see why; it "
            "must answer with 2xx"
        )


def _never_sent(error: RequestException) -> bool:
    """Whether the connection was not even made."""
    if isinstance(error, ConnectTimeout):
        return True
    return isinstance(error, NoConnection) and any(word in str(error) for word in _REFUSED)
