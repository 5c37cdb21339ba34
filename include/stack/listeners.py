"""Clusters whose clients come over TLS: ``tls``, ``mtls`` and ``oauth``.

Every broker has two listeners: CLIENT, by the stack's kind, and BROKER, by which brokers talk to each other and the
stack asks for their health: TLS with certificates on both sides, as the controllers' is. With ``mtls`` and ``oauth``
there are users, an authorizer, and the rights of ``stack.security``: a user of mTLS is called as the subject of the
certificate is, one of OAuth as the claim ``sub`` says. With ``tls`` everybody may do everything, as on an open stack.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from stack import token_server, tokens
from stack.certificates import Certificates, distinguished_name
from stack.cluster import Cluster
from stack.errors import StackError
from stack.state import State

TLS, MTLS, OAUTH = "tls", "mtls", "oauth"
KINDS = (TLS, MTLS, OAUTH)
OAUTH_SINCE = (3, 4)  # where its callback handlers have got the names that they have in 4.x
MODULE = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
_HANDLERS = "org.apache.kafka.common.security.oauthbearer.OAuthBearer"
_ALLOWED = "org.apache.kafka.sasl.oauthbearer.allowed.urls"  # of Kafka 4: a JVM asks nobody else for tokens and keys

#: Names of certificates: of the brokers of a cluster, of Kafka Connect's REST API, of users.
REST = "rest"
USERS = ("admin", "ferry", "connect")

# Follow the open settings of a broker: in a Java properties file the last line with a key counts.
BROKER_SETTINGS = """\
advertised.listeners=CLIENT://{host}:{client},BROKER://{host}:{internal}
inter.broker.listener.name=BROKER
ssl.keystore.type=PKCS12
ssl.keystore.location={keystore}
ssl.keystore.password={password}
ssl.key.password={password}
ssl.truststore.type=PKCS12
ssl.truststore.location={truststore}
ssl.truststore.password={password}
listener.name.broker.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
"""
KRAFT_SETTINGS = """\
listeners=CLIENT://{host}:{client},BROKER://{host}:{internal}{controller}
listener.security.protocol.map=CLIENT:{protocol},BROKER:SSL,CONTROLLER:SSL
"""
ZOOKEEPER_SETTINGS = """\
listeners=CLIENT://{host}:{client},BROKER://{host}:{internal}
listener.security.protocol.map=CLIENT:{protocol},BROKER:SSL
"""
USERS_SETTINGS = """\
authorizer.class.name={authorizer}
super.users=User:{brokers};User:{admin}
"""
# A listener logs in too, to nobody: with options for the address of the keys that needs a name (measured, 4.3.1).
OAUTH_SETTINGS = f"""\
sasl.enabled.mechanisms=OAUTHBEARER
listener.name.client.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.client.oauthbearer.sasl.jaas.config={MODULE} required unsecuredLoginStringClaim_sub="unused" {{endpoint}};
listener.name.client.oauthbearer.sasl.server.callback.handler.class={_HANDLERS}ValidatorCallbackHandler
sasl.oauthbearer.jwks.endpoint.url={{keys}}
sasl.oauthbearer.expected.audience={token_server.AUDIENCE}
sasl.oauthbearer.expected.issuer={{issuer}}
"""


def check(listener: str, clusters: list[Cluster]) -> None:
    """:raises StackError: no such kind, or the Kafka of a cluster does not know it."""
    if listener and listener not in KINDS:
        raise StackError(f"{listener!r}: a listener is one of {', '.join(KINDS)}")
    for cluster in clusters if listener == OAUTH else ():
        if cluster.kind.numbers < OAUTH_SINCE:
            since = ".".join(map(str, OAUTH_SINCE))
            raise StackError(f"{cluster.name}: a listener oauth needs Kafka {since} or newer, and no {cluster.kind}")


def has_users(listener: str) -> bool:
    """Whether brokers know who asks, and what that one may do."""
    return listener in (MTLS, OAUTH)


def principal(listener: str, user: str) -> str:
    """What brokers call a user of ``stack.security``."""
    return distinguished_name(user) if listener == MTLS else user


def brokers_certificate(cluster: str) -> str:
    """The name of the certificate that all brokers of a cluster have."""
    return f"{cluster}-broker"


def make_certificates(state: State) -> None:
    """All that this module names; may be repeated."""
    Certificates(state).make([*map(brokers_certificate, ("source", "target")), REST, tokens.NAME, *USERS])


def protocol(listener: str) -> str:
    """``security.protocol`` of clients."""
    return "SASL_SSL" if listener == OAUTH else "SSL"


def broker_settings(cluster: Cluster, broker: str, host: str) -> str:
    """What a broker's properties need more. They hold passwords."""
    state, kind = cluster.state, cluster.kind
    certificates, own, ports = Certificates(state), brokers_certificate(cluster.name), state.ports
    controls = broker in cluster.controllers
    settings = BROKER_SETTINGS + (ZOOKEEPER_SETTINGS if kind.zookeeper else KRAFT_SETTINGS)
    settings += f"listener.name.client.ssl.client.auth={'required' if state.listener == MTLS else 'none'}\n"
    if has_users(state.listener):
        settings += USERS_SETTINGS
    if state.listener == OAUTH:
        settings += OAUTH_SETTINGS
    kraft, zookeeper = "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "kafka.security.authorizer."
    return settings.format(
        host=host,
        client=ports[broker],
        internal=ports[internal_port(broker)],
        controller=f",CONTROLLER://{host}:{ports[f'{broker}-controller']}" if controls else "",
        protocol=protocol(state.listener),
        keystore=certificates.keystore(own),
        truststore=certificates.truststore,
        password=certificates.password,
        authorizer=f"{zookeeper}AclAuthorizer" if kind.zookeeper else kraft,
        brokers=distinguished_name(own),
        admin=principal(state.listener, "admin"),
        endpoint=_endpoint(state),
        keys=tokens.keys_url(state) if state.listener == OAUTH else "",
        issuer=tokens.url(state) if state.listener == OAUTH else "",
    )


def _endpoint(state: State) -> str:
    """Options of a JAAS line: by which Java believes who gives tokens."""
    return f'ssl.truststore.type="PEM" ssl.truststore.location="{Certificates(state).ca}"'


def context(cluster: Cluster) -> ssl.SSLContext:
    """As which the stack asks a broker for its health."""
    certificates, own = Certificates(cluster.state), brokers_certificate(cluster.name)
    context = ssl.create_default_context(cafile=str(certificates.ca))
    context.load_cert_chain(certificates.certificate(own), certificates.key(own))
    return context


def rest_context(state: State) -> ssl.SSLContext | None:
    """By which Kafka Connect's REST API is believed; None where it is HTTP."""
    return tokens.context(state) if state.listener else None


def scheme(state: State) -> str:
    """Of Kafka Connect's REST API."""
    return "https" if state.listener else "http"


def java_properties(values: Mapping[str, str]) -> str:
    """A file that Java reads so; keys are ours, values may have several lines."""
    return "".join(f"{key}={value.encode('unicode_escape').decode()}\n" for key, value in values.items())


def internal_port(broker: str) -> str:
    """The name of a broker's second port."""
    return f"{broker}-internal"


def jvm_options(state: State) -> list[str]:
    """Without them Kafka 4 does not ask for keys or tokens."""
    return [f"-D{_ALLOWED}={tokens.token_url(state)},{tokens.keys_url(state)}"] if state.listener == OAUTH else []


def worker_settings(state: State) -> str:
    """What the Connect worker's properties need more: for its own topics, and its REST API by HTTPS."""
    certificates, password = Certificates(state), Certificates(state).password
    settings = {
        "security.protocol": protocol(state.listener),
        "ssl.truststore.type": "PKCS12",
        "ssl.truststore.location": certificates.truststore,
        "ssl.truststore.password": password,
        "listeners.https.ssl.keystore.type": "PKCS12",
        "listeners.https.ssl.keystore.location": certificates.keystore(REST),
        "listeners.https.ssl.keystore.password": password,
        "listeners.https.ssl.key.password": password,
        # Workers of a group ask each other by it.
        "listeners.https.ssl.truststore.type": "PKCS12",
        "listeners.https.ssl.truststore.location": certificates.truststore,
        "listeners.https.ssl.truststore.password": password,
    }
    if state.listener == MTLS:
        settings |= {
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.location": certificates.keystore("connect"),
            "ssl.keystore.password": password,
            "ssl.key.password": password,
        }
    if state.listener == OAUTH:
        secret = tokens.users(state)["connect"]
        settings |= {
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.login.callback.handler.class": f"{_HANDLERS}LoginCallbackHandler",
            "sasl.oauthbearer.token.endpoint.url": tokens.token_url(state),
            "sasl.jaas.config": f'{MODULE} required clientId="connect" clientSecret="{secret}" '
            f'scope="{token_server.SCOPE}" {_endpoint(state)};',
        }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def client_settings(cluster: Cluster, user: str) -> dict[str, str]:
    """librdkafka settings: the extra of a ``kafka`` connection.

    With ``mtls`` the source's are of PEM text, the target's of a PEM file, so that both are used.
    """
    state, certificates = cluster.state, Certificates(cluster.state)
    settings = {
        "bootstrap.servers": cluster.bootstrap,
        "security.protocol": protocol(state.listener),
        "ssl.ca.location": str(certificates.ca),
    }
    if state.listener == MTLS and cluster.name == "source":
        pem = {"certificate": certificates.certificate(user), "key": certificates.key(user)}
        settings |= {f"ssl.{what}.pem": path.read_text() for what, path in pem.items()}
    elif state.listener == MTLS:
        settings |= dict.fromkeys(("ssl.certificate.location", "ssl.key.location"), str(certificates.both(user)))
    elif state.listener == OAUTH:
        settings |= {
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": user,
            "sasl.oauthbearer.client.secret": tokens.users(state)[user],
            "sasl.oauthbearer.scope": token_server.SCOPE,
            "sasl.oauthbearer.token.endpoint.url": tokens.token_url(state),
            "https.ca.location": str(certificates.ca),
        }
    return settings


def connect_secrets(state: State, user: str) -> dict[str, dict[str, str]]:
    """Of ``user``: cluster, and librdkafka key to secret; what connectors read from files on the worker."""
    if state.listener == OAUTH:
        secret = {"sasl.oauthbearer.client.secret": tokens.users(state)[user]}
        return {"source": secret, "target": secret}
    if state.listener == MTLS:
        return {"source": {"ssl.key.pem": Certificates(state).key(user).read_text()}}
    return {}
