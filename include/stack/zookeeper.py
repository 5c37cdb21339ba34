"""A ZooKeeper of one node, for clusters from before KRaft."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from stack.cluster import Cluster
from stack.health import TIMEOUT
from stack.ports import HOST
from stack.service import Service, java_command

# tickTime: sessions end after 20 ticks at most, and brokers ask for 6 s.
SETTINGS = """\
dataDir={data}
clientPort={port}
clientPortAddress={host}
tickTime=1000
maxClientCnxns=0
admin.enableServer=false
4lw.commands.whitelist=ruok
"""


class ZooKeeper(Service):
    """Of one cluster; from the jars of its brokers."""

    def __init__(self, cluster: Cluster, folder: Path, java: str, jars: Path) -> None:
        super().__init__(cluster.zookeeper, folder, cluster.state)
        self._cluster, self._java, self._jars = cluster, java, jars

    @property
    def _properties(self) -> Path:
        return self.folder / "config" / f"{self.name}.properties"

    def files(self) -> Mapping[Path, str]:
        data = self.folder / "data" / f"{self._cluster.label}-zookeeper"
        return {self._properties: SETTINGS.format(data=data, host=HOST, port=self._port)}

    @property
    def _port(self) -> int:
        return self.state.ports[self.name]

    def command(self) -> list[str]:
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        return java_command(self._java, self._jars, main, str(self._properties), before_4=True)

    def problem(self) -> str | None:
        with socket.create_connection((HOST, self._port), timeout=TIMEOUT) as connection:
            connection.sendall(b"ruok")
            answer = connection.recv(4)
        return None if answer == b"imok" else f"it answers {answer!r}"
