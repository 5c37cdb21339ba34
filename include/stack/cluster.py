"""A cluster of the stack: which Kafka, how many brokers, their ports. Pure but for the stack's state."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import cached_property

from stack.errors import StackError
from stack.jars import POM
from stack.ports import HOST
from stack.state import State

MOST_BROKERS = 5
_KIND = re.compile(r"(?P<version>[0-9]+\.[0-9]+\.[0-9]+)?(?:x(?P<brokers>[0-9]+))?")


def own_version() -> str:
    """The Kafka of ``pom.xml``: what clusters and worker are by default."""
    found = ET.parse(POM).find(".//{*}kafka.version")  # noqa: S314 - a file of this project
    assert found is not None  # noqa: S101 - for the type checker
    return str(found.text)


@dataclass(frozen=True)
class Kind:
    """What a cluster is to be: ``2.6.0x2`` is two brokers of Kafka 2.6.0, or two workers of Kafka Connect 2.6.0.

    :param version: empty: that of ``pom.xml``.
    """

    version: str = ""
    brokers: int = 1

    @classmethod
    def parse(cls, text: str) -> Kind:
        """:raises StackError: it is not ``<version>``, ``x<brokers>`` or ``<version>x<brokers>``."""
        found = _KIND.fullmatch(text)
        brokers = int(found["brokers"] or 1) if found else 0
        if found is None or not 1 <= brokers <= MOST_BROKERS:
            raise StackError(
                f"{text!r}: say the version of Kafka, x and the number of brokers or workers, 1 to {MOST_BROKERS}, "
                "such as 2.6.0x3, 3.9.2 or x3"
            )
        version = found["version"] or ""
        return cls("" if version == own_version() else version, brokers)

    def __str__(self) -> str:
        return self.version + (f"x{self.brokers}" if self.brokers > 1 else "")

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the version, comparable."""
        return tuple(map(int, (self.version or own_version()).split(".")))

    @property
    def zookeeper(self) -> bool:
        """Whether it needs one: KRaft is for production since 3.3 (KIP-833)."""
        return self.numbers < (3, 3)

    @property
    def before_4(self) -> bool:
        """Whether it logs by log4j 1.2 (KIP-653)."""
        return self.numbers < (4,)

    @property
    def scram_by_protocol(self) -> bool:
        """Whether SCRAM users can be made by a request (KIP-554); before, only in ZooKeeper."""
        return self.numbers >= (2, 7)

    @property
    def replicas(self) -> int:
        """Of topics that leave it to the brokers, and of Kafka's own."""
        return min(3, self.brokers)

    @property
    def min_isr(self) -> int:
        """So that one broker may be lost where there are three."""
        return 2 if self.replicas == 3 else 1


class Cluster:
    """The cluster "source" or "target".

    Its first broker has the cluster's name, the others ``source-2``, ``source-3``.
    """

    def __init__(self, name: str, state: State, kind: Kind | None = None) -> None:
        self.name, self.state, self.kind = name, state, kind or Kind()

    @cached_property
    def brokers(self) -> dict[str, int]:
        """Name to ``node.id``."""
        return {self.name if number == 1 else f"{self.name}-{number}": number for number in self._numbers}

    @property
    def controllers(self) -> list[str]:
        """Brokers that are KRaft controllers too: of two nodes one, as a quorum of two is lost with either."""
        names = list(self.brokers)
        return [] if self.kind.zookeeper else names if len(names) > 2 else names[:1]

    @property
    def zookeeper(self) -> str:
        """Its ZooKeeper's name."""
        return f"{self.name}-zookeeper"

    @property
    def bootstrap(self) -> str:
        """``bootstrap.servers``: all of its brokers."""
        return ",".join(f"{HOST}:{self.state.ports[name]}" for name in self.brokers)

    @property
    def quorum(self) -> str:
        """``controller.quorum.voters``."""
        ports = self.state.ports
        return ",".join(f"{self.brokers[name]}@{HOST}:{ports[f'{name}-controller']}" for name in self.controllers)

    @property
    def label(self) -> str:
        """Of its data: another kind of cluster does not start on what this one wrote."""
        return f"{self.name}-{self.kind}" if str(self.kind) else self.name

    def ports(self) -> dict[str, str]:
        """Port to the service that listens on it."""
        result = {name: name for name in self.brokers}
        result |= {f"{name}-controller": name for name in self.controllers}
        if self.state.listener:
            result |= {f"{name}-internal": name for name in self.brokers}
        return result | ({self.zookeeper: self.zookeeper} if self.kind.zookeeper else {})

    @property
    def _numbers(self) -> range:
        return range(1, self.kind.brokers + 1)
