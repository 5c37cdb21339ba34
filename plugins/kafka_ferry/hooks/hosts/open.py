"""The host that an Airflow connection leads to."""

from __future__ import annotations

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.hosts.host import LOCAL, Host


def host_of(conn_id: str) -> Host:
    """The host that an Airflow connection names.

    ``local`` is this machine; a connection of type ``ssh`` is a host over SSH; one of type ``aws`` with
    ``{"instance_id": "i-…"}`` in its extra is an EC2 instance over SSM Run Command. Nothing is opened yet.

    :raises BadConnection: there is no such connection, or it names no host.
    """
    if conn_id == LOCAL:
        from kafka_ferry.hooks.hosts.local import LocalHost

        return LocalHost()

    from kafka_ferry.compat import AirflowNotFoundException, BaseHook

    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise BadConnection(
            f"connection {conn_id!r} does not exist. Fix: create it with type ssh, or aws with an extra such as "
            f'{{"instance_id": "i-0abc"}}, or write {LOCAL!r} for the machine Airflow runs on'
        ) from error
    if connection.conn_type == "ssh":
        from kafka_ferry.hooks.hosts.ssh import SshHost

        return SshHost(conn_id)
    if connection.conn_type == "aws":
        from kafka_ferry.hooks.hosts.ssm import SsmHost

        return SsmHost(conn_id)
    raise BadConnection(
        f"connection {conn_id!r} has type {connection.conn_type!r}; a host needs ssh, or aws with instance_id"
    )
