"""The users of a secured stack, what they may do, and how Kafka is told. Both clusters are SASL_PLAINTEXT with
PLAIN and SCRAM-SHA-512, and ask the StandardAuthorizer.

The rights of ``ferry`` are the ones docs/security.md lists, on all topics as the stack cannot know their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stack.errors import StackError
from stack.state import State

ADMIN, FERRY, CONNECT = "admin", "ferry", "connect"
USERS = {"source": (ADMIN, FERRY), "target": (ADMIN, FERRY, CONNECT)}
PROTOCOL = "SASL_PLAINTEXT"
# One of each, so that both are used; every user is known to both mechanisms.
MECHANISMS = {"source": "SCRAM-SHA-512", "target": "PLAIN"}
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"

# Follow the open settings of a broker: in a Java properties file the last line with a key counts. The broker and its
# controller are called admin too: a cluster of one node talks to nobody else.
BROKER_SETTINGS = """\
listeners=SASL_PLAINTEXT://{host}:{client},CONTROLLER://{host}:{controller}
advertised.listeners=SASL_PLAINTEXT://{host}:{client}
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={plain}
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={scram}
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin}
"""


@dataclass(frozen=True)
class Grant:
    """Operations that a user may do on a resource.

    :param resource: topic, group or cluster.
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
        Grant(FERRY, "cluster", "kafka-cluster", ("DESCRIBE", "DESCRIBE_CONFIGS")),
    ),
    "target": (
        Grant(
            FERRY,
            "topic",
            "*",
            ("CREATE", "WRITE", "READ", "ALTER", "ALTER_CONFIGS", "DELETE"),
        ),
        Grant(FERRY, "group", "*", ("READ",)),
        # ALTER is for param acls=copy only.
        Grant(FERRY, "cluster", "kafka-cluster", ("DESCRIBE", "DESCRIBE_CONFIGS", "ALTER")),
        Grant(CONNECT, "topic", "connect-", ("CREATE", "READ", "WRITE", "DESCRIBE_CONFIGS"), prefixed=True),
        Grant(CONNECT, "group", "ferry-connect", ("READ",)),
    ),
}


def password(state: State, cluster: str, user: str) -> str:
    """Generated once for the life of a stack's folder; letters, digits, ``-`` and ``_``."""
    return state.secret(f"kafka_{cluster}_{user}")


def broker_settings(state: State, cluster: str, host: str) -> str:
    """What a broker's properties need more. They hold passwords."""
    own = password(state, cluster, ADMIN)
    known = " ".join(f'user_{user}="{password(state, cluster, user)}"' for user in USERS[cluster])
    return BROKER_SETTINGS.format(
        host=host,
        client=state.ports[cluster],
        controller=state.ports[f"{cluster}-controller"],
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


def client_settings(state: State, cluster: str, bootstrap: str, user: str) -> dict[str, str]:
    """librdkafka settings: the extra of a ``kafka`` connection."""
    if not state.secure:
        return {"bootstrap.servers": bootstrap}
    return {
        "bootstrap.servers": bootstrap,
        "security.protocol": PROTOCOL,
        "sasl.mechanism": MECHANISMS[cluster],
        "sasl.username": user,
        "sasl.password": password(state, cluster, user),
    }


def set_up(state: State, cluster: str, bootstrap: str) -> None:
    """Give the cluster its SCRAM users and ACLs; may be repeated.

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
    types = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    users = [
        UserScramCredentialUpsertion(user, scram, password(state, cluster, user).encode()) for user in USERS[cluster]
    ]
    acls = [
        AclBinding(
            types[grant.resource],
            grant.name,
            ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
            f"User:{grant.user}",
            "*",
            AclOperation[operation],
            AclPermissionType.ALLOW,
        )
        for grant in GRANTS[cluster]
        for operation in grant.operations
    ]
    settings: Mapping[str, str] = client_settings(state, cluster, bootstrap, ADMIN) | {"sasl.mechanism": "PLAIN"}
    admin = AdminClient({**settings, "log_level": "2"})
    try:
        for future in (*admin.alter_user_scram_credentials(users).values(), *admin.create_acls(acls).values()):
            future.result(timeout=30)
    except (KafkaException, TimeoutError) as error:
        raise StackError(f"{cluster}: cannot make users and ACLs: {error}") from error
