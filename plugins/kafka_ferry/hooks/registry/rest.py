"""The HTTP side of a schema registry: one request with bounded retries and an answer of bounded size.

``confluent-kafka`` has a client for the same API. It is not used: it needs three packages more, reads answers of any
size, and raises no error that says whether to try again.
"""

from __future__ import annotations

import json as json_lib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import requests
from requests.exceptions import RequestException, SSLError

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import FerryError, NotAuthorized, TransientError
from kafka_ferry.hooks.rest import retrying, time_outs, untrusted

_LONGEST_MESSAGE = 2000
#: Bytes of one answer: a schema has some kilobytes, the names of 100,000 subjects have ten megabytes.
LARGEST_ANSWER = 32 * 1024 * 1024
_KIND = "application/vnd.schemaregistry.v1+json"


class RegistryError(FerryError):
    """A schema registry refused a request.

    :param status: HTTP status, 0 when there was no answer. ``code``: the API's own, 0 when it told none.
    :param message: the registry's own words, without secrets.
    """

    def __init__(self, method: str, path: str, status: int, code: int, message: str) -> None:
        told = f"{status}" + (f" ({code})" if code and code != status else "") if status else "no answer"
        super().__init__(f"schema registry: {method} {path} -> {told}: {message}")
        self.method, self.path, self.status, self.code, self.message = method, path, status, code, message

    def __reduce__(self) -> tuple[type[RegistryError], tuple[str, str, int, int, str]]:
        return type(self), (self.method, self.path, self.status, self.code, self.message)


class RegistryNotFound(RegistryError):
    """404: no such subject, version, schema or setting, or no such call."""


class RegistryRefused(RegistryError):
    """409 or 422: a schema that is incompatible or invalid, or that the mode does not take."""


class RegistryNotAuthorized(RegistryError, NotAuthorized):
    """401 or 403."""


class RegistryUntrusted(RegistryError):
    """HTTPS with a certificate that the connection does not believe. Trying again changes nothing."""


class RegistryUnavailable(RegistryError, TransientError):
    """It did not answer, or with a fault of its own."""

    retriable: ClassVar[bool] = True


def error_of(method: str, path: str, status: int, code: int, message: str) -> RegistryError:
    """The typed error of an answer with an error status."""
    kind: type[RegistryError] = RegistryError
    if status == 404:
        kind = RegistryNotFound
    elif status in (409, 422):
        kind = RegistryRefused
    elif status in (401, 403):
        kind = RegistryNotAuthorized
        message += ". Fix: login and password of the connection, or the rights that its user has"
    elif status in (408, 429) or status >= 500:
        kind = RegistryUnavailable
    return kind(method, path, status, code, message)


@dataclass
class RegistryRest:
    """Requests to one registry; may be used by several threads.

    All of them may be repeated: the API takes a schema that it has, or a setting that is so, as done.

    :param base_url: ``http://host:port/path``, no slash at the end.
    :param make_session: with login and TLS; each thread has its own.
    :param timeout: seconds for connecting and for each answer. ``patience``: to go on trying.
    :param secrets: values to keep out of error texts.
    """

    base_url: str
    make_session: Callable[[], requests.Session] = field(default=requests.Session, repr=False)
    timeout: float = 30.0
    patience: float = 60.0
    first_wait: float = 0.25
    secrets: Iterable[str] = field(default=(), repr=False)
    largest: int = LARGEST_ANSWER
    _sessions: threading.local = field(default_factory=threading.local, repr=False)

    def request(self, method: str, path: str, *, json: Any = None, params: Any = None, text: bool = False) -> Any:
        """The decoded JSON of the answer.

        :param text: its text instead, whatever it is.
        :raises RegistryError: or a subclass; after ``patience`` seconds when it is retriable.
        """
        tries = retrying(_is_worth_waiting, self.patience, self.first_wait, f"{method} {path}")
        body = tries(self._once, method, path, json, params)
        return body.decode(errors="surrogateescape") if text else self._decoded(method, path, body)

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "own"):
            self._sessions.own = self.make_session()
        session: requests.Session = self._sessions.own
        return session

    def _once(self, method: str, path: str, json: Any, params: Any) -> bytes:
        """The answer's body.

        :raises RegistryError: it is none of success.
        """
        session = self._session
        try:
            with session.request(
                method,
                self.base_url + path,
                data=None if json is None else json_lib.dumps(json).encode(),
                params=params,
                headers={"Accept": f"{_KIND}, application/json", "Content-Type": _KIND},
                timeout=time_outs(self.timeout),
                # Said here: else REQUESTS_CA_BUNDLE of the environment goes before what the connection says.
                verify=session.verify,
                # To wherever it points the login would not go along; who moved says so in the connection.
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(method, path, response)
        except SSLError as fault:
            if said := untrusted(fault, self.base_url):
                raise RegistryUntrusted(method, path, 0, 0, said) from None
            raise self._no_answer(fault, method, path) from None
        except RequestException as fault:
            raise self._no_answer(fault, method, path) from None
        beat()
        status = response.status_code
        if 300 <= status < 400:
            message = f"{self.base_url} points elsewhere. Fix: write the address it points to into the connection"
            raise RegistryError(method, path, status, 0, message)
        if status >= 400:
            code, message = _message(body, response.reason)
            raise error_of(method, path, status, code, redact_text(message, self.secrets))
        return body

    def _decoded(self, method: str, path: str, body: bytes) -> Any:
        try:
            return json_lib.loads(body) if body else None
        except (ValueError, RecursionError):
            message = f"{self.base_url} did not answer in JSON. Is this the Confluent API of a schema registry?"
            raise RegistryError(method, path, 200, 0, message) from None

    def _read(self, method: str, path: str, response: requests.Response) -> bytes:
        read = bytearray()
        for piece in response.iter_content(65536):
            read += piece
            if len(read) > self.largest:
                said = f"an answer of more than {self.largest >> 20} MB. Is this a schema registry?"
                raise RegistryError(method, path, response.status_code, 0, said)
        return bytes(read)

    def _no_answer(self, fault: RequestException, method: str, path: str) -> RegistryError:
        told = f"{self.base_url}: {fault}. Fix: see that a registry runs there, and that Airflow reaches it"
        return RegistryUnavailable(method, path, 0, 0, redact_text(told, self.secrets))


def _is_worth_waiting(fault: BaseException) -> bool:
    return isinstance(fault, RegistryUnavailable)


def _message(body: bytes, reason: str | None) -> tuple[int, str]:
    try:
        answer = json_lib.loads(body) if body else None
    except (ValueError, RecursionError):
        answer = body[:_LONGEST_MESSAGE].decode(errors="replace")
    if not isinstance(answer, dict):
        return 0, str(answer or reason or "")[:_LONGEST_MESSAGE]
    code = answer.get("error_code")
    return code if isinstance(code, int) else 0, str(answer.get("message") or reason or answer)[:_LONGEST_MESSAGE]
