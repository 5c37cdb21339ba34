"""What is tried on AWS, and which action is named where one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from kafka_ferry.core.plan import Asked, PlannedConnection
from kafka_ferry.exceptions import BadConnection, BadParam, NotAuthorized, TransientError
from kafka_ferry.hooks.objects.store import StoredObject
from kafka_ferry.jobs.connections.live import aws as module
from kafka_ferry.jobs.connections.live.asking import ask
from kafka_ferry.jobs.connections.live.aws_service import ServiceHook
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec
from stack.msk import CLUSTER
from stack.msk.server import MskConnectDouble

LOCATION = "s3://bucket/prefix"
FIELDS = {"conn_type": "aws", "login": "key", "password": "hush hush"}


class Store:
    """An object store that refuses some of what it is asked."""

    def __init__(self, refuses: Iterable[str] = (), location: str = LOCATION) -> None:
        self.location, self.refuses, self.objects, self.asked = location, set(refuses), dict[str, bytes](), list[str]()

    def _do(self, what: str) -> None:
        self.asked.append(what)
        if what in self.refuses:
            raise BadConnection(f"{self.location}: not allowed to {what}: AccessDenied")

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        self._do("list")
        yield from (StoredObject(key, len(data)) for key, data in self.objects.items() if key.startswith(prefix))

    def put(self, key: str, data: bytes) -> None:
        self._do("put")
        self.objects[key] = data

    def get(self, key: str, limit: int | None = None) -> bytes:
        self._do("get")
        return self.objects[key]

    def delete(self, keys: Iterable[str]) -> None:
        self.asked.append("delete")
        if "delete" in self.refuses:  # as S3 answers: 200, with a list of errors
            raise TransientError(f"{self.location}: cannot delete x: AccessDenied")
        for key in keys:
            del self.objects[key]


def question(**params: Any) -> Question:
    planned = PlannedConnection(conn_id="aws_default", kind=Asked.AWS, written_to=False, named=True, problem="")
    return Question(planned, ConnectionsSpec.from_params({"patience": 2, **params}), "kafka-ferry-check-1")


@pytest.fixture
def own_store(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """``own_store(store, **params)``: asks a connection whose S3 is not AWS's."""
    extra = {"region_name": "eu-west-1", "service_config": {"s3": {"endpoint_url": "http://127.0.0.1:1"}}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({**FIELDS, "extra": extra}))

    def asked(store: Store, **params: Any) -> Answer:
        monkeypatch.setattr(module, "store_of", lambda *_: store)
        return ask(question(**{"location": LOCATION, **params}))

    return asked


def test_the_probe_is_written_read_listed_and_deleted(own_store: Callable[..., Answer]) -> None:
    store = Store()
    found = own_store(store)
    assert (found.missing, found.limits, store.objects) == ([], [], {})
    assert store.asked == ["list", "put", "get", "list", "delete"]
    assert any("not that of AWS" in note for note in found.notes)
    assert any("tried below s3://bucket/prefix" in note for note in found.notes)


@pytest.mark.parametrize(
    ("refuses", "action"),
    [("list", "s3:ListBucket"), ("put", "s3:PutObject"), ("get", "s3:GetObject"), ("delete", "s3:DeleteObject")],
)
def test_the_action_that_is_refused_is_named_and_no_other(
    own_store: Callable[..., Answer], refuses: str, action: str
) -> None:
    store = Store([refuses])
    found = own_store(store)
    assert [text.split()[0] for text in found.missing if text.startswith("s3:")] == [action]
    assert "AccessDenied" in found.missing[0]
    if refuses == "delete":
        assert found.missing[1] == f"the object {LOCATION}/kafka-ferry-check-1 was left. Fix: delete it"
    else:
        assert store.objects == {}


def test_keys_that_a_store_does_not_take_are_told_once_and_not_as_missing_actions(
    own_store: Callable[..., Answer],
) -> None:
    class Refusing(Store):
        def list(self, prefix: str = "") -> Iterator[StoredObject]:
            raise BadConnection("s3://bucket/prefix: not allowed to list: An error occurred (SignatureDoesNotMatch).")

    store = Refusing()
    (told,) = own_store(store).missing
    assert told.startswith("its keys are not taken: ")
    assert store.asked == []


def test_what_was_not_tried_is_not_said_to_have_been(own_store: Callable[..., Answer]) -> None:
    found = own_store(Store(["put"]))
    assert not any(note.startswith("tried below") for note in found.notes)
    assert any("were not tried" in note for note in found.notes)


def test_the_probe_is_deleted_also_when_something_else_is_read(own_store: Callable[..., Answer]) -> None:
    class Altering(Store):
        def get(self, key: str, limit: int | None = None) -> bytes:
            return b"something else"

    store = Altering()
    assert any("is not what was written" in text for text in own_store(store).missing)
    assert store.objects == {}


def test_a_bucket_that_is_not_there_does_not_end_the_questions(
    own_store: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Store):
        def list(self, prefix: str = "") -> Iterator[StoredObject]:
            raise BadParam("location", "there is no bucket 'bucket'", "create it, or correct the name")

    asked: list[str] = []
    monkeypatch.setattr(ServiceHook, "call", lambda self, operation, **_: asked.append(operation) or {})
    found = own_store(Gone(), services=["msk_replicator"])
    assert found.missing == ["param 'location': there is no bucket 'bucket'. Fix: create it, or correct the name"]
    assert asked == ["list_replicators"]


def test_a_connection_that_is_asked_nothing_is_no_pass(own_store: Callable[..., Answer]) -> None:
    found = own_store(Store(), location=None)
    assert found.limits == ["nothing was asked of it. Fix: location, cluster_arn or services say what is used"]


def identity(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Answer:
    """What is told of a connection to AWS whose STS answers so."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({**FIELDS, "extra": {"region_name": "eu-west-1"}}))

    def call(self: ServiceHook, operation: str, **params: Any) -> dict[str, Any]:
        assert operation == "get_caller_identity"
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    monkeypatch.setattr(ServiceHook, "call", call)
    return ask(question())


def test_who_it_is_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = identity(monkeypatch, {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ferry"})
    assert found.actual == "account 123456789012"
    assert "as arn:aws:iam::123456789012:user/ferry" in found.notes
    assert found.missing == []


def test_keys_that_aws_does_not_take_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = identity(monkeypatch, NotAuthorized("get_caller_identity: InvalidClientTokenId: no")).missing
    assert told.startswith("its keys are not taken: get_caller_identity: InvalidClientTokenId")
    assert told.endswith("Fix: access key and secret as they are today")


def test_an_sts_that_cannot_be_reached_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    found = identity(monkeypatch, TransientError("no answer"))
    assert found.missing == []
    assert "who it is could not be asked: no answer" in found.limits


@pytest.mark.parametrize(
    ("url", "is_aws"),
    [
        ("https://s3.eu-west-1.amazonaws.com", True),
        ("https://bucket.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com", True),
        ("https://s3.cn-north-1.amazonaws.com.cn", True),
        ("http://minio:9000", False),
        ("https://amazonaws.com.example.org", False),
        ("https://notamazonaws.com", False),
    ],
)
def test_which_endpoints_are_those_of_aws(url: str, is_aws: bool) -> None:
    assert module._is_aws(url) is is_aws


def msk(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch, **params: Any) -> Answer:
    """MSK's services on the double; STS is not among them."""
    extra = {
        "region_name": "eu-west-1",
        "service_config": {name: {"endpoint_url": aws.url} for name in ("s3", "kafka", "kafkaconnect")},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({**FIELDS, "extra": extra}))
    return ask(question(**{"patience": 20, **params}))


def test_services_are_asked_by_calls_that_change_nothing(
    aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = msk(aws, monkeypatch, services=["msk_connect", "msk_replicator"], cluster_arn=CLUSTER)
    assert found.missing == []
    tried = {note.removeprefix("tried ") for note in found.notes if note.startswith("tried ")}
    assert tried == {
        "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", "kafka:ListReplicators", "kafkaconnect:ListConnectors",
        "kafkaconnect:ListCustomPlugins", "kafkaconnect:ListWorkerConfigurations",
    }  # fmt: skip
    assert [name for name in aws.requests if not name.startswith(("List", "Describe", "Get"))] == []


def test_a_service_that_refuses_is_named_by_its_action(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.faults.errors.append({"operation": "ListCustomPlugins", "code": "ForbiddenException", "message": "not you"})
    (told,) = msk(aws, monkeypatch, services=["msk_connect"]).missing
    assert told.startswith("kafkaconnect:ListCustomPlugins on * did not work: ")
    assert told.endswith("Fix: allow kafkaconnect:ListCustomPlugins to it, or correct what is named")


def test_a_cluster_that_is_not_there_is_named(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    other = CLUSTER.replace("cluster/", "cluster/other-")
    found = msk(aws, monkeypatch, cluster_arn=other)
    assert [other in text for text in found.missing] == [True, True]


def test_without_credentials_it_fails_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws"}))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    (told,) = ask(question()).missing
    assert "no credentials" in told


def test_an_instance_is_asked_as_a_host_too(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {
        "region_name": "eu-west-1", "instance_id": "i-0abc", "service_config": {"s3": {"endpoint_url": "http://x"}}
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({**FIELDS, "extra": extra}))
    monkeypatch.setenv("AIRFLOW__KAFKA_FERRY__HOSTS", "another")
    (told,) = ask(question()).missing
    assert "'aws_default' is not a host that may be used" in told
