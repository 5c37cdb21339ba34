"""Kafka's admin calls, whole clusters at a time; free of Airflow. A failure is an error, never "nothing there"."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.refusals import cure
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized, TransientError
from kafka_ferry.hooks.kafka.acl_bindings import right_to
from kafka_ferry.hooks.kafka.acl_calls import AclCalls
from kafka_ferry.hooks.kafka.batches import chunks, weighed
from kafka_ferry.hooks.kafka.client_certificate import expired
from kafka_ferry.hooks.kafka.group_calls import ALLOWED, COORDINATOR, GroupCalls
from kafka_ferry.hooks.kafka.listener import speaks_tls

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.capabilities import Capabilities

log = logging.getLogger(__name__)

T = TypeVar("T")

# A controller refuses more than 10,000 metadata records in one request (KRaft, MAX_RECORDS_PER_USER_OP); with ZooKeeper
# it answers when all are made, and 2,000 partitions of three replicas took 20 s on small brokers (measured on 2.6.0).
_RECORDS_PER_CREATE = 500
_TOPICS_PER_DESCRIBE = 500
_REFUSED_SECONDS = 3.0  # a broker that has just started may not know its users yet

_AUTHENTICATION = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL)
_AUTHORIZATION = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
)
_PASSING = (
    *COORDINATOR,
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._NOENT,  # "No leaders found": a topic made a moment ago
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    # Retriable by Kafka's own table of errors; seen on a topic that was deleted and made again under the same name.
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.OFFSET_NOT_AVAILABLE,  # of a leader that was chosen a moment ago, as the one before was killed
)
_ABSENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)


@dataclass(frozen=True)
class Cluster:
    """Which cluster answered. ``cluster_id`` is an internal topic of Kafka, the same for every bootstrap address."""

    cluster_id: str
    brokers: int
    default_replication_factor: int


class KafkaAdmin(GroupCalls, AclCalls):
    """Admin calls on one cluster.

    :param config: a librdkafka configuration, see ``kafka_config.client_config``.
    :param name: how errors call the cluster: the connection id.
    :param timeout: seconds for one request.

    Raises from every method: ``BadConnection`` when the credentials are refused, ``TransientError`` when the cluster
    does not answer, ``FerryError`` when it says no.
    """

    def __init__(self, config: Mapping[str, Any], name: str, timeout: float = 30) -> None:
        self._config = dict(config)
        self.name = name
        self.timeout = timeout
        self._reasons: deque[str] = deque(maxlen=20)
        self._client = self._new_client()

    def _new_client(self) -> AdminClient:
        try:
            # Without it librdkafka writes its own lines to stderr, past Airflow's log; the reasons reach error_cb.
            return AdminClient({**self._config, "error_cb": self._note, "log_level": 2})
        except KafkaException as error:
            raise self._unusable(error.args[0].str()) from error

    def _unusable(self, said: str) -> BadConnection:
        fix = cure(said)
        return BadConnection(f"connection {self.name!r}: {said}{f'. Fix: {fix}' if fix else ''}")

    def _note(self, error: KafkaError) -> None:
        self._reasons.append(error.str())

    @cached_property
    def capabilities(self) -> Capabilities:
        """What its brokers can do; asked once. Brokers that only librdkafka can reach are taken for new ones."""
        from kafka_ferry.hooks.kafka.capabilities import Capabilities, capabilities_of  # late: few ask

        try:
            return capabilities_of(self._config, self.name)
        except TransientError as fault:
            log.info("%s", fault)
            return Capabilities()

    def describe_cluster(self) -> Cluster:
        """Also the cheapest proof that the connection works."""
        described = self._cluster_or_why_not()
        broker = ConfigResource(ResourceType.BROKER, str(described.nodes[0].id))
        futures = self._client.describe_configs([broker], request_timeout=self.timeout)
        entries = self._result(futures[broker], "read a broker's configuration")
        factor = entries["default.replication.factor"].value
        return Cluster(described.cluster_id, len(described.nodes), int(factor))

    def _cluster_or_why_not(self) -> Any:
        try:
            return self._result(self._client.describe_cluster(request_timeout=self.timeout), "describe the cluster")
        except TransientError as error:
            if address := speaks_tls(self._config):
                raise BadConnection(
                    f"connection {self.name!r}: {address} speaks TLS, and security.protocol asks for none. "
                    "Fix: SSL, or SASL_SSL where users log in"
                ) from error
            raise

    def topic_names(self) -> list[str]:
        """All topics, Kafka's own included."""
        try:
            return sorted(self._client.list_topics(timeout=self.timeout).topics)
        except KafkaException as error:
            self._fail(error, "list topics")

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]:
        """State of the topics that exist; absent ones are left out."""
        described = self._describe_topics(names)
        result: dict[str, TopicState] = {}
        for chunk in chunks(described, _TOPICS_PER_DESCRIBE):
            for name, entries in self._topic_configs(chunk).items():
                result[name] = _topic_state(described[name], entries)
        return result

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        """Topic ids of the topics that exist (KIP-516); absent ones are left out."""
        return {name: str(topic.topic_id) for name, topic in self._describe_topics(names).items()}

    def _describe_topics(self, names: Iterable[str]) -> dict[str, Any]:
        result = {}
        for chunk in chunks(names, _TOPICS_PER_DESCRIBE):
            for name, future in self._ask_topics(chunk).items():
                topic = self._result(future, f"describe topic {name!r}", *_ABSENT)
                if topic is not ALLOWED:
                    result[name] = topic
        return result

    def _ask_topics(self, names: list[str], **options: bool) -> dict[str, Future[Any]]:
        """Descriptions of topics, in several requests where librdkafka cannot read the answer to one.

        It reckons too little memory for an answer of Metadata v9 (brokers before 2.8) in which many topics are absent:
        ``_BAD_MSG`` for all of them (measured with 2.16: 12 topics; fewer when the cluster has more brokers).
        """
        futures: dict[str, Future[Any]] = self._client.describe_topics(
            TopicCollection(names), request_timeout=self.timeout, **options
        )
        if len(names) < 2 or not self._is_unreadable(next(iter(futures.values()))):
            return futures
        middle = len(names) // 2
        return self._ask_topics(names[:middle], **options) | self._ask_topics(names[middle:], **options)

    def _is_unreadable(self, future: Future[Any]) -> bool:
        try:
            self._wait(future)
        except KafkaException as error:
            return bool(error.args[0].code() == KafkaError._BAD_MSG)
        except TimeoutError:
            return False  # who takes the answer says so
        return False

    def _topic_configs(self, names: Iterable[str]) -> dict[str, dict[str, ConfigEntry]]:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        result = {}
        for resource, future in self._client.describe_configs(resources, request_timeout=self.timeout).items():
            # Somebody may delete a topic between the two questions: then it is absent, as if it had been at the first.
            entries = self._result(future, f"read the configuration of topic {resource.name!r}", *_ABSENT)
            if entries is not ALLOWED:
                result[resource.name] = entries
        return result

    def offsets(self, partitions: Iterable[Partition], which: str, isolation_level: str) -> dict[Partition, int]:
        """Log start or end offsets of many partitions: one request per broker.

        :param which: ``earliest`` or ``latest``.
        :param isolation_level: ``read_committed`` gives last stable offsets, ``read_uncommitted`` high watermarks.
        """
        wanted = list(partitions)
        if not wanted:
            return {}
        try:
            return self._offsets(wanted, which, isolation_level)
        except TransientError:  # by a new client
            return self._offsets(wanted, which, isolation_level)

    def _offsets(self, wanted: Sequence[Partition], which: str, isolation_level: str) -> dict[Partition, int]:
        spec = OffsetSpec.earliest() if which == "earliest" else OffsetSpec.latest()
        level = (
            IsolationLevel.READ_COMMITTED if isolation_level == "read_committed" else IsolationLevel.READ_UNCOMMITTED
        )
        futures = self._client.list_offsets(
            {TopicPartition(topic, partition): spec for topic, partition in wanted},
            isolation_level=level,
            request_timeout=self.timeout,
        )
        return {
            (tp.topic, tp.partition): self._offset(
                tp, self._result(future, f"list offsets of {tp.topic}-{tp.partition}")
            )
            for tp, future in futures.items()
        }

    def _offset(self, place: TopicPartition, answer: Any, least: int = 0) -> int:
        """:raises TransientError: none; where a broker dies librdkafka may answer -1001 without an error (measured)."""
        if answer.offset < least:
            self._client = self._new_client()  # see _fail: 61 s later this one still said so
            raise TransientError(f"{self.name}: no broker told an offset of {place.topic}-{place.partition}")
        return int(answer.offset)

    def create_topics(self, topics: Iterable[DesiredTopic]) -> None:
        """Create topics in batches; one that exists by now counts as created (the caller compares afterwards)."""
        for chunk in weighed(topics, lambda topic: 1 + topic.partitions + len(topic.configs), _RECORDS_PER_CREATE):
            new = [NewTopic(t.name, t.partitions, t.replication_factor or -1, config=dict(t.configs)) for t in chunk]
            for name, future in self._client.create_topics(new, request_timeout=self.timeout).items():
                self._result(future, f"create topic {name!r}", KafkaError.TOPIC_ALREADY_EXISTS)

    def grow_partitions(self, partitions: Mapping[str, int]) -> None:
        """Raise topics to a number of partitions."""
        new = [NewPartitions(topic, count) for topic, count in partitions.items()]
        if new:
            for name, future in self._client.create_partitions(new, request_timeout=self.timeout).items():
                self._result(future, f"add partitions to {name!r}")

    def set_configs(self, configs: Mapping[str, Mapping[str, str | None]]) -> None:
        """Set topic configs; those not named stay (KIP-339).

        :param configs: None takes the topic's own value away, so that the default is in force again.
        """
        resources = [
            ConfigResource(
                ResourceType.TOPIC, topic, incremental_configs=[config_entry(*entry) for entry in entries.items()]
            )
            for topic, entries in configs.items()
        ]
        if resources:
            futures = self._client.incremental_alter_configs(resources, request_timeout=self.timeout)
            for resource, future in futures.items():
                self._result(future, f"set configs of topic {resource.name!r}")

    def delete_topics(self, names: Iterable[str]) -> list[str]:
        """Delete topics; absent ones count as deleted. Returns those that were there."""
        wanted = list(names)
        futures = self._client.delete_topics(wanted, request_timeout=self.timeout) if wanted else {}
        results = {name: self._result(one, f"delete topic {name!r}", *_ABSENT) for name, one in futures.items()}
        return [name for name, result in results.items() if result is not ALLOWED]

    def wait_until_usable(self, partitions: Iterable[Partition], timeout: float) -> None:
        """Wait until every partition answers: a created topic is not usable at once (10 s for 2,000 partitions)."""
        wanted, deadline = list(partitions), time.monotonic() + timeout
        while True:
            try:
                self.offsets(wanted, "latest", "read_uncommitted")
            except TransientError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.25)
            else:
                return

    def _result(self, future: Future[T], what: str, *allowed: int) -> Any:
        try:
            result = self._wait(future)
        except KafkaException as error:
            if error.args[0].code() in allowed:
                return ALLOWED
            self._fail(error, what)
        except TimeoutError as error:
            self._client = self._new_client()  # see _fail
            raise TransientError(f"{self.name}: no answer in {self.timeout:g} s to: {what}") from error
        beat()
        self._reasons.clear()  # it answers: what went wrong before is not why a later call fails
        return result

    def _wait(self, future: Future[T]) -> T:
        """The future's result; refused credentials end the wait early, as librdkafka retries until its time-out."""
        deadline, patience = time.monotonic() + self.timeout + 10, time.monotonic() + _REFUSED_SECONDS
        while True:
            try:
                return future.result(timeout=min(0.25, self.timeout + 10))
            except TimeoutError:
                self._client.poll(0)
                if time.monotonic() > patience and (reason := self._refusal()):
                    raise self._refused(reason) from None
                if time.monotonic() > deadline:
                    raise

    def _refusal(self) -> str | None:
        """What was said of the login: the last that there is a cure for."""
        return next((reason for reason in reversed(self._reasons) if cure(reason) or "uthenticat" in reason), None)

    def _refused(self, reason: str) -> BadConnection:
        if "SSL" in reason and (wrong := expired(self._config)):
            return BadConnection(f"connection {self.name!r} was refused: {wrong} ({reason})")
        fix = cure(reason)
        return BadConnection(f"connection {self.name!r} was refused: {reason}{f'. Fix: {fix}' if fix else ''}")

    def _fail(self, error: KafkaException | KafkaError, what: str) -> NoReturn:
        error = KafkaException(error) if isinstance(error, KafkaError) else error
        self._client.poll(0)  # serves error_cb: the reason behind a bare time-out
        code, text = error.args[0].code(), error.args[0].str()
        reason = self._refusal() or next((reason for reason in reversed(self._reasons) if "SSL" in reason), None)
        if code in _AUTHENTICATION or reason:
            raise self._refused(reason or text) from error
        if code in _AUTHORIZATION:
            fix = f"grant {right_to(what)} to the user of this connection"
            raise NotAuthorized(f"{self.name}: not allowed to {what}: {text.rstrip('.')}. Fix: {fix}") from error
        last = f" ({self._reasons[-1]})" if self._reasons else ""
        kind = TransientError if code in _PASSING or error.args[0].retriable() else FerryError
        if kind is TransientError:
            # An AdminClient can stay blind for minutes: after a topic was recreated, and where the broker that it takes
            # for the controller is dead ("waiting for controller", measured with librdkafka 2.16). A new one is not.
            self._client = self._new_client()
        raise kind(f"{self.name}: cannot {what}: {text}{last}") from error


def _topic_state(described: Any, entries: Mapping[str, ConfigEntry]) -> TopicState:
    own = {key: e.value for key, e in entries.items() if _is_set_on_topic(e) and e.value is not None}
    return TopicState(
        name=described.name,
        topic_id=str(described.topic_id),
        partitions=len(described.partitions),
        replication_factor=len(described.partitions[0].replicas),
        configs=own,
        effective={key: e.value for key, e in entries.items() if e.value is not None},
    )


def _is_set_on_topic(entry: ConfigEntry) -> bool:
    return bool(entry.source == CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG)


def config_entry(key: str, value: str | None) -> ConfigEntry:
    """What sets a config, or with None takes it away."""
    operation = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
    return ConfigEntry(key, value, incremental_operation=operation)
