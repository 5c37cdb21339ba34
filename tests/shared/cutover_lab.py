"""A cutover on real secured clusters: applications with users of their own, a replication, and the DAG's tasks."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from kafka_ferry.core.acls import Acl
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.kafka.acls import KafkaAcls
from kafka_ferry.jobs.cutover.tasks.work import (
    CutoverFingerprintOperator,
    CutoverReportOperator,
    CutoverShardsOperator,
    EndReplicationOperator,
    LagGateOperator,
    PlanCutoverOperator,
    PrepareOperator,
    UnfenceOperator,
    ValidateCutoverOperator,
    WatchOperator,
    WindowOperator,
)
from stack import Stack
from tasks_by_hand import TasksByHand

SIDES = ("source", "target")
# A broker that does not know a producer yet takes whichever batch comes first. If it refuses a topic's very first
# batch (its leader is not ready yet), has the next one on its way and takes that, then the first, sent again, is old to
# it: "duplicate", which librdkafka reports as delivered, without an offset. Measured: in 5 of 48 starts on new topics.
IN_ORDER_FROM_THE_START = {"max.in.flight.requests.per.connection": 1}
QUICK = {"watch_seconds": 0, "lag_timeout": 30, "fence_timeout": 8, "drain_timeout": 20, "groups_timeout": 6}

PASSES = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._WAIT_COORD, KafkaError.REQUEST_TIMED_OUT,
          KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE,
          KafkaError.COORDINATOR_LOAD_IN_PROGRESS)  # fmt: skip


class CutoverRun(TasksByHand):
    """One run of the DAG ``cutover``."""

    def __init__(self, run_id: str, **params: Any) -> None:
        super().__init__("cutover", run_id, "cutover", {**defaults(), **QUICK, **params})

    def plan(self) -> dict[str, Any]:
        self.do(PlanCutoverOperator, "plan")
        return self.written("plan.json")

    def prepare(self) -> None:
        """All before the lag gate."""
        self.plan()
        for shard in self.do(CutoverShardsOperator, "shards"):
            self.do(CutoverFingerprintOperator, "fingerprint", shard=shard)
        self.do(PrepareOperator, "prepare")

    def gate(self) -> None:
        self.do(LagGateOperator, "lag_gate")

    def window(self) -> dict[str, Any]:
        found: dict[str, Any] = self.do(WindowOperator, "window")
        return found

    def end(self) -> dict[str, Any]:
        """What runs when the window has ended, and whatever it ended with."""
        self.do(UnfenceOperator, "unfence")
        return self.journal()

    def journal(self) -> dict[str, Any]:
        return self.written("cutover.json")

    def finish(self) -> dict[str, Any]:
        """All after the window; report.json."""
        self.do(WatchOperator, "watch")
        self.do(EndReplicationOperator, "end_replication")
        self.do(ValidateCutoverOperator, "validate")
        self.do(UnfenceOperator, "unfence")
        return self.report()

    def report_anyway(self) -> dict[str, Any]:
        """report.json of a run that failed."""
        with contextlib.suppress(AirflowFailException):
            self.do(CutoverReportOperator, "report")
        return self.written("report.json")

    def report(self) -> dict[str, Any]:
        self.do(CutoverReportOperator, "report")
        return self.written("report.json")


def defaults() -> dict[str, Any]:
    """What Airflow would fill in of the form."""
    from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

    return {
        name: field.default for name, field in CutoverSpec.model_fields.items()
        if not field.is_required() and name not in CutoverSpec.form_without
    }  # fmt: skip


class Lab:
    """Users ``app`` of both clusters, and their rights on topics, groups and transactional ids of one prefix.

    :param own_users: else the application is the connections' user: brokers before 2.7 make no users (KIP-554).
    """

    def __init__(self, stack: Stack, prefix: str, own_users: bool = True) -> None:
        self.stack, self.prefix, self._own_users = stack, prefix, own_users
        self.user, self.password = (f"{prefix}app" if own_users else "ferry"), "app-password"
        self.applications: list[Application] = []
        self.admins = {side: KafkaAcls(stack.client_settings(side), f"{side} as admin") for side in SIDES}
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        for side in SIDES:
            if own_users:
                client = AdminClient(stack.client_settings(side))
                user = UserScramCredentialUpsertion(self.user, scram, self.password.encode())
                for future in client.alter_user_scram_credentials([user]).values():
                    future.result(timeout=30)
            self.admins[side].create_acls(self._rights())

    def _rights(self) -> list[Acl]:
        rights = {"TOPIC": ("READ", "WRITE"), "GROUP": ("READ",), "TRANSACTIONAL_ID": ("WRITE", "DESCRIBE")}
        found = [
            Acl(resource, self.prefix, "PREFIXED", f"User:{self.user}", operation)
            for resource, operations in rights.items()
            for operation in operations
        ]
        # What idempotent producers need before 2.8 (KIP-679).
        more = Acl("CLUSTER", "kafka-cluster", "LITERAL", f"User:{self.user}", "IDEMPOTENT_WRITE")
        return found if self._own_users else [*found, more]

    def client(self, side: str, **more: Any) -> dict[str, Any]:
        """Settings of the application's clients."""
        login = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": self.user, "sasl.password": self.password}
        if not self._own_users:
            login = json.loads(self.stack.variables()[f"AIRFLOW_CONN_KAFKA_{side.upper()}"])["extra"]
        return {**self.stack.client_settings(side), **login, "log_level": 2, **more}

    def fences(self, side: str = "source") -> list[Acl]:
        """DENY of WRITE on topics of this prefix."""
        return [a for a in self.admins[side].acls() or () if a.permission == "DENY" and a.name.startswith(self.prefix)]

    def can_write(self, topic: str, side: str = "source") -> bool:
        """Whether the application may write now."""
        errors: list[Any] = []
        producer = Producer(self.client(side, **{"message.timeout.ms": 5000}))
        producer.produce(topic, value=b"", partition=0, on_delivery=lambda error, _: errors.append(error))
        producer.flush(10)
        # Not ``==``: KafkaError of confluent-kafka 2.16 compares with None by leaving an exception behind.
        return len(errors) == 1 and errors[0] is None

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int], side: str = "source") -> None:
        for left in (2, 1, 0):
            try:
                assert self.admins[side].commit({group: offsets}) == {}
            except TransientError:  # librdkafka's admin client may have missed the coordinator's first election
                if not left:
                    raise
            else:
                return

    def close(self) -> None:
        """Whatever became of the test: an application that goes on takes the processor from all tests after it."""
        for application in self.applications:
            application.abandon()
        for side in SIDES:
            self.admins[side].delete_acls([*self._rights(), *self.fences(side)])


class Application:
    """Producers and consumers that go where they are told; every id is written once, and each consumed id is noted.

    A record that was refused or whose transaction was aborted is written again, on the cluster that then counts.

    :param consumer: more settings of its consumers.
    """

    def __init__(
        self, lab: Lab, topics: Sequence[str], partitions: int, rate: float, consumer: Mapping[str, str] | None = None
    ) -> None:
        self._lab, self._topics, self._partitions, self._rate = lab, topics, partitions, rate
        self._consumer_settings = dict(consumer or {})
        self._side, self._stop, self._quiet = "source", threading.Event(), threading.Event()
        self._read, self._abandoned = threading.Event(), threading.Event()
        lab.applications.append(self)
        self._ids = itertools.count()
        self._lock = threading.Lock()
        self.written: set[int] = set()
        self.consumed: Counter[int] = Counter()
        self.errors: list[str] = []
        self._threads: list[threading.Thread] = []
        self._producers = 0

    def start(self, kinds: Sequence[str], groups: Sequence[str]) -> None:
        for kind in kinds:
            self._run(self._transactions if kind == "transactional" else partial(self._records, kind))
        self._producers = len(self._threads)
        for group in groups:
            self._run(partial(self._consume, group))

    def _run(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever it was, a test shows it
                self.errors.append(repr(error))

        thread = threading.Thread(target=guarded, daemon=True)
        self._threads.append(thread)
        thread.start()

    def switch(self) -> None:
        """Use the target from now on, also after ``quiet``."""
        self._side = "target"
        self._quiet.clear()

    def quiet(self) -> None:
        """Producers write no more."""
        self._quiet.set()

    def go_on(self) -> None:
        self._quiet.clear()

    def stop(self) -> None:
        """Producers first; consumers when all that was written has come, or nothing comes any more."""
        self._stop.set()
        for thread in self._threads[: self._producers]:
            thread.join(30)
        if len(self._threads) > self._producers:
            self.wait_until_consumed()
        self._read.set()
        for thread in self._threads:
            thread.join(30)

    def abandon(self) -> None:
        """End all threads soon, with whatever is not written yet. Nothing to do after ``stop``."""
        for event in (self._stop, self._read, self._abandoned):
            event.set()

    def _works(self, waiting: Sequence[int]) -> bool:
        return not self._abandoned.is_set() and (not self._stop.is_set() or bool(waiting))

    def _next(self) -> int:
        with self._lock:
            return next(self._ids)

    def _records(self, kind: str) -> None:
        waiting: list[int] = []
        side, producer = "", Producer({"bootstrap.servers": "127.0.0.1:1"})
        while self._works(waiting):
            if side != self._side:
                if side:
                    producer.flush(30)
                side = self._side
                producer = Producer(self._lab.client(side, **{
                    "enable.idempotence": kind == "idempotent", "linger.ms": 5, "acks": "all",
                    **IN_ORDER_FROM_THE_START}))  # fmt: skip
            if self._quiet.is_set() and not self._stop.is_set():
                producer.flush(10)
                time.sleep(0.05)
                continue
            number = waiting.pop(0) if waiting else self._next()

            def delivered(error: Any, _: Any, number: int = number) -> None:
                waiting.append(number) if error else self.written.add(number)

            try:
                producer.produce(
                    self._topic(number),
                    str(number).encode(),
                    partition=number % self._partitions,
                    on_delivery=delivered,
                )
            except KafkaException:  # librdkafka remembers that the topic may not be written
                waiting.append(number)
            producer.poll(0)
            if waiting:
                producer.flush(10)
                time.sleep(0.1)  # refused: as an application backs off
            time.sleep(1 / self._rate)
            if self._stop.is_set():
                producer.flush(30)
        producer.flush(30)

    def _transactions(self) -> None:
        waiting: list[int] = []
        side = ""
        producer: Any = None
        while self._works(waiting):
            if side != self._side:
                side = self._side
                producer = Producer(self._lab.client(side, **{
                    "transactional.id": f"{self._lab.prefix}tx", **IN_ORDER_FROM_THE_START}))  # fmt: skip
                producer.init_transactions(30)
            if self._quiet.is_set() and not self._stop.is_set():
                time.sleep(0.05)
                continue
            some = waiting or [self._next() for _ in range(10)]
            waiting = []
            try:
                producer.begin_transaction()
                for number in some:
                    producer.produce(self._topic(number), str(number).encode(), partition=number % self._partitions)
                producer.commit_transaction(30)
                self.written.update(some)
            except KafkaException:
                waiting = some
                try:
                    producer.abort_transaction(30)
                except KafkaException:
                    side = ""
                time.sleep(0.1)
            time.sleep(10 / self._rate)

    def _topic(self, number: int) -> str:
        return self._topics[number % len(self._topics)]

    def _consume(self, group: str) -> None:
        side = ""
        consumer: Any = None
        while not self._read.is_set():
            if side != self._side:
                if consumer is not None:
                    consumer.close()
                side = self._side
                consumer = Consumer(self._lab.client(side, **{
                    "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                    "isolation.level": "read_committed", **self._consumer_settings}))  # fmt: skip
                consumer.subscribe(list(self._topics))
            got = [one for one in consumer.consume(200, 0.2) if not one.error()]
            if got:
                self._commit(consumer)
                with self._lock:
                    self.consumed.update(int(one.value()) for one in got if one.value())
        consumer.close()

    def _commit(self, consumer: Any, seconds: float = 30) -> None:
        """Again while the group's coordinator is away."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as error:
                if error.args[0].code() not in PASSES or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def wait_until_consumed(self, seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.written - self.consumed.keys():
            time.sleep(0.2)

    def wait_for(self, records: int, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while len(self.written) < records:
            assert time.monotonic() < deadline, (len(self.written), self.errors)
            time.sleep(0.1)


class Hook:
    """A webhook on 127.0.0.1.

    :ivar posts: JSON of each request. ``headers``: of each. ``answers``: statuses of the next ones; then 200.
    """

    def __init__(self, on_post: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self.posts, self.headers, self.bodies = list[dict[str, Any]](), list[dict[str, str]](), list[bytes]()
        self.answers: list[int] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(on_post))
        self.port = int(self._server.server_address[1])

    @contextmanager
    def serving(self) -> Iterator[Hook]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        yield self
        self._server.shutdown()
        self._server.server_close()

    def connection(self, **more: Any) -> str:
        return json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": self.port, **more})

    def _handler(self, on_post: Callable[[dict[str, Any]], None]) -> type[BaseHTTPRequestHandler]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.bodies.append(body)
                hook.headers.append(dict(self.headers))
                hook.posts.append(json.loads(body))
                status = hook.answers.pop(0) if hook.answers else 200
                if status == 200:
                    on_post(json.loads(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        return Handler


def ids_from(lab: Lab, side: str, places: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], bytes | None]:
    """The value of the first committed record at or behind each offset; None: there is none."""
    consumer = Consumer({**lab.stack.client_settings(side), "group.id": "looks", "isolation.level": "read_committed",
                         "enable.partition.eof": True, "log_level": 2})  # fmt: skip
    found: dict[tuple[str, int], bytes | None] = {}
    for tp, offset in places.items():
        consumer.assign([TopicPartition(*tp, offset)])
        found[tp] = None
        while (message := consumer.poll(20)) is not None:
            if not message.error():
                found[tp] = message.value()
            break
    consumer.close()
    return found
