"""The HTTP side of Kafka Connect: one request with bounded retries, and errors that say whether to try again.

Which answers are worth another try was measured on Kafka 4.3.1: 409 "stale configuration" and "rebalance", and the
same fault as 500 "a rebalance is expected" on reads. 409 "already exists" is an answer, not a fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import requests
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, RequestException, SSLError

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.rest import retrying, time_outs, untrusted

_LONGEST_MESSAGE = 4000


class ConnectError(FerryError):
    """Kafka Connect refused a request.

    :param status: HTTP status, 0 when there was no answer.
    :param message: Connect's own words, without secrets.
    """

    def __init__(self, method: str, path: str, status: int, message: str) -> None:
        super().__init__(f"Kafka Connect: {method} {path} -> {status or 'no answer'}: {message}")
        self.method, self.path, self.status, self.message = method, path, status, message

    def __reduce__(self) -> tuple[type[ConnectError], tuple[str, str, int, str]]:
        return type(self), (self.method, self.path, self.status, self.message)


class ConnectorNotFound(ConnectError):
    """404: no such connector, plugin or logger, or not yet."""


class ConnectorExists(ConnectError):
    """409 on create: the name is taken. Not a rebalance, so never retried."""


class ConnectorNotStopped(ConnectError):
    """400 on offsets: they can be changed only while the connector is STOPPED."""


class InvalidConnectorConfig(ConnectError):
    """The worker finds errors in a config; the message lists them per key."""


class ConnectUntrusted(ConnectError):
    """HTTPS with a certificate that the connection does not believe. Trying again changes nothing."""


class PluginNotFound(ConnectError):
    """The worker has no connector plugin of this class."""


class ConnectBusy(ConnectError, TransientError):
    """A rebalance or a concurrent change: the same request will be answered soon."""

    retriable: ClassVar[bool] = True


class ConnectUnavailable(ConnectError, TransientError):
    """No worker answered, or it answered with a server error."""

    retriable: ClassVar[bool] = True


class OutcomeUnknown(ConnectUnavailable):
    """A write may or may not have happened (500 "Request timed out", a broken connection): read it back."""


def error_of(method: str, path: str, status: int, message: str) -> ConnectError:
    """The typed error of an answer with an error status."""
    kind: type[ConnectError] = ConnectError
    text = message.lower()
    if status == 404:
        kind = ConnectorNotFound
    elif status == 409:
        kind = ConnectorExists if "already exists" in text else ConnectBusy
    elif status == 400:
        kind = ConnectorNotStopped if "must be in the stopped state" in text else ConnectError
        kind = InvalidConnectorConfig if "connector configuration is invalid" in text else kind
    elif status in (429, 503):
        kind = ConnectBusy
    elif status >= 500:
        kind = _server_error(method, path, text)
    return kind(method, path, status, message)


def _server_error(method: str, path: str, text: str) -> type[ConnectError]:
    if "failed to find any class" in text:  # an unknown plugin, answered as 500 by the validate endpoint (measured)
        return PluginNotFound
    if "rebalance" in text or "stopped completely" in text:  # refused before anything was done
        return ConnectBusy
    # Validation is a PUT that writes nothing.
    return ConnectUnavailable if method == "GET" or path.endswith("/validate") else OutcomeUnknown


@dataclass
class ConnectRest:
    """Requests to one Connect cluster.

    :param base_url: ``http://host:port``, no slash at the end.
    :param timeout: seconds for connecting and for each answer. Connect itself gives up after 90 s.
    :param patience: seconds to go on trying while the answer is :class:`ConnectBusy` or nobody listens.
    """

    base_url: str
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    timeout: float = 100.0
    patience: float = 60.0
    first_wait: float = 0.25

    def request(
        self, method: str, path: str, *, json: Any = None, params: Any = None, secrets: Iterable[str] = ()
    ) -> Any:
        """The decoded JSON of the answer, ``None`` when it has no body.

        :param secrets: values to keep out of error texts.
        :raises ConnectError: or a subclass; after ``patience`` seconds when it is retriable.
        """
        tries = retrying(_is_worth_waiting, self.patience, self.first_wait, f"{method} {path}")
        return tries(self._once, method, path, json, params, tuple(secrets))

    def _once(self, method: str, path: str, json: Any, params: Any, secrets: Iterable[str]) -> Any:
        try:
            response = self.session.request(
                method,
                self.base_url + path,
                json=json,
                params=params,
                timeout=time_outs(self.timeout),
                # Said here: else REQUESTS_CA_BUNDLE of the environment goes before what the connection says.
                verify=self.session.verify,
            )
        except SSLError as fault:
            if said := untrusted(fault, self.base_url):
                raise ConnectUntrusted(method, path, 0, said) from None
            raise self._no_answer(fault, method, path, secrets) from None
        except RequestException as fault:
            raise self._no_answer(fault, method, path, secrets) from None
        beat()
        if response.status_code == 404 and "json" not in response.headers.get("Content-Type", ""):
            # Jetty's own page, not Connect's answer: a worker that starts listens before it knows its resources.
            raise ConnectBusy(method, path, 404, f"{self.base_url} is starting, or is not a Kafka Connect worker")
        if response.status_code >= 400:
            raise error_of(method, path, response.status_code, redact_text(_message(response), secrets))
        try:
            return response.json() if response.content else None
        except requests.JSONDecodeError:
            message = f"{self.base_url} did not answer in JSON. Is this a Kafka Connect worker?"
            raise ConnectError(method, path, response.status_code, message) from None

    def _no_answer(self, fault: RequestException, method: str, path: str, secrets: Iterable[str]) -> ConnectError:
        never_sent = isinstance(fault, ConnectTimeout) or _refused(fault)
        kind = ConnectUnavailable if never_sent or method == "GET" else OutcomeUnknown
        told = f"{self.base_url}: {fault}. Fix: see that a worker runs there, and that Airflow reaches it"
        return kind(method, path, 0, redact_text(told, secrets))


def _is_worth_waiting(fault: BaseException) -> bool:
    # A write with an unknown outcome is read back by the caller, never repeated blindly.
    return isinstance(fault, (ConnectBusy, ConnectUnavailable)) and not isinstance(fault, OutcomeUnknown)


def _refused(fault: RequestException) -> bool:
    return isinstance(fault, NoConnection) and any(
        text in str(fault) for text in ("NewConnectionError", "NameResolutionError", "Connection refused")
    )


def _message(response: requests.Response) -> str:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return (response.text or response.reason or "")[:_LONGEST_MESSAGE]
    text = body.get("message") if isinstance(body, dict) else None
    return str(text or response.reason or body)[:_LONGEST_MESSAGE]
