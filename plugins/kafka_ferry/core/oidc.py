"""OAUTHBEARER with a token endpoint (OIDC) in two dialects: librdkafka's and Kafka's own. Pure.

Sources: librdkafka ``CONFIGURATION.md``; Kafka "Authentication using SASL/OAUTHBEARER" (KIP-768, KIP-1139). The
client's id and secret are JAAS options: every Kafka since 3.1 knows them so, and newer ones still do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kafka_ferry.core.jaas import JaasEntry
from kafka_ferry.exceptions import BadConnection

MODULE = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
#: In Kafka 3.4 and newer.
HANDLER = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
#: Of Kafka 4: a JVM asks no other address for tokens.
ALLOWED_URLS = "org.apache.kafka.sasl.oauthbearer.allowed.urls"
URL, HANDLER_KEY = "sasl.oauthbearer.token.endpoint.url", "sasl.login.callback.handler.class"
METHOD, ID, SECRET = "sasl.oauthbearer.method", "sasl.oauthbearer.client.id", "sasl.oauthbearer.client.secret"
SCOPE, EXTENSIONS, GRANT = "sasl.oauthbearer.scope", "sasl.oauthbearer.extensions", "sasl.oauthbearer.grant.type"
#: librdkafka's names since 2.12, by those from before.
ALIASES = {
    "sasl.oauthbearer.client.credentials.client.id": ID,
    "sasl.oauthbearer.client.credentials.client.secret": SECRET,
}
CA, CA_TEXT = "https.ca.location", "https.ca.pem"
KEYS = frozenset({METHOD, ID, SECRET, SCOPE, EXTENSIONS, GRANT, URL, CA, CA_TEXT})
_EXTENSION = "extension_"


def is_oidc(extra: Mapping[str, Any]) -> bool:
    """Whether a connection gets its tokens from an endpoint."""
    return str(extra.get(METHOD, "")).lower() == "oidc"


def token_urls(extras: Iterable[Mapping[str, Any]]) -> list[str]:
    """Endpoints that clients of these connections ask, each once; as a JVM must be allowed to."""
    return list(dict.fromkeys(str(extra[URL]) for extra in extras if is_oidc(extra) and extra.get(URL)))


def java_settings(extra: Mapping[str, str]) -> dict[str, str]:
    """Java client settings: client credentials.

    :raises BadConnection: something is missing, or another grant.
    """
    grant = extra.get(GRANT, "client_credentials")
    if grant != "client_credentials":
        raise BadConnection(
            f"{GRANT}: {grant} is not translated. Fix: client_credentials, or write the OAuth settings into the "
            "connector's config by hand"
        )
    for key in (ID, SECRET, URL):
        if not extra.get(key):
            raise BadConnection(f"{key}: missing for {METHOD}=oidc. Fix: write it into the extra")
    options = {"clientId": extra[ID], "clientSecret": extra[SECRET]}
    if extra.get(SCOPE):
        options["scope"] = extra[SCOPE]
    for pair in filter(None, (part.strip() for part in extra.get(EXTENSIONS, "").split(","))):
        name, equals, value = pair.partition("=")
        if not equals:
            raise BadConnection(f"{EXTENSIONS}: {name!r} has no value. Fix: <name>=<value>, with commas between them")
        options[f"{_EXTENSION}{name}"] = value
    options |= _endpoints_ca(extra)
    return {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.jaas.config": str(extra.get("sasl.jaas.config") or JaasEntry(MODULE, options)),
        HANDLER_KEY: HANDLER,
        URL: str(extra[URL]),
    }


def _endpoints_ca(extra: Mapping[str, str]) -> dict[str, str]:
    """By whom the endpoint's certificate is signed; the brokers' CA is said elsewhere."""
    location, text = extra.get(CA, ""), extra.get(CA_TEXT, "")
    if location and text:
        raise BadConnection(f"{CA}: given beside {CA_TEXT}. Fix: keep one of the two")
    if text:
        return {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": text}
    return {"ssl.truststore.type": "PEM", "ssl.truststore.location": location} if location not in ("", "probe") else {}


def librdkafka_settings(java: Mapping[str, str], entry: JaasEntry) -> dict[str, str]:
    """The way back.

    :raises BadConnection: something that librdkafka cannot say.
    """
    options = dict(entry.options)
    own = {ID: options.pop("clientId", ""), SECRET: options.pop("clientSecret", ""), URL: java.get(URL, "")}
    scope = options.pop("scope", "")
    if options.get("ssl.truststore.type") == "PEM":
        names = {"ssl.truststore.location": CA, "ssl.truststore.certificates": CA_TEXT}
        own |= {name: options.pop(key) for key, name in names.items() if key in options}
        del options["ssl.truststore.type"]
    extensions = {key: options.pop(key) for key in list(options) if key.startswith(_EXTENSION)}
    if entry.module != MODULE or options or not all(own.values()):
        raise BadConnection(
            f"sasl.jaas.config: not {MODULE} with clientId and clientSecret, or no {URL}, as OAUTHBEARER wants it"
        )
    own |= {SCOPE: scope} if scope else {}
    said = ",".join(f"{key.removeprefix(_EXTENSION)}={value}" for key, value in extensions.items())
    return {"sasl.mechanism": "OAUTHBEARER", METHOD: "oidc", **own, **({EXTENSIONS: said} if said else {})}
