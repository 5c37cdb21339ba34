"""The boto3 client of MSK or MSK Connect with errors that say whether to try again, and its waiters."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.redaction import redact_text, secret_values
from kafka_ferry.exceptions import BadConnection, BadParam, FerryError, NotAuthorized
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk_connect.rules.errors import (
    ConnectorFailed,
    MskConnectError,
    MskConnectUnavailable,
    NameTaken,
    NotSupported,
    OperationFailed,
    PluginFailed,
    ReplicatorFailed,
    ResourceNotFound,
    StaleVersion,
    WaitTimedOut,
)
from kafka_ferry.hooks.msk_connect.rules.states import Operation, state_text
from kafka_ferry.hooks.objects.aws_connection import check_aws_connection, client_with

with brought_by("aws"):
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        NoRegionError,
        ParamValidationError,
        PartialCredentialsError,
        WaiterError,
    )

WAITER_DELAY, WAITER_MAX_ATTEMPTS = 30, 80  # 40 minutes; a connector that cannot reach its cluster fails after 20

_UNAVAILABLE = frozenset(
    {
        "ClusterConnectivityException", "ControllerMovedException", "InternalServerErrorException",
        "InternalServiceException", "KafkaTimeoutException", "NotControllerException", "PolicyEvaluation",
        "ServiceFailure", "ServiceUnavailableException", "Throttling", "ThrottlingException",
        "TooManyRequestsException", "500", "502", "503", "504",
    }
)  # fmt: skip
_NOT_ALLOWED = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "ExpiredTokenException", "ForbiddenException",
        "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationTokenException",
        "UnauthorizedException", "UnrecognizedClientException",
    }
)  # fmt: skip
_LIMIT_HINT = (
    "too many requests, or a quota (60 workers, 100 custom plugins, 100 worker configurations, 15 replicators an "
    "account)"
)
#: Calls that take a ``currentVersion``; none of them has a Conflict in the model.
_VERSIONED = ("update_connector", "delete_connector", "update_replication_info", "delete_replicator")
_SINCE = {"restart_connector": "1.43.84", "pause_connector": "1.43.118", "resume_connector": "1.43.118"}  # bisected


class Outcome(StrEnum):
    """What one look at a waiter's subject says."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Look:
    """An outcome and its words, without secrets."""

    outcome: Outcome
    reason: str


class MskClient(AwsBaseHook):
    """Calls, waiters and feature detection; arguments are those of ``AwsBaseHook``.

    :cvar next_page: how the service calls the place where a list goes on.
    """

    next_page: ClassVar[str] = "nextToken"
    deletion_delay, deletion_attempts = 10.0, 180  # of what stands in the way of something new

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("client_type", "kafka")
        super().__init__(*args, **kwargs)

    @cached_property
    def conn(self) -> Any:
        """boto3's client.

        :raises BadConnection: a connection is named that does not exist, or is of another type.
        """
        check_aws_connection(self.aws_conn_id)
        return super().conn

    @cached_property
    def waiter_path(self) -> Path:
        """Our waiters: botocore has none for these services, and the provider looks into its own package."""
        return Path(__file__).parent / "waiters" / f"{self.client_type}.json"

    def sibling(self, service: str, region: str | None = None, config: Config | None = None) -> Any:
        """boto3's client of another service, or in another region, by the same connection.

        :param config: botocore's, which goes before what the connection says.
        """
        check_aws_connection(self.aws_conn_id)
        hook: Any = AwsBaseHook(
            aws_conn_id=self.aws_conn_id,
            client_type=service,
            region_name=region or self._region_name,
            verify=self._verify,
            config=self._config,
        )
        return client_with(hook, ours=config) if config else hook.conn

    def explained(self, arn: str, reason: str) -> str:
        """A failure with all that can be had."""
        return reason

    def supports(self, operation: str) -> bool:
        """Whether the installed boto3 knows an operation, by its Python name; the provider's floor lacks some."""
        return hasattr(self.conn, operation)

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """One call, its errors translated; the secrets of a connector's config are in none of them.

        :raises MskConnectError: or a subclass; ``retriable`` says whether the same call may succeed later.
        :raises BadParam: boto3 itself finds the params wrong.
        :raises NotAuthorized: IAM says no.
        """
        if not self.supports(operation):
            since = f" (since {_SINCE[operation]})" if operation in _SINCE else ""
            raise NotSupported(f"the installed boto3 has no {operation}. Fix: a newer boto3{since}")
        try:
            answer = dict(getattr(self.conn, operation)(**params))
        except ParamValidationError as error:
            words = redact_text(str(error), secret_values(params))
            raise BadParam(operation, words.replace("\n", " "), "see the API reference") from None
        except ClientError as error:
            raise translated(operation, error.response.get("Error", {}), secret_values(params)) from None
        except (NoCredentialsError, NoRegionError, PartialCredentialsError) as error:
            raise BadConnection(f"connection {self.aws_conn_id!r}: {error}") from None
        except BotoCoreError as error:
            raise MskConnectUnavailable(f"{operation}: {error}", type(error).__name__) from None
        beat()
        return answer

    def pages(self, operation: str, member: str, **params: Any) -> Iterator[dict[str, Any]]:
        """All items of a list."""
        token: dict[str, str] = {}
        while True:
            answer = self.call(operation, **params, **token)
            yield from answer.get(member, ())
            if not answer.get(self.next_page):
                return
            token = {self.next_page: answer[self.next_page]}

    def look(self, waiter: str, **params: str) -> Look:
        """Ask a waiter of ``waiters/<service>.json`` once. A service that is unavailable only delays the verdict.

        :raises FerryError: one that waiting cannot fix (no right, wrong login).
        """
        try:
            self.get_waiter(waiter).wait(**params, WaiterConfig={"Delay": 0, "MaxAttempts": 1})
        except WaiterError as error:
            answer = error.last_response
            if refusal := answer.get("Error"):
                fault = translated(waiter, refusal)
                if fault.retriable:
                    return Look(Outcome.WAITING, str(fault))
                if not isinstance(fault, ResourceNotFound):
                    raise fault from None
                return Look(Outcome.FAILED, str(fault))
            failed = "terminal failure state" in str(error)
            return Look(Outcome.FAILED if failed else Outcome.WAITING, words_of(answer))
        except (NoCredentialsError, NoRegionError, PartialCredentialsError) as error:
            raise BadConnection(f"connection {self.aws_conn_id!r}: {error}") from None
        except BotoCoreError as error:
            return Look(Outcome.WAITING, f"no answer: {error}")
        return Look(Outcome.DONE, f"{waiter.replace('_', ' ')}")

    def wait_until_gone(self, waiter: str, **params: str) -> None:
        """Wait for a deletion that must end before something of the same name can be made."""
        self.wait(waiter, self.deletion_delay, self.deletion_attempts, **params)

    def wait(
        self, waiter: str, delay: float = WAITER_DELAY, max_attempts: int = WAITER_MAX_ATTEMPTS, **params: str
    ) -> str:
        """Look until it is done; the words of the last look.

        :raises ConnectorFailed, PluginFailed, OperationFailed, ReplicatorFailed: with the service's own words.
        :raises WaitTimedOut: not within ``max_attempts`` looks, ``delay`` seconds apart.
        """
        found, said = Look(Outcome.WAITING, "never looked"), ""
        for attempt in range(max_attempts):
            if attempt:
                time.sleep(delay)
            found = self.look(waiter, **params)
            if found.outcome is Outcome.DONE:
                return found.reason
            if found.outcome is Outcome.FAILED:
                raise failure_of(waiter, found.reason)
            if found.reason != said:
                self.log.info("Waiting: %s", found.reason)
                said = found.reason
        raise WaitTimedOut(f"{waiter.replace('_', ' ')}: not after {max_attempts} looks: {found.reason}")


def translated(operation: str, error: dict[str, Any], secrets: set[str] | None = None) -> FerryError:
    """An error of the service's model as one of ours.

    A stale ``currentVersion`` has no error of its own in the model (UpdateConnector has no Conflict), so it is known by
    the word in a BadRequest.
    """
    code, message = str(error.get("Code", "")), redact_text(str(error.get("Message", "")), secrets or ())
    text = f"{operation}: {code}: {message}"
    if code in ("NotFoundException", "NoSuchEntity", "UnknownTopicOrPartitionException", "EntityNotFoundException"):
        return ResourceNotFound(text, code)
    if code in ("ConflictException", "TopicExistsException"):
        return NameTaken(text, code)
    if code in _UNAVAILABLE:
        return MskConnectUnavailable(f"{text} ({_LIMIT_HINT})" if code.startswith("TooMany") else text, code)
    if code in _NOT_ALLOWED:
        return NotAuthorized(text)
    if operation in _VERSIONED and re.search("version", message, re.IGNORECASE):
        return StaleVersion(text, code)
    return MskConnectError(text, code)


def cluster_error(param: str, arn: str, error: dict[str, Any]) -> FerryError:
    """An error about an MSK cluster as one of ours.

    :param param: the DAG param that named the cluster.
    """
    found = translated(param, error)
    if not isinstance(found, ResourceNotFound):
        return found
    fix = "the ARN as the MSK console shows it, or the aws connection of that cluster's account"
    return BadParam(param, f"no MSK cluster {arn!r} is visible to this aws connection", fix)


def failure_of(waiter: str, reason: str) -> MskConnectError:
    """The error for a wait that ended badly."""
    if waiter.startswith("custom_plugin"):
        return PluginFailed(reason)
    if waiter.startswith("replicator"):
        return ReplicatorFailed(reason)
    return OperationFailed(reason) if waiter.startswith("operation") else ConnectorFailed(reason)


def words_of(answer: dict[str, Any]) -> str:
    """What a description says, in one line; never a config."""
    if "connectorOperationState" in answer:
        return str(Operation.from_description(answer))
    for kind, name, state, reason in (
        ("connector", "connectorName", "connectorState", "stateDescription"),
        ("custom plugin", "name", "customPluginState", "stateDescription"),
        ("worker configuration", "name", "workerConfigurationState", "stateDescription"),
        ("replicator", "ReplicatorName", "ReplicatorState", "StateInfo"),
        ("topic", "TopicName", "Status", ""),
    ):
        if state in answer:
            why = state_text(answer.get(reason))
            return f"{kind} {answer.get(name, '?')} is {answer[state]}" + (f": {why}" if why else "")
    return "no state in the answer"
