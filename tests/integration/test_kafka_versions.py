"""Every call of ours on brokers of every version: admin, groups, rights, readers and producers.

Brokers of 2.4.1 and 2.6.0 have users and ACLs (SASL PLAIN), those of 2.8.2 and 3.9.2 none; 4.3.1 is what all other
tests have.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.commits import Commit
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.quotas import Quota
from kafka_ferry.core.scram_users import ScramUser
from kafka_ferry.core.topics import NO_TOPIC_ID
from kafka_ferry.exceptions import FerryError, NotSupported
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.authorized_operations import RightsSurvey
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.groups import KafkaGroups
from kafka_ferry.hooks.kafka.offsets_topic import OffsetsTopic
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.hooks.kafka.reading.column_reader import ColumnReader
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.hooks.kafka.scram_users import KafkaScramUsers
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.records.content import PartitionRange
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

VERSIONS = ("2.4.1", "2.6.0", "2.8.2", "3.9.2")


@dataclass(frozen=True)
class Lab:
    """A cluster with one filled topic of two partitions, and a group that has read it."""

    config: dict[str, str]
    version: tuple[int, ...]
    secure: bool
    prefix: str
    factor: int

    @property
    def topic(self) -> str:
        return f"{self.prefix}filled"

    @property
    def places(self) -> list[Partition]:
        return [(self.topic, 0), (self.topic, 1)]

    def admin(self) -> KafkaAdmin:
        return KafkaAdmin(self.config, "cluster", 20)

    def survey(self) -> KafkaSurvey:
        return KafkaSurvey(self.config, "cluster", 20)

    def quotas(self) -> KafkaQuotas:
        return KafkaQuotas.of(self.hook())

    def hook(self) -> KafkaClusterHook:
        hook = KafkaClusterHook("cluster")
        hook.__dict__ |= {"extra": self.config, "admin": self.admin()}
        return hook

    def make(self, name: str, **configs: str) -> str:
        topic = f"{self.prefix}{name}"
        self.admin().create_topics([DesiredTopic(topic, topic, 2, self.factor, configs)])
        self.admin().wait_until_usable([(topic, 0), (topic, 1)], 30)
        return topic


def start(folder: str, source: str, target: str, secure: bool) -> Stack:
    path = Path(os.environ["FERRY_TEST_FOLDER"]) / folder
    owner = int(os.environ["FERRY_TEST_SESSION_PID"])
    return Stack(path, owner_pid=owner, report=print, secure=secure, source=source, target=target)


@pytest.fixture(scope="module")
def stacks() -> Iterator[Callable[[str], tuple[Stack, str]]]:
    """One at a time: five brokers are enough for a machine of two cores."""
    old, newer = ("old", "2.4.1x2", "2.6.0x3", True), ("newer", "2.8.2x3", "3.9.2x3", False)
    pairs = {
        "2.4.1": (*old, "source"), "2.6.0": (*old, "target"), "2.8.2": (*newer, "source"), "3.9.2": (*newer, "target"),
    }  # fmt: skip
    up: dict[str, Stack] = {}

    def of(version: str) -> tuple[Stack, str]:
        folder, source, target, secure, side = pairs[version]
        if folder not in up:
            for other in list(up.values()):
                other.down(purge=True)
            up.clear()
            up[folder] = start(folder, source, target, secure).up()
        return up[folder], side

    yield of
    for stack in up.values():
        stack.down(purge=True)


@pytest.fixture(scope="module", params=VERSIONS)
def lab(request: pytest.FixtureRequest, stacks: Callable[[str], tuple[Stack, str]]) -> Lab:
    stack, side = stacks(request.param)
    version = tuple(map(int, request.param.split(".")))
    kind = stack.broker(side).cluster.kind
    one = Lab(stack.client_settings(side), version, stack.broker(side).state.secure, "lab.", kind.replicas)
    one.make("filled")
    producer = Producer({**one.config, "acks": "all"})
    for number in range(200):
        producer.produce(
            one.topic,
            b"v%d" % number,
            b"k%d" % number,
            number % 2,
            timestamp=1_000 + number,
            headers={"h": b"\x00\xff"},
        )
    assert producer.flush(30) == 0
    one.admin().commit({"lab.readers": dict.fromkeys(one.places, 40)})
    return one


# --- the calls --------------------------------------------------------------------------------------------------------


def describes_itself(lab: Lab) -> None:
    cluster = lab.admin().describe_cluster()
    assert cluster.cluster_id
    assert cluster.default_replication_factor == lab.factor
    configs, addresses = lab.survey().brokers()
    assert len(addresses) == cluster.brokers > 1
    assert configs["default.replication.factor"] == str(lab.factor)


def describes_topics_that_are_there_and_many_that_are_not(lab: Lab) -> None:
    absent = [f"lab.not-there-{number}" for number in range(360)]
    found = lab.admin().topics([*absent, lab.topic])
    assert list(found) == [lab.topic]
    assert (found[lab.topic].partitions, found[lab.topic].replication_factor) == (2, lab.factor)
    assert list(lab.admin().topic_ids([*absent, lab.topic])) == [lab.topic]
    assert lab.topic in lab.admin().topic_names()


def knows_what_its_brokers_can_do(lab: Lab) -> None:
    found = lab.admin().capabilities
    assert found.versions
    assert (found.for_kafka_4, found.tells_rights, found.changes_configs) == (True, True, True)
    assert (found.tells_share_starts, found.makes_share_groups) == (False, False)
    assert "Kafka 4.1 and later can" in lab.admin().no_share_starts
    ids = lab.admin().topic_ids([lab.topic])
    assert (ids[lab.topic] == NO_TOPIC_ID) is (lab.version < (2, 8))


def lists_offsets(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for level in ("read_committed", "read_uncommitted"):
        assert set(lab.admin().offsets(lab.places, "earliest", level).values()) == {0}
        assert set(lab.admin().offsets(lab.places, "latest", level).values()) == {100}
    at = lab.survey().offsets_at(dict.fromkeys(lab.places, 1_100))
    assert at == {(lab.topic, 0): 50, (lab.topic, 1): 50}
    monkeypatch.setenv("AIRFLOW_CONN_LAB", json.dumps({"conn_type": "kafka", "extra": lab.config}))
    assert KafkaClusterHook("lab").newest(lab.places) == {(lab.topic, 0): 1_198, (lab.topic, 1): 1_199}


def makes_changes_and_deletes_topics(lab: Lab) -> None:
    topic, admin = lab.make("made", **{"retention.ms": "5000000", "max.message.bytes": "2000000"}), lab.admin()
    assert admin.topics([topic])[topic].configs["retention.ms"] == "5000000"
    admin.create_topics([DesiredTopic(topic, topic, 2, lab.factor, {})])  # it exists: no error
    admin.set_configs({topic: {"retention.ms": None, "cleanup.policy": "compact"}})
    left = {"cleanup.policy": "compact", "max.message.bytes": "2000000"}
    eventually(lambda: admin.topics([topic])[topic].configs, left)
    admin.grow_partitions({topic: 5})
    eventually(lambda: admin.topics([topic])[topic].partitions, 5)
    assert admin.delete_topics([topic, "lab.never"]) == [topic]
    eventually(lambda: admin.topics([topic]), {})


def says_what_it_would_refuse(lab: Lab) -> None:
    survey, bad = lab.survey(), {"retention.ms": "never"}
    assert list(survey.try_configs({lab.topic: bad}, validate_only=True)) == [lab.topic]
    assert survey.try_configs({lab.topic: {"retention.ms": "1000000"}}, validate_only=True) == {}
    assert "retention.ms" not in lab.admin().topics([lab.topic])[lab.topic].configs
    wanted = [DesiredTopic("x", "lab.bad", 1, None, bad), DesiredTopic("x", "lab.good", 1, None, {})]
    assert list(survey.not_to_be_made(wanted)) == ["lab.bad"]
    assert lab.admin().topics(["lab.good"]) == {}


def knows_groups_and_their_commits(lab: Lab) -> None:
    admin, group = lab.admin(), "lab.noted"
    noted = {(lab.topic, 0): Commit(7, metadata="here"), (lab.topic, 1): Commit(9)}
    assert admin.commit({group: noted}) == {}
    found = admin.commits([group])[group]
    assert {place: (one.offset, one.metadata) for place, one in found.items()} == {
        (lab.topic, 0): (7, "here"), (lab.topic, 1): (9, ""),
    }  # fmt: skip
    assert admin.committed(["lab.readers"])["lab.readers"] == dict.fromkeys(lab.places, 40)
    consumers, others, _ = admin.all_groups()
    assert (consumers["lab.readers"], consumers[group]) == ("EMPTY", "EMPTY"), "before 2.6 the list has no states"
    assert {name: one.type for name, one in others.items()} in ({}, {"ferry-connect": "connect"})  # the target has it
    assert lab.survey().client_ids([group]) == {group: set()}
    groups = KafkaGroups(lab.config, "cluster", 20)
    groups.set_offsets(group, {(lab.topic, 0): 3})
    assert admin.committed([group])[group][lab.topic, 0] == 3
    assert groups.delete_group(group)
    assert not groups.delete_group(group)


def knows_acls_and_rights(lab: Lab) -> None:
    admin, rights = lab.admin(), RightsSurvey(lab.config, "cluster", 20)
    found, existing = rights.rights([lab.topic, "lab.absent"], ["lab.readers"])
    assert existing == {lab.topic}
    assert rights.hidden([lab.topic], ["lab.readers"]) == []
    if not lab.secure:
        assert admin.acls() is None
        assert found.everything
        return
    new = Acl("TOPIC", "lab.", "PREFIXED", "User:bob", "READ")
    admin.create_acls([new, new])
    eventually(lambda: new in (admin.acls() or ()), True)


def reads_and_sets_quotas(lab: Lab) -> None:
    """The address came with 2.7 (KIP-612), the requests with 2.6 (KIP-546)."""
    if lab.version < (2, 6):
        with pytest.raises(NotSupported, match=r"Kafka 2\.6 and later"):
            lab.quotas()
        return
    mine = [
        Quota.of({"user": "lab a%"}, "consumer_byte_rate", 1_000_000.0),
        Quota.of({"user": None, "client-id": None}, "producer_byte_rate", 2e9),
        Quota.of({"client-id": "lab"}, "request_percentage", 50.0),
        *([Quota.of({"ip": "10.9.8.7"}, "connection_creation_rate", 9.0)] if lab.version >= (2, 7) else []),
    ]
    quotas = lab.quotas()
    assert quotas.set_quotas(mine, validate_only=True) == []
    assert quotas.quotas() == []
    assert quotas.set_quotas(mine) == []
    eventually(lambda: sorted(quotas.quotas(), key=str), sorted(mine, key=str))
    (refused,) = quotas.set_quotas([Quota.of({"user": "lab"}, "no_such_rate", 1.0)])
    assert refused.startswith("user lab: ")


def lists_and_makes_scram_users(lab: Lab) -> None:
    """The requests came with 2.7 (KIP-554)."""
    if lab.version < (2, 7):
        with pytest.raises(NotSupported, match=r"Kafka 2\.7 and later"):
            KafkaScramUsers.of(lab.hook())
        return
    mine = [ScramUser("lab ü", "SCRAM-SHA-256", 4097), ScramUser("lab ü", "SCRAM-SHA-512", 8192)]
    users = KafkaScramUsers.of(lab.hook())
    users.make(dict.fromkeys(mine, "pass-word"))
    eventually(lambda: [one for one in users.users() if one.name == "lab ü"], mine)


def keeps_connects_offsets(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAB", json.dumps({"conn_type": "kafka", "extra": lab.config}))
    table = OffsetsTopic(KafkaClusterHook("lab"), "lab.connect-offsets", "it")
    assert table.entries() == []
    entry = {"partition": {"cluster": "a", "partition": 0, "topic": "t"}, "offset": {"offset": 5}}
    table.write([entry], lab.factor)
    assert table.entries() == [entry]


def reads_the_same_both_ways(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    spans, seen = [PartitionRange(*place, 0, 100) for place in lab.places], []
    for way in ("never", "always"):
        monkeypatch.setenv("FERRY_NATIVE", way)
        with LibrdkafkaReader(lab.config, "read_committed") as reader:
            contents = reader.read(spans)
            assert reader.probe([PartitionRange(lab.topic, 0, 10, 20)]) == {(lab.topic, 0): 10}
            (record,) = reader.read_records({(lab.topic, 1): [3]}).values()
            assert (record.key, record.value, record.headers) == (b"k7", b"v7", (("h", b"\x00\xff"),))
        seen.append({key: (one.offsets.tolist(), one.hashes.tolist()) for key, one in contents.items()})
    assert seen[0] == seen[1]
    assert sum(len(offsets) for offsets, _ in seen[0].values()) == 200
    with ColumnReader(lab.config, "read_committed", 30, native=True) as reader:
        assert sum(columns.batch.num_rows for _, columns in reader.stream(spans)) == 200


CALLS: Mapping[str, Callable[..., None]] = {
    call.__name__: call
    for call in (
        describes_itself, knows_what_its_brokers_can_do, describes_topics_that_are_there_and_many_that_are_not,
        lists_offsets,
        makes_changes_and_deletes_topics, says_what_it_would_refuse, knows_groups_and_their_commits,
        knows_acls_and_rights, reads_and_sets_quotas, lists_and_makes_scram_users, keeps_connects_offsets,
        reads_the_same_both_ways,
    )
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_call(call: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_patch = "monkeypatch" in CALLS[call].__code__.co_varnames
    CALLS[call](lab, *([monkeypatch] if needs_patch else []))


def eventually(ask: Callable[[], Any], expected: Any, seconds: float = 20) -> None:
    """What one broker was told reaches the others a moment later."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = ask()
        except FerryError as error:
            found = error
        if found == expected or time.monotonic() > deadline:
            assert found == expected
            return
        time.sleep(0.3)
