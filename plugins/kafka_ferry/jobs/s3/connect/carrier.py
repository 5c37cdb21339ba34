"""The connector that carries a run's records, and what runs it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kafka_ferry.core.plan import PlannedEngine
from kafka_ferry.core.redaction import redact
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook, Offsets
from kafka_ferry.hooks.connect.states import Verdict
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.jobs.runtimes.connectors import Begin, ConnectorRuntime
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import OWN
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Vendor, Way, loss_findings

if TYPE_CHECKING:
    from kafka_ferry.core.changes import Change
    from kafka_ferry.core.finding import Finding
    from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole
    from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

#: What of an upload's arguments our connectors have a setting for.
_SAID = {"ServerSideEncryption": "encryption", "SSEKMSKeyId": "kms_key"}


@dataclass(frozen=True)
class Carrier:
    """One connector, by what it shall do.

    :param name: as the runtime calls it; the same in every run of the same export.
    :param made_by: whose it is. ``accepted``: what may get lost. ``transport``: the run's.
    """

    name: str
    runtime: ConnectorRuntime
    intent: Intent
    made_by: Vendor = OWN
    accepted: tuple[str, ...] = ()
    transport: str = "connect"

    @cached_property
    def config(self) -> dict[str, str]:
        """With secrets."""
        return self.made_by.config(self.intent, self.accepted)

    def findings(self) -> list[Finding]:
        """What gets lost with it, and what its workers cannot do."""
        found = [*loss_findings(self.made_by, self.intent, self.accepted), *self.runtime.login_findings()]
        return [*found, *self.service_role.findings()] if self.service_role else found

    @cached_property
    def service_role(self) -> ServiceRole | None:
        """The role that it runs with, where there is one."""
        intent = self.intent
        kind = Kind.S3_SINK if intent.way == "sink" else Kind.S3_SOURCE
        topics = sorted(intent.renames.get(topic, topic) for topic in intent.topics)
        return self.runtime.service_role(kind, [self.name], topics, ())

    def check(self, cluster_id: str | None) -> None:
        """:param cluster_id: of the cluster that its workers have to be of; None: any.

        :raises BadParam: the workers are too old, lack the plugin, or are of another cluster.
        """
        way = self.intent.way
        self.runtime.check(self.made_by.classes[way], cluster_id, self.made_by.plugin[way])

    def changes(self) -> list[Change]:
        """What ``deploy`` would do.

        :raises BadParam: the worker refuses the config.
        """
        return self.runtime.changes({self.name: self.config})

    def planned(self) -> PlannedEngine:
        """For the plan: where it runs, and its config without secrets."""
        about = self.runtime.about()
        role = {"service_role": self.service_role.about()} if self.service_role else {}
        told = {"name": self.transport, **about, "connectors": {self.name: self.shown()}, **role}
        return PlannedEngine.model_validate(told)

    def shown(self) -> dict[str, Any]:
        """Its config without secrets."""
        return redact(self.config)

    def deploy(self, begin: Begin | None = None, behind: Callable[[Offsets], bool] = lambda _: False) -> None:
        """Make or adopt it, and let it run; what failed is restarted.

        :param begin: looks at its offsets before it runs, where it does not run yet.
        :param behind: whether one that runs has to be stopped for that.
        """
        begins: Mapping[str, Begin] = {}
        if begin is not None and (self.runtime.make_way([self.name]) or behind(self.runtime.offsets(self.name))):
            begins = {self.name: begin}
        if self.service_role and not self.runtime.existing([self.name]):
            self.service_role.refuse()  # it may have been changed since the plan
        self.runtime.deploy({self.name: self.config}, begins, restart_failed=True)

    def problem(self) -> str:
        """Why it will not go on by itself; empty: nothing has failed."""
        return self.runtime.problem([self.name])

    def state(self) -> str:
        """What the runtime says of it."""
        whose = "MSK Connect" if self.transport == "msk_connect" else "Kafka Connect"
        return f"{whose} says: {self.runtime.readiness([self.name]).reason}"

    def starts(self) -> bool:
        """Whether it cannot copy yet: on MSK Connect its workers take minutes to come."""
        return self.transport == "msk_connect" and self.runtime.readiness([self.name]).verdict is Verdict.WAITING

    def pause(self) -> bool:
        """What was begun is brought to its end; whether it is there."""
        there = bool(self.runtime.existing([self.name]))
        if there:
            self.runtime.pause([self.name])
        return there


def connector_name(export: str, way: str, place: str) -> str:
    """:param place: what tells it from the connector of another export of that name."""
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    return f"{export}.{'export' if way == 'sink' else 'import'}-{digest}"


def connect_runtime(connect_conn_id: str) -> KafkaConnectRuntime:
    return KafkaConnectRuntime(ConnectHook(connect_conn_id))


def msk_connector_name(export: str, way: Way, place: str) -> str:
    """As MSK Connect takes names: other exports may be of the same letters and digits, so all of it is in the digest.

    :raises BadParam: it is too long.
    """
    from kafka_ferry.jobs.runtimes.msk_connect import msk_name

    return msk_name(connector_name(export, way, f"{export} {place}"), "export")


def runtime_of(way: Way, spec: ExportSpec | ImportSpec, name: str, conn_id: str) -> ConnectorRuntime:
    """What runs the connector of a run.

    :param name: the connector's. ``conn_id``: of the cluster that workers of MSK Connect have to be of.
    """
    if spec.transport != "msk_connect":
        return connect_runtime(spec.connect_conn_id)
    from kafka_ferry.jobs.s3.connect.msk_connect import S3MskRuntime  # only here: it needs the extra aws

    return S3MskRuntime(way, spec, name, conn_id)


def bucket_of(location: str, aws_conn_id: str | None, runtime: ConnectorRuntime, param: str) -> dict[str, Any]:
    """Fields of an ``Intent``: where the objects are, as the ``aws`` connection says.

    Keys are never taken from it: the workers have their own, or find them by a ConfigProvider.

    :raises BadParam: the connection says what our connectors cannot do.
    """
    settings = store_settings(aws_conn_id)
    bucket, _, prefix = location.removeprefix("s3://").strip("/").partition("/")
    config, extra = settings.get("config_kwargs") or {}, settings.get("extra_args") or {}
    style = (config.get("s3") or {}).get("addressing_style")
    if other := sorted(set(extra) - set(_SAID)):
        fix = "leave them out and give the bucket its own encryption; or transport: engine"
        raise BadParam(param, f"asks for {', '.join(other)}, which our S3 connectors do not send", fix)
    references = {
        field: runtime.reference(aws_conn_id or "", key) or ""
        for field, key in (("key_id", "aws_access_key_id"), ("secret", "aws_secret_access_key"))
    }
    if bool(references["key_id"]) != bool(references["secret"]):
        fix = "both aws_access_key_id and aws_secret_access_key; or none, for the workers' own"
        raise BadParam("connect_conn_id", f"its config_provider has one key of {aws_conn_id!r} only", fix)
    return {
        "bucket": bucket,
        "prefix": prefix,
        "region": settings.get("region_name") or "",
        "endpoint": settings.get("endpoint_url") or "",
        "path_style": {"path": True, "virtual": False}.get(style or ""),
        **{field: str(extra[name]) for name, field in _SAID.items() if name in extra},
        **references,
    }


def bucket_notes(aws_conn_id: str | None, intent: Intent, transport: str = "connect") -> list[str]:
    """What a plan should say of how the workers reach the bucket."""
    settings = store_settings(aws_conn_id)
    notes = []
    if transport == "msk_connect":
        notes.append(
            f"the connector reaches s3://{intent.bucket}/{intent.prefix} by its service role, whose rights there are "
            "not checked (docs/s3_connectors.md, On MSK Connect)"
        )
        if intent.way == "sink" and intent.read_committed:
            notes.append(
                "isolation_level read_committed is asked for by the connector, as no worker configuration can: its "
                "workers keep to it or refuse the connector, which ends the run before the first record"
            )
    elif not intent.key_id:
        notes.append(
            "the workers use their own AWS credentials, not those of the connection "
            f"{aws_conn_id!r} (docs/s3_connectors.md, From a DAG)"
        )
    config = settings.get("config_kwargs") or {}
    own = [name for name in ("proxies", "client_cert", "signature_version") if config.get(name)]
    own += ["verify"] if settings.get("verify") is not None else []
    if own:
        notes.append(f"{', '.join(own)} of the connection {aws_conn_id!r} do not reach the workers: set up their JVM")
    return notes
