"""What can go wrong with MSK Connect and MSK."""

from __future__ import annotations

from kafka_ferry.exceptions import FerryError, TransientError


class MskConnectError(FerryError):
    """MSK Connect, or MSK, refused a call.

    :param code: the error's name in botocore's model, such as ``BadRequestException``.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class MskConnectUnavailable(MskConnectError, TransientError):
    """It did not answer, or has too much to do (429, 5xx). A 429 may also mean a quota: the same error says both."""

    retriable = True


class ResourceNotFound(MskConnectError):
    """No such connector, plugin, worker configuration, operation, replicator or topic."""


class NameTaken(MskConnectError):
    """409: the name is in use, or the connector is busy with another operation."""


class StaleVersion(MskConnectError):
    """The connector was changed between the read of its ``currentVersion`` and the update."""

    retriable = True


class NotSupported(MskConnectError):
    """The installed boto3 does not know the operation."""


class ConnectorFailed(MskConnectError):
    """A connector ended FAILED; with its stateDescription and the last lines of its log."""


class PluginFailed(MskConnectError):
    """A custom plugin could not be made."""


class ReplicatorFailed(MskConnectError):
    """A replicator is FAILED; with its StateInfo."""


class OperationFailed(MskConnectError):
    """An update, pause, resume or restart failed or was rolled back: what was asked for is not in force."""


class WaitTimedOut(MskConnectError):
    """The state did not come in time."""

    retriable = True


class DifferentResource(MskConnectError):
    """A resource of this name exists that is not the one asked for and cannot be changed into it."""
