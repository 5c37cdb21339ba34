"""The double's HTTP server: ``kafkaconnect``, of ``kafka``, IAM and STS what we need, CloudWatch Logs, S3.

The service is told by the signature of a request, as AWS's endpoints share paths. Signatures are not checked.
"""

from __future__ import annotations

import json
import re
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from stack.msk.account import Account, Objects
from stack.msk.archives import Archives
from stack.msk.cluster import Clusters
from stack.msk.connectors import Connectors
from stack.msk.iam import Iam
from stack.msk.logs import Logs
from stack.msk.query import QueryWire
from stack.msk.replicators import Replicators
from stack.msk.runtime import Runtime
from stack.msk.sts import Sts
from stack.msk.topics import Topics
from stack.msk.wire import Answer, Refused, Wire

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
FAULTS, WORKERS = "/_double/faults", "/_double/workers"
#: boto3's client against the double needs these; any that AWS refuses would do.
CREDENTIALS = {"aws_access_key_id": "double", "aws_secret_access_key": "not-a-secret"}


class MskConnectDouble:
    """``with MskConnectDouble(MemoryRuntime()) as aws:`` serves on loopback until the end of the block.

    :param runtime: what runs the connectors.
    :param bootstrap_servers: of the first cluster that ``kafka`` knows.
    :param objects: (bucket, key) → content; by default the S3 of this server.
    :param looks: descriptions that show a resource in between before it goes on.
    :param port: 0 takes a free one.
    """

    def __init__(
        self,
        runtime: Runtime,
        bootstrap_servers: str = "127.0.0.1:9092",
        objects: Objects | None = None,
        looks: int = 1,
        port: int = 0,
    ) -> None:
        self.stored: dict[str, bytes] = {}  # "bucket/key" → content
        self.account = Account(runtime, objects or (lambda bucket, key: self.stored.get(f"{bucket}/{key}")), looks)
        self.clusters = Clusters(bootstrap_servers)
        self.requests: list[str] = []  # operations in the order they came
        self._lock = threading.RLock()
        self._wires = {"kafkaconnect": Wire("kafkaconnect"), "kafka": Wire("kafka")}
        self._parts: dict[str, list[object]] = {
            "kafkaconnect": [Archives(self.account), Connectors(self.account), Tags(self.account)],
            "kafka": [self.clusters, Replicators(self.account, self.clusters), Topics(self.account, self.clusters)],
        }
        self.iam, self.sts = Iam(), Sts()
        self._queries: dict[str, tuple[QueryWire, object]] = {
            "iam": (QueryWire("iam"), self.iam),
            "sts": (QueryWire("sts"), self.sts),
        }
        self._logs = Logs(self.account)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))

    @property
    def faults(self) -> Any:
        """What goes wrong next."""
        return self.account.faults

    @property
    def url(self) -> str:
        """For boto3's ``endpoint_url``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> MskConnectDouble:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def serve(self) -> None:
        """Serve in this thread until the process ends."""
        self._server.serve_forever()

    def close(self) -> None:
        """Stop serving, and every worker."""
        self._server.shutdown()
        self._server.server_close()
        self.account.runtime.close()

    def handle(self, method: str, target: str, service: str, headers: dict[str, str], body: bytes) -> Answer:
        """One request, one at a time: the state machines are small and want no races."""
        path, _, query = target.partition("?")
        with self._lock:
            if path == FAULTS:
                self.account.faults.plan(json.loads(body))
                return 200, b"{}", {}
            if path == WORKERS:
                return 200, json.dumps(self.account.runtime.workers()).encode(), {}
            if service == "s3":
                return self._object(method, unquote(path).lstrip("/"), body)
            if service == "logs":
                return self._logs.answer(headers.get("x-amz-target", ""), json.loads(body or b"{}"))
            if service in self._queries:
                return self._query(service, body)
            if not service and b"Action=AssumeRoleWithWebIdentity" in body:  # who asks for that has no key to sign with
                return self._query("sts", body)
            if service not in self._wires:
                return 403, json.dumps({"message": f"not emulated: {service or 'an unsigned request'}"}).encode(), {}
            return self._call(service, method, path, query, body)

    def _call(self, service: str, method: str, path: str, query: str, body: bytes) -> Answer:
        wire = self._wires[service]
        try:
            operation, params = wire.parse(method, path, query, body)
            self.requests.append(operation.name)
            self.account.faults.strike(operation.name)
            return wire.answer(operation, self._action(service, operation.name)(params))
        except Refused as refusal:
            return wire.error(refusal)

    def _query(self, service: str, body: bytes) -> Answer:
        wire, part = self._queries[service]
        try:
            operation, params = wire.parse(body)
            self.requests.append(operation.name)
            self.account.faults.strike(operation.name)
            name = _snake(operation.name)
            if not hasattr(part, name):
                raise Refused("InvalidAction", f"{operation.name} is not emulated")
            return wire.answer(operation, getattr(part, name)(params))
        except Refused as refusal:
            return wire.error(refusal)

    def _action(self, service: str, operation: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        name = _snake(operation)
        for part in self._parts[service]:
            if hasattr(part, name):
                action: Callable[[dict[str, Any]], dict[str, Any]] = getattr(part, name)
                return action
        raise Refused("InternalServerErrorException", f"{operation} is not emulated")

    def _object(self, method: str, name: str, body: bytes) -> Answer:
        if method == "PUT":
            self.stored[name] = body
            return 200, b"", {}
        if method == "DELETE":
            self.stored.pop(name, None)
            return 204, b"", {}
        if name not in self.stored:
            return 404, b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>", {}
        return 200, self.stored[name], {}


class Tags:
    """Tags of resources of any kind."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def tag_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        self._account.tagged(params["resourceArn"]).tags.update(params["tags"])
        return {}

    def untag_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        tags = self._account.tagged(params["resourceArn"]).tags
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"tags": dict(self._account.tagged(params["resourceArn"]).tags)}


def _snake(operation: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def _handler(double: MskConnectDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            scope = _SCOPE.search(self.headers.get("Authorization", ""))
            headers = {key.lower(): value for key, value in self.headers.items()}
            try:
                answer = double.handle(self.command, self.path, scope[1] if scope else "", headers, self._body())
            except Exception as error:  # noqa: BLE001 - a bug of the double must be seen by the caller
                traceback.print_exc()
                answer = 500, json.dumps({"message": f"bug of the double: {error!r}"}).encode(), {}
            self._reply(*answer)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

        def _body(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return _unchunked(body) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for key, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD" and status != 204:
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


def _unchunked(body: bytes) -> bytes:
    """What an ``aws-chunked`` body carries: ``<size in hex>[;…]\\r\\n<data>\\r\\n`` until a size of 0."""
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        found, body = found + rest[:length], rest[length + 2 :]
    return found
