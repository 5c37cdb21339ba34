"""What a Connect cluster's version and plugins are good for. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kafka_ferry.core.kafka_version import kafka_version, said
from kafka_ferry.jobs.connections.rules.answer import Answer

#: Of plugins, the end of a class's name, to what they are called, and what runs only with them.
_MIRROR = ("MirrorSourceConnector", "MirrorCheckpointConnector")
_DEBEZIUM = {"MySqlConnector": "Debezium for MySQL", "MariaDbConnector": "Debezium for MariaDB"}
_OLDEST = (3, 6)  # KIP-875: offsets can be set


def tell_worker(answer: Answer, version: str, classes: Iterable[str], renames: bool) -> None:
    """Add to the answer what can run there, and what cannot.

    :param classes: names of the connector plugins.
    :param renames: whether the worker finds the policy that renames topics.
    """
    names = {name.rpartition(".")[2] for name in classes}
    numbers = kafka_version(version)
    if numbers and numbers < _OLDEST:
        answer.missing.append(
            f"it is Kafka Connect {said(version)}: offsets of connectors can be set from 3.6 on. Fix: upgrade it"
        )
    if lacks := [name for name in _MIRROR if name not in names]:
        answer.limits.append(
            f"it has no {' and no '.join(lacks)}: MirrorMaker 2 cannot run on it. Fix: Kafka's own jar connect-mirror "
            "on every worker"
        )
    found = [words for name, words in _DEBEZIUM.items() if name in names]
    found = ["MirrorMaker 2"] * (not lacks) + found + ["the rename policy of Kafka Ferry"] * renames
    answer.notes.append(f"it can load {', '.join(found) or 'nothing that Kafka Ferry uses'}")
    if not names & _DEBEZIUM.keys():
        answer.notes.append("not there: Debezium, for streams of a database's changes")
    if not renames:
        answer.notes.append("not there: kafka-ferry-connect-plugins.jar, for new names of topics")
