"""One Kafka cluster, reached through an Airflow connection of type ``kafka`` (extra = librdkafka settings)."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any, Literal

from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.kafka_extra import fault
from kafka_ferry.core.msk_iam import AWS_CONNECTION, login_of
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.redaction import secret_values
from kafka_ferry.exceptions import BadConnection, FerryError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config, is_iam, missing_file
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader

_LAST = 5  # a marker of a transaction is no record, and a compacted topic has gaps


class KafkaClusterHook(BaseHook):
    """A cluster as the other rooms see it: admin calls and a record reader.

    :param conn_id: Airflow connection id.
    :param without_headers: names of headers that its readers leave out of every record.
    """

    conn_type = "kafka"

    def __init__(self, conn_id: str, without_headers: Collection[str] = ()) -> None:
        super().__init__()
        self.conn_id, self.without_headers = conn_id, without_headers

    @cached_property
    def extra(self) -> dict[str, Any]:
        """The connection's extra, with the ``aws`` connection that MSK IAM logs in by, for processes of ours that
        cannot ask Airflow. All secrets are masked in the log from here on.

        :raises BadConnection: no such connection, or it has no ``bootstrap.servers``, or names an ``aws`` connection
            that is none.
        """
        try:
            extra = dict(self.get_connection(self.conn_id).extra_dejson)
        except AirflowNotFoundException as error:
            raise BadConnection(
                f"connection {self.conn_id!r} does not exist. Fix: create it with type kafka and an extra such as "
                '{"bootstrap.servers": "broker:9092"}'
            ) from error
        if not (extra.get("bootstrap.servers") or extra.get("metadata.broker.list")):
            raise BadConnection(f"connection {self.conn_id!r}: its extra has no bootstrap.servers")
        if wrong := fault(extra) or missing_file(extra):
            raise BadConnection(f"connection {self.conn_id!r}: {wrong}")
        aws_conn_id = login_of("", str(extra.get("sasl.oauthbearer.config", ""))).aws_conn_id if is_iam(extra) else None
        if aws_conn_id:
            from kafka_ferry.hooks.kafka.msk_session import held_connection

            extra[AWS_CONNECTION] = held_connection(aws_conn_id)
        for secret in secret_values(extra):
            mask_secret(secret)
        return extra

    @cached_property
    def admin(self) -> KafkaAdmin:
        return KafkaAdmin(client_config(self.extra), self.conn_id)

    def reader(
        self, isolation_level: Literal["read_committed", "read_uncommitted"], *, few: bool = False
    ) -> LibrdkafkaReader:
        """A reader of its own; close it, or use it in a ``with``.

        :param few: for a sample of many partitions rather than all of some.
        """
        return LibrdkafkaReader(
            client_config(self.extra), isolation_level, few=few, without_headers=self.without_headers
        )

    def newest(self, partitions: Collection[Partition]) -> dict[Partition, int | None]:
        """The largest timestamp of the last records of each partition, ms since 1970; None where there are none.

        They are read: brokers before 3.0 do not know MAX_TIMESTAMP (KIP-734), which librdkafka asks of them all the
        same, and answer with the first record's (measured on 2.4.1, 2.6.0 and 2.8.2).
        """
        begins = self.admin.offsets(partitions, "earliest", "read_uncommitted")
        ends = self.admin.offsets(partitions, "latest", "read_uncommitted")
        wanted = {tp: range(max(begins[tp], ends[tp] - _LAST), ends[tp]) for tp in partitions}
        newest: dict[Partition, int | None] = dict.fromkeys(partitions)
        with self.reader("read_uncommitted", few=True) as reader:
            for (topic, partition, _), record in reader.read_records(wanted).items():
                newest[topic, partition] = max(record.timestamp_ms, newest[topic, partition] or 0)
        return newest

    def test_connection(self) -> tuple[bool, str]:
        """For the Test button of the connection form."""
        try:
            cluster = self.admin.describe_cluster()
        except FerryError as error:
            return False, str(error)
        return True, f"cluster {cluster.cluster_id}, {cluster.brokers} broker(s)"
