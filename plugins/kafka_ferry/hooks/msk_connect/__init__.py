"""Amazon MSK Connect over boto3 (``kafkaconnect``), as the amazon provider would have it."""

from kafka_ferry.hooks.msk_connect.hook import MskConnectHook

__all__ = ["MskConnectHook"]
