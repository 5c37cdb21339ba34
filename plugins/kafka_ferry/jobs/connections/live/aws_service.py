"""A client of any AWS service for a few quick calls."""

from __future__ import annotations

from typing import Any

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.client import MskClient
from kafka_ferry.jobs.connections.live.question import Question

with brought_by("aws"):
    from botocore.config import Config


class ServiceHook(MskClient):
    """Arguments are those of ``AwsBaseHook``.

    :ivar seconds: that one call may take.
    """

    seconds: float = 20

    @classmethod
    def of(cls, service: str, question: Question) -> ServiceHook:
        """The client of a service, by the question's connection."""
        made = cls(aws_conn_id=question.conn_id, client_type=service)
        made.seconds = question.spec.patience
        return made

    @property
    def config(self) -> Config:
        """The connection's, with an end."""
        half = max(1.0, self.seconds / 2)
        merged: Config = super().config.merge(
            Config(connect_timeout=half, read_timeout=half, retries={"total_max_attempts": 1})
        )
        return merged

    def endpoint(self, service: str) -> str | None:
        """The address that the connection gives a service; None: AWS's own.

        :raises BadConnection: the connection's settings cannot be read.
        """
        try:
            found: Any = self.conn_config.get_service_endpoint_url(service)
        except Exception as error:  # the provider's own
            raise BadConnection(f"connection {self.aws_conn_id!r} cannot be used: {type(error).__name__}") from error
        return str(found) if found else None

    def credentials(self) -> None:
        """:raises BadConnection: there are none, or a role could not be assumed."""
        try:
            found: Any = self.get_session().get_credentials()
            frozen = found and found.get_frozen_credentials()
        except Exception as error:  # botocore's and the provider's own
            raise BadConnection(
                f"connection {self.aws_conn_id!r}: no credentials ({type(error).__name__}). Fix: keys in the "
                "connection, or a role that it may assume"
            ) from error
        if not frozen:
            raise BadConnection(
                f"connection {self.aws_conn_id!r}: no credentials. Fix: keys in the connection, or a role"
            )
