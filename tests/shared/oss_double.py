"""A double of Alibaba Cloud OSS: it refuses what OSS's documentation says that OSS refuses. Not OSS.

Its host names are OSS's own: clients come through it as a proxy (CONNECT), so no name is looked up, and speak TLS to it
with a certificate of its own authority. What it does not refuse goes on to the stack's real S3 server. Signatures are
not looked at, as only OSS itself could say which it takes. Refused, each with OSS's own code and words:

- a bucket in the path: 403 SecondLevelDomainForbidden, "Please use virtual hosted style to access." ("OSS supports only
  the virtual-hosted style": help.aliyun.com, compatibility-with-amazon-s3; words: github.com/peak/s5cmd/issues/518);
- a body in ``aws-chunked`` with another ``x-amz-content-sha256`` than STREAMING-AWS4-HMAC-SHA256-PAYLOAD: 400
  InvalidArgument (help.aliyun.com, oss/user-guide/0017-00000804). boto3 sends STREAMING-UNSIGNED-PAYLOAD-TRAILER;
- a checksum behind the body (``x-amz-trailer``), which OSS does not know: the same page;
- DeleteMultipleObjects without Content-MD5: 400 MissingArgument (help.aliyun.com, oss/support/0016-00000606; the answer
  as a whole in github.com/lobehub/lobehub/issues/8918);
- a Content-MD5 that is not the body's: 400 InvalidDigest (help.aliyun.com, PutObject).
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import http.client
import ssl
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proxy_handler import ProxyHandler
from stack.s3 import ACCESS_KEY, SECRET

REGION = "eu-central-1"
HOST = f"oss-{REGION}.aliyuncs.com"
ENDPOINT = f"https://{HOST}"
#: Of the connection, as docs/object_stores.md has it.
CONFIG = {
    "s3": {"addressing_style": "virtual"},
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}

_CHUNKED = "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value."
_STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
Refusal = tuple[int, str, str, str]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    outer: OssDouble


class _Handler(ProxyHandler):
    server: _Server

    def do_CONNECT(self) -> None:
        self.send_response_only(200)
        self.end_headers()
        self.connection = self.server.outer.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def answer(self) -> None:
        outer, body = self.server.outer, self.body()
        bucket = self.headers["Host"].removesuffix(HOST).removesuffix(".")
        refused = self._refusal(bucket, body)
        with outer.lock:
            outer.requests.append(
                (self.command, self.path, {name.lower(): text for name, text in self.headers.items()})
            )
            outer.refused += [refused[1]] if refused else []
        if refused:
            status, code, message, argument = refused
            said = (
                f"<Error><Code>{code}</Code><Message>{message}</Message><ArgumentName>{argument}</ArgumentName></Error>"
            )
            self.send(status, [("Content-Type", "application/xml")], said.encode())
        else:
            self._pass_on(bucket, body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def _refusal(self, bucket: str, body: bytes) -> Refusal | None:
        given = self.headers
        if not bucket:
            return 403, "SecondLevelDomainForbidden", "Please use virtual hosted style to access.", ""
        payload = given.get("x-amz-content-sha256", "")
        chunked = "aws-chunked" in given.get("Content-Encoding", "") or payload.startswith("STREAMING-")
        if (chunked and payload != _STREAMING) or "x-amz-trailer" in given:
            return 400, "InvalidArgument", _CHUNKED, "Content-Encoding"
        if self.command == "POST" and "delete" in urlsplit(self.path).query and "Content-MD5" not in given:
            return 400, "MissingArgument", "Missing Some Required Arguments.", "Content-MD5"
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        if given.get("Content-MD5", digest) != digest:
            return 400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "Content-MD5"
        return None

    def _pass_on(self, bucket: str, body: bytes) -> None:
        """To the server behind, which wants the bucket in the path and its own host signed."""
        behind = self.server.outer.behind
        request = AWSRequest(self.command, f"http://{behind}/{bucket}{self.path}", data=body)
        for name in ("Content-Type", "Content-MD5", "Range"):
            if text := self.headers.get(name):
                request.headers[name] = text
        S3SigV4Auth(Credentials(ACCESS_KEY, SECRET), "s3", "us-east-1").add_auth(request)
        connection = http.client.HTTPConnection(behind, timeout=60)
        try:
            headers = {**dict(request.headers.items()), "Content-Length": str(len(body))}
            connection.request(self.command, f"/{bucket}{self.path}", body, headers)
            answer = connection.getresponse()
            self.send(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()


class OssDouble:
    """``with OssDouble(stack.s3.url, folder) as oss: connection(**oss.extra())``.

    :param folder: for its certificates.
    :ivar refused: the codes of what was refused, in order. ``requests``: method, path and headers of all.
    """

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.behind = urlsplit(endpoint).netloc
        self.refused, self.requests = list[str](), list[tuple[str, str, dict[str, str]]]()
        self.lock, self.ca = threading.Lock(), folder / "oss-ca.pem"
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self._certificate(folder))
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.outer = self
        self.proxy = f"http://127.0.0.1:{self._server.server_address[1]}"

    def extra(self, **config: Any) -> dict[str, Any]:
        """What the extra of a connection needs to reach it.

        :param config: further ``config_kwargs``.
        """
        return {
            "region_name": REGION,
            "endpoint_url": ENDPOINT,
            "verify": str(self.ca),
            "config_kwargs": {"proxies": {"https": self.proxy}, **config},
        }

    def _certificate(self, folder: Path) -> Path:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A double of OSS")])
        hosts = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(f"*.{HOST}")])
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(hosts, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        text = made.public_bytes(serialization.Encoding.PEM)
        kept = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        both = folder / "oss.pem"
        both.touch(mode=0o600)
        both.write_bytes(kept + text)
        self.ca.write_bytes(text)
        return both

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
