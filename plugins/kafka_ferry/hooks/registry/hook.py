"""A schema registry by the Confluent API: Confluent's own, Karapace, Apicurio's ``/apis/ccompat/v7``, Redpanda's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.redaction import secret_values
from kafka_ferry.core.schemas import AVRO, Reference, Schema, SubjectVersion
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.registry.rest import (
    RegistryError,
    RegistryNotAuthorized,
    RegistryNotFound,
    RegistryRefused,
    RegistryRest,
    RegistryUnavailable,
)

__all__ = [
    "RegistryError", "RegistryHook", "RegistryNotAuthorized", "RegistryNotFound", "RegistryRefused",
    "RegistryUnavailable", "leads_to_glue",
]  # fmt: skip

#: The API's own code of an answer 404, where the call exists and the schema does not.
_NO_SCHEMA = 40403


def leads_to_glue(conn_id: str) -> bool:
    """Whether a connection is of type ``aws``: then its registry is AWS Glue's (``glue.py``)."""
    try:
        return str(BaseHook.get_connection(conn_id).conn_type) == "aws"
    except AirflowNotFoundException:
        return False  # who uses it says so


class RegistryHook(BaseHook):
    """Client of one schema registry.

    The Airflow connection is of type ``http``: host (with the path, where the API has one:
    ``https://registry.example/apis/ccompat/v7``), port, schema (``http``/``https``), login and password. Its extra may
    hold ``auth``: ``bearer`` (the password is a token), ``headers``, ``verify`` (false, or the path of a CA bundle),
    ``cert`` (the path of a client certificate, or ``[certificate, key]``) and ``timeout`` (seconds); see
    docs/connections.md.

    All methods raise :class:`RegistryError` or a subclass; ``retriable`` says whether the same call may succeed later.

    :param registry_conn_id: the Airflow connection.
    :param patience: seconds a call goes on while the registry does not answer.
    """

    conn_name_attr = "registry_conn_id"
    conn_type = "http"
    hook_name = "Schema registry"

    def __init__(self, registry_conn_id: str, *, patience: float = 60.0) -> None:
        super().__init__()
        self.registry_conn_id, self.patience = registry_conn_id, patience

    @cached_property
    def rest(self) -> RegistryRest:
        """The HTTP client that the Airflow connection describes.

        :raises BadConnection: there is no such connection, or it cannot be used.
        """
        try:
            connection = BaseHook.get_connection(self.registry_conn_id)
        except AirflowNotFoundException:
            raise self._bad("does not exist", "create it, of type http, or name another one") from None
        if connection.conn_type == "aws":
            raise self._bad("leads to AWS Glue", "here one of type http, to a registry with the Confluent API")
        extra = dict(connection.extra_dejson)
        headers = extra.get("headers", {})
        if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
            raise self._bad("has headers that are no mapping of texts", '{"headers": {"name": "value"}} in its extra')
        secrets = {one for one in (connection.password, *secret_values(extra), *headers.values()) if one}
        for secret in secrets:
            mask_secret(secret)
        session = self._session_of(connection.login, connection.password, extra, headers)
        timeout = extra.get("timeout", 30)
        if not isinstance(timeout, int | float) or not 0 < timeout <= 600:
            raise self._bad("has a timeout that is none", "seconds, up to 600, in its extra")
        return RegistryRest(
            self._base_of(connection), session, timeout=float(timeout), patience=self.patience, secrets=secrets
        )

    def _base_of(self, connection: Any) -> str:
        host = (connection.host or "").rstrip("/")
        if not host:
            raise self._bad("has no host", "host and port of the registry")
        if "://" not in host:
            host = f"{connection.schema or 'http'}://{host}"
        found = urlsplit(host)
        if found.scheme not in ("http", "https") or "@" in found.netloc:
            raise self._bad("has an address that is none", "https://host/path; login and password in their own fields")
        if connection.port and not found.port:
            return found._replace(netloc=f"{found.netloc}:{connection.port}").geturl()
        return host

    def _session_of(self, login: str | None, password: str | None, extra: Mapping[str, Any], headers: Any) -> Any:
        auth, cert = extra.get("auth", "basic"), extra.get("cert")
        if auth not in ("basic", "bearer"):
            raise self._bad(f"has auth {auth!r}", "basic or bearer in its extra")
        if auth == "bearer" and not password:
            raise self._bad("has no token", "the token as its password")

        def make() -> requests.Session:
            session = requests.Session()
            session.verify = extra.get("verify", True)
            session.cert = tuple(cert) if isinstance(cert, list) else cert
            session.headers.update(headers)
            if auth == "bearer":
                session.auth = _Bearer(password or "")
            elif login:
                session.auth = (login, password or "")
            return session

        return make

    def _bad(self, problem: str, fix: str) -> BadConnection:
        return BadConnection(f"connection {self.registry_conn_id!r} {problem}. Fix: {fix}")

    # -- what there is -------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it is."""
        return self.rest.base_url

    def subjects(self, deleted: bool = False) -> list[str]:
        """Names of all subjects, those of other contexts as ``:.context:name``.

        :param deleted: those too that have deleted versions alone.
        """
        return [str(name) for name in self._list("/subjects", deleted)]

    def versions(self, subject: str, deleted: bool = False) -> list[int]:
        """Numbers of a subject's versions; none when there is no such subject."""
        try:
            return [int(number) for number in self._list(f"{_path(subject)}/versions", deleted)]
        except RegistryNotFound:
            return []

    def version(self, subject: str, version: int, deleted: bool = False) -> SubjectVersion:
        """One version.

        :param deleted: also when it is deleted; the answer does not tell whether it is.
        """
        found = self._mapping(f"{_path(subject)}/versions/{version}", {"deleted": "true"} if deleted else None)
        try:
            number = int(found["id"])
        except (KeyError, TypeError, ValueError):
            raise self._odd(f"{_path(subject)}/versions/{version}") from None
        return SubjectVersion(subject, version, number, self._schema(found, subject))

    def by_id(self, number: int, subject: str | None = None) -> Schema | None:
        """What an id stands for, also when every version with it is deleted; None: the registry does not know it.

        :param subject: any of the context that is meant.
        """
        try:
            found = self._mapping(f"/schemas/ids/{number}", {"subject": subject} if subject else None)
        except RegistryNotFound:
            return None
        return self._schema(found, f"id {number}")

    def by_guid(self, guid: str) -> Schema | None:
        """What a GUID stands for, in whichever context; None: the registry does not know it.

        :raises RegistryNotFound: it has no GUIDs at all: Confluent's has them since version 8.
        """
        try:
            return self._schema(self._mapping(f"/schemas/guids/{guid}"), f"GUID {guid}")
        except RegistryNotFound as error:
            if error.code == _NO_SCHEMA:
                return None
            raise

    def version_of(self, subject: str, schema: Schema) -> int:
        """The number of the version of a subject that a schema is.

        :raises RegistryNotFound: it is none.
        """
        found = self.rest.request("POST", _path(subject), json=_body(schema))
        if not isinstance(found, dict) or not isinstance(found.get("version"), int):
            raise self._odd(_path(subject))
        return int(found["version"])

    def compatibility(self, subject: str = "", inherited: bool = False) -> str | None:
        """A subject's own level, or that of all; None: it has none of its own. A registry that answers with that of
        all instead is not to be told from one with the same of its own.

        :param inherited: what counts for it where it has none, also of a context (``:.name:``).
        """
        found = self._setting("config", subject, inherited)
        return None if found is None else str(found.get("compatibilityLevel") or found.get("compatibility"))

    def mode(self, subject: str = "", inherited: bool = False) -> str | None:
        """A subject's own mode, or that of all; None: it has none of its own, or the registry knows no modes."""
        found = self._setting("mode", subject, inherited)
        return None if found is None else str(found.get("mode"))

    def _setting(self, kind: str, subject: str, inherited: bool) -> dict[str, Any] | None:
        try:
            return self._mapping(_setting_path(kind, subject), {"defaultToGlobal": "true"} if inherited else None)
        except RegistryNotFound:
            return None

    # -- what is changed -----------------------------------------------------------------------------------------------

    def register(self, subject: str, schema: Schema, number: int | None = None, version: int | None = None) -> int:
        """Register a schema; the id it has from then on. One that is there is left as it is.

        :param number: the id that it shall have, ``version``: the number; in mode IMPORT alone.
        :raises RegistryRefused: it is incompatible or invalid, or the mode does not allow it.
        """
        body = _body(schema)
        body |= {"id": number} if number is not None else {}
        body |= {"version": version} if version is not None else {}
        path = f"{_path(subject)}/versions"
        found = self.rest.request("POST", path, json=body)
        if not isinstance(found, dict) or not isinstance(found.get("id"), int):
            raise self._odd(path)
        return int(found["id"])

    def delete_version(self, subject: str, version: int) -> None:
        """Delete a version softly."""
        self.rest.request("DELETE", f"{_path(subject)}/versions/{version}")

    def set_compatibility(self, subject: str, level: str | None) -> None:
        """A subject's own level, ``""``: that of all; None: it has none any more."""
        if level is None:
            self._unset("config", subject)
        else:
            self.rest.request("PUT", _setting_path("config", subject), json={"compatibility": level})

    def set_mode(self, subject: str, mode: str | None) -> None:
        """A subject's own mode; None: it has none any more.

        IMPORT is forced: not forced, it is refused for a subject with versions, and removes deleted ones for good.
        """
        if mode is None:
            self._unset("mode", subject)
        else:
            params = {"force": "true"} if mode == "IMPORT" else None
            self.rest.request("PUT", _setting_path("mode", subject), json={"mode": mode}, params=params)

    def _unset(self, kind: str, subject: str) -> None:
        try:
            self.rest.request("DELETE", _setting_path(kind, subject))
        except RegistryNotFound:
            return

    # -- how -----------------------------------------------------------------------------------------------------------

    def _list(self, path: str, deleted: bool) -> list[Any]:
        found = self.rest.request("GET", path, params={"deleted": "true"} if deleted else None)
        if not isinstance(found, list) or not all(isinstance(one, str | int) for one in found):
            raise self._odd(path)
        return found

    def _mapping(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        found = self.rest.request("GET", path, params=params)
        if not isinstance(found, dict):
            raise self._odd(path)
        return found

    def _odd(self, path: str) -> RegistryError:
        message = f"{self.url} answers otherwise than the Confluent API does. Is this a schema registry?"
        return RegistryError("GET", path, 200, 0, message)

    def _schema(self, found: dict[str, Any], what: str) -> Schema:
        text, references = found.get("schema"), found.get("references") or []
        if not isinstance(text, str) or not isinstance(references, list):
            raise self._odd(what)
        try:
            named = [Reference(str(one["name"]), str(one["subject"]), int(one["version"])) for one in references]
        except (KeyError, TypeError, ValueError):
            raise self._odd(what) from None
        return Schema(text, str(found.get("schemaType") or AVRO), tuple(named))


class _Bearer(requests.auth.AuthBase):
    """Not as a header of the session: a ``.netrc`` would go before it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _body(schema: Schema) -> dict[str, Any]:
    """What the API takes for a schema; older registries know neither types nor references."""
    body: dict[str, Any] = {"schema": schema.text}
    if schema.type != AVRO:
        body["schemaType"] = schema.type
    if schema.references:
        body["references"] = [one._asdict() for one in schema.references]
    return body


def _path(subject: str) -> str:
    return f"/subjects/{quote(subject, safe='')}"


def _setting_path(kind: str, subject: str) -> str:
    return f"/{kind}/{quote(subject, safe='')}" if subject else f"/{kind}"
