"""Signatures of manifests and journals: HMAC-SHA256 with a shared secret, or Ed25519 (RFC 8032). Pure.

A manifest holds the SHA-256 of each of its objects, so one signature vouches for a whole backup. It covers the key
under which the manifest lies, too: a signed manifest cannot stand for another backup.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka_ferry.exceptions import BadConnection

SECRET_BYTES: Final = 32  # as long as the digest: RFC 2104 advises against less
_DOMAIN = b"kafka-ferry.signature/1\0"
_PRIVATE, _PUBLIC = "-----BEGIN PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----"


class Signer:
    """Signs with one key; takes what any of its keys has signed.

    :param key: a secret of 32 bytes and more, or the PEM of an Ed25519 private key; or of a public key, for those who
        only read.
    :param accepted: keys of before, or of others, in the same forms.
    :raises BadConnection: a key is none of these.
    """

    def __init__(self, key: str, accepted: Sequence[str] = ()) -> None:
        self._given = key, tuple(accepted)
        self._keys: dict[str, _Hmac | _Ed25519] = {}
        for own in (one for text in (key, *accepted) for one in [_key(text)]):
            self._keys.setdefault(own.name, own)
        self._own = _key(key)

    def __repr__(self) -> str:
        return f"Signer({self._own.name})"

    def to_json(self) -> dict[str, Any]:
        """For a process of ours: arguments of :meth:`from_json`; secret."""
        key, accepted = self._given
        return {"secret_key": key, "accepted": {f"secret_{number}": one for number, one in enumerate(accepted)}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Signer:
        return cls(data["secret_key"], list(data["accepted"].values()))

    def sign(self, key: str, content: Any) -> dict[str, str]:
        """The signature of what is written under an object's key.

        :param content: JSON.
        :raises BadConnection: the key can only check.
        """
        value = self._own.sign(_message(key, content))
        return {"algorithm": self._own.algorithm, "key": self._own.name, "value": base64.b64encode(value).decode()}

    @property
    def algorithm(self) -> str:
        return self._own.algorithm

    @property
    def key_name(self) -> str:
        """Of its own key; says nothing of a secret."""
        return self._own.name

    def sign_file(self, data: bytes) -> bytes:
        """The bare signature of a file's bytes, as openssl checks it. A file that begins with ``{`` can be no
        message of :meth:`sign`.

        :raises BadConnection: the key can only check, or is no Ed25519 key.
        """
        if not isinstance(self._own, _Ed25519):
            raise BadConnection(
                "the signing key is a secret, and whoever checks a file would have to know it. Fix: the PEM of an "
                "Ed25519 key (openssl genpkey -algorithm ed25519)"
            )
        return self._own.sign(data)

    def holds_file(self, data: bytes, signature: bytes) -> bool:
        """Whether one of the Ed25519 keys signed these bytes."""
        return any(key.holds(data, signature) for key in self._keys.values() if isinstance(key, _Ed25519))

    @property
    def public_pem(self) -> str:
        """The public half of its own key, for those who check; empty: it is no Ed25519 key."""
        return self._own.public_pem if isinstance(self._own, _Ed25519) else ""

    def problem(self, key: str, content: Any, signature: Any) -> str | None:
        """Why something is not what a holder of one of the keys wrote under an object's key; None when it is."""
        if signature is None:
            return "is not signed"
        try:
            known = self._keys.get(signature["key"])
            value = base64.b64decode(signature["value"], validate=True)
        except (KeyError, TypeError, ValueError):
            return "has a malformed signature"
        if known is None or known.algorithm != signature.get("algorithm"):
            return f"is signed with a key that is not in the accepted keys: {str(signature['key'])[:40]!r}"
        return None if known.holds(_message(key, content), value) else "was altered: its signature does not match"


def _message(key: str, content: Any) -> bytes:
    return _DOMAIN + key.encode() + b"\0" + json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _key(text: str) -> _Hmac | _Ed25519:
    text = text.strip()
    if text.startswith("-----BEGIN"):
        return _Ed25519(text)
    if len(text.encode()) < SECRET_BYTES:
        raise BadConnection(
            f"a signing key of {len(text.encode())} bytes. Fix: {SECRET_BYTES} random bytes or more, such as of "
            "openssl rand -hex 32, or the PEM of an Ed25519 key"
        )
    return _Hmac(text.encode())


class _Hmac:
    algorithm = "hmac-sha256"

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.name = hmac.digest(secret, b"kafka-ferry.key", "sha256").hex()[:16]

    def sign(self, message: bytes) -> bytes:
        return hmac.digest(self._secret, message, "sha256")

    def holds(self, message: bytes, value: bytes) -> bool:
        return hmac.compare_digest(self.sign(message), value)


class _Ed25519:
    algorithm = "ed25519"

    def __init__(self, pem: str) -> None:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

        try:
            found: Any = None
            if pem.startswith(_PRIVATE):
                found = serialization.load_pem_private_key(pem.encode(), password=None)
            elif pem.startswith(_PUBLIC):
                found = serialization.load_pem_public_key(pem.encode())
        except (ValueError, TypeError, UnsupportedAlgorithm):
            found = None
        if not isinstance(found, Ed25519PrivateKey | Ed25519PublicKey):
            raise BadConnection(
                "a signing key in PEM that is not an Ed25519 key. Fix: openssl genpkey -algorithm ed25519, and "
                "for readers: openssl pkey -pubout"
            )
        self._private = found if isinstance(found, Ed25519PrivateKey) else None
        self._public = found.public_key() if isinstance(found, Ed25519PrivateKey) else found
        self.name = hashlib.sha256(self._public.public_bytes_raw()).hexdigest()[:16]

    @property
    def public_pem(self) -> str:
        from cryptography.hazmat.primitives import serialization

        return self._public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def sign(self, message: bytes) -> bytes:
        if self._private is None:
            raise BadConnection("the signing key is a public key, which verifies but cannot sign. Fix: the private key")
        return self._private.sign(message)

    def holds(self, message: bytes, value: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        try:
            self._public.verify(value, message)
        except InvalidSignature:
            return False
        return True
