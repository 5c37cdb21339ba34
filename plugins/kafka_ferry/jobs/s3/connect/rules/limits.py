"""What a run cannot ask for when a connector carries the records: each param with its cure. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.rules.msk_params import check_committed, check_idempotent, check_msk_connect
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import VENDORS
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import check_format

if TYPE_CHECKING:
    from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

_ENGINE = "transport: engine"


def check_connector(spec: ExportSpec) -> None:
    """:raises BadParam: what is asked for is another connector's, or of no connector at all."""
    if spec.connector == "kafka_ferry":
        if spec.format == "bytes":
            fix = "parquet, jsonl or avro; or another connector"
            raise BadParam("format", "is bytes, which only connectors of other makers write", fix)
        if spec.accept_losses:
            raise BadParam("accept_losses", "is set, and nothing gets lost", "leave it out; or another connector")
    elif spec.transport == "engine":
        problem = f"is {spec.connector}, but with transport engine no connector copies"
        raise BadParam("connector", problem, "transport: connect; or leave connector out")
    elif spec.transport == "msk_connect":
        problem = f"is {spec.connector}, and on MSK Connect only ours is made"
        raise BadParam("connector", problem, "transport: connect; or leave connector out")


def check_export(spec: ExportSpec) -> None:
    """:raises BadParam: the sink cannot do what is asked for."""
    _check_both(spec)
    if spec.transport == "msk_connect":
        check_msk_connect(spec, "source_conn_id")
        check_committed(spec)
    if spec.connector != "kafka_ferry":
        _check_vendor(spec)
        return
    if spec.mode == "full":
        raise BadParam(
            "mode",
            "full begins at the log start again, and a sink goes on where its export ends",
            f"mode: incremental with another export name; or {_ENGINE}",
        )


def _check_vendor(spec: ExportSpec) -> None:
    check_format(VENDORS[spec.connector], "sink", spec.format)
    if spec.follow_for:
        raise BadParam(
            "follow_for",
            "is set, but what another maker's sink writes has no manifests by which it could be followed",
            "0, and connector_afterwards: run, which lets the connector go on",
        )
    if spec.mode == "full":
        fix = "mode: incremental with another export name"
        raise BadParam("mode", "full begins at the log start again, and a sink goes on where it was", fix)


def check_import(spec: ImportSpec) -> None:
    """:raises BadParam: the source connector cannot do what is asked for."""
    _check_both(spec)
    if spec.transport == "msk_connect":
        check_msk_connect(spec, "target_conn_id")
        check_idempotent(spec)
    if spec.export_id:
        raise BadParam(
            "export_id", "is set, and our S3 source reads all exports of a name", f"leave it out; or {_ENGINE}"
        )
    if spec.copy_to:
        _check_s3("copy_to", spec.copy_to)


def _check_both(spec: ExportSpec | ImportSpec) -> None:
    _check_s3("location", spec.location)
    if spec.signing_conn_id:
        raise BadParam(
            "signing_conn_id",
            "is set, and our S3 connectors neither sign manifests nor look at signatures",
            f"leave it out; or {_ENGINE}",
        )


def _check_s3(param: str, location: str) -> None:
    if not location.startswith("s3://"):
        raise BadParam(param, f"is {location}, and our S3 connectors know buckets only", f"s3://bucket/…; or {_ENGINE}")
