"""Replicators: their state machine. Nothing is copied here; a test that wants records on the target copies them."""

from __future__ import annotations

import hashlib
from typing import Any

from stack.msk.account import Account, page
from stack.msk.cluster import Clusters, name_of
from stack.msk.resources import Replicator
from stack.msk.wire import Refused

MOST_REPLICATORS = 15  # developer guide, "MSK Replicator quota"
#: Of a topic's and a group's part, what an update takes.
_UPDATABLE = {
    "TopicReplication": (
        "CopyAccessControlListsForTopics", "CopyTopicConfigurations", "DetectAndCopyNewTopics", "TopicsToExclude",
        "TopicsToReplicate",
    ),
    "ConsumerGroupReplication": (
        "ConsumerGroupsToExclude", "ConsumerGroupsToReplicate", "DetectAndCopyNewConsumerGroups",
        "SynchroniseConsumerGroupOffsets",
    ),
}  # fmt: skip
# What the service takes for what is left out (developer guide): a new replicator copies nothing that is there.
_TOPIC_DEFAULTS = {
    "CopyAccessControlListsForTopics": True, "CopyTopicConfigurations": True, "DetectAndCopyNewTopics": True,
    "StartingPosition": {"Type": "LATEST"}, "TopicNameConfiguration": {"Type": "PREFIXED_WITH_SOURCE_CLUSTER_ALIAS"},
    "TopicsToExclude": [],
}  # fmt: skip
_GROUP_DEFAULTS = {
    "ConsumerGroupOffsetSyncMode": "LEGACY", "ConsumerGroupsToExclude": [], "DetectAndCopyNewConsumerGroups": True,
    "SynchroniseConsumerGroupOffsets": True,
}  # fmt: skip


class Replicators:
    """Their operations; each takes and gives what botocore's model says."""

    def __init__(self, account: Account, clusters: Clusters) -> None:
        self._account, self._clusters = account, clusters

    def create_replicator(self, params: dict[str, Any]) -> dict[str, Any]:
        account, name = self._account, params["ReplicatorName"]
        account.free_name(account.replicators.values(), name)
        if len(account.replicators) >= MOST_REPLICATORS:
            raise Refused("TooManyRequestsException", "Limit exceeded. Resource limit reached.")
        self._check(params)
        (info,) = params["ReplicationInfoList"]
        info = {
            **info,
            "TopicReplication": {**_TOPIC_DEFAULTS, **info["TopicReplication"]},
            "ConsumerGroupReplication": {**_GROUP_DEFAULTS, **info["ConsumerGroupReplication"]},
        }
        arn = account.arn("replicator", name).replace(":kafkaconnect:", ":kafka:")
        replicator = Replicator(arn, name, account.looks, dict(params.get("Tags", {})), request=params, info=info)
        if account.faults.replicators:
            replicator.fault = account.faults.replicators.pop(0)
        account.replicators[arn] = replicator
        return {"ReplicatorArn": arn, "ReplicatorName": name, "ReplicatorState": replicator.state}

    def describe_replicator(self, params: dict[str, Any]) -> dict[str, Any]:
        replicator = self._account.find(self._account.replicators, params["ReplicatorArn"])
        self._go_on(replicator)
        self._account.find(self._account.replicators, replicator.arn)
        return self._described(replicator)

    def list_replicators(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted, everything = params.get("ReplicatorNameFilter", ""), self._account.replicators.values()
        found = [_short(self._described(one)) for one in everything if one.name.startswith(wanted)]
        asked = {"nextToken": params["NextToken"]} if "NextToken" in params else {}
        asked |= {"maxResults": params["MaxResults"]} if "MaxResults" in params else {}
        listed, more = page(found, asked)
        return {"Replicators": listed, **({"NextToken": more["nextToken"]} if more else {})}

    def update_replication_info(self, params: dict[str, Any]) -> dict[str, Any]:
        replicator = self._account.find(self._account.replicators, params["ReplicatorArn"])
        if params["CurrentVersion"] != replicator.version:
            raise Refused("BadRequestException", "The CurrentVersion does not match the replicator's current version.")
        if replicator.state != "RUNNING":
            raise Refused("BadRequestException", f"The replicator is {replicator.state}.")
        parts = [part for part in _UPDATABLE if part in params]
        # "must be updated independently in separate update actions" (developer guide, "Edit replicator settings")
        if bool(parts) == ("LogDelivery" in params):
            raise Refused("BadRequestException", "Either topics and groups or log delivery must be given.")
        for member in ("SourceKafkaClusterArn", "SourceKafkaClusterId", "TargetKafkaClusterArn"):
            if parts and params.get(member) != replicator.info.get(member):
                raise Refused("BadRequestException", f"Invalid parameter {member}: no such replication.")
        replicator.desired = {part: {**replicator.info[part], **params[part]} for part in parts}
        replicator.state, replicator.looks = "UPDATING", self._account.looks
        return {"ReplicatorArn": replicator.arn, "ReplicatorState": replicator.state}

    def delete_replicator(self, params: dict[str, Any]) -> dict[str, Any]:
        replicator = self._account.find(self._account.replicators, params["ReplicatorArn"])
        if params.get("CurrentVersion", replicator.version) != replicator.version:
            raise Refused("BadRequestException", "The CurrentVersion does not match the replicator's current version.")
        replicator.state, replicator.looks = "DELETING", self._account.looks
        return {"ReplicatorArn": replicator.arn, "ReplicatorState": replicator.state}

    # -- the machine ---------------------------------------------------------------------------------------------------

    def _go_on(self, replicator: Replicator) -> None:
        """What has happened since the last look."""
        faults = self._account.faults
        if replicator.state in ("RUNNING", "FAILED") or not replicator.looked():
            return
        if replicator.state == "DELETING":
            del self._account.replicators[replicator.arn]
        elif replicator.state == "CREATING" and not faults.never_runs:
            replicator.state = "FAILED" if replicator.fault else "RUNNING"
        elif replicator.state == "UPDATING":
            fault = replicator.fault = faults.replications.pop(0) if faults.replications else None
            if not fault:
                replicator.info = {**replicator.info, **replicator.desired}
            # One that keeps the old settings and runs on says nothing.
            replicator.state = "FAILED" if fault and fault.get("state") != "RUNNING" else "RUNNING"
            replicator.bump()

    def _check(self, params: dict[str, Any]) -> None:
        if len(params["KafkaClusters"]) != 2 or len(params["ReplicationInfoList"]) != 1:
            raise Refused("BadRequestException", "Exactly two clusters and one replication are allowed.")
        (info,) = params["ReplicationInfoList"]
        ends = [_end(cluster) for cluster in params["KafkaClusters"]]
        sides = [
            info.get(f"{side}KafkaClusterArn") or info.get(f"{side}KafkaClusterId") for side in ("Source", "Target")
        ]
        if sorted(map(str, ends)) != sorted(map(str, sides)) or len(set(ends)) != 2:
            raise Refused("BadRequestException", "The replication does not name the two clusters.")
        for cluster, arn in zip(params["KafkaClusters"], ends, strict=True):
            if "AmazonMskCluster" in cluster:
                self._clusters.known(arn)
                if not self._clusters.iam[arn]:
                    raise Refused("BadRequestException", "IAM access control is not enabled for the cluster.")
            else:
                _check_outside(cluster)
                if info.get("SourceKafkaClusterId") != arn:
                    raise Refused("BadRequestException", "A Kafka outside MSK can only be the source.")
                if self._clusters.serverless & set(ends):
                    raise Refused("BadRequestException", "The target must be a provisioned cluster.")
            if len(cluster.get("VpcConfig", {}).get("SubnetIds", ())) < 2:
                raise Refused("BadRequestException", "At least two subnets are needed.")

    @staticmethod
    def _described(replicator: Replicator) -> dict[str, Any]:
        clusters = [{**one, "KafkaClusterAlias": alias_of(_end(one))} for one in replicator.request["KafkaClusters"]]
        info = {
            key: value
            for key, value in replicator.info.items()
            if key not in ("SourceKafkaClusterArn", "TargetKafkaClusterArn", "SourceKafkaClusterId")
        }
        for side in ("Source", "Target"):
            end = replicator.info.get(f"{side}KafkaClusterArn") or replicator.info.get(f"{side}KafkaClusterId")
            info[f"{side}KafkaClusterAlias"] = alias_of(str(end))
        found = {
            "ReplicatorArn": replicator.arn,
            "ReplicatorName": replicator.name,
            "ReplicatorState": replicator.state,
            "CurrentVersion": replicator.version,
            "CreationTime": replicator.created,
            "ServiceExecutionRoleArn": replicator.request["ServiceExecutionRoleArn"],
            "KafkaClusters": clusters,
            "ReplicationInfoList": [info],
            "Tags": replicator.tags,
        }
        if "LogDelivery" in replicator.request:
            found["LogDelivery"] = replicator.request["LogDelivery"]
        if replicator.state == "FAILED" and replicator.fault:
            found["StateInfo"] = {"Code": replicator.fault.get("code"), "Message": replicator.fault.get("message")}
        return found


def alias_of(end: str) -> str:
    """The alias of a cluster, which the service chooses; the prefix of topics is such a one."""
    return f"{name_of(end) if '/' in end else end}-{hashlib.sha256(end.encode()).hexdigest()[:8]}"


def _check_outside(cluster: dict[str, Any]) -> None:
    """Of a Kafka that is not MSK's: TLS, and one login with a secret (developer guide; shapes are the model's)."""
    if cluster.get("EncryptionInTransit", {}).get("EncryptionType") != "TLS":
        raise Refused("BadRequestException", "EncryptionInTransit must be TLS.")
    if len(logins := cluster.get("ClientAuthentication", {})) != 1:
        raise Refused("BadRequestException", "Exactly one kind of ClientAuthentication is needed.")
    if not all(str(login.get("SecretArn", "")).startswith("arn:aws:secretsmanager:") for login in logins.values()):
        raise Refused("BadRequestException", "SecretArn is not valid.")


def _end(cluster: dict[str, Any]) -> str:
    apache = cluster.get("ApacheKafkaCluster", {}).get("ApacheKafkaClusterId", "")
    return str(cluster.get("AmazonMskCluster", {}).get("MskClusterArn", apache))


def _short(found: dict[str, Any]) -> dict[str, Any]:
    """What a list tells: no StateInfo, no topics, no groups."""
    members = ("ReplicatorArn", "ReplicatorName", "ReplicatorState", "CurrentVersion", "CreationTime")
    return {key: found[key] for key in members}
