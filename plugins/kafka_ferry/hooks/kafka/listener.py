"""What listens at a broker's address: librdkafka says nothing where it speaks without TLS to a listener of TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from typing import Any

_SECONDS = 5.0  # for an address; measured 0.01-0.06, more than 2 on a machine with much else to do
_ADDRESSES = 3  # that are tried
#: OpenSSL's words for an answer that is no TLS at all.
_NO_TLS = {"WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}


def speaks_tls(config: Mapping[str, Any]) -> str | None:
    """An address that a client without TLS was given and where TLS is spoken; None: there is none, or it has TLS.

    Nothing is sent but the greeting of TLS.
    """
    if str(config.get("security.protocol", "plaintext")).upper() not in ("PLAINTEXT", "SASL_PLAINTEXT"):
        return None
    servers = str(config.get("bootstrap.servers") or config.get("metadata.broker.list") or "").split(",")
    addresses = [one.rpartition("://")[2].strip() for one in servers]
    return next((one for one in addresses[:_ADDRESSES] if one and _answers_tls(one)), None)


def _answers_tls(address: str) -> bool:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        host, port = address, "9092"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only whether it is TLS is asked
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS) as plain:
            plain.settimeout(_SECONDS)
            with context.wrap_socket(plain, server_hostname=None):
                return True
    except ssl.SSLError as error:
        return error.reason is not None and error.reason not in _NO_TLS  # an alert is TLS too
    except (OSError, OverflowError):
        return False
