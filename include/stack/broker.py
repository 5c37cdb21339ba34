"""A Kafka broker: by default a whole cluster, broker and KRaft controller in one JVM."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack import listeners, security, tokens
from stack.cluster import Cluster, Kind
from stack.errors import StackError
from stack.health import kafka_cluster_id
from stack.ports import HOST
from stack.process import MARK, tail
from stack.service import Service, java_command
from stack.state import State

# The replication factors of 1 are those of a cluster of one node. A broker that was killed is refused by the controller
# until its session ends (9 s by default), hence the short session. Nothing expires unless a topic says so: test data
# with old timestamps would vanish under the default retention of 7 days.
KRAFT = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{client},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{client}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""
ZOOKEEPER = """\
broker.id=1
zookeeper.connect={host}:{zookeeper}
zookeeper.session.timeout.ms=6000
listeners=PLAINTEXT://{host}:{client}
advertised.listeners=PLAINTEXT://{host}:{client}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
"""
COMMON = """\
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.retention.check.interval.ms=10000
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""
SETTINGS = KRAFT + COMMON
# Of several, after the rest: in a Java properties file the last line with a key counts.
SEVERAL = """\
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={min_isr}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={min_isr}
default.replication.factor={replicas}
min.insync.replicas={min_isr}
"""
# Followers answer who says his rack (KIP-392).
RACK = """\
broker.rack={rack}
replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector
"""
KRAFT_NODE = """\
process.roles={roles}
node.id={number}
controller.quorum.voters={quorum}
"""


class Broker(Service):
    """A broker of the cluster "source" or "target".

    :param name: the cluster's.
    :param number: its ``node.id``; the first is called as the cluster is.
    :param advertised: the port that it tells clients, where a proxy stands before its own.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        state: State,
        java: str,
        jars: Path,
        kind: Kind | None = None,
        number: int = 1,
        advertised: int | None = None,
    ) -> None:
        self.cluster = Cluster(name, state, kind)
        super().__init__(list(self.cluster.brokers)[number - 1], folder, state)
        self._java, self._jars, self._number, self._advertised = java, jars, number, advertised
        if self.cluster.kind.zookeeper:
            self.needs = (self.cluster.zookeeper,)
        if state.listener == listeners.OAUTH:
            self.needs = (*self.needs, tokens.NAME)

    @property
    def bootstrap(self) -> str:
        """``bootstrap.servers`` of the cluster."""
        return self.cluster.bootstrap

    @property
    def data(self) -> Path:
        """Its records."""
        return (
            self.folder / "data" / (self.cluster.label if self._number == 1 else f"{self.cluster.label}-{self._number}")
        )

    def files(self) -> Mapping[Path, str]:
        kind, ports = self.cluster.kind, self.state.ports
        numbers = {"host": HOST, "client": ports[self.name], "data": self.data}
        if kind.zookeeper:
            settings = (ZOOKEEPER + COMMON).format(zookeeper=ports[self.cluster.zookeeper], **numbers)
            settings += f"broker.id={self._number}\n"
        else:
            settings = SETTINGS.format(controller=ports.get(f"{self.name}-controller", 0), **numbers)
        if kind.brokers > 1:
            settings += SEVERAL.format(replicas=kind.replicas, min_isr=kind.min_isr)
            settings += f"broker.rack=rack-{self._number}\n"
        if racks := self.state.racks:
            settings += RACK.format(rack=racks[(self._number - 1) % len(racks)])
        if self.state.secure:
            settings += security.broker_settings(self.cluster, self.name, HOST)
        if self.state.listener:
            settings += listeners.broker_settings(self.cluster, self.name, HOST)
        if kind.brokers > 1 and not kind.zookeeper:
            settings += self._kraft_node()
        if self._advertised:
            settings += f"advertised.listeners=PLAINTEXT://{HOST}:{self._advertised}\n"
        return {self._properties: settings}

    def _kraft_node(self) -> str:
        """What a node of several says of itself and of the controllers."""
        controls = self.name in self.cluster.controllers
        roles = "broker,controller" if controls else "broker"
        text = KRAFT_NODE.format(roles=roles, number=self._number, quorum=self.cluster.quorum)
        if not controls and not self.state.listener:
            protocol = security.PROTOCOL if self.state.secure else "PLAINTEXT"
            text += f"listeners={protocol}://{HOST}:{self.state.ports[self.name]}\n"
        return text

    @property
    def _properties(self) -> Path:
        return self.folder / "config" / f"{self.name}.properties"

    def command(self) -> list[str]:
        before_4 = self.cluster.kind.before_4
        options = listeners.jvm_options(self.state)
        return java_command(
            self._java, self._jars, "kafka.Kafka", str(self._properties), before_4=before_4, options=options
        )

    def prepare(self) -> None:
        """Format the storage when it is new; with ZooKeeper the broker does so itself."""
        if self.cluster.kind.zookeeper or (self.data / "meta.properties").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # of a format that was killed half-way
        self.log.parent.mkdir(parents=True, exist_ok=True)
        arguments = ("format", "-t", self.state.cluster_id(self.cluster.label), "-c", str(self._properties))
        tool, before_4 = "kafka.tools.StorageTool", self.cluster.kind.before_4
        command = java_command(self._java, self._jars, tool, *arguments, before_4=before_4)
        # Marked, so that the next `up` ends it when this launcher is killed meanwhile. meta.properties is written last.
        environment = {**os.environ, MARK: self.state.mark(f"{self.name}-format")}
        log = self.log.with_name(f"{self.name}-format.log")
        with log.open("wb") as out:
            run = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False
            )
        if run.returncode:
            raise StackError(f"{self.name}: formatting {self.data} failed. End of {log}:\n{tail(log)}")

    def finish(self) -> None:
        if security.has_users(self.state) and self._number == 1:
            security.set_up(self.cluster)

    def problem(self) -> str | None:
        user = None
        if self.state.secure:
            user = (security.ADMIN, security.password(self.state, self.cluster.name, security.ADMIN))
        port, context = self.state.ports[self.name], None
        if self.state.listener:
            port, context = self.state.ports[listeners.internal_port(self.name)], listeners.context(self.cluster)
        found = kafka_cluster_id(HOST, port, user, context)
        if found is None:
            return "the controller has not let the broker in yet"
        if self.cluster.kind.zookeeper:  # which makes the id up itself
            expected = self.state.cluster_ids.setdefault(self.cluster.label, found)
        else:
            expected = self.state.cluster_id(self.cluster.label)
        return None if found == expected else f"another cluster ({found}) answers at {HOST}:{port}"
