"""A single-node Kafka cluster in KRaft mode: broker and controller in one JVM."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack import security
from stack.errors import StackError
from stack.health import kafka_cluster_id
from stack.ports import HOST
from stack.process import MARK, tail
from stack.service import Service, java_command
from stack.state import State

# The replication factors of 1 are those of a cluster of one node. A broker that was killed is refused by the controller
# until its session ends (9 s by default), hence the short session. Nothing expires unless a topic says so: test data
# with old timestamps would vanish under the default retention of 7 days.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{client},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{client}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
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


class Broker(Service):
    """The cluster "source" or "target"."""

    def __init__(self, name: str, folder: Path, state: State, java: str, jars: Path) -> None:
        super().__init__(name, folder, state)
        self._java, self._jars = java, jars

    @property
    def bootstrap(self) -> str:
        """``bootstrap.servers`` of the cluster."""
        return f"{HOST}:{self.state.ports[self.name]}"

    @property
    def data(self) -> Path:
        """Its records."""
        return self.folder / "data" / self.name

    def files(self) -> Mapping[Path, str]:
        client, controller = self.state.ports[self.name], self.state.ports[f"{self.name}-controller"]
        settings = SETTINGS.format(host=HOST, client=client, controller=controller, data=self.data)
        if self.state.secure:
            settings += security.broker_settings(self.state, self.name, HOST)
        return {self._properties: settings}

    @property
    def _properties(self) -> Path:
        return self.folder / "config" / f"{self.name}.properties"

    def command(self) -> list[str]:
        return java_command(self._java, self._jars, "kafka.Kafka", str(self._properties))

    def prepare(self) -> None:
        """Format the storage when it is new."""
        if (self.data / "meta.properties").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # of a format that was killed half-way
        self.log.parent.mkdir(parents=True, exist_ok=True)
        arguments = ("format", "-t", self.state.cluster_id(self.name), "-c", str(self._properties))
        command = java_command(self._java, self._jars, "kafka.tools.StorageTool", *arguments)
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
        if self.state.secure:
            security.set_up(self.state, self.name, self.bootstrap)

    def problem(self) -> str | None:
        user = None
        if self.state.secure:
            user = (security.ADMIN, security.password(self.state, self.name, security.ADMIN))
        found = kafka_cluster_id(HOST, self.state.ports[self.name], user)
        if found is None:
            return "the controller has not let the broker in yet"
        expected = self.state.cluster_id(self.name)
        return None if found == expected else f"another cluster ({found}) answers at {self.bootstrap}"
