"""Ask a cluster what our own user may do there. Changes nothing, and asks in batches, never once per topic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from kafka_ferry.core.rights import CLUSTER, Resource, Rights
from kafka_ferry.exceptions import NotAuthorized, TransientError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.batches import chunks
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.config import client_config

T = TypeVar("T")
_AT_ONCE = 500
_COORDINATOR_SECONDS = 20  # on a new cluster the first question about a group makes Kafka's own offsets topic
_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "TOPIC": ("READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"),
    "GROUP": ("READ", "DELETE", "DESCRIBE"),
    "CLUSTER": (
        "CREATE",
        "ALTER",
        "DESCRIBE",
        "CLUSTER_ACTION",
        "DESCRIBE_CONFIGS",
        "ALTER_CONFIGS",
        "IDEMPOTENT_WRITE",
    ),
}
_REFUSED = {
    "TOPIC": KafkaError.TOPIC_AUTHORIZATION_FAILED,
    "GROUP": KafkaError.GROUP_AUTHORIZATION_FAILED,
    "CLUSTER": KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
#: The broker names each operation that it would allow, implied ones too (KIP-430).
Answers = dict[Resource, dict[str, bool]]


class RightsSurvey(KafkaAdmin):
    """The rights of a connection's user. Raises what ``KafkaAdmin`` raises, but no ``NotAuthorized``."""

    @classmethod
    def of(cls, cluster: KafkaClusterHook) -> RightsSurvey:
        """The survey of a connection's cluster."""
        return cls(client_config(cluster.extra), cluster.conn_id)

    @property
    def principal(self) -> str | None:
        """Whose rights these are, see ``principal_of``."""
        return principal_of(self._config)

    def ping(self) -> tuple[str, int]:
        """Refused credentials show here in seconds; other calls of librdkafka wait for their time-out first.

        :returns: the cluster's id, and how many brokers it has.
        """
        found = self._cluster_or_why_not()
        return str(found.cluster_id), len(found.nodes)

    def rights(self, topics: Iterable[str], groups: Iterable[str]) -> tuple[Rights, set[str]]:
        """What our user may do with these topics, whether they exist or not, with these groups, and the cluster.

        :returns: the rights, and which of the topics exist, as far as our user may know.
        """
        found, existing = self._topics(list(topics))
        rights = Rights(self.name, self.principal, self._cluster() | found | self.groups(groups))
        try:
            acls = self.acls()
        except NotAuthorized:
            return Rights(
                self.name, self.principal, rights.answers, reason="the connection's user may not read the ACLs"
            ), existing
        if acls is None:
            return Rights(self.name, self.principal, everything=True), existing
        return rights.checked(acls), existing

    def hidden(self, topics: Iterable[str], groups: Iterable[str]) -> list[Resource]:
        """Those that our user may not describe, whether they are there or not."""
        answers: Answers = {}
        for chunk in chunks(topics, _AT_ONCE):
            answers |= self._described(chunk)
        answers |= self.groups(groups)
        return [resource for resource, answer in answers.items() if not answer.get("DESCRIBE", True)]

    def groups(self, groups: Iterable[str]) -> Answers:
        """Rights on groups; a group that does not exist has them too (measured on Kafka 4.3.1)."""
        wanted, deadline = list(groups), time.monotonic() + _COORDINATOR_SECONDS
        while True:
            try:
                return self._groups(wanted)
            except TransientError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _groups(self, groups: Sequence[str]) -> Answers:
        answers: Answers = {}
        for chunk in chunks(groups, _AT_ONCE):
            futures = self._client.describe_consumer_groups(
                chunk, include_authorized_operations=True, request_timeout=self.timeout
            )
            for group, future in futures.items():
                described = self._answer("GROUP", future, f"describe group {group!r}")
                answers["GROUP", group] = self._told("GROUP", described)
        return answers

    def _cluster(self) -> Answers:
        """Without DESCRIBE on the cluster the broker names none of its operations; DESCRIBE_CONFIGS is tried."""
        cluster = self._result(
            self._client.describe_cluster(include_authorized_operations=True, request_timeout=self.timeout),
            "describe the cluster",
        )
        if not self.capabilities.tells_rights:
            return {CLUSTER: {}}
        if cluster.authorized_operations:
            return {CLUSTER: _listed("CLUSTER", cluster.authorized_operations)}
        broker = ConfigResource(ResourceType.BROKER, str(cluster.nodes[0].id))
        futures = self._client.describe_configs([broker], request_timeout=self.timeout)
        configs = self._answer("CLUSTER", futures[broker], "read a broker's configuration")
        return {CLUSTER: {"DESCRIBE": False, "ALTER": False, "DESCRIBE_CONFIGS": configs is not None}}

    def _topics(self, names: list[str]) -> tuple[Answers, set[str]]:
        answers: Answers = {}
        for chunk in chunks(names, _AT_ONCE):
            answers |= self._described(chunk)
        existing = {name for (_, name), answer in answers.items() if answer.get("DESCRIBE", True)}
        # What cannot be seen may be there or not: what a tried call says counts.
        for resource, tried in self._tried([name for name in names if name not in existing]).items():
            answers[resource] = answers.get(resource, {}) | tried
        return answers, existing

    def _described(self, names: list[str]) -> Answers:
        """Topics that are there, and those that our user may not see; none for those that are surely not there."""
        answers: Answers = {}
        for name, future in self._ask_topics(names, include_authorized_operations=True).items():
            gone, topic = self._present("TOPIC", future, f"describe topic {name!r}")
            if not gone:
                answers["TOPIC", name] = self._told("TOPIC", topic)
        return answers

    def _told(self, kind: str, described: Any | None) -> dict[str, bool]:
        """What a description says of rights: none of it when it was refused, nothing where the broker is too old."""
        if described is not None and not self.capabilities.tells_rights:
            return {}
        return _listed(kind, described.authorized_operations if described is not None else ())

    def _tried(self, names: list[str]) -> Answers:
        """Rights on topics that do not exist, by calls that are authorized first and then change nothing.

        CREATE and ALTER_CONFIGS by validating only, DESCRIBE_CONFIGS by reading (measured on Kafka 4.3.1: a missing
        right answers TOPIC_AUTHORIZATION_FAILED, a missing topic something else). READ, WRITE and DELETE have no such
        call.
        """
        answers: Answers = {("TOPIC", name): {} for name in names}
        for chunk in chunks(names, _AT_ONCE):
            new = [NewTopic(name, 1, -1) for name in chunk]
            created = self._client.create_topics(new, validate_only=True, request_timeout=self.timeout)
            described = self._client.describe_configs(_resources(chunk), request_timeout=self.timeout)
            altered = self._client.incremental_alter_configs(
                _resources(chunk), validate_only=True, request_timeout=self.timeout
            )
            tries: tuple[tuple[str, Mapping[Any, Future[Any]], Callable[[Any], str]], ...] = (
                ("CREATE", created, str),
                ("DESCRIBE_CONFIGS", described, _name),
                ("ALTER_CONFIGS", altered, _name),
            )
            for operation, futures, name_of in tries:
                for key, future in futures.items():
                    answers["TOPIC", name_of(key)][operation] = self._may(future, operation)
        return answers

    def _may(self, future: Future[Any], operation: str) -> bool:
        """Any other refusal is not about rights: the topic is not there, is there already, breaks a policy."""
        try:
            self._wait(future)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                return False
            if error.args[0].retriable() or error.args[0].code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
                self._fail(error, f"try {operation}")
        except TimeoutError as error:
            raise TransientError(f"{self.name}: no answer in {self.timeout:g} s to: try {operation}") from error
        return True

    def _answer(self, kind: str, future: Future[T], what: str) -> T | None:
        """None: refused."""
        return self._present(kind, future, what)[1]

    def _present(self, kind: str, future: Future[T], what: str) -> tuple[bool, T | None]:
        """Whether it is said not to exist, and the answer; None when there is none."""
        try:
            return False, self._wait(future)
        except KafkaException as error:
            code = error.args[0].code()
            if code == _REFUSED[kind]:
                return False, None
            if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
                return True, None
            self._fail(error, what)
        except TimeoutError as error:
            raise TransientError(f"{self.name}: no answer in {self.timeout:g} s to: {what}") from error


def principal_of(extra: Mapping[str, Any]) -> str | None:
    """``User:x`` for SASL PLAIN and SCRAM, as Kafka's default principal builder names it; else None.

    A certificate's name goes through the broker's mapping rules, a token's is inside it.
    """
    mechanism = str(extra.get("sasl.mechanism") or extra.get("sasl.mechanisms") or "").upper()
    name = extra.get("sasl.username")
    return f"User:{name}" if name and (mechanism == "PLAIN" or mechanism.startswith("SCRAM-")) else None


def _listed(kind: str, operations: Iterable[Any] | None) -> dict[str, bool]:
    allowed = {operation.name for operation in operations or ()}
    return {operation: operation in allowed for operation in _OPERATIONS[kind]}


def _name(resource: ConfigResource) -> str:
    return str(resource.name)


def _resources(names: Iterable[str]) -> list[ConfigResource]:
    """Some config that any topic may have: it is only validated, and only after the right is looked at."""
    entry = ConfigEntry("retention.ms", "604800000", incremental_operation=AlterConfigOpType.SET)
    return [ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry]) for name in names]
