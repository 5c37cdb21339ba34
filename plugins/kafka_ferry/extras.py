"""What an extra of the package brings: who imports it says which extra, and without it the error names the command.

Without ``fast`` the work is done all the same, with a warning (``hooks/kafka/reading/batch_stream.py``): its modules
are imported behind that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from kafka_ferry.exceptions import FerryError

#: Extra to the modules that only it brings.
EXTRAS = {
    "aws": ("airflow.providers.amazon", "aws_msk_iam_sasl_signer", "boto3", "botocore"),
    "cdc": ("pymysql", "pymysqlreplication"),
    "fast": ("llvmlite", "numba"),
    "hosts": ("airflow.providers.ssh", "paramiko"),
}


class MissingExtra(FerryError):
    """A package that this part needs is not installed."""


@contextmanager
def brought_by(extra: Literal["aws", "cdc", "fast", "hosts"]) -> Iterator[None]:
    """Around imports of an extra's modules.

    :raises MissingExtra: one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = error.name or ""
        if not any(name == module or name.startswith(f"{module}.") for module in EXTRAS[extra]):
            raise
        raise MissingExtra(
            f"{name} is not installed. Fix: pip install 'kafka-ferry[{extra}]' for all of Airflow's processes"
        ) from error
