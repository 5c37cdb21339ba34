"""Signatures: what is signed is taken, anything else is named."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import true_manifests
from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest

KEY = "b/manifests/1.json"


def private_pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    how = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*how).decode()


def public_pem(key: ed25519.Ed25519PrivateKey) -> str:
    how = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(*how).decode()


PRIVATE = ed25519.Ed25519PrivateKey.generate()
OTHER = ed25519.Ed25519PrivateKey.generate()
PAIRS = {
    "hmac": (Signer("a" * 32), Signer("a" * 32), Signer("b" * 32)),
    "ed25519": (Signer(private_pem(PRIVATE)), Signer(public_pem(PRIVATE)), Signer(public_pem(OTHER))),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_what_was_signed_is_taken_and_nothing_else(kind: str):
    writer, reader, stranger = PAIRS[kind]
    manifest = true_manifests.manifest("1", true_manifests.segment(0, 5))
    data = manifest.to_bytes(writer)
    assert Manifest.from_bytes(data, KEY, reader) == manifest
    assert Manifest.from_bytes(data, KEY) == manifest, "without a key signatures are not looked at"
    with pytest.raises(
        DamagedManifest, match=f"^{KEY}: refused, it is signed with a key that is not in the accepted keys"
    ):
        Manifest.from_bytes(data, KEY, stranger)
    with pytest.raises(DamagedManifest, match=f"^{KEY}: refused, it is not signed"):
        Manifest.from_bytes(manifest.to_bytes(), KEY, reader)

    about = {"offset": 1, "bytes": 100, "packed": 90}
    noted = true_manifests.manifest("1", true_manifests.segment(0, 5, largest_record=about)).to_bytes(writer)
    smaller = true_manifests.manifest("1", true_manifests.segment(0, 5, largest_record={**about, "bytes": 90}))
    swapped = json.dumps({"signature": json.loads(noted)["signature"], **json.loads(smaller.to_bytes())}).encode()
    Manifest.from_bytes(noted, KEY, reader)
    with pytest.raises(DamagedManifest, match=f"^{KEY}: refused, it "):
        Manifest.from_bytes(swapped, KEY, reader)

    content = json.loads(data)
    altered = json.loads(manifest.model_copy(update={"created": "2036-01-01"}).to_bytes())
    altered = {"sha256": altered["sha256"], "signature": content["signature"], **altered}
    with pytest.raises(DamagedManifest, match=f"^{KEY}: refused, it was altered"):
        Manifest.from_bytes(json.dumps(altered).encode(), KEY, reader)
    with pytest.raises(DamagedManifest, match="refused, it was altered"):  # the same bytes for another backup
        Manifest.from_bytes(data, "b/manifests/2.json", reader)


@pytest.mark.parametrize(
    "signature", [[], "x", 7, {}, {"key": "k"}, {"key": [], "value": "", "algorithm": ""}, {"key": "k", "value": "ü"},
                  {"key": {}, "value": "AAAA"}]
)  # fmt: skip
def test_a_signature_that_is_none_is_refused(signature: object):
    for _, reader, _ in PAIRS.values():
        assert reader.problem(KEY, {}, signature)


def test_an_algorithm_cannot_be_exchanged():
    writer, reader, _ = PAIRS["hmac"]
    signature = writer.sign(KEY, {}) | {"algorithm": "ed25519"}
    assert "not in the accepted keys" in str(reader.problem(KEY, {}, signature))
    assert "altered" in str(reader.problem(KEY, {}, writer.sign(KEY, {}) | {"value": "AAAA"}))


def test_older_keys_are_taken_and_the_first_one_signs():
    both = Signer.from_json(json.loads(json.dumps(Signer("n" * 32, ["o" * 32, public_pem(PRIVATE)]).to_json())))
    assert both.problem(KEY, {}, Signer("o" * 32).sign(KEY, {})) is None
    assert both.problem(KEY, {}, Signer(private_pem(PRIVATE)).sign(KEY, {})) is None
    assert Signer("n" * 32).problem(KEY, {}, both.sign(KEY, {})) is None


@pytest.mark.parametrize(
    ("key", "why"),
    [("", "of 0 bytes"), ("short", "of 5 bytes"), ("-----BEGIN PRIVATE KEY-----\nx", "not an Ed25519"),
     (private_pem(ec.generate_private_key(ec.SECP256R1())), "not an Ed25519"),
     ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "not an Ed25519")],
)  # fmt: skip
def test_other_keys_are_refused_without_showing_them(key: str, why: str):
    with pytest.raises(BadConnection, match=why) as raised:
        Signer(key)
    assert not key or key not in str(raised.value)


def test_a_public_key_cannot_sign():
    with pytest.raises(BadConnection, match="the private key"):
        PAIRS["ed25519"][1].sign(KEY, {})
