"""TLS to a database, as its Airflow connection and the param ``tls`` say it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from kafka_ferry.exceptions import BadConnection, BadParam

_WORDS = {"true": True, "false": False, True: True, False: False, None: None}
_HEARD_OUT = 3  # seconds
_KEYS = ("tls", "ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_verify_identity")


class Listening(ssl.SSLSocket):
    """Hears the server out before anything is sent.

    By TLS 1.3 a server that refuses our certificate says so after the handshake, and hangs up: who writes first may
    find the connection broken, and never read why (RFC 8446, 4.4.2.4 and 6.2). A server of MySQL's has nothing to say
    here but that, so that silence is consent.
    """

    def do_handshake(self, block: bool = False) -> None:
        """:raises ssl.SSLError: what the server said."""
        super().do_handshake(block)
        before = self.gettimeout()
        self.settimeout(_HEARD_OUT)
        try:
            self.recv(1)
        except TimeoutError:
            pass
        finally:
            self.settimeout(before)


def tls_options(conn_id: str, extra: Mapping[str, Any], wanted: bool | None) -> dict[str, Any]:
    """Arguments of ``pymysql.connect``. With TLS the server's certificate is always checked, against ``ssl_ca`` or the
    system's authorities; a server without TLS is refused.

    :param extra: of the connection: ``tls``, ``ssl_ca``, ``ssl_cert``, ``ssl_key`` (files of the worker),
        ``ssl_key_password``, ``ssl_verify_identity`` (default true). ``ssl_ca`` may be PEM too. What
        begins with ``worker_`` is not for this.
    :param wanted: the param; None leaves it to the connection, and where that says nothing either TLS is taken where
        the server has it, and nobody is checked.
    :raises BadParam: the param would switch off what the connection asks for.
    :raises BadConnection: a setting, or a file that cannot be read.
    """
    said = yes_or_no(conn_id, "tls", extra.get("tls"))
    if said is None and any(extra.get(key) for key in _KEYS[1:4]):
        said = True
    if said and wanted is False:
        raise BadParam("tls", f"is false, but connection {conn_id!r} asks for TLS", "leave it out")
    on = wanted if wanted is not None else said
    if on is None:
        return {}
    return {"ssl": _context(conn_id, extra)} if on else {"ssl_disabled": True}


def _context(conn_id: str, extra: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if yes_or_no(conn_id, "ssl_verify_identity", extra.get("ssl_verify_identity")) is False:
        context.check_hostname = False
    try:
        if authority := extra.get("ssl_ca"):
            context = _trusting(authority, context.check_hostname)
        if extra.get("ssl_cert") or extra.get("ssl_key"):
            context.load_cert_chain(extra["ssl_cert"], extra["ssl_key"], extra.get("ssl_key_password"))
    except (OSError, KeyError, ssl.SSLError) as error:
        raise BadConnection(
            f"connection {conn_id!r}: its ssl_ca, ssl_cert and ssl_key cannot be used: {type(error).__name__}. "
            "Fix: paths of PEM files that the Airflow worker can read, certificate and key both"
        ) from None
    return context


def _trusting(authority: str, check_name: bool) -> ssl.SSLContext:
    """Only this authority: with the system's beside it, anybody's certificate of a public one would do."""
    pem = "-----BEGIN" in authority
    context = ssl.create_default_context(**{"cadata" if pem else "cafile": authority})  # type: ignore[arg-type]
    context.check_hostname = check_name
    return context


def yes_or_no(conn_id: str, key: str, value: Any) -> bool | None:
    """A setting of the extra; None: it is not set.

    :raises BadConnection: it is neither true nor false.
    """
    plain = value.strip().lower() if isinstance(value, str) else value
    if plain in ("", None):
        return None
    if not isinstance(plain, bool | str) or plain not in _WORDS:
        raise BadConnection(f"connection {conn_id!r}: {key} in its extra is neither true nor false")
    return _WORDS[plain]
