"""What HTTP proxies of tests have in common: whole bodies, and answers with their length."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

_HOP = ("content-length", "transfer-encoding", "connection")


class ProxyHandler(BaseHTTPRequestHandler):
    """Reads a request's body, chunked or not, and writes an answer; says nothing of it."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        """Of the request. Who expects "100 continue" has got it already."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        """An answer; to HEAD with the length that its headers tell."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        told = {name.lower(): value for name, value in headers}.get("content-length", "0")
        self.send_header("Content-Length", told if self.command == "HEAD" else str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
