"""Who gives tokens to the users of a stack with OAuth, as a process of the stack: ``stack.token_server``."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

from stack import token_server
from stack.certificates import Certificates
from stack.health import get_json
from stack.ports import HOST
from stack.service import Service
from stack.state import State

NAME = "tokens"


def users(state: State) -> dict[str, str]:
    """Client id to secret."""
    return {user: state.secret(f"oauth_{user}") for user in ("admin", "ferry", "connect")}


def url(state: State) -> str:
    """Of the issuer."""
    return f"https://{HOST}:{state.ports[NAME]}"


def token_url(state: State) -> str:
    """Where clients get a token."""
    return f"{url(state)}/token"


def keys_url(state: State) -> str:
    """Where brokers get the keys that tokens are signed with."""
    return f"{url(state)}/keys"


def context(state: State) -> ssl.SSLContext:
    """By which what the stack itself serves by HTTPS is believed."""
    return ssl.create_default_context(cafile=str(Certificates(state).ca))


class TokenServer(Service):
    """The process."""

    start_timeout = 30.0
    stop_grace = 5.0

    def __init__(self, folder: Path, state: State) -> None:
        super().__init__(NAME, folder, state)

    @property
    def _config(self) -> Path:
        return self.folder / "config" / f"{NAME}.json"

    def files(self) -> Mapping[Path, str]:
        certificates = Certificates(self.state)
        said = {
            "port": self.state.ports[NAME],
            "issuer": url(self.state),
            "users": users(self.state),
            "certificate": [str(certificates.certificate(NAME)), str(certificates.key(NAME))],
        }
        return {self._config: json.dumps(said)}

    def command(self) -> list[str]:
        # By its path: "-m" would run a module that the package has imported already.
        return [sys.executable, "-P", str(Path(token_server.__file__)), str(self._config)]

    def environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}

    def problem(self) -> str | None:
        return None if get_json(keys_url(self.state), context(self.state)).get("keys") else "it has no keys"
