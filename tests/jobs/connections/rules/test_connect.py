"""What a Connect cluster's version and plugins are good for."""

from __future__ import annotations

import pytest

from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.connect import tell_worker

MIRROR = [f"org.apache.kafka.connect.mirror.Mirror{part}Connector" for part in ("Source", "Checkpoint", "Heartbeat")]
DEBEZIUM = "io.debezium.connector.mariadb.MariaDbConnector"


def told(version: str = "4.3.1", classes: list[str] = MIRROR, renames: bool = True) -> Answer:
    answer = Answer(conn_id="kafka_connect")
    tell_worker(answer, version, classes, renames)
    return answer


def test_what_it_can_load_is_told_and_what_it_cannot() -> None:
    found = told(classes=[*MIRROR, DEBEZIUM])
    assert found.notes == ["it can load MirrorMaker 2, Debezium for MariaDB, the rename policy of Kafka Ferry"]
    assert (found.missing, found.limits) == ([], [])
    bare = told(renames=False)
    assert "not there: Debezium, for streams of a database's changes" in bare.notes
    assert any("kafka-ferry-connect-plugins.jar" in note for note in bare.notes)


def test_without_mirror_maker_it_is_explained() -> None:
    found = told(classes=[DEBEZIUM])
    assert found.missing == []
    assert found.limits[0].startswith("it has no MirrorSourceConnector and no MirrorCheckpointConnector")


@pytest.mark.parametrize(
    ("version", "fits"),
    [("3.5.2", False), ("2.8.1", False), ("3.6.0", True), ("3.10.0", True), ("7.9.0-ccs", True), ("?", True)],
)
def test_an_old_worker_cannot_be_told_offsets(version: str, fits: bool) -> None:
    assert bool(told(version).missing) is not fits
