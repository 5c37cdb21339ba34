"""All processes together: up, down, status."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from stack import (
    celery,
    env,
    jars,
    listeners,
    mariadb,
    plugins,
    postgres,
    process,
    registries,
    s3_conditions,
    security,
    tokens,
)
from stack.airflow import PARTS, PROGRAM, AirflowHome, AirflowPart
from stack.broker import Broker
from stack.cluster import Cluster, Kind
from stack.errors import StackError
from stack.health import Cancelled, ask
from stack.java import find_java
from stack.msk_double import MskDouble
from stack.ports import PortLease
from stack.s3 import S3Server
from stack.service import Service
from stack.state import State
from stack.stopping import remove, stop_in_order
from stack.watchdog import Watchdog
from stack.worker import Worker, worker_names
from stack.zookeeper import ZooKeeper

PROJECT = Path(__file__).resolve().parents[2]
# port → the service that listens on it
PORTS = {"s3": "s3"}
CLUSTERS = ("source", "target")
DATABASE_PORTS = {"mariadb": "mariadb"}
MSK_PORTS = {"msk": "msk"}
POSTGRES_PORTS = {postgres.NAME: postgres.NAME}
CELERY_PORTS = {celery.BROKER: celery.BROKER, s3_conditions.NAME: s3_conditions.NAME, **celery.LOG_PORTS}
EXECUTORS = LOCAL, CELERY = ("local", "celery")
AIRFLOW_PORTS = {
    "airflow": "airflow-api-server",
    "airflow-worker-log": "airflow-scheduler",
    "airflow-trigger-log": "airflow-triggerer",
    "airflow-scheduler-health": "airflow-scheduler",
}
LOCK = "lock"
ADOPTION_TIMEOUT = 10.0  # seconds that a live process gets to answer before it is restarted


@dataclass(frozen=True)
class Status:
    """One line of ``status``."""

    name: str
    pid: int | None
    problem: str | None  # None when healthy


class Stack:
    """One embedded stack; all that it is lives in one folder.

    :param folder: logs, data, config, state and ``env``.
    :param airflow: with the Airflow server.
    :param owner_pid: end the stack when this process ends; None: it stays until ``down``.
    :param report: called with each line for the user.
    :param secure: both clusters with SASL users and ACLs, see ``stack.security``.
    :param database: with a MariaDB server, and Debezium's connectors on the worker.
    :param airflow_program: the command ``airflow`` of another venv, for another version of it.
    :param msk: with a double of MSK Connect, whose connectors keep their topics on the target cluster.
    :param source: what cluster it is, see ``stack.cluster.Kind``: ``2.6.0x2``. ``target``: the same.
    :param connect: version and number of Connect workers: ``3.9.2``, ``x2``, ``3.9.2x2``; several are one group. The
        double's workers are of that version too.
    :param postgres: Airflow's own database is on a PostgreSQL server; else it is a file of SQLite's.
    :param executor: of Airflow: ``local``, or ``celery``, with two workers, on PostgreSQL.
    :param exactly_once: the workers may write in transactions (``exactly.once.source.support``).
    :param listener: how clients of both clusters come: ``tls``, ``mtls``, ``oauth``, see ``stack.listeners``; Kafka
        Connect's REST API is HTTPS then.
    :param racks: of brokers, in turn; followers answer consumers of their rack.
    :param s3_connectors: the workers have our own S3 connectors on ``plugin.path``.
    :param registry: with a schema registry beside each cluster, see ``stack.registries``.
    :param advertised: a broker's name to the port that it tells clients, where a proxy of tests stands before it; of a
        stack without users.
    """

    def __init__(
        self,
        folder: Path | str = ".stack",
        airflow: bool = False,
        owner_pid: int | None = None,
        report: Callable[[str], None] = lambda line: None,
        project: Path = PROJECT,
        secure: bool = False,
        database: bool = False,
        msk: bool = False,
        airflow_program: Path = PROGRAM,
        source: str = "",
        target: str = "",
        connect: str = "",
        exactly_once: bool = False,
        listener: str = "",
        racks: Sequence[str] = (),
        postgres: bool = False,
        executor: str = LOCAL,
        s3_connectors: bool = False,
        advertised: Mapping[str, int] | None = None,
        registry: bool = False,
    ) -> None:
        if msk and secure:
            raise StackError("MSK Connect's workers know no login but IAM: its double needs a stack without users")
        if listener and (secure or msk or advertised):
            raise StackError(
                "a listener of TLS goes with no other login, no double of MSK Connect and no proxy of tests"
            )
        self._listener, self._racks = listener, list(racks)
        if executor not in EXECUTORS:
            raise StackError(f"there is no executor {executor!r}; say {' or '.join(EXECUTORS)}")
        if (postgres or executor != LOCAL) and not airflow:
            raise StackError("PostgreSQL and executors are Airflow's own: they need a stack with Airflow")
        self.folder = Path(folder).resolve()
        self.project = project.resolve()
        self._airflow, self._owner_pid, self._report = airflow, owner_pid, report
        self._secure, self._database, self._msk = secure, database, msk
        self._airflow_program = airflow_program
        self._kinds = {"source": Kind.parse(source), "target": Kind.parse(target), "worker": Kind.parse(connect)}
        self._exactly_once, self._postgres, self._advertised = exactly_once, postgres, dict(advertised or {})
        self._celery, self._s3_connectors, self._registry = executor == CELERY, s3_connectors, registry
        self._postgres |= self._celery
        self._services: dict[str, Service] = {}
        self._state: State | None = None

    # --- commands -----------------------------------------------------------------------------------------------------

    def up(self) -> Self:
        """Start what is missing, adopt what is healthy and has the same settings, replace the rest; wait for health.

        When it fails or is interrupted, all that this call has started is stopped again.

        :raises StackError: what failed, with the end of its log.
        """
        begun = time.monotonic()
        with self._locked():
            java = find_java(self._report)
            libraries = jars.resolve(jars.cache_folder(self.project), java, self._report)
            if self._database:
                mariadb.resolve(jars.cache_folder(self.project), java, self._report)
            if self._postgres:
                postgres.resolve(jars.cache_folder(self.project), java, self._report)
            if self._celery:
                celery.resolve(jars.cache_folder(self.project), self._report)
            if self._registry:
                for version in registries.VERSIONS.values():
                    registries.resolve(jars.cache_folder(self.project), java, self._report, version)
            self._state = State(self.folder / "state.json")
            self._state.secure, self._state.msk = self._secure, self._msk
            self._state.exactly_once, self._state.postgres = self._exactly_once, self._postgres
            self._state.celery, self._state.s3_connectors = self._celery, self._s3_connectors
            self._state.registry = self._registry
            self._state.kinds = {name: str(kind) for name, kind in self._kinds.items()}
            self._state.listener, self._state.racks = self._listener, self._racks
            listeners.check(self._listener, self._clusters())
            if self._listener:
                listeners.make_certificates(self._state)
            self._resolve_others(java)
            self._clean()
            with PortLease() as lease:
                self._assign_ports(lease)
                self._services = self._build(java, libraries)
                self._state.save()
                self._end_unwanted()
                self._start_all(list(self._services.values()))
            ours = plugins.folder(jars.cache_folder(self.project))
            plugins.link_jars(env.libraries(self.folder), libraries, ours)
            env.write(self.folder, self._variables())
        self._report(f"stack: ready after {time.monotonic() - begun:.1f} s")
        return self

    def down(self, purge: bool = False) -> None:
        """Stop all processes of this folder's stack; nothing to do when none runs.

        :param purge: also remove all that is in the folder: data, logs, settings, password.
        """
        if not self.folder.is_dir():
            return
        with self._locked():
            state = State(self.folder / "state.json")
            stop_in_order(state, self._report)
            process.stop([state.mark()], 0)  # what was never written down
            state.processes.clear()
            if (self.folder / "state.json").exists():
                state.save()
            self._state, self._services = None, {}
            if purge:
                remove(self.folder, LOCK)
        self._report("stack: stopped" + (", data removed" if purge else ""))

    def status(self) -> list[Status]:
        """Every process and whether it is healthy; empty when nothing was ever started here."""
        if not (self.folder / "state.json").exists():
            return []
        self._load()
        return [Status(service.name, service.pid, _problem(service)) for service in self._services.values()]

    # --- what tests and the demo need ---------------------------------------------------------------------------------

    def service(self, name: str) -> Service:
        """Any part by its name in ``status``, such as "airflow-scheduler"."""
        self._load()
        if name not in self._services:
            raise StackError(f"the stack in {self.folder} has no {name!r}; is it up?")
        return self._services[name]

    def broker(self, name: str) -> Broker:
        """The cluster "source" or "target"."""
        service = self.service(name)
        if not isinstance(service, Broker):
            raise StackError(f"there is no broker {name!r}; say 'source' or 'target'")
        return service

    @property
    def worker(self) -> Worker:
        """The Connect worker that the connection ``kafka_connect`` names."""
        return self.workers[0]

    @property
    def workers(self) -> list[Worker]:
        """All Connect workers."""
        self._load()
        return [service for service in self._services.values() if isinstance(service, Worker)]

    @property
    def s3(self) -> S3Server:
        """The S3 server."""
        service = self.service("s3")
        assert isinstance(service, S3Server)  # noqa: S101 - for the type checker
        return service

    @property
    def database(self) -> mariadb.MariaDb:
        """The MariaDB server."""
        service = self.service("mariadb")
        assert isinstance(service, mariadb.MariaDb)  # noqa: S101 - for the type checker
        return service

    @property
    def msk(self) -> MskDouble:
        """The double of MSK Connect."""
        service = self.service("msk")
        assert isinstance(service, MskDouble)  # noqa: S101 - for the type checker
        return service

    def registry(self, side: str) -> registries.Registry:
        """The schema registry beside the cluster "source" or "target"."""
        service = self.service(f"registry-{side}")
        assert isinstance(service, registries.Registry)  # noqa: S101 - for the type checker
        return service

    @property
    def source_bootstrap(self) -> str:
        """``bootstrap.servers`` of the source cluster."""
        return self.broker("source").bootstrap

    @property
    def target_bootstrap(self) -> str:
        """``bootstrap.servers`` of the target cluster."""
        return self.broker("target").bootstrap

    @property
    def connect_url(self) -> str:
        """Root of the Connect worker's REST API."""
        return self.worker.url

    def client_settings(self, cluster: str, user: str = security.ADMIN) -> dict[str, str]:
        """librdkafka settings for the cluster "source" or "target", as a user of ``stack.security``.

        An open cluster knows no users: there it is ``bootstrap.servers`` alone.
        """
        return security.client_settings(self.broker(cluster).cluster, user)

    def variables(self) -> dict[str, str]:
        """What ``env`` exports, without PATH."""
        self._load()
        return self._variables()

    def environment(self) -> dict[str, str]:
        """For ``subprocess``: this process's environment with :meth:`variables` and the venv first on PATH."""
        return process.with_path(self.variables())

    def brokers(self, name: str) -> list[Broker]:
        """All brokers of the cluster "source" or "target"."""
        return [
            broker
            for service in self.broker(name).cluster.brokers
            if isinstance(broker := self.service(service), Broker)
        ]

    # --- how ----------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One command at a time in one folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._report(f"stack: waiting for another command on {self.folder} to end")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _clean(self) -> None:
        """Forget dead processes; end live ones that nobody wrote down (their launcher was killed in that moment)."""
        state = self._loaded_state()
        dead = [name for name in state.processes if state.running(name) is None]
        process.stop([state.mark(name) for name in dead], 0)  # children that outlived it
        for name in dead:
            state.forget(name)
        known = {running.mark for running in state.processes.values()}
        lost = {mark for mark in process.marks(state.mark()) if mark not in known}
        if lost:
            self._report(f"stack: ending {len(lost)} left over from a launch that was killed")
            process.stop(lost, 5)

    def _assign_ports(self, lease: PortLease) -> None:
        state = self._loaded_state()
        optional = {**(DATABASE_PORTS if self._database else {}), **(MSK_PORTS if self._msk else {})}
        optional |= {tokens.NAME: tokens.NAME} if self._listener == listeners.OAUTH else {}
        kafka = {port: name for cluster in self._clusters() for port, name in cluster.ports().items()}
        kafka |= {name: name for name in worker_names(self._kinds["worker"])}
        optional |= {name: name for name in registries.CONNECTIONS if self._registry}
        optional |= {**(POSTGRES_PORTS if self._postgres else {}), **(CELERY_PORTS if self._celery else {})}
        wanted = {**kafka, **PORTS, **optional, **(AIRFLOW_PORTS if self._airflow else {})}
        for port, service in wanted.items():
            state.keep_port(port, lease, in_use=state.running(service) is not None)

    def _build(self, java: str, libraries: Path) -> dict[str, Service]:
        state = self._loaded_state()
        cache = jars.cache_folder(self.project)
        kafka: dict[str, Service] = {}
        for cluster in self._clusters():
            kind, version = cluster.kind, cluster.kind.version
            folder = jars.brokers_jars(cache, version) if version else libraries
            if kind.zookeeper:
                kafka[cluster.zookeeper] = ZooKeeper(cluster, self.folder, java, folder)
            for name, number in cluster.brokers.items():
                told = self._advertised.get(name)
                kafka[name] = Broker(cluster.name, self.folder, state, java, folder, kind, number, told)
        target = kafka["target"]
        assert isinstance(target, Broker)  # noqa: S101 - for the type checker
        ours, connectors = plugins.folder(cache), mariadb.connectors(cache) if self._database else None
        build = lambda: self._build_plugins(java)  # noqa: E731
        own = self._kinds["worker"]
        connect = jars.connect_jars(cache, own.version) if own.version else libraries
        s3 = plugins.s3_folder(cache) if state.s3_connectors else None
        workers = [
            Worker(self.folder, state, java, connect, target, ours, build, connectors, own, name, s3)
            for name in worker_names(own)
        ]
        services: list[Service] = [
            *kafka.values(),
            *workers,
            S3Server(self.folder, state, celery.BUCKETS if self._celery else ()),
        ]
        if self._database:
            services.append(mariadb.MariaDb(self.folder, state, mariadb.folder(cache)))
        if self._listener == listeners.OAUTH:
            services.append(tokens.TokenServer(self.folder, state))
        if self._msk:
            services.append(MskDouble(self.folder, state, java, connect, target, own))
        if state.registry:
            services += [
                registries.Registry(
                    name,
                    self.folder,
                    state,
                    registries.java_of(version, java, self._report),
                    registries.folder(cache, version),
                    version,
                )
                for name, version in registries.VERSIONS.items()
            ]
        if self._airflow:
            services += self._build_airflow(state, cache)
        if self._owner_pid is not None:
            services.append(Watchdog(self.folder, state, self._owner_pid))
        return {service.name: service for service in services}

    def _build_airflow(self, state: State, cache: Path) -> list[Service]:
        services: list[Service] = []
        server = None
        if self._postgres:
            server = postgres.Postgres(self.folder, state, postgres.folder(cache))
            services.append(server)
        program = celery.program(cache) if self._celery else self._airflow_program
        variables, home = self._variables(), AirflowHome(cache, program, server)
        services += [AirflowPart(part, self.folder, state, variables, home) for part in PARTS]
        if self._celery:
            services.append(celery.Valkey(self.folder, state, celery.folder(cache)))
            services.append(s3_conditions.S3Conditions(self.folder, state, S3Server(self.folder, state).data))
            services += [celery.CeleryWorker(one, self.folder, state, variables, home) for one in celery.WORKERS]
        return services

    def _clusters(self) -> list[Cluster]:
        return [Cluster(name, self._loaded_state(), self._kinds[name]) for name in CLUSTERS]

    def _resolve_others(self, java: str) -> None:
        """The jars of other versions than our own."""
        cache = jars.cache_folder(self.project)
        for version in sorted({self._kinds[name].version for name in CLUSTERS} - {""}):
            jars.resolve_brokers(cache, java, self._report, version)
        if version := self._kinds["worker"].version:
            jars.resolve_connect(cache, java, self._report, version)

    def _build_plugins(self, java: str) -> None:
        try:
            plugins.build(jars.cache_folder(self.project), java, self._report)
        except plugins.NoCompiler as lack:  # all else works without them
            self._report(f"plugins: {lack}\nUntil then naming: rename is refused.")
        if self._s3_connectors:
            plugins.build_s3(jars.cache_folder(self.project), java, self._report)

    def _end_unwanted(self) -> None:
        """What runs but was not asked for this time: Airflow, or the watchdog of an owner that gives the stack away."""
        state = self._loaded_state()
        unwanted = set(state.processes) - set(self._services)
        if unwanted:
            self._report(f"stack: stopping {', '.join(sorted(unwanted))}, not asked for any more")
            stop_in_order(state, self._report, unwanted)
            for name in unwanted:
                state.forget(name)

    def _start_all(self, services: list[Service]) -> None:
        cancelled = threading.Event()
        started: list[Service] = []
        ready = {service.name: threading.Event() for service in services}
        # The watchdog first: from then on nothing is left behind, whatever happens to the owner.
        services = sorted(services, key=lambda service: not isinstance(service, Watchdog))
        pool = ThreadPoolExecutor(len(services), thread_name_prefix="stack")
        futures = []
        try:
            futures = [pool.submit(self._bring_up, service, started, ready, cancelled) for service in services]
            errors = [error for future in futures if (error := future.exception())]
            causes = [error for error in errors if not isinstance(error, Cancelled)]
            if errors:
                raise (causes or errors)[0]
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=True, cancel_futures=True)
            self._undo(started)
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _bring_up(
        self,
        service: Service,
        started: list[Service],
        ready: dict[str, threading.Event],
        cancelled: threading.Event,
    ) -> None:
        begun = time.monotonic()
        try:
            for name in service.needs:
                while not (ready[name].wait(0.1) or cancelled.is_set()):
                    pass
            if self._adopt(service, cancelled):
                service.finish()
                ready[service.name].set()
                self._report(f"{service.name}: runs already (pid {service.pid})")
                return
            if cancelled.is_set():
                raise Cancelled("cancelled")
            started.append(service)
            service.start()
            tell = partial(self._told, service.name)
            if why := service.wait(cancelled=cancelled, tell=tell):
                raise service.failure(why)
            service.finish()
            ready[service.name].set()
            service.note_ready()
            self._report(f"{service.name}: ready after {time.monotonic() - begun:.1f} s (pid {service.pid})")
        except BaseException:
            cancelled.set()  # no use in waiting for the others
            raise

    def _told(self, name: str, what: str) -> None:
        self._report(f"{name}: {what}")

    def _adopt(self, service: Service, cancelled: threading.Event) -> bool:
        running = service.running
        if running is None:
            return False
        if running.fingerprint != service.fingerprint():
            self._report(f"{service.name}: its settings have changed, restarting it")
        else:
            # It may be in the middle of its start, when the launcher was killed.
            left = 0.0 if running.ready else service.start_timeout - (time.time() - running.create_time)
            why = service.wait(max(ADOPTION_TIMEOUT, left), cancelled)
            if why is None:
                service.note_ready()
                return True
            self._report(f"{service.name}: {why}; restarting it")
            service.stop(grace=2)  # it does not answer, so it will hardly end in good order
        service.stop()
        return False

    def _undo(self, started: list[Service]) -> None:
        state = self._loaded_state()
        if started:
            self._report(f"stack: stopping {', '.join(service.name for service in started)}")
            stop_in_order(state, self._report, {service.name for service in started})
        for service in started:
            state.forget(service.name)

    def _variables(self) -> dict[str, str]:
        state = self._loaded_state()
        return env.variables(self.folder, self.project, state, self._airflow, find_java(), self._database)

    def _load(self) -> None:
        """Take the state from the folder when another process has started the stack."""
        if self._services:
            return
        self._state = State(self.folder / "state.json")
        if {"worker", *PORTS, *CLUSTERS} - set(self._state.ports):
            raise StackError(f"no stack was started in {self.folder}")
        self._airflow, self._secure = "airflow-api-server" in self._state.processes, self._state.secure
        self._database, self._msk = "mariadb" in self._state.processes, self._state.msk
        self._listener, self._racks = self._state.listener, self._state.racks
        self._postgres, self._celery = self._airflow and self._state.postgres, self._airflow and self._state.celery
        self._registry = self._state.registry
        self._kinds = {name: Kind.parse(self._state.kinds.get(name, "")) for name in (*CLUSTERS, "worker")}
        self._services = self._build(find_java(), jars.jars_folder(jars.cache_folder(self.project)))

    def _loaded_state(self) -> State:
        if self._state is None:
            raise StackError(f"the stack in {self.folder} is not loaded")
        return self._state


def _problem(service: Service) -> str | None:
    if service.running is None:
        return "does not run"
    return ask(service.problem)
