"""Connectors of one job, whatever runs them: the job makes configs and says where they begin, all else is here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.config_diff import config_diff
from kafka_ferry.core.finding import Finding
from kafka_ferry.hooks.connect.hook import Offsets
from kafka_ferry.hooks.connect.states import Readiness
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind

if TYPE_CHECKING:
    from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole

#: Connector to its configuration; in the order they should be created.
Configs = Mapping[str, Mapping[str, str]]
#: From the offsets that are kept for a connector to those that have to change before it runs; may refuse it.
Begin = Callable[[Offsets], Offsets]


def at_least_one(connector: str) -> int:
    """Tasks that must run, where nothing is known of their number."""
    return 1


class ConnectorRuntime(Protocol):
    """What runs connectors. It holds no state: each call looks at the live system.

    Two runtimes there are: Kafka Connect by its REST API (``kafka_connect.py``) and MSK Connect (``msk_connect.py``).
    """

    @property
    def own_topics(self) -> tuple[str, ...]:
        """Topics on the target that it keeps offsets in for this job alone; known without asking anyone."""

    # -- plan ----------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Where the connectors run, for the plan (JSON)."""

    def check(self, connector_class: str, cluster_id: str | None, plugin: str) -> None:
        """Whether it can run a class, for a cluster.

        :param cluster_id: that it has to write to; None: any, as for a sink.
        :param plugin: what brings the class, in words.
        :raises BadParam: it cannot, or it writes into another cluster.
        """

    def service_role(
        self, kind: Kind, connectors: Sequence[str], topics: Sequence[str], own: Sequence[str], *,
        groups: Sequence[str] = (), pattern: str = "*",
    ) -> ServiceRole | None:  # fmt: skip
        """The role that connectors run with, where there is one; params as those of ``RoleNeeds``."""

    def login_findings(self) -> list[Finding]:
        """What connectors cannot do of what the target's brokers want; empty where something else finds that out."""

    def client_settings(self, kafka_conn_id: str) -> dict[str, str]:
        """Java client settings of a cluster, as connectors are to have them."""

    def reference(self, conn_id: str, key: str) -> str | None:
        """The ConfigProvider's reference by which connectors find a secret of a connection; None: they are sent it."""

    def changes(self, configs: Configs) -> list[Change]:
        """What ``deploy`` would do, without secrets. Changes nothing.

        :raises BadParam: a config is refused.
        """

    # -- run -----------------------------------------------------------------------------------------------------------

    def make_way(self, connectors: Iterable[str]) -> set[str]:
        """Those that would begin: not there, or stopped. One that can only be made again is deleted for that."""

    def config(self, connector: str) -> Mapping[str, str] | None:
        """Its configuration now; None: it is not there."""

    def deploy(self, configs: Configs, begin: Mapping[str, Begin], *, restart_failed: bool = False) -> None:
        """Create or adopt connectors, change only what differs, and let them run. Safe to repeat at any time.

        :param begin: for each connector whose offsets have to be looked at before it runs, or runs again. When one is
            refused that was made for it, nothing is left of it.
        :param restart_failed: what failed is restarted, where the runtime does not do so by itself.
        """

    def pause(self, connectors: Iterable[str]) -> None:
        """What they have begun is brought to its end; they stay, with their positions. Safe to repeat."""

    def resume(self, connectors: Iterable[str]) -> None:
        """Let them go on. Safe to repeat."""

    def readiness(self, connectors: Iterable[str], tasks: Callable[[str], int] = at_least_one) -> Readiness:
        """The worst verdict on connectors. RUNNING says nothing about records moving.

        :param tasks: how many tasks of a connector must run; asked only where the runtime tells tasks.
        """

    def problem(self, connectors: Iterable[str]) -> str:
        """Why a connector or task will not go on by itself; empty when none has failed."""

    def offsets(self, connector: str) -> Offsets:
        """``[{"partition": {...}, "offset": {...}}, …]``, as they were last committed."""

    # -- removal -------------------------------------------------------------------------------------------------------

    def existing(self, connectors: Iterable[str]) -> list[str]:
        """Those that are there now, dead or alive."""

    def remove(self, connectors: Iterable[str], *, forget: bool) -> list[str]:
        """Delete connectors and what was made for them outside of the cluster; what was there, for people.

        :param forget: their offsets too, unless these are in ``own_topics``.
        """

    def forget_internal(self, connectors: Iterable[str]) -> list[str]:
        """Delete topics that the runtime made on the cluster for these connectors and never deletes itself."""

    def left(self, connectors: Iterable[str]) -> list[str]:
        """What :meth:`remove` should have taken away and is there still."""

    def how_to_stop(self, connectors: Sequence[str]) -> str:
        """Commands that delete them by hand."""


def change(name: str, config: Mapping[str, str], actual: Mapping[str, str] | None) -> Change:
    """What would become of one connector; without secrets."""
    diff = config_diff(dict(config), actual)
    action = Action.CREATE if actual is None else Action.UPDATE if diff else Action.NONE
    return Change(action, "connector", name, f"{len(config)} keys" if actual is None else "; ".join(map(str, diff)))
