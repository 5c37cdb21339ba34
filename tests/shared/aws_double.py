"""A DOUBLE of two AWS services, for tests: SSM Run Command and as much of S3 as a presigned download needs. Not AWS.

Requests and answers are compared with botocore's own service model (shapes, required members, types, enums, lengths),
and the script of a command really runs, in a shell of this machine with the bare environment of an agent. What AWS
does beyond its model (permissions, delivery, quotas not written below) is not here.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

ANSWER_CHARACTERS = 24_000  # StandardOutputContent, docs.aws.amazon.com, GetCommandInvocation
COMMAND_BYTES = 97 * 1024


class Refused(Exception):
    """An error of the service's model."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code, self.message = code, message


class AwsDouble:
    """``with AwsDouble("i-0123456789abcdef0") as aws:`` serves on loopback until the end of the block.

    :param instance: the only instance there is.
    """

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.instances_away: set[str] = set()
        self.scripts: list[str] = []  # what AWS would keep in the command history
        self.objects: dict[str, bytes] = {}
        self.stored: list[str] = []  # keys ever put
        self.access_key = "double"  # others are refused
        self._model = botocore.session.get_session().get_service_model("ssm")
        self._commands: dict[str, dict[str, Any]] = {}
        self._looked: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> AwsDouble:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """One call of SSM. Both sides must fit botocore's model."""
        model = self._model.operation_model(operation)
        self._fits(params, model.input_shape)
        action = {
            "SendCommand": self._send,
            "GetCommandInvocation": self._look,
            "CancelCommand": self._cancel,
            "DescribeInstanceInformation": self._describe,
        }[operation]
        answer = action(params)
        self._fits(answer, model.output_shape)
        return answer

    @staticmethod
    def _fits(value: dict[str, Any], shape: Any) -> None:
        report = ParamValidator().validate(value, shape)
        if report.has_errors():
            raise Refused("ValidationException", report.generate_report())
        unknown = set(value) - set(shape.members)
        if unknown:
            raise Refused("ValidationException", f"unknown members {unknown}")
        for name, member in shape.members.items():
            pattern = member.metadata.get("pattern")
            allowed = member.metadata.get("enum")
            if name in value and pattern and not re.search(pattern, str(value[name])):
                raise Refused("ValidationException", f"{name} does not match {pattern}")
            if name in value and allowed and value[name] not in allowed:
                raise Refused("ValidationException", f"{name} is none of {allowed}")

    def _send(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["InstanceIds"] != [self.instance] or self.instance in self.instances_away:
            raise Refused("InvalidInstanceId", "Instances not in a valid state for account")
        parameters = params["Parameters"]
        if params["DocumentName"] != "AWS-RunShellScript" or set(parameters) - {
            "commands",
            "executionTimeout",
            "workingDirectory",
        }:
            raise Refused("InvalidParameters", "not those of AWS-RunShellScript")
        if len(json.dumps(parameters)) > COMMAND_BYTES:
            raise Refused("MaxDocumentSizeExceeded")
        script = "\n".join(parameters["commands"])
        self.scripts.append(script)
        command = str(uuid.uuid4())
        state: dict[str, Any] = {
            "CommandId": command,
            "InstanceId": self.instance,
            "Status": "InProgress",
            "StatusDetails": "InProgress",
            "ResponseCode": -1,
            "StandardOutputContent": "",
            "StandardErrorContent": "",
        }
        self._commands[command] = state
        timeout = float(parameters["executionTimeout"][0])
        threading.Thread(target=self._execute, args=(script, timeout, state), daemon=True).start()
        return {"Command": {"CommandId": command, "Status": "Pending", "InstanceIds": [self.instance]}}

    def _execute(self, script: str, timeout: float, state: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "_script.sh"  # the agent does so too
            file.write_text(script)
            try:
                done = subprocess.run(
                    ["/bin/sh", str(file)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=timeout,
                    check=False,
                    env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                    cwd=folder,
                    start_new_session=True,
                )
            except subprocess.TimeoutExpired:
                state.update(Status="TimedOut", StatusDetails="ExecutionTimedOut")
                return
        state.update(
            ResponseCode=done.returncode,
            StandardOutputContent=done.stdout.decode(errors="replace")[:ANSWER_CHARACTERS],
            StandardErrorContent=done.stderr.decode(errors="replace")[:ANSWER_CHARACTERS],
        )
        ended = "Failed" if done.returncode else "Success"
        state.update(Status=ended, StatusDetails=ended)

    def _look(self, params: dict[str, Any]) -> dict[str, Any]:
        command = params["CommandId"]
        if command not in self._looked:  # AWS needs a moment until it knows what it was just sent
            self._looked.add(command)
            raise Refused("InvocationDoesNotExist")
        return dict(self._commands[command])

    def _cancel(self, params: dict[str, Any]) -> dict[str, Any]:
        self._commands[params["CommandId"]].update(Status="Cancelled", StatusDetails="Cancelled")
        return {}

    def _describe(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params["Filters"][0]["Values"]
        known = [] if self.instance in self.instances_away or self.instance not in wanted else [self.instance]
        return {"InstanceInformationList": [{"InstanceId": name, "IPAddress": "127.0.0.1"} for name in known]}


def _handler(aws: AwsDouble) -> type[BaseHTTPRequestHandler]:  # noqa: C901
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                if f"Credential={aws.access_key}/" not in self.headers["Authorization"]:
                    raise Refused("UnrecognizedClientException", "The security token is invalid.")
                operation = self.headers["X-Amz-Target"].removeprefix("AmazonSSM.")
                self._reply(200, json.dumps(aws.answer(operation, json.loads(self._body()))).encode())
            except Refused as error:
                self._reply(400, json.dumps({"__type": error.code, "message": error.message}).encode())

        def do_PUT(self) -> None:
            key = self.path.partition("?")[0]
            aws.objects[key] = self._body()
            aws.stored.append(key)
            self._reply(200, b"")

        def do_GET(self) -> None:
            key, _, query = self.path.partition("?")
            if key not in aws.objects or "X-Amz-Signature=" not in query:
                self._reply(403, b"<Error><Code>AccessDenied</Code></Error>")
            else:
                self._reply(200, aws.objects[key])

        def do_DELETE(self) -> None:
            aws.objects.pop(self.path.partition("?")[0], None)
            self._reply(204, b"")

        def _body(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if "aws-chunked" in self.headers.get("Content-Encoding", ""):
                size, _, rest = body.partition(b"\r\n")
                body = rest[: int(size.split(b";")[0], 16)]
            return body

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
