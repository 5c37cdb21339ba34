"""Ask what kind of MSK cluster a migration's target is."""

from __future__ import annotations

import logging

from kafka_ferry.core.arns import region_of
from kafka_ferry.core.msk_iam import is_msk_iam, is_serverless
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.migration.rules.msk_limits import MskKind, MskTarget
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

log = logging.getLogger(__name__)


def ask_msk_target(spec: MigrationSpec, target: KafkaClusterHook) -> MskTarget | None:
    """By its ARN where a param has it, else by the names of its hosts; None: it is not MSK's as far as these tell.

    It only adds to what the plan knows: what does not answer here fails nothing.
    """
    why = "no cluster_arn is given"
    if spec.cluster_arn:
        from kafka_ferry.hooks.msk.client import MskClient  # boto3 is slow to load, and rarely needed here

        arn, region = spec.cluster_arn, region_of(spec.cluster_arn)
        try:
            hook = MskClient(client_type="kafka", aws_conn_id=spec.aws_conn_id, region_name=region)
            return MskTarget.from_description(hook.call("describe_cluster_v2", ClusterArn=arn)["ClusterInfo"])
        except FerryError as fault:
            log.info("%s: %s", arn, fault)
            why = str(fault).partition(". Fix")[0]
    servers = str(target.extra.get("bootstrap.servers") or target.extra.get("metadata.broker.list") or "")
    if is_serverless(servers):
        return MskTarget(MskKind.SERVERLESS)
    msk = bool(spec.cluster_arn) or any(is_msk_iam(server) for server in servers.split(","))
    return MskTarget(None, why) if msk else None
