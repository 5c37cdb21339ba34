"""A token endpoint: client credentials (RFC 6749, 4.4), and the keys that tokens are signed with (RFC 7517).

A program of its own, which is given a file that says port, issuer, the users' secrets and the certificate. Its
key is made at its start: brokers ask for a key that they do not know.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import ssl
import sys
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from stack.ports import HOST

AUDIENCE, SCOPE = "kafka", "kafka"
SECONDS = int(os.environ.get("FERRY_TOKEN_SECONDS", "300"))  # that a token is good for


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, issuer: str, users: Mapping[str, str], certificate: tuple[str, str]) -> None:
        # Here: the stack itself needs no library for it.
        from cryptography.hazmat.primitives.asymmetric import rsa

        super().__init__((HOST, port), _Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        self._context = context
        self.issuer, self.users = issuer, dict(users)
        self.key, self.key_id = rsa.generate_private_key(65537, 2048), uuid.uuid4().hex

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the request's own thread: a client that says nothing must not hold up the others.
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        sys.stdout.write(f"{client_address[0]}: {sys.exception()}\n")
        sys.stdout.flush()

    def token(self, user: str) -> str:
        import jwt

        now = int(time.time())
        claims = {"iss": self.issuer, "sub": user, "aud": AUDIENCE, "scope": SCOPE, "iat": now, "exp": now + SECONDS}
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.key_id})

    def keys(self) -> dict[str, Any]:
        public = self.key.public_key().public_numbers()
        own = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id}
        return {"keys": [own | {"n": _base64(public.n), "e": _base64(public.e)}]}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/keys":
            self._say(200, self.server.keys())
        else:
            self._say(404, {"error": "not_found"})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        user, secret = self._login(form)
        if self.path != "/token" or form.get("grant_type") != ["client_credentials"]:
            self._say(400, {"error": "unsupported_grant_type"})
        elif not hmac.compare_digest(self.server.users.get(user, "").encode(), secret.encode()) or not secret:
            self._say(401, {"error": "invalid_client", "error_description": "no such client, or not its secret"})
        else:
            said = {"access_token": self.server.token(user), "token_type": "Bearer", "expires_in": SECONDS}
            self._say(200, {**said, "scope": SCOPE})

    def _login(self, form: Mapping[str, list[str]]) -> tuple[str, str]:
        """Client id and secret, from the header or the form (RFC 6749, 2.3.1)."""
        header = self.headers.get("Authorization", "")
        if header.startswith("Basic "):
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            return unquote_plus(name), unquote_plus(secret)
        return form.get("client_id", [""])[0], form.get("client_secret", [""])[0]

    def _say(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        sys.stdout.write(f"{self.path} {arguments[1:]}\n")
        sys.stdout.flush()


def _base64(number: int) -> str:
    """RFC 7518, 2: Base64urlUInt."""
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode().rstrip("=")


if __name__ == "__main__":
    _said = json.loads(Path(sys.argv[1]).read_text())
    _Server(**_said).serve_forever()
