"""Shell commands with which a user ends by hand what goes on after a run. No secret is in them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote

from kafka_ferry.hooks.connect import ConnectHook
from kafka_ferry.hooks.kafka import KafkaClusterHook


def delete_connector(connect: ConnectHook, name: str) -> str:
    """``curl`` with the worker's own address; it asks for the password where the worker wants one."""
    scheme, _, place = connect.rest.base_url.partition("://")
    login = getattr(connect.rest.session.auth, "__getitem__", lambda _: None)(0)
    return shlex.join(
        [
            *("curl", "-X", "DELETE"),
            *(["-u", str(login)] if login else []),
            f"{scheme}://{place.rpartition('@')[2]}/connectors/{quote(name, safe='')}",
        ]
    )


def delete_on_brokers(what: Literal["topic", "group"], cluster: KafkaClusterHook, names: Iterable[str]) -> str:
    """Kafka's own tool, with the cluster's own address, a line for each name."""
    tool = {"topic": "kafka-topics.sh", "group": "kafka-consumer-groups.sh"}[what]
    servers = str(cluster.extra.get("bootstrap.servers") or cluster.extra.get("metadata.broker.list"))
    plain = str(cluster.extra.get("security.protocol", "PLAINTEXT")).upper() == "PLAINTEXT"
    secured = [] if plain else ["--command-config", "client.properties"]
    return "\n".join(
        shlex.join([tool, "--bootstrap-server", servers, *secured, "--delete", f"--{what}", name]) for name in names
    )
