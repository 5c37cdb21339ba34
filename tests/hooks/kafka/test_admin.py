"""What an admin error means: wrong credentials, not allowed, not there, or try again. No broker needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AclOperation, ConfigResource, ResourceType

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.commits import Commit
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized, NotSupported, TransientError
from kafka_ferry.hooks.kafka.acl_bindings import NO_ACL, to_binding
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.capabilities import Capabilities
from kafka_ferry.hooks.kafka.survey import KafkaSurvey

_BINDING = ("name", "resource_pattern_type", "principal", "host", "operation", "permission_type")
_UNKNOWN = SimpleNamespace(name="UNKNOWN")


def failed(code: int, text: str = "said the broker") -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(KafkaException(KafkaError(code, text)))
    return future


def done(value: Any = None) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


class FakeClient:
    """Answers ``describe_topics`` and friends with what is queued."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def poll(self, timeout: float) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.asked.append((name, args))
            return self.answers[name]

        return call


def admin(**answers: Any) -> KafkaAdmin:
    made = KafkaAdmin({"bootstrap.servers": "127.0.0.1:1", "sasl.password": "hunter2"}, "kafka_source", timeout=0.1)
    made._client = FakeClient(**answers)
    made._new_client = lambda: made._client  # type: ignore[method-assign]
    return made


def error_of(code: int, **more: Any) -> FerryError:
    one = admin(describe_topics={"t": failed(code)}, **more)
    with pytest.raises(FerryError) as caught:
        one.topic_ids(["t"])
    return caught.value


@pytest.mark.parametrize("code", [KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL])
def test_refused_credentials(code: int) -> None:
    error = error_of(code)
    assert type(error) is BadConnection
    assert "'kafka_source' was refused" in str(error)
    assert not error.retriable


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    ],
)
def test_not_allowed(code: int) -> None:
    error = error_of(code)
    assert type(error) is NotAuthorized
    assert not error.retriable
    assert "not allowed to describe topic 't'" in str(error)
    assert "Fix: grant DESCRIBE on the topic to the user of this connection" in str(error)


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    ],
)
def test_outside_faults_may_pass(code: int) -> None:
    error = error_of(code)
    assert type(error) is TransientError
    assert error.retriable
    assert "kafka_source: cannot describe topic 't'" in str(error)


def test_no_for_an_answer() -> None:
    error = error_of(KafkaError.TOPIC_EXCEPTION)
    assert type(error) is FerryError
    assert not error.retriable


def test_no_answer_at_all() -> None:
    one = admin(describe_topics={"t": Future()})
    one.timeout = -9.95  # the future is given 10 s more than the request
    with pytest.raises(TransientError, match="no answer"):
        one.topic_ids(["t"])


def test_the_reason_behind_a_bare_time_out() -> None:
    one = admin(describe_topics={"t": failed(KafkaError._TIMED_OUT)})
    one._note(KafkaError(KafkaError._AUTHENTICATION, "SASL authentication error: Authentication failed"))
    with pytest.raises(BadConnection, match="Authentication failed"):
        one.topic_ids(["t"])


def test_a_reason_of_before_is_forgotten_once_the_cluster_answers() -> None:
    one = admin(describe_topics={"t": done(SimpleNamespace(topic_id="id"))})
    one._note(KafkaError(KafkaError._SSL, "SSL handshake failed: Disconnected"))
    assert one.topic_ids(["t"]) == {"t": "id"}
    one._client = FakeClient(describe_topics={"t": failed(KafkaError._TIMED_OUT)})
    with pytest.raises(TransientError):
        one.topic_ids(["t"])


def test_no_secret_in_an_error() -> None:
    for code in (KafkaError._AUTHENTICATION, KafkaError._TRANSPORT, KafkaError.TOPIC_AUTHORIZATION_FAILED):
        assert "hunter2" not in str(error_of(code))
    assert "hunter2" not in repr(admin())


def test_a_config_that_librdkafka_refuses_is_a_bad_connection() -> None:
    with pytest.raises(BadConnection, match="'kafka_source'"):
        KafkaAdmin({"bootstrap.servers": "h:1", "sasl.pasword": "hunter2"}, "kafka_source")


def test_absent_topics_are_left_out_and_other_errors_are_not() -> None:
    there = done(SimpleNamespace(topic_id="id"))
    one = admin(describe_topics={"a": there, "b": failed(KafkaError.UNKNOWN_TOPIC_OR_PART)})
    assert one.topic_ids(["a", "b"]) == {"a": "id"}


def test_a_topic_that_is_deleted_between_two_questions_is_absent() -> None:
    described = {
        name: done(SimpleNamespace(name=name, topic_id=name, partitions=[SimpleNamespace(replicas=[1])]))
        for name in "ab"
    }

    def asked(code: int) -> KafkaAdmin:
        there, gone = (ConfigResource(ResourceType.TOPIC, name) for name in "ab")
        return admin(describe_topics=described, describe_configs={there: done({}), gone: failed(code)})

    assert list(asked(KafkaError.UNKNOWN_TOPIC_OR_PART).topics(["a", "b"])) == ["a"]
    with pytest.raises(FerryError, match="read the configuration of topic 'b'"):
        asked(KafkaError.TOPIC_AUTHORIZATION_FAILED).topics(["a", "b"])


def test_create_adopts_what_exists_and_delete_tells_what_was_there() -> None:
    admin(create_topics={"t": failed(KafkaError.TOPIC_ALREADY_EXISTS)}).create_topics([SimpleTopic()])
    with pytest.raises(FerryError, match="create topic 't'"):
        admin(create_topics={"t": failed(KafkaError.POLICY_VIOLATION)}).create_topics([SimpleTopic()])
    one = admin(delete_topics={"t": done(), "u": failed(KafkaError.UNKNOWN_TOPIC_OR_PART)})
    assert one.delete_topics(["t", "u"]) == ["t"]


def test_states_that_the_list_does_not_tell_are_asked_for() -> None:
    def group(name: str, state: str) -> Any:
        return SimpleNamespace(group_id=name, state=SimpleNamespace(name=state))

    listed = [group("told", "EMPTY"), group("old", "UNKNOWN"), group("hidden", "UNKNOWN"), group("", "UNKNOWN")]
    one = admin(
        list_consumer_groups=done(SimpleNamespace(errors=[], valid=listed)),
        describe_consumer_groups={
            "old": done(group("old", "STABLE")),
            "hidden": failed(KafkaError.GROUP_AUTHORIZATION_FAILED),
        },
    )
    assert one.consumer_groups() == {"told": "EMPTY", "old": "STABLE", "hidden": "UNKNOWN", "": "UNKNOWN"}
    assert one._client.asked[-1] == ("describe_consumer_groups", (["old", "hidden"],)), "nobody can name the last"


def test_many_topics_are_made_in_requests_that_an_old_controller_answers_in_time() -> None:
    asked: list[list[int]] = []

    def create(new: list[Any], **_: Any) -> dict[str, Future[Any]]:
        asked.append([topic.num_partitions for topic in new])
        return {topic.topic: done() for topic in new}

    one = admin()
    one._client.create_topics = create  # type: ignore[method-assign]
    one.create_topics(DesiredTopic(f"t{number}", f"t{number}", 6, 3, {"retention.ms": "1"}) for number in range(360))

    assert sum(map(len, asked)) == 360
    assert max(map(sum, asked)) <= 500
    assert len(asked) < 10, "few, all the same"


class SimpleTopic:
    name, partitions, replication_factor, configs = "t", 1, None, {}


def test_nothing_asked_when_nothing_is_wanted() -> None:
    one = admin()
    assert one.offsets([], "latest", "read_committed") == {}
    assert one.delete_topics([]) == []
    one.grow_partitions({})
    one.set_configs({})
    assert one._client.asked == []


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP])
def test_a_group_with_members_is_refused_not_an_error(code: int) -> None:
    one = admin(alter_consumer_group_offsets={"g": failed(code)})
    assert one.commit({"g": {("t", 0): 5}}) == {"g": "it has active members on the target"}


def test_a_commit_refused_on_one_partition_is_told() -> None:
    bad = SimpleNamespace(error=KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, "no such partition"))
    answer = SimpleNamespace(topic_partitions=[SimpleNamespace(error=None), bad])
    one = admin(alter_consumer_group_offsets={"g": done(answer)})
    assert one.commit({"g": {("t", 0): 5}}) == {"g": "no such partition"}
    fine = SimpleNamespace(topic_partitions=[SimpleNamespace(error=None)])
    assert admin(alter_consumer_group_offsets={"g": done(fine)}).commit({"g": {("t", 0): 5}}) == {}


def test_a_commit_waits_for_a_coordinator_that_has_just_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    # Measured: on a new cluster some of the first groups are answered so, partition by partition.
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    one = admin()

    def answers(*codes: int) -> Any:
        places = [SimpleNamespace(error=KafkaError(code, "not yet")) for code in codes]
        return {"g": done(SimpleNamespace(topic_partitions=places or [SimpleNamespace(error=None)]))}

    queue = [answers(KafkaError.NOT_COORDINATOR), answers(KafkaError.COORDINATOR_LOAD_IN_PROGRESS), answers()]
    one._client.alter_consumer_group_offsets = lambda *args, **kwargs: queue.pop(0)
    assert one.commit({"g": {("t", 0): 5}}) == {}
    assert queue == []

    one._client.alter_consumer_group_offsets = lambda *args, **kwargs: answers(KafkaError.NOT_COORDINATOR)
    with pytest.raises(TransientError, match="cannot commit for group 'g': not yet"):
        one.commit({"g": {("t", 0): 5}})


def test_partitions_without_a_commit_are_left_out() -> None:
    places = [
        SimpleNamespace(topic="t", partition=p, offset=offset, metadata=metadata)
        for p, offset, metadata in ((0, -1001, None), (1, 0, None), (2, 9, "AgAAAZ"))
    ]
    one = admin(list_consumer_group_offsets={"g": done(SimpleNamespace(topic_partitions=places))})
    assert one.committed(["g"]) == {"g": {("t", 1): 0, ("t", 2): 9}}
    assert one.commits(["g"]) == {"g": {("t", 1): Commit(0), ("t", 2): Commit(9)}}, "librdkafka's is not believed"


@pytest.mark.parametrize("kind", [lambda error: error, KafkaException], ids=["as it is", "documented"])
def test_a_listing_with_an_error_is_not_a_short_listing(kind: Callable[[KafkaError], Any]) -> None:
    errors = [kind(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS, "loading"))]
    one = admin(list_consumer_groups=done(SimpleNamespace(errors=errors, valid=[])))
    with pytest.raises(TransientError, match="list consumer groups"):
        one.consumer_groups()


def test_refused_credentials_end_the_wait_before_its_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kafka_ferry.hooks.kafka.admin._REFUSED_SECONDS", 0.1)
    one = admin(describe_topics={"t": Future()})
    one.timeout = 60
    one._note(KafkaError(KafkaError._AUTHENTICATION, "SASL authentication error: Authentication failed"))
    begun = time.monotonic()

    with pytest.raises(BadConnection, match="'kafka_source' was refused: SASL authentication error"):
        one.topic_ids(["t"])

    assert time.monotonic() - begun < 10


def acls_where(found: list[Any], may: list[AclOperation], deletion: Future[Any]) -> KafkaAdmin:
    """A cluster that only librdkafka can log in to."""
    cluster = SimpleNamespace(authorized_operations=may)
    made = admin(describe_acls=done(found), describe_cluster=done(cluster), delete_acls={NO_ACL: deletion})
    made._config["sasl.kerberos.service.name"] = "kafka"
    made.capabilities = Capabilities()
    return made


def test_where_our_own_request_fails_librdkafka_says_why_or_knows_a_way() -> None:
    acl = Acl("TOPIC", "orders", "LITERAL", "User:app", "READ")
    one = admin(describe_acls=done([to_binding(acl)]))  # nobody listens at its address
    assert one.acls() == [acl]
    strange = SimpleNamespace(**{name: getattr(to_binding(acl), name) for name in _BINDING} | {"restype": _UNKNOWN})
    with pytest.raises(TransientError, match="cannot read the ACLs"):
        admin(describe_acls=done([strange])).acls()
    with pytest.raises(BadConnection):
        admin(describe_acls=failed(KafkaError._AUTHENTICATION)).acls()


def test_what_librdkafka_has_no_words_for_it_is_not_asked_to_make() -> None:
    one = acls_where([], [], done([]))
    with pytest.raises(NotSupported, match="it cannot make the ACL ALLOW CREATE_TOKENS on user User:b"):
        one.create_acls([Acl("USER", "User:b", "LITERAL", "User:app", "CREATE_TOKENS")])
    assert one._client.asked == []


def test_acls_that_are_there() -> None:
    acl = Acl("TOPIC", "orders", "LITERAL", "User:app", "READ")
    assert acls_where([to_binding(acl)], [], done([])).acls() == [acl]


def test_an_empty_list_of_acls_is_no_error_swallowed() -> None:
    """librdkafka 2.16 gives an empty list where the broker answered with an error (measured)."""
    disabled = failed(KafkaError.SECURITY_DISABLED)
    both = [AclOperation.DESCRIBE, AclOperation.ALTER]

    assert acls_where([], both, done([])).acls() == []
    assert acls_where([], both, disabled).acls() is None
    assert acls_where([], [AclOperation.DESCRIBE], disabled).acls() == [], "who may not do all has an authorizer"
    with pytest.raises(NotAuthorized, match="grant DESCRIBE on the cluster"):
        acls_where([], [AclOperation.ALTER], done([])).acls()


def test_a_reading_that_runs_beyond_the_metadata_is_made_again() -> None:
    broken: Future[Any] = Future()
    broken.set_exception(UnicodeDecodeError("utf-8", b"AgAAAZWn2wEK\xe9", 12, 13, "invalid continuation byte"))
    place = SimpleNamespace(topic="t", partition=0, offset=9, metadata="AgAAAZWn2wEK")
    queue = [{"g": broken}, {"g": broken}, {"g": done(SimpleNamespace(topic_partitions=[place]))}]
    one = admin()
    one._client.list_consumer_group_offsets = lambda *args, **kwargs: queue.pop(0)
    assert one.commits(["g"]) == {"g": {("t", 0): Commit(9)}}
    one._client.list_consumer_group_offsets = lambda *args, **kwargs: {"g": broken}
    with pytest.raises(TransientError, match="metadata of group 'g'"):
        one.commits(["g"])


class MovingClient(FakeClient):
    """Its offsets are invalid at first, as librdkafka's are where a broker dies: no error, -1001."""

    def __init__(self, *offsets: int) -> None:
        super().__init__()
        self.offsets = list(offsets)

    def list_offsets(self, wanted: Any, **_: Any) -> Any:
        offset = self.offsets.pop(0)
        return {place: done(SimpleNamespace(offset=offset)) for place in wanted}


def test_an_offset_that_no_broker_told_is_asked_again_and_never_believed() -> None:
    one = admin()
    one._client = MovingClient(-1001, -1001)  # a client that stays blind
    one._new_client = lambda: MovingClient(7)  # type: ignore[assignment,method-assign,return-value]
    assert one.offsets([("t", 0)], "latest", "read_committed") == {("t", 0): 7}
    one._client = MovingClient(-1001)
    one._new_client = lambda: MovingClient(-1001)  # type: ignore[assignment,method-assign,return-value]
    with pytest.raises(TransientError, match="no broker told an offset of t-0"):
        one.offsets([("t", 0)], "latest", "read_committed")


def test_no_record_of_that_time_is_not_no_answer() -> None:
    survey = KafkaSurvey({"bootstrap.servers": "127.0.0.1:1"}, "kafka_source", timeout=0.1)
    survey._client = MovingClient(-1, -1001)
    assert survey.offsets_at({("t", 0): 5}) == {("t", 0): None}
    with pytest.raises(TransientError, match="no broker told an offset"):
        survey.offsets_at({("t", 0): 5})
