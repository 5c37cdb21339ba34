"""One connection, two dialects: both ways, hard passwords, and what is refused."""

from __future__ import annotations

import pytest

from kafka_ferry.core.client_settings import java_client_settings, librdkafka_settings, with_prefix
from kafka_ferry.core.oidc import token_urls
from kafka_ferry.exceptions import BadConnection

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
MSK = "b-1.demo.abcde1.c2.kafka.us-east-1.amazonaws.com:9098"
CERT = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
IAM = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "AWS_MSK_IAM",
    "sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
}

# name: (librdkafka, Java). Every row is translated both ways.
BOTH_WAYS = {
    "plaintext": (
        {"bootstrap.servers": "a:9092,b:9092", "security.protocol": "PLAINTEXT"},
        {"bootstrap.servers": "a:9092,b:9092", "security.protocol": "PLAINTEXT"},
    ),
    **{
        f"{mechanism} over {protocol}": (
            {
                "bootstrap.servers": "a:9093",
                "security.protocol": protocol,
                "sasl.mechanism": mechanism,
                "sasl.username": "alice",
                "sasl.password": "s3cret",
            },
            {
                "bootstrap.servers": "a:9093",
                "security.protocol": protocol,
                "sasl.mechanism": mechanism,
                "sasl.jaas.config": f'{module} required username="alice" password="s3cret";',
            },
        )
        for mechanism, module in {"PLAIN": PLAIN, "SCRAM-SHA-256": SCRAM, "SCRAM-SHA-512": SCRAM}.items()
        for protocol in ("SASL_PLAINTEXT", "SASL_SSL")
    },
    "TLS with the CA inline, no host name check": (
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.ca.pem": CERT,
            "ssl.endpoint.identification.algorithm": "none",
        },
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.certificates": CERT,
            "ssl.endpoint.identification.algorithm": "",
        },
    ),
    "TLS with the CA in a file": (
        {"bootstrap.servers": "a:9093", "security.protocol": "SSL", "ssl.ca.location": "/etc/ca.pem"},
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": "/etc/ca.pem",
        },
    ),
    "mTLS inline": (
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.ca.pem": CERT,
            "ssl.certificate.pem": CERT,
            "ssl.key.pem": KEY,
            "ssl.key.password": "k3y",
        },
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.certificates": CERT,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": CERT,
            "ssl.keystore.key": KEY,
            "ssl.key.password": "k3y",
        },
    ),
    "mTLS from one file": (
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.certificate.location": "/etc/client.pem",
            "ssl.key.location": "/etc/client.pem",
        },
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": "/etc/client.pem",
        },
    ),
    "mTLS from PKCS12": (
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.keystore.location": "/etc/client.p12",
            "ssl.keystore.password": "st0re",
        },
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SSL",
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.location": "/etc/client.p12",
            "ssl.keystore.password": "st0re",
        },
    ),
    "OAUTHBEARER with a token endpoint": (
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": "/etc/ca.pem",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "ferry",
            "sasl.oauthbearer.client.secret": 'S3"CRET',
            "sasl.oauthbearer.scope": "kafka",
            "sasl.oauthbearer.extensions": "logicalCluster=lkc-1,identityPoolId=pool-2",
            "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
            "https.ca.location": "/etc/idp.pem",
        },
        {
            "bootstrap.servers": "a:9093",
            "security.protocol": "SASL_SSL",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": "/etc/ca.pem",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.jaas.config": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            'clientId="ferry" clientSecret="S3\\"CRET" scope="kafka" extension_logicalCluster="lkc-1" '
            'extension_identityPoolId="pool-2" ssl.truststore.type="PEM" ssl.truststore.location="/etc/idp.pem";',
            "sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer."
            "OAuthBearerLoginCallbackHandler",
            "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
        },
    ),
    "MSK IAM": (
        {"bootstrap.servers": MSK, "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"},
        {
            "bootstrap.servers": MSK,
            **IAM,
            "sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
        },
    ),
    "MSK IAM behind another name, with a role": (
        {
            "bootstrap.servers": "kafka.internal:9098",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.config": "AWS_MSK_IAM awsRoleArn=arn:aws:iam::1:role/r awsStsRegion=eu-west-1",
        },
        {
            "bootstrap.servers": "kafka.internal:9098",
            **IAM,
            "sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required "
            'awsRoleArn="arn:aws:iam::1:role/r" awsStsRegion="eu-west-1";',
        },
    ),
}


@pytest.mark.parametrize(("librdkafka", "java"), BOTH_WAYS.values(), ids=BOTH_WAYS.keys())
def test_both_ways(librdkafka: dict[str, str], java: dict[str, str]) -> None:
    assert java_client_settings(librdkafka) == java
    assert librdkafka_settings(java) == librdkafka


@pytest.mark.parametrize(
    ("password", "written"),
    [
        ('qu"ote', r'"qu\"ote"'),
        ("back\\slash", r'"back\\slash"'),
        ("semi;colon = //x", '"semi;colon = //x"'),
        ("${file:/etc/passwd:root}", r'"\044{file:/etc/passwd:root}"'),
        ("$ {", '"$ {"'),
        ("line\nbreak", r'"line\nbreak"'),
        ("\\044{", r'"\\044{"'),
        ("grüße", '"grüße"'),
    ],
)
def test_hard_passwords_survive_the_jaas_grammar(password: str, written: str) -> None:
    extra = {
        "bootstrap.servers": "a:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "u",
        "sasl.password": password,
    }
    java = java_client_settings(extra)
    assert java["sasl.jaas.config"] == f'{PLAIN} required username="u" password={written};'
    assert librdkafka_settings(java)["sasl.password"] == password


def test_aliases_case_and_settings_of_the_python_client() -> None:
    extra = {
        "metadata.broker.list": "a:1",
        "security.protocol": "sasl_plaintext",
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": "u",
        "sasl.password": "p",
        "group.id": "g",
        "fetch.wait.max.ms": 100,
        "socket.keepalive.enable": True,
        "error_cb": "some.callback",
    }
    assert java_client_settings(extra) == {
        "bootstrap.servers": "a:1",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": f'{SCRAM} required username="u" password="p";',
    }


def test_references_go_in_place_of_secrets() -> None:
    extra = {
        "bootstrap.servers": "a:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "u",
        "sasl.password": "literal",
        "ssl.ca.location": "/only/on/the/airflow/host.pem",
    }
    references = {"sasl.password": "${file:/etc/s.properties:pw}", "ssl.ca.pem": "${dir:/etc/pki:ca.pem}"}
    java = java_client_settings(extra, references)
    assert java["sasl.jaas.config"] == f'{PLAIN} required username="u" password="${{file:/etc/s.properties:pw}}";'
    assert java["ssl.truststore.certificates"] == "${dir:/etc/pki:ca.pem}"
    assert "ssl.truststore.location" not in java
    assert "literal" not in str(java)


def test_the_whole_jaas_line_may_be_a_reference() -> None:
    extra = {"bootstrap.servers": "a:1", "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512"}
    java = java_client_settings(extra, {"sasl.jaas.config": "${file:/etc/s.properties:jaas}"})
    assert java["sasl.jaas.config"] == "${file:/etc/s.properties:jaas}"


SASL = {"bootstrap.servers": "a:1", "security.protocol": "SASL_SSL", "sasl.username": "u", "sasl.password": "S3CRET"}
TLS = {"bootstrap.servers": "a:1", "security.protocol": "SSL"}
OIDC = {
    "bootstrap.servers": "a:1",
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "OAUTHBEARER",
    "sasl.oauthbearer.method": "oidc",
    "sasl.oauthbearer.client.id": "ferry",
    "sasl.oauthbearer.client.secret": "S3CRET",
    "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
}


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({}, "bootstrap.servers"),
        ({**TLS, "security.protocol": "tls"}, "security.protocol"),
        ({**SASL}, "sasl.mechanism: GSSAPI"),  # librdkafka's default
        ({**SASL, "sasl.mechanism": "GSSAPI"}, "sasl.mechanism: GSSAPI"),
        ({**SASL, "sasl.mechanism": "PLAIN", "sasl.kerberos.keytab": "x"}, "sasl.kerberos.keytab"),
        ({**SASL, "sasl.mechanism": "OAUTHBEARER"}, "sasl.mechanism: OAUTHBEARER"),
        ({**SASL, "sasl.mechanism": "OAUTHBEARER", "bootstrap.servers": f"{MSK},a:1"}, "sasl.mechanism: OAUTHBEARER"),
        ({**OIDC, "sasl.oauthbearer.client.secret": None}, "sasl.oauthbearer.client.secret: missing"),
        ({**OIDC, "sasl.oauthbearer.token.endpoint.url": ""}, "sasl.oauthbearer.token.endpoint.url: missing"),
        ({**OIDC, "sasl.oauthbearer.grant.type": "jwt-bearer"}, "sasl.oauthbearer.grant.type: jwt-bearer"),
        ({**OIDC, "sasl.oauthbearer.assertion.file": "/x"}, "sasl.oauthbearer.assertion.file"),
        ({**OIDC, "sasl.oauthbearer.extensions": "a=1,b"}, "sasl.oauthbearer.extensions: 'b'"),
        ({**OIDC, "sasl.oauthbearer.config": "AWS_MSK_IAM"}, "sasl.oauthbearer.config"),
        ({**OIDC, "sasl.oauthbearer.method": "default"}, "sasl.oauthbearer.client.id: has no meaning"),
        ({**OIDC, "sasl.mechanism": "PLAIN"}, "sasl.oauthbearer.client.id: has no meaning"),
        ({**OIDC, "https.ca.location": "/x", "https.ca.pem": CERT}, "https.ca.location"),
        ({**OIDC, "https.proxy": "/x"}, "https.proxy"),
        ({**OIDC, "sasl.oauthbearer.client.credentials.client.id": "other"}, "sasl.oauthbearer.client.c"),
        (
            {**SASL, "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.config": "AWS_MSK_IAM role=x"},
            "sasl.oauthbearer.config: 'role'",
        ),
        ({**SASL, "sasl.mechanism": "PLAIN", "sasl.oauthbearer.config": "x"}, "sasl.oauthbearer.config"),
        ({**SASL, "sasl.mechanism": "PLAIN", "sasl.jaas.config": "x"}, "sasl.jaas.config"),
        ({**SASL, "sasl.mechanism": "PLAIN", "sasl.password": None}, "sasl.password: missing"),
        ({**SASL, "sasl.mechanism": "PLAIN", "sasl.mechanisms": "SCRAM-SHA-512"}, "sasl.mechanisms"),
        ({**TLS, "ssl.cipher.suites": "AES"}, "ssl.cipher.suites"),
        ({**TLS, "ssl.crl.location": "/x"}, "ssl.crl.location"),
        ({**TLS, "ssl.engine.location": "/x"}, "ssl.engine.location"),
        ({**TLS, "ssl_certificate": "x"}, "ssl_certificate"),
        ({**TLS, "https.ca.location": "/x"}, "https.ca.location"),
        ({**TLS, "enable.ssl.certificate.verification": False}, "enable.ssl.certificate.verification"),
        ({**TLS, "ssl.ca.pem": CERT, "ssl.ca.location": "/x"}, "ssl.ca.location"),
        ({**TLS, "ssl.certificate.location": "/a", "ssl.key.location": "/b"}, "ssl.key.location"),
        ({**TLS, "ssl.certificate.pem": CERT}, "ssl.certificate.pem"),
        ({**TLS, "ssl.certificate.pem": CERT, "ssl.key.location": "/b"}, "ssl.certificate.pem, ssl.key.location"),
        (
            {**TLS, "ssl.certificate.pem": CERT, "ssl.key.pem": KEY.replace("PRIVATE", "RSA PRIVATE")},
            "ssl.key.pem: Java reads PKCS#8",
        ),
    ],
)
def test_refused_by_name_with_a_cure_and_without_the_secret(extra: dict[str, object], named: str) -> None:
    with pytest.raises(BadConnection) as refusal:
        java_client_settings(extra)
    assert str(refusal.value).startswith(named)
    assert "Fix: " in str(refusal.value)
    assert "S3CRET" not in str(refusal.value)
    assert "MIIE" not in str(refusal.value)


@pytest.mark.parametrize(
    ("references", "named"),
    [
        ({"bootstrap.servers": "${file:/a:b}"}, "bootstrap.servers"),
        ({"sasl.password": "literal"}, "sasl.password: not a ConfigProvider reference"),
    ],
)
def test_references_are_checked(references: dict[str, str], named: str) -> None:
    with pytest.raises(BadConnection, match=named) as refusal:
        java_client_settings({**SASL, "sasl.mechanism": "PLAIN"}, references)
    assert "literal" not in str(refusal.value)


@pytest.mark.parametrize(
    ("java", "named"),
    [
        ({"security.protocol": "SSL", "ssl.truststore.type": "JKS", "ssl.truststore.location": "/x"}, "truststore"),
        ({"security.protocol": "SSL", "ssl.keystore.location": "/x"}, "ssl.keystore.type"),
        ({"security.protocol": "SSL", "ssl.provider": "x"}, "ssl.provider"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"}, "GSSAPI"),
        (
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.jaas.config": f'{SCRAM} required username="u" password="S3CRET" tokenauth="true";',
            },
            "sasl.jaas.config",
        ),
        (
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "OAUTHBEARER",
                "sasl.jaas.config": 'x.OAuthBearerLoginModule required clientId="u" clientSecret="S3CRET" odd="1";',
                "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
            },
            "sasl.jaas.config",
        ),
        (
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "PLAIN",
                "sasl.jaas.config": f'{PLAIN} required username="u" password="S3CRET',
            },
            "sasl.jaas.config",
        ),
    ],
)
def test_refused_on_the_way_back(java: dict[str, str], named: str) -> None:
    with pytest.raises(BadConnection, match=named) as refusal:
        librdkafka_settings({"bootstrap.servers": "a:1", **java})
    assert "S3CRET" not in str(refusal.value)


def test_librdkafkas_newer_names_mean_the_same() -> None:
    newer = {key.replace("bearer.client.", "bearer.client.credentials.client."): value for key, value in OIDC.items()}
    assert newer.keys() != OIDC.keys()
    assert java_client_settings(newer) == java_client_settings(OIDC)


def test_the_secret_of_oauth_may_stay_on_the_worker() -> None:
    java = java_client_settings(OIDC, {"sasl.oauthbearer.client.secret": "${file:/etc/s.properties:secret}"})
    assert 'clientSecret="${file:/etc/s.properties:secret}"' in java["sasl.jaas.config"]
    assert "S3CRET" not in str(java)


def test_token_endpoints_of_connections_are_told_each_once() -> None:
    plain = {"bootstrap.servers": "a:1"}
    assert token_urls([OIDC, plain, OIDC]) == ["https://idp/token"]
    assert token_urls([plain]) == []


def test_prefix() -> None:
    assert with_prefix({"a": "1"}, "source.cluster.") == {"source.cluster.a": "1"}
