"""Which names runs of streams share, so that only one may work on each at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.jobs.common.run_lock import SharedName

if TYPE_CHECKING:
    from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream


def stream_names(stream: CdcStream) -> list[SharedName]:
    """The connector, which bears the DAG's id; and the topics, which do not."""
    spec = stream.spec
    param = "topic_prefix" if spec.topic_prefix else "stream"
    why = f"both would write topics {spec.prefix}.* on {spec.target_conn_id}"
    return [
        SharedName("stream", spec.stream, f"runs as/{stream.connector.name}"),
        SharedName(
            param, spec.prefix, f"prefix/{stream.target.admin.describe_cluster().cluster_id}/{spec.prefix}", why
        ),
    ]
