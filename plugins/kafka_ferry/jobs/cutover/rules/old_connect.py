"""What a Kafka Connect that is too old cannot do for a cutover or a way back. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.kafka_version import kafka_version, said
from kafka_ferry.exceptions import BadParam

_STOPS: Final = (3, 5)  # KIP-875
#: A connector that is made STOPPED (KIP-980) and given its offsets (KIP-875), and no MirrorMaker 2 of before 3.8.
_GOES_BACK: Final = (3, 8)


def refuse_no_stop(version: str, param: str) -> None:
    """:raises BadParam: its workers cannot stop a connector, as the param wants."""
    if (kafka_version(version) or _STOPS) < _STOPS:
        raise BadParam(
            param, f"names connectors of Kafka Connect {said(version)}, which cannot stop one (Kafka 3.5 can)",
            f"leave {param} empty, and delete them yourself: after a cutover's hand-over, before a fail_back",
        )  # fmt: skip


def refuse_no_way_back(version: str) -> None:
    """:raises BadParam: its workers cannot begin a way back where the fence saw the target end."""
    if (kafka_version(version) or _GOES_BACK) < _GOES_BACK:
        raise BadParam(
            "connect_conn_id", f"leads to Kafka Connect {said(version)}, and a way back needs 3.8: its connector is "
            "made stopped, and told by the worker's REST API where to begin",
            "a worker of Kafka 3.8 or newer (Confluent Platform 7.8), if need be for this alone; brokers may be older",
        )  # fmt: skip
