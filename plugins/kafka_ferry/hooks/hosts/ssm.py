"""An EC2 instance (or a managed node) over SSM Run Command: no open port, no key; each script is one command."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any

from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.hosts import ssm_script
from kafka_ferry.hooks.hosts.host import Output
from kafka_ferry.hooks.hosts.shell import parent
from kafka_ferry.hooks.objects.aws_connection import client_with, upload_args

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
    )

log = logging.getLogger(__name__)

_DELIVERY = 30  # seconds an agent has to fetch a command: the least that SSM takes
_WAITS = (0.2, 0.3, 0.5, 1.0, 2.0)  # seconds between looks at a command; the last one repeats
_URL_SECONDS = 300
_ENDED = ("Success", "Failed", "Cancelled", "TimedOut")
_REFUSED = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
        "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException",
        "NoSuchBucket", "MissingAuthenticationToken", "SignatureDoesNotMatch", "UnrecognizedClientException",
        "UnsupportedPlatformType", "ValidationException",
    }
)  # fmt: skip


class SsmHost:
    """The instance that an Airflow connection of type ``aws`` names in its extra.

    Extra, beside the provider's own: ``instance_id``; ``bucket``: S3 bucket through which files go; ``address``: where
    the instance is reached from Airflow, when that is not the IP address it told SSM.

    Without ``bucket`` files go inside commands, which SSM keeps in its history for 30 days: whoever may read that
    (``ssm:ListCommands``) can read their secrets. The log warns.

    :param conn_id: Airflow connection id.
    """

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id
        self._warned = False

    @cached_property
    def _extra(self) -> dict[str, Any]:
        extra = dict(AwsBaseHook.get_connection(self.conn_id).extra_dejson)
        if not extra.get("instance_id"):
            raise BadConnection(
                f'connection {self.conn_id!r}: its extra has no instance_id. Fix: add {{"instance_id": "i-0abc"}}'
            )
        return extra

    @property
    def name(self) -> str:
        return str(self._extra["instance_id"])

    @cached_property
    def address(self) -> str:
        """``address`` of the connection's extra, else the IP address the agent told SSM.

        :raises TransientError: SSM does not know the instance, or AWS does not answer.
        """
        if address := self._extra.get("address"):
            return str(address)
        filters = [{"Key": "InstanceIds", "Values": [self.name]}]
        found = self._call(lambda: self._ssm.describe_instance_information(Filters=filters))
        if not found["InstanceInformationList"] or not found["InstanceInformationList"][0].get("IPAddress"):
            raise TransientError(f"{self._who}: SSM has no address for it; is its agent running?")
        return str(found["InstanceInformationList"][0]["IPAddress"])

    def run(self, command: str, *, timeout: float = 60) -> Output:
        answer = self._command(ssm_script.wrapped(command, uuid.uuid4().hex), timeout)
        try:
            code, out_size, err_size, folder, content = ssm_script.parse_answer(answer)
        except ValueError as error:
            raise TransientError(f"{self._who}: an answer that cannot be parsed: {error}") from error
        if content is None:
            out = self._parts(f"{folder}/out", 0, out_size)
            err = self._parts(f"{folder}/err", 0, err_size)
            self._command(ssm_script.wrapped(f"rm -rf {folder}", uuid.uuid4().hex))
        else:
            out, err = content[:out_size], content[out_size:]
        return Output(code, out.decode(errors="replace"), err.decode(errors="replace"))

    def write(self, path: str, content: bytes, mode: int = 0o600) -> None:
        temporary, folder = f"{path}.{uuid.uuid4().hex[:8]}.part", parent(path)
        place = ssm_script.placed(temporary, path, mode, len(content))
        if self._extra.get("bucket"):
            self._through_s3(content, lambda url: f"{ssm_script.fetched(temporary, folder, url)} &&\n{place}", path)
            return
        if not self._warned:
            self._warned = True
            log.warning(
                "%s: files go inside commands, which SSM keeps readable in its history. Fix: name a bucket in the "
                "connection's extra",
                self._who,
            )
        if len(content) <= ssm_script.COMMAND_BYTES:
            self._must(f"{ssm_script.whole(temporary, folder, content)}\n{place}", path)
            return
        for script in (*ssm_script.appended(temporary, folder, content), place):
            self._must(script, path)

    def read(self, path: str, *, tail_bytes: int | None = None) -> bytes | None:
        answer = self._must(ssm_script.size_of(path), path, "read").strip()
        if answer == "none":
            return None
        size = int(answer)
        start = 0 if tail_bytes is None else max(0, size - tail_bytes)
        return self._parts(path, start, size)

    def close(self) -> None:
        """Nothing is open: every call is a request of its own."""

    @property
    def _who(self) -> str:
        return f"connection {self.conn_id!r} (instance {self.name})"

    @cached_property
    def _ssm(self) -> Any:
        return self._call(lambda: AwsBaseHook(self.conn_id, client_type="ssm").conn)

    @cached_property
    def _s3(self) -> Any:
        config = Config(signature_version="s3v4")  # presigned URLs of the older kind work in old regions only
        return self._call(lambda: client_with(AwsBaseHook(self.conn_id, client_type="s3"), default=config))

    def _parts(self, path: str, start: int, end: int) -> bytes:
        content = bytearray()
        for at in range(start, end, ssm_script.ANSWER_BYTES):
            count = min(ssm_script.ANSWER_BYTES, end - at)
            try:
                content += ssm_script.decoded(self._command(ssm_script.home(ssm_script.part_of(path, at, count))))
            except ValueError as error:
                raise TransientError(f"{self._who}: cannot read {path}: {error}") from error
        return bytes(content)

    def _must(self, script: str, path: str, verb: str = "write") -> str:
        done = self.run(script)
        if done.code:
            raise TransientError(f"{self._who}: cannot {verb} {path}: {redact_text(done.err.strip())}")
        return done.out

    def _through_s3(self, content: bytes, script: Callable[[str], str], path: str) -> None:
        where = {"Bucket": self._extra["bucket"], "Key": f"kafka-ferry/{uuid.uuid4().hex}"}
        extra = upload_args(AwsBaseHook(self.conn_id, client_type="s3"))
        self._call(lambda: self._s3.put_object(**extra, **where, Body=content))
        try:
            url = self._call(lambda: self._s3.generate_presigned_url("get_object", where, ExpiresIn=_URL_SECONDS))
            done = self.run(script(url), timeout=_URL_SECONDS)
            if done.code:
                problem = redact_text(done.err.strip(), [url])
                raise TransientError(f"{self._who}: cannot write {path} through S3: {problem}")
        finally:
            self._call(lambda: self._s3.delete_object(**where))

    def _command(self, script: str, timeout: float = 60) -> str:
        """Run one command and wait for its answer.

        :raises TransientError: it was not delivered, failed, or did not end in time.
        """
        sent = self._call(
            lambda: self._ssm.send_command(
                InstanceIds=[self.name],
                DocumentName="AWS-RunShellScript",
                Comment="Kafka Ferry",
                TimeoutSeconds=_DELIVERY,
                Parameters={"commands": script.split("\n"), "executionTimeout": [str(max(1, round(timeout)))]},
            )
        )
        command = str(sent["Command"]["CommandId"])
        deadline = time.monotonic() + _DELIVERY + timeout
        looks = 0
        while True:
            time.sleep(_WAITS[min(looks, len(_WAITS) - 1)])
            looks += 1
            found = self._invocation(command)
            if found is not None and found["Status"] in _ENDED:
                break
            if time.monotonic() > deadline:
                self._call(lambda: self._ssm.cancel_command(CommandId=command, InstanceIds=[self.name]))
                raise TransientError(f"{self._who}: command {command} did not end within {timeout:g} s")
        if found["Status"] != "Success":
            detail = found.get("StatusDetails") or found["Status"]
            problem = redact_text(found.get("StandardErrorContent", "").strip())
            raise TransientError(f"{self._who}: command {command}: {detail} {problem}".rstrip())
        return str(found["StandardOutputContent"])

    def _invocation(self, command: str) -> dict[str, Any] | None:
        """The command on our instance; None while SSM has not heard of it: it answers so just after sending."""
        try:
            found: dict[str, Any] = self._ssm.get_command_invocation(CommandId=command, InstanceId=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvocationDoesNotExist":
                return None
            raise self._fault(error) from error
        except BotoCoreError as error:
            raise self._fault(error) from error
        return found

    def _call(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> BadConnection | TransientError:
        text = redact_text(str(error))
        if isinstance(error, ClientError):
            code = str(error.response["Error"]["Code"])
            if code in _REFUSED:
                return BadConnection(f"{self._who}: AWS refuses: {text}")
            if code == "InvalidInstanceId":  # AWS tells no more
                return TransientError(f"{self._who}: SSM cannot reach it (stopped, no agent, another region?): {text}")
            return TransientError(f"{self._who}: {text}")
        if isinstance(error, NoCredentialsError | PartialCredentialsError | NoRegionError | ParamValidationError):
            return BadConnection(f"{self._who}: {text}")
        return TransientError(f"{self._who}: no answer from AWS: {text}")
