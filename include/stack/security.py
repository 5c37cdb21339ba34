"""The users of a secured stack, what they may do, and how Kafka is told. Both clusters are SASL_PLAINTEXT with
PLAIN and SCRAM-SHA-512, and ask an authorizer.

The rights of ``ferry`` are the ones docs/security.md lists, on all topics as the stack cannot know their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stack import listeners
from stack.cluster import Cluster
from stack.errors import StackError
from stack.state import State

ADMIN, FERRY, CONNECT = "admin", "ferry", "connect"
USERS = {"source": (ADMIN, FERRY), "target": (ADMIN, FERRY, CONNECT)}
PROTOCOL = "SASL_PLAINTEXT"
_TRIES, _WAIT_SECONDS = 4, 15
# One of each, so that both are used; every user is known to both mechanisms.
MECHANISMS = {"source": "SCRAM-SHA-512", "target": "PLAIN"}
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"

# Follow the open settings of a broker: in a Java properties file the last line with a key counts. Brokers and
# controllers are called admin too.
BROKER_SETTINGS = """\
advertised.listeners=SASL_PLAINTEXT://{host}:{client}
inter.broker.listener.name=SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={plain}
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={scram}
super.users=User:{admin}
"""
KRAFT_SETTINGS = """\
listeners=SASL_PLAINTEXT://{host}:{client},CONTROLLER://{host}:{controller}
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
"""
ZOOKEEPER_SETTINGS = """\
listeners=SASL_PLAINTEXT://{host}:{client}
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT
authorizer.class.name=kafka.security.authorizer.AclAuthorizer
"""


@dataclass(frozen=True)
class Grant:
    """Operations that a user may do on a resource.

    :param resource: topic, group, transactional-id or cluster.
    :param name: with ``prefixed`` the beginning of names; ``*`` is every name.
    """

    user: str
    resource: str
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


GRANTS = {
    "source": (
        Grant(FERRY, "topic", "*", ("READ", "DESCRIBE_CONFIGS")),
        Grant(FERRY, "topic", "ferry-canary-", ("CREATE", "WRITE", "DELETE"), prefixed=True),
        Grant(FERRY, "group", "*", ("DESCRIBE",)),
        # ALTER is for the fence of a cutover only; to see whose transaction is open, their ids have to be seen.
        Grant(FERRY, "cluster", "kafka-cluster", ("DESCRIBE", "DESCRIBE_CONFIGS", "ALTER")),
        Grant(FERRY, "transactional-id", "*", ("DESCRIBE",)),
    ),
    "target": (
        Grant(
            FERRY,
            "topic",
            "*",
            ("CREATE", "WRITE", "READ", "ALTER", "ALTER_CONFIGS", "DELETE"),
        ),
        Grant(FERRY, "group", "*", ("READ",)),
        # ALTER is for param acls=copy only, ALTER_CONFIGS for quotas=copy.
        Grant(FERRY, "cluster", "kafka-cluster", ("DESCRIBE", "DESCRIBE_CONFIGS", "ALTER", "ALTER_CONFIGS")),
        Grant(CONNECT, "topic", "connect-", ("CREATE", "READ", "WRITE", "DESCRIBE_CONFIGS"), prefixed=True),
        Grant(CONNECT, "group", "ferry-connect", ("READ",)),
    ),
}


def has_users(state: State) -> bool:
    """Whether brokers know who asks, and what that one may do."""
    return state.secure or listeners.has_users(state.listener)


def password(state: State, cluster: str, user: str) -> str:
    """Generated once for the life of a stack's folder; letters, digits, ``-`` and ``_``."""
    return state.secret(f"kafka_{cluster}_{user}")


def mechanism(cluster: Cluster) -> str:
    """What clients of the cluster use."""
    return MECHANISMS[cluster.name] if cluster.kind.scram_by_protocol else "PLAIN"


def broker_settings(cluster: Cluster, broker: str, host: str) -> str:
    """What a broker's properties need more. They hold passwords."""
    state = cluster.state
    own = password(state, cluster.name, ADMIN)
    known = " ".join(f'user_{user}="{password(state, cluster.name, user)}"' for user in USERS[cluster.name])
    more = ZOOKEEPER_SETTINGS if cluster.kind.zookeeper else KRAFT_SETTINGS
    return (BROKER_SETTINGS + more).format(
        host=host,
        client=state.ports[broker],
        controller=state.ports.get(f"{broker}-controller", 0),
        plain=f'{PLAIN} required username="{ADMIN}" password="{own}" {known};',
        scram=f"{SCRAM} required;",
        admin=ADMIN,
    )


def worker_settings(state: State) -> str:
    """What the Connect worker's properties need more, for its own topics. They hold its password."""
    own = password(state, "target", CONNECT)
    return (
        f"security.protocol={PROTOCOL}\nsasl.mechanism=PLAIN\n"
        f'sasl.jaas.config={PLAIN} required username="{CONNECT}" password="{own}";\n'
    )


def client_settings(cluster: Cluster, user: str) -> dict[str, str]:
    """librdkafka settings: the extra of a ``kafka`` connection."""
    if cluster.state.listener:
        return listeners.client_settings(cluster, user)
    if not cluster.state.secure:
        return {"bootstrap.servers": cluster.bootstrap}
    return {
        "bootstrap.servers": cluster.bootstrap,
        "security.protocol": PROTOCOL,
        "sasl.mechanism": mechanism(cluster),
        "sasl.username": user,
        "sasl.password": password(cluster.state, cluster.name, user),
    }


def set_up(cluster: Cluster) -> None:
    """Give the cluster its SCRAM users, where it has such, and ACLs; may be repeated.

    :raises StackError: the broker refused.
    """
    # Here, not above: an open stack needs no Kafka client.
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import (
        AclBinding,
        AclOperation,
        AclPermissionType,
        AdminClient,
        ResourcePatternType,
        ResourceType,
        ScramCredentialInfo,
        ScramMechanism,
        UserScramCredentialUpsertion,
    )

    # librdkafka calls the cluster a broker.
    types = {
        "topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER,
        "transactional-id": ResourceType.TRANSACTIONAL_ID,
    }  # fmt: skip
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    users = [
        UserScramCredentialUpsertion(user, scram, password(cluster.state, cluster.name, user).encode())
        for user in USERS[cluster.name]
    ]
    acls = [
        AclBinding(
            types[grant.resource],
            grant.name,
            ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
            f"User:{listeners.principal(cluster.state.listener, grant.user)}",
            "*",
            AclOperation[operation],
            AclPermissionType.ALLOW,
        )
        for grant in GRANTS[cluster.name]
        for operation in grant.operations
    ]
    settings: Mapping[str, str] = client_settings(cluster, ADMIN)
    if cluster.state.secure:
        settings = {**settings, "sasl.mechanism": "PLAIN"}
    makes_users = cluster.state.secure and cluster.kind.scram_by_protocol
    for left in reversed(range(_TRIES)):
        # A new one each time: one that asked before the cluster had a controller may stay blind for minutes.
        admin = AdminClient({**settings, "log_level": "2"})
        try:
            scrams = admin.alter_user_scram_credentials(users) if makes_users else {}
            for future in (*scrams.values(), *admin.create_acls(acls).values()):
                future.result(timeout=_WAIT_SECONDS)
        except (KafkaException, TimeoutError) as error:
            if not left:
                raise StackError(f"{cluster.name}: cannot make users and ACLs: {error or 'no answer'}") from error
        else:
            return
