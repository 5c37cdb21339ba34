"""Real Kafka for tests: one embedded stack (two clusters, a Connect worker, a double of MSK Connect) for all tests.

Topics, groups and connectors of a test begin with its own ``topic_prefix``, so that tests can run side by side.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from dag_runs import ReadQuota
from demo.airflow_api import AirflowApi
from halves import REST, SCHEDULER, SHARED, half_of
from own_dags import VARIABLE, own_dags_config
from stack import Stack, mariadb, postgres
from stack.stack import PROJECT
from statsd_listener import StatsdListener

MakeTopics = Callable[..., list[str]]
Produce = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two that break and heal a shared stack must not go side by side."""
    for item in items:
        shared = SHARED & set(getattr(item, "fixturenames", ()))
        half = half_of(item.nodeid)
        if ("airflow_stack" in shared and half != SCHEDULER) or (shared and half not in (SCHEDULER, REST)):
            raise pytest.UsageError(f"{item.nodeid} needs a shared stack: see tests/shared/halves.py")


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The stack of this test session.

    The first worker of pytest-xdist that needs it starts it (``up`` lets in one at a time), the others adopt it.
    ``pytest_sessionfinish`` in tests/conftest.py stops it; its watchdog does when the session is killed.
    """
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "stack"
    return Stack(folder, owner_pid=int(os.environ["FERRY_TEST_SESSION_PID"]), report=print, msk=True).up()


@pytest.fixture(scope="session")
def secure_stack() -> Stack:
    """A second stack, with users and ACLs on both clusters; started only for the tests that ask for it.

    It ends with the session as the other one does.
    """
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "secure-stack"
    return Stack(folder, owner_pid=int(os.environ["FERRY_TEST_SESSION_PID"]), report=print, secure=True).up()


@pytest.fixture(scope="module")
def database_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack with a MariaDB server, and Debezium on its worker; it ends with the module, the other tests need none.

    Nightly it has a double of MSK Connect too.
    """
    if why := mariadb.unavailable():
        pytest.skip(why)
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "database-stack"
    owner, msk = int(os.environ["FERRY_TEST_SESSION_PID"]), bool(request.node.get_closest_marker("nightly"))
    stack = Stack(folder, owner_pid=owner, report=print, database=True, msk=msk)
    yield stack.up()
    stack.down()


@pytest.fixture(scope="session")
def statsd() -> Iterator[StatsdListener]:
    """Where the metrics of ``airflow_stack`` go."""
    with StatsdListener() as listener:
        yield listener


@pytest.fixture(scope="session")
def airflow_stack(statsd: StatsdListener) -> Stack:
    """A stack with a whole Airflow, shared by the modules that look at DAGs in it; they may break and heal its parts.

    On PostgreSQL, where there is one: many runs at once are too much for SQLite now and then ("database is locked"). It
    ends with the session as the other one does.
    """
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "airflow-stack"
    os.environ.update({VARIABLE: own_dags_config(), **statsd.variables})  # the stack's processes inherit them
    owner, database = int(os.environ["FERRY_TEST_SESSION_PID"]), mariadb.unavailable() is None
    server = postgres.unavailable() is None
    stack = Stack(folder, airflow=True, owner_pid=owner, report=print, msk=True, database=database, postgres=server)
    # Its deployment allows what the stack says, not what tests of parts allow themselves (tests/conftest.py).
    said = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AIRFLOW__KAFKA_FERRY__")}
    try:
        return stack.up()
    finally:
        os.environ.update(said)


@pytest.fixture(scope="session")
def airflow_api(airflow_stack: Stack) -> AirflowApi:
    """A user of its REST API; every DAG has been found."""
    values = airflow_stack.variables()
    api = AirflowApi(values["FERRY_AIRFLOW_URL"], values["FERRY_AIRFLOW_USER"], values["FERRY_AIRFLOW_PASSWORD"])
    deadline = time.monotonic() + 120
    while not all(api.dag_is_known(dag.stem) for dag in (PROJECT / "dags").glob("*.py")):
        assert time.monotonic() < deadline, api.import_errors()
        time.sleep(0.5)
    return api


@pytest.fixture
def slow_source(airflow_stack: Stack) -> Iterator[ReadQuota]:
    """``slow_source(bytes_per_second)`` for every client that reads from the source of ``airflow_stack``."""
    quota = ReadQuota(airflow_stack)
    yield quota
    airflow_stack.up()  # the source may be down by now
    quota(0)


@pytest.fixture
def breakable_stack(stack: Stack) -> Iterator[Stack]:
    """The same stack for a test that kills or freezes parts of it; healed afterwards."""
    yield stack
    for service in (stack.broker("source"), stack.broker("target"), stack.worker, stack.s3, stack.msk):
        if service.running:
            service.resume()
    stack.up()


@pytest.fixture
def source_bootstrap(stack: Stack) -> str:
    """``bootstrap.servers`` of the source cluster."""
    return stack.source_bootstrap


@pytest.fixture
def target_bootstrap(stack: Stack) -> str:
    """``bootstrap.servers`` of the target cluster."""
    return stack.target_bootstrap


@pytest.fixture
def connect_url(stack: Stack) -> str:
    """Root of the Connect worker's REST API."""
    return stack.connect_url


@pytest.fixture
def topic_prefix() -> str:
    """Unique for each test, also over several runs on one stack: ``t1a2b3c-``."""
    return f"t{os.urandom(4).hex()}-"


@pytest.fixture
def connections(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The Airflow connections ``kafka_source``, ``kafka_target``, ``kafka_connect`` and ``aws_default`` of the stack.

    :returns: the variables that were set, such as AIRFLOW_CONN_KAFKA_SOURCE.
    """
    values = {name: value for name, value in stack.variables().items() if name.startswith("AIRFLOW_CONN_")}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def make_topics() -> MakeTopics:
    """``make_topics(bootstrap, "a", "b", partitions=3, config={...}) -> ["a", "b"]``; waits until they have leaders.

    For a secured cluster give librdkafka settings in place of ``bootstrap`` (``Stack.client_settings``).
    Their records never expire unless ``config`` says so.
    """

    def make(
        cluster: str | Mapping[str, str], *names: str, partitions: int = 1, config: dict[str, str] | None = None
    ) -> list[str]:
        admin = AdminClient(_client(cluster))
        settings = {"retention.ms": "-1", **(config or {})}
        new = [NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings) for name in names]
        for future in admin.create_topics(new).values():
            future.result(timeout=30)
        _wait_for_leaders(admin, names, partitions)
        return list(names)

    return make


@pytest.fixture
def produce() -> Produce:
    """``produce(bootstrap, topic, records, **settings)``, acknowledged before it returns; settings as in make_topics.

    Each record is a dict of arguments of ``Producer.produce`` (key, value, headers, timestamp, partition), or an int:
    that many records with the keys ``k0``, ``k1``, … and the values ``v0``, ``v1``, …
    """

    def send(
        cluster: str | Mapping[str, str], topic: str, records: int | Iterable[dict[str, object]], **settings: object
    ) -> None:
        producer = Producer({**_client(cluster), "linger.ms": 5, "acks": "all", **settings})
        errors: list[str] = []

        def delivered(error: object, message: object) -> None:
            if error is not None:
                errors.append(str(error))

        if isinstance(records, int):
            records = ({"key": f"k{i}".encode(), "value": f"v{i}".encode()} for i in range(records))
        for record in records:
            while True:
                try:
                    producer.produce(topic, on_delivery=delivered, **record)  # type: ignore[arg-type]
                    break
                except BufferError:  # the local queue is full
                    producer.poll(0.1)
        left = producer.flush(60)
        assert not errors, errors[:3]
        assert left == 0, f"{left} records were not acknowledged within 60 s"

    return send


def _client(cluster: str | Mapping[str, str]) -> dict[str, str]:
    return {"bootstrap.servers": cluster} if isinstance(cluster, str) else dict(cluster)


def _wait_for_leaders(admin: AdminClient, names: Iterable[str], partitions: int) -> None:
    deadline = time.monotonic() + 30
    for name in names:
        while True:
            try:
                found = admin.list_topics(name, timeout=10).topics[name].partitions
            except KafkaException:
                found = {}
            if len(found) == partitions and all(partition.leader >= 0 for partition in found.values()):
                break
            assert time.monotonic() < deadline, f"topic {name} got no leaders within 30 s"
            time.sleep(0.1)
