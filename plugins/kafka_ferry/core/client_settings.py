"""One Kafka cluster in two dialects: librdkafka settings (an Airflow ``kafka`` connection) and Java client settings.

Sources: librdkafka ``CONFIGURATION.md``; Kafka "Security" documentation; KIP-651 (PEM); aws-msk-iam-auth README.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kafka_ferry.core import msk_iam, oidc
from kafka_ferry.core.jaas import JaasEntry, Reference, parse
from kafka_ferry.exceptions import BadConnection

PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
_MODULES = {"PLAIN": PLAIN_MODULE, "SCRAM-SHA-256": SCRAM_MODULE, "SCRAM-SHA-512": SCRAM_MODULE}
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")

_ALIASES = {"metadata.broker.list": "bootstrap.servers", "sasl.mechanisms": "sasl.mechanism", **oidc.ALIASES}
_REFERENCE = re.compile(r"\$\{[^}:]+:[^}]+\}")
_SECURITY = re.compile(r"^(security\.|sasl\.|ssl[._]|https\.|enable\.(ssl|sasl)\.)")

# Keys whose value may be replaced by a ConfigProvider reference.
REFERABLE_KEYS = frozenset(
    {
        "sasl.username", "sasl.password", "sasl.jaas.config", "ssl.ca.pem", "ssl.certificate.pem", "ssl.key.pem",
        "ssl.key.password", "ssl.keystore.password", oidc.ID, oidc.SECRET,
    }
)  # fmt: skip

_TRANSLATED = REFERABLE_KEYS | oidc.KEYS | {
    "security.protocol", "sasl.mechanism", "sasl.oauthbearer.config", "ssl.ca.location", "ssl.certificate.location",
    "ssl.key.location", "ssl.keystore.location", "ssl.endpoint.identification.algorithm",
    "enable.ssl.certificate.verification",
}  # fmt: skip

_FIXES = {
    "ssl.cipher.suites": "remove it: OpenSSL and Java name ciphers differently; set the limit on the brokers",
    "ssl.crl.location": "remove it: Java clients take revocation lists from JVM properties of the worker",
    "sasl.jaas.config": "an Airflow connection speaks librdkafka: write sasl.mechanism, sasl.username, sasl.password",
}
_DEFAULT_FIX = "remove it from the connection, or write these settings into the connector's config by hand"


def java_client_settings(librdkafka: Mapping[str, Any], secrets: Mapping[str, str] | None = None) -> dict[str, str]:
    """Java client settings of the cluster that the extra of an Airflow ``kafka`` connection describes.

    Settings that say nothing about address and security (timeouts, ``group.id``, ``oauth_cb``, …) are the Python
    client's own business and left out. Locations of files are paths *on the Connect worker*.

    :param librdkafka: the extra; the aliases ``metadata.broker.list`` and ``sasl.mechanisms`` are understood.
    :param secrets: librdkafka key → Connect ConfigProvider reference (``${file:/etc/source.properties:password}``)
        to send in place of the value. ``sasl.jaas.config`` stands for the whole JAAS line.
    :raises BadConnection: a security setting that has no Java equivalent, named with its fix. Nothing is dropped.
    """
    extra = _normalised(librdkafka)
    if "sasl.jaas.config" in extra:
        raise _refused("sasl.jaas.config", "a Java client setting")
    extra = _referenced(extra, _references(secrets or {}))
    _refuse_unknown(extra)
    if not extra.get("bootstrap.servers"):
        raise BadConnection("bootstrap.servers: missing. Fix: write host:port[,host:port…] into the extra")
    protocol = extra.get("security.protocol", "plaintext").upper()
    if protocol not in _PROTOCOLS:
        raise BadConnection(f"security.protocol: {protocol!r} is unknown. Fix: one of {', '.join(_PROTOCOLS)}")
    settings = {"bootstrap.servers": extra["bootstrap.servers"], "security.protocol": protocol}
    if protocol.startswith("SASL_"):
        settings |= _sasl(extra)
    if protocol.endswith("SSL"):
        settings |= _truststore(extra) | _keystore(extra) | _verification(extra)
    return settings


def librdkafka_settings(java: Mapping[str, str]) -> dict[str, str]:
    """The way back: librdkafka settings of the cluster that Java client settings describe.

    :raises BadConnection: a security setting that librdkafka cannot express, by name.
    """
    for key in java:
        if _SECURITY.match(key) and key not in _JAVA_TRANSLATED:
            raise _refused(key, "no librdkafka equivalent is known")
    protocol = java.get("security.protocol", "PLAINTEXT").upper()
    settings = {"bootstrap.servers": java.get("bootstrap.servers", ""), "security.protocol": protocol}
    if not settings["bootstrap.servers"]:
        raise BadConnection("bootstrap.servers: missing. Fix: write host:port[,host:port…]")
    if protocol.startswith("SASL_"):
        settings |= _sasl_back(java)
    if protocol.endswith("SSL"):
        settings |= _stores_back(java)
    return settings


def with_prefix(settings: Mapping[str, str], prefix: str) -> dict[str, str]:
    """``{"bootstrap.servers": …}`` → ``{"source.cluster.bootstrap.servers": …}`` for ``prefix="source.cluster."``."""
    return {prefix + key: value for key, value in settings.items()}


def _normalised(librdkafka: Mapping[str, Any]) -> dict[str, str]:
    extra: dict[str, str] = {}
    for key, value in librdkafka.items():
        name = _ALIASES.get(key, key)
        if value is None:
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if extra.get(name, text) != text:
            raise BadConnection(f"{key}: contradicts its alias {name}. Fix: keep one of the two")
        extra[name] = text
    return extra


def _references(secrets: Mapping[str, str]) -> dict[str, Reference]:
    for key, reference in secrets.items():
        if key not in REFERABLE_KEYS:
            raise BadConnection(
                f"{key}: cannot be a ConfigProvider reference. Fix: one of {', '.join(sorted(REFERABLE_KEYS))}"
            )
        if not _REFERENCE.fullmatch(reference):
            raise BadConnection(f"{key}: not a ConfigProvider reference. Fix: write ${{provider:path:key}}")
    return {key: Reference(reference) for key, reference in secrets.items()}


def _referenced(extra: dict[str, str], references: Mapping[str, Reference]) -> dict[str, str]:
    """A reference takes the place of the file the Python client reads: that path need not exist on the worker."""
    merged = {**extra, **references}
    replaced = {"ssl.ca.pem": ("ssl.ca.location",)} | dict.fromkeys(
        ("ssl.key.pem", "ssl.certificate.pem"),
        ("ssl.key.location", "ssl.certificate.location", "ssl.keystore.location", "ssl.keystore.password"),
    )
    for key in references:
        for location in replaced.get(key, ()):
            if location not in references:
                merged.pop(location, None)
    return merged


def _refuse_unknown(extra: Mapping[str, str]) -> None:
    for key in extra:
        only_oidc = key.startswith("https.") and not oidc.is_oidc(extra)
        if _SECURITY.match(key) and (key not in _TRANSLATED or only_oidc):
            raise _refused(key, "no Java equivalent is known")


def _refused(key: str, why: str) -> BadConnection:
    return BadConnection(f"{key}: {why}. Fix: {_FIXES.get(key, _DEFAULT_FIX)}")


def _sasl(extra: Mapping[str, str]) -> dict[str, str]:
    # librdkafka's default mechanism is GSSAPI (CONFIGURATION.md, sasl.mechanisms).
    mechanism = extra.get("sasl.mechanism", "GSSAPI").upper()
    if mechanism == "OAUTHBEARER":
        return _oauthbearer(extra)
    if mechanism not in _MODULES:
        raise BadConnection(
            f"sasl.mechanism: {mechanism} is not translated. Fix: one of {', '.join(_MODULES)}, or OAUTHBEARER"
        )
    if stray := sorted(key for key in extra if key.startswith("sasl.oauthbearer.")):
        raise _refused(stray[0], f"has no meaning with sasl.mechanism={mechanism}")
    settings = {"sasl.mechanism": mechanism}
    if "sasl.jaas.config" in extra:
        return settings | {"sasl.jaas.config": str(extra["sasl.jaas.config"])}
    for key in ("sasl.username", "sasl.password"):
        if key not in extra:
            raise BadConnection(f"{key}: missing for sasl.mechanism={mechanism}. Fix: write it into the extra")
    entry = JaasEntry(_MODULES[mechanism], {"username": extra["sasl.username"], "password": extra["sasl.password"]})
    return settings | {"sasl.jaas.config": str(entry)}


def _oauthbearer(extra: Mapping[str, str]) -> dict[str, str]:
    said = extra.get("sasl.oauthbearer.config", "")
    if oidc.is_oidc(extra):
        if said:
            raise _refused("sasl.oauthbearer.config", f"has no meaning with {oidc.METHOD}=oidc")
        return oidc.java_settings(extra)
    if stray := sorted(oidc.KEYS & extra.keys() - {oidc.METHOD}):
        raise BadConnection(f"{stray[0]}: has no meaning without {oidc.METHOD}=oidc. Fix: set that, or remove it")
    if not msk_iam.is_msk_iam(extra["bootstrap.servers"], said):
        raise BadConnection(
            f"sasl.mechanism: OAUTHBEARER is translated for a token endpoint ({oidc.METHOD}=oidc) and for MSK IAM, and "
            f"no bootstrap server is an MSK host. Fix: set {oidc.METHOD}=oidc, {oidc.ID}, {oidc.SECRET} and "
            f"{oidc.URL}; for MSK behind another name set sasl.oauthbearer.config={msk_iam.MARK}"
        )
    return msk_iam.java_settings(said)


def _truststore(extra: Mapping[str, str]) -> dict[str, str]:
    pem, location = extra.get("ssl.ca.pem"), extra.get("ssl.ca.location")
    if pem and location:
        raise BadConnection("ssl.ca.location: given beside ssl.ca.pem. Fix: keep one of the two")
    if pem:
        return {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": str(pem)}
    # "probe" is librdkafka's word for the CAs of the system; a Java client without a truststore uses those of the JVM.
    if not location or location == "probe":
        return {}
    return {"ssl.truststore.type": "PEM", "ssl.truststore.location": location}


def _keystore(extra: Mapping[str, str]) -> dict[str, str]:
    pem = {key: extra[key] for key in ("ssl.certificate.pem", "ssl.key.pem") if key in extra}
    files = {key: extra[key] for key in ("ssl.certificate.location", "ssl.key.location") if key in extra}
    pkcs12 = extra.get("ssl.keystore.location")
    if sum(map(bool, (pem, files, pkcs12))) > 1 or len(pem) == 1 or len(files) == 1:
        given = ", ".join([*pem, *files, *(["ssl.keystore.location"] if pkcs12 else [])])
        raise BadConnection(
            f"{given}: a client certificate needs certificate and key in one form. Fix: ssl.certificate.pem with "
            "ssl.key.pem, or one file named in both ssl.certificate.location and ssl.key.location, or "
            "ssl.keystore.location"
        )
    if pem:
        settings = _pem_keystore(pem["ssl.certificate.pem"], pem["ssl.key.pem"])
    elif files:
        settings = _file_keystore(files["ssl.certificate.location"], files["ssl.key.location"])
    elif pkcs12:
        settings = {"ssl.keystore.type": "PKCS12", "ssl.keystore.location": pkcs12}
    else:
        settings = {}
    for password in ("ssl.keystore.password", "ssl.key.password"):
        if settings and password in extra:
            settings[password] = str(extra[password])
    return settings


def _pem_keystore(chain: str, key: str) -> dict[str, str]:
    if re.search("BEGIN (RSA|EC|DSA) PRIVATE KEY", key):
        raise BadConnection(
            "ssl.key.pem: Java reads PKCS#8 keys only. Fix: openssl pkcs8 -topk8 -in key.pem (add -nocrypt if the key "
            "has no password)"
        )
    return {"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": str(chain), "ssl.keystore.key": str(key)}


def _file_keystore(chain: str, key: str) -> dict[str, str]:
    if chain != key:
        raise BadConnection(
            "ssl.key.location: Java wants one PEM file with the private key and the certificate chain. Fix: put both "
            "into one file and name it in ssl.key.location and ssl.certificate.location, or use ssl.key.pem and "
            "ssl.certificate.pem"
        )
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": chain}


def _verification(extra: Mapping[str, str]) -> dict[str, str]:
    if extra.get("enable.ssl.certificate.verification", "true").lower() not in ("true", "1", "t"):
        raise BadConnection(
            "enable.ssl.certificate.verification: Java clients cannot trust every certificate. Fix: give the CA in "
            "ssl.ca.pem or ssl.ca.location"
        )
    algorithm = extra.get("ssl.endpoint.identification.algorithm")
    if algorithm is None:  # both dialects default to https
        return {}
    # Java says "no host name check" by an empty string, librdkafka by "none".
    return {"ssl.endpoint.identification.algorithm": "" if algorithm.lower() == "none" else algorithm.lower()}


_JAVA_TRANSLATED = frozenset(
    {
        "security.protocol", "sasl.mechanism", "sasl.jaas.config", "sasl.client.callback.handler.class",
        oidc.HANDLER_KEY, oidc.URL,
        "ssl.truststore.type", "ssl.truststore.certificates", "ssl.truststore.location",
        "ssl.keystore.type", "ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.keystore.location",
        "ssl.keystore.password", "ssl.key.password", "ssl.endpoint.identification.algorithm",
    }
)  # fmt: skip


def _sasl_back(java: Mapping[str, str]) -> dict[str, str]:
    mechanism = java.get("sasl.mechanism", "GSSAPI")
    if mechanism not in (*_MODULES, "OAUTHBEARER", msk_iam.MECHANISM):
        known = ", ".join([*_MODULES, "OAUTHBEARER"])
        raise BadConnection(f"sasl.mechanism: {mechanism} is not translated. Fix: {known} or MSK IAM")
    entry = parse(java.get("sasl.jaas.config", ""))
    if mechanism == "OAUTHBEARER":
        return oidc.librdkafka_settings(java, entry)
    if mechanism == msk_iam.MECHANISM:
        return msk_iam.librdkafka_settings(java["bootstrap.servers"], entry)
    if entry.module != _MODULES[mechanism] or set(entry.options) != {"username", "password"}:
        raise BadConnection(
            f"sasl.jaas.config: not {_MODULES[mechanism]} with username and password alone, as {mechanism} wants it"
        )
    return {
        "sasl.mechanism": mechanism,
        "sasl.username": entry.options["username"],
        "sasl.password": entry.options["password"],
    }


def _stores_back(java: Mapping[str, str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    trust, keys = java.get("ssl.truststore.type", "JKS"), java.get("ssl.keystore.type", "JKS")
    if "ssl.truststore.certificates" in java:
        settings["ssl.ca.pem"] = java["ssl.truststore.certificates"]
    elif "ssl.truststore.location" in java:
        if trust != "PEM":
            raise BadConnection(f"ssl.truststore.type: librdkafka cannot read {trust}. Fix: export the CAs as PEM")
        settings["ssl.ca.location"] = java["ssl.truststore.location"]
    if "ssl.keystore.key" in java:
        settings["ssl.certificate.pem"] = java.get("ssl.keystore.certificate.chain", "")
        settings["ssl.key.pem"] = java["ssl.keystore.key"]
    elif "ssl.keystore.location" in java:
        if keys not in ("PEM", "PKCS12"):
            raise BadConnection(f"ssl.keystore.type: librdkafka cannot read {keys}. Fix: convert it to PKCS12 or PEM")
        names = ("ssl.certificate.location", "ssl.key.location") if keys == "PEM" else ("ssl.keystore.location",)
        settings |= dict.fromkeys(names, java["ssl.keystore.location"])
    for key in ("ssl.keystore.password", "ssl.key.password"):
        if key in java:
            settings[key] = java[key]
    if (algorithm := java.get("ssl.endpoint.identification.algorithm")) is not None:
        settings["ssl.endpoint.identification.algorithm"] = algorithm or "none"
    return settings
