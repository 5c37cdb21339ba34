"""Shell commands with which a user ends by hand what keeps running after a run. No secret is in them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Literal
from urllib.parse import quote

from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook


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


def delete_msk_connectors(region: str, names: Sequence[str]) -> str:
    """The AWS CLI, with these connectors of MSK Connect and no other: its own filter is one for beginnings of names."""
    start = names[0]
    while not all(name.startswith(start) for name in names):
        start = start[:-1]
    wanted = " || ".join(f"connectorName=='{name}'" for name in names)
    return (
        f"for arn in $(aws kafkaconnect list-connectors --region {region} --connector-name-prefix "
        f'{start} --query "connectors[?{wanted}].connectorArn" --output text); do '
        f'aws kafkaconnect delete-connector --region {region} --connector-arn "$arn"; done'
    )


def delete_replicator(region: str, name: str) -> str:
    """The same for a replicator, whose filter is for beginnings of names too."""
    return (
        f"for arn in $(aws kafka list-replicators --region {region} --replicator-name-filter {name} "
        f"--query \"Replicators[?ReplicatorName=='{name}'].ReplicatorArn\" --output text); do "
        f'aws kafka delete-replicator --region {region} --replicator-arn "$arn"; done'
    )


def end_process(host: str, folder: str, marker: str) -> str:
    """POSIX shell, on the host: ends a process of ours, waits for its end, and deletes its folder.

    :param folder: its own, absolute. ``marker``: an argument that its command line has: a process that was given its
        pid since, as after a reboot, is left alone.
    """
    return "\n".join(
        [
            f"# on {host}",
            f"cd {shlex.quote(folder)} && read -r pid rest <ferry.pid",
            "ours() { cat \"/proc/$pid/cmdline\" 2>/dev/null | tr '\\0' '\\n' | grep -qxF -e "
            f"{shlex.quote(marker)}; }}",
            'ours && kill "$pid" && while ours; do sleep 1; done',
            f"cd / && rm -r {shlex.quote(folder)}",
        ]
    )
