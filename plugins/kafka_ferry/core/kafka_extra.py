"""What cannot be right in the extra of a ``kafka`` connection, whatever the cluster is. Pure.

librdkafka says ``BIO lib``, ``no start line`` or nothing at all to these; they are what public reports on Kafka clients
are about most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_BEGIN = "-----BEGIN"
#: Java's names to what librdkafka, and so the Kafka provider's connection, calls it.
_JAVA = {
    "ssl.truststore.location": "ssl.ca.location (PEM; keytool -exportcert -rfc writes one)",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "sasl.jaas.config": "sasl.username and sasl.password",
}


def fault(extra: Mapping[str, Any]) -> str:
    """The first fault with its cure; empty: none that can be seen without asking anybody."""
    return next((said for key, value in extra.items() if (said := _fault(key, value))), "") or _mechanism(extra)


def _fault(key: str, value: object) -> str:
    if isinstance(value, list | dict):
        example = ", such as b1:9092,b2:9092" if key == "bootstrap.servers" else ""
        return f"{key} is a JSON {'list' if isinstance(value, list) else 'object'}. Fix: it must be a text{example}"
    if key in _JAVA:
        return f"{key} is Java's setting. Fix: {_JAVA[key]}, as docs/connections.md says"
    text = str(value)
    if key == "security.protocol" and text.upper() not in PROTOCOLS:
        return f"there is no security.protocol {text!r}. Fix: {', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}"
    if key.endswith(".location") and text.lstrip().startswith(_BEGIN):
        return f"{key} holds the text of a PEM. Fix: it takes the path of a file; a text belongs into {_text_of(key)}"
    if key.endswith(".pem") and len(text.strip().splitlines()) < 3:  # BEGIN, the certificate or key, END
        if _BEGIN not in text:
            return (
                f"{key} holds no PEM. Fix: the text of the file, from {_BEGIN} on; a path belongs into {_path_of(key)}"
            )
        return f"{key} has lost its line breaks. Fix: in the JSON of the extra each is written \\n, with one backslash"
    return ""


def _text_of(key: str) -> str:
    return key.removesuffix(".location") + ".pem" if key != "ssl.keystore.location" else "ssl.key.pem"


def _path_of(key: str) -> str:
    return key.removesuffix(".pem") + ".location"


def _mechanism(extra: Mapping[str, Any]) -> str:
    protocol = str(extra.get("security.protocol", "")).upper()
    if protocol.startswith("SASL_") and not (extra.get("sasl.mechanism") or extra.get("sasl.mechanisms")):
        return (
            f"security.protocol is {protocol} and sasl.mechanism is missing. Fix: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 "
            "or OAUTHBEARER, as the listener has it"
        )
    return ""
