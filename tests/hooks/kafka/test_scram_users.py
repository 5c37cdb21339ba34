"""What is asked of brokers about SCRAM users."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ScramMechanism

from kafka_ferry.core.scram_users import ScramUser
from kafka_ferry.exceptions import NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.capabilities import Capabilities
from kafka_ferry.hooks.kafka.scram_users import KafkaScramUsers

SHA256, SHA512 = ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512
APP = ScramUser("app", "SCRAM-SHA-512", 4096)


def done(value: Any = None, code: int = 0) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(KafkaException(KafkaError(code))) if code else future.set_result(value)
    return future


class Client:
    """Answers what is queued, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.altered, self.known = answer, list[Any](), set[str]()

    def poll(self, timeout: float) -> int:
        return 0

    def describe_user_scram_credentials(self, users: Any = None, **_: Any) -> Any:
        return self.answer if users is None else {user: done(code=0 if user in self.known else 91) for user in users}

    def alter_user_scram_credentials(self, wanted: Any, **_: Any) -> Any:
        self.altered.append(wanted)
        return {one.user: self.answer for one in wanted}


def users(answer: Any) -> KafkaScramUsers:
    made = KafkaScramUsers({"bootstrap.servers": "127.0.0.1:1"}, "c", timeout=0.1)
    made._client = Client(answer)
    return made


def test_all_users_are_told_by_each_mechanism() -> None:
    def of(*infos: tuple[Any, int]) -> Any:
        return SimpleNamespace(scram_credential_infos=[SimpleNamespace(mechanism=m, iterations=i) for m, i in infos])

    found = users(done({"ops": of((SHA256, 8192)), "app": of((SHA512, 4096), (SHA256, 4097))})).users()

    assert found == [
        ScramUser("app", "SCRAM-SHA-256", 4097), APP, ScramUser("ops", "SCRAM-SHA-256", 8192),
    ]  # fmt: skip


def test_names_as_zookeeper_has_them_are_told_as_they_are() -> None:
    """Kafka 2.8 lists ``lab%20%C3%BC`` for ``lab ü``; a name that has such signs of its own keeps them."""
    infos = SimpleNamespace(scram_credential_infos=[SimpleNamespace(mechanism=SHA512, iterations=4096)])
    one = users(done(dict.fromkeys(["lab%20%C3%BC", "own%20name", "100%"], infos)))
    one._client.known = {"lab ü"}

    assert [user.name for user in one.users()] == ["100%", "lab ü", "own%20name"]


def test_each_mechanism_is_a_request_as_answers_are_by_user() -> None:
    one = users(done())

    one.make({APP: "secret", ScramUser("app", "SCRAM-SHA-256", 5000): "secret"})

    asked = [
        [(u.user, u.scram_credential_info.mechanism, u.password) for u in wanted] for wanted in one._client.altered
    ]
    assert asked == [[("app", SHA256, b"secret")], [("app", SHA512, b"secret")]]
    one.make({})
    assert len(one._client.altered) == 2


def test_a_missing_right_is_named_and_no_password() -> None:
    with pytest.raises(NotAuthorized, match=r"not allowed to list the SCRAM users.*grant DESCRIBE on the cluster"):
        users(done(code=KafkaError.CLUSTER_AUTHORIZATION_FAILED)).users()
    with pytest.raises(NotAuthorized, match=r"not allowed to make the SCRAM user 'app'.*grant ALTER") as caught:
        users(done(code=KafkaError.CLUSTER_AUTHORIZATION_FAILED)).make({APP: "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_brokers_that_cannot_are_named() -> None:
    def cluster(versions: dict[int, int]) -> Any:
        admin = SimpleNamespace(capabilities=Capabilities(versions))
        return SimpleNamespace(conn_id="c", extra={"bootstrap.servers": "127.0.0.1:1"}, admin=admin)

    with pytest.raises(NotSupported, match=r"c: its brokers tell no SCRAM users; Kafka 2\.7 and later do"):
        KafkaScramUsers.of(cluster({48: 0}))
    KafkaScramUsers.of(cluster({50: 0}))
