"""The certificate's bytes, its page, and who signed it."""

from __future__ import annotations

import base64
import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kafka_ferry.core.checks import Check, Status, TopicLine
from kafka_ferry.core.signature import Signer
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.jobs.cutover import verify_certificate
from kafka_ferry.jobs.cutover.rules.certificate import SCRIPT, certificate, digest, from_page, reasons, to_bytes
from kafka_ferry.report.page import environment

HOSTILE = "</script><script>alert('ü')</script>&<img src=http://x>"
FINE = Check(name="content", status=Status.PASS)


def made(*checks: Check, signed_by: dict[str, str] | None = None, rests_on: list[dict[str, Any]] | None = None) -> Any:
    wave = Journal(wave=HOSTILE, source_cluster="a", dag_id="cutover", run_id="r", topics={"t": "t"}, fence="acl",
                   state=State.HANDED_OVER)  # fmt: skip
    return certificate(
        issued="2026-01-01T00:00:00Z", run=("retire_source", HOSTILE), source={"cluster_id": "a", "conn_id": HOSTILE},
        target={"cluster_id": "b", "conn_id": "t"}, waves=[wave], checks=checks,
        topics=[TopicLine(source=HOSTILE, target=HOSTILE, partitions=1, status=Status.PASS)], results=[], ends={},
        rests_on=rests_on or [], signed_by=signed_by, left={"left_behind": [HOSTILE], "left_groups": []},
    )  # fmt: skip


def page_of(found: Any, data: bytes, signature: bytes = b"") -> bytes:
    text: str = environment().get_template("certificate.html").render(
        found=found, sha256=digest(data), signature=base64.b64encode(signature).decode(), json=data.decode("ascii"),
        script=SCRIPT,
    )  # fmt: skip
    return text.encode()


def test_numbers_and_times_of_the_page_can_be_read() -> None:
    late = Check(name="handed_over", status=Status.PASS, actual="at 2026-11-30T20:12:31.737+00:00")
    found = made(FINE, late, rests_on=[{"name": "plan.json", "bytes": 284417, "sha256": "00"}])
    page = page_of(found, to_bytes(found)).decode().partition(SCRIPT[0])[0]
    assert ">284,417</td>" in page
    assert "at <time>2026-11-30T20:12:31.737+00:00</time>" in page


def signer() -> Signer:
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer(private.decode())


def test_yes_needs_contents_that_were_compared_and_no_reason() -> None:
    assert made(FINE)["answer"] == "yes"
    bad = Check(name="members", status=Status.FAIL, differences=["group x"])
    assert (made(FINE, bad)["answer"], made(FINE, bad)["reasons"]) == (
        "no", [{"check": "members", "found": ["group x"]}],
    )  # fmt: skip
    for nothing in ((), (Check(name="content", status=Status.SKIPPED),)):
        assert made(*nothing)["answer"] == "no"
        assert made(*nothing)["reasons"], "a no has a reason"


def test_every_failed_check_says_something() -> None:
    (one,) = reasons([Check(name="counts", status=Status.FAIL, expected="5 records", actual="4")])
    assert one["found"] == ["4, not 5 records"]


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_hostile_names_are_text_and_nothing_is_loaded() -> None:
    found = made(FINE)
    data = to_bytes(found)
    assert json.loads(data) == found
    page = page_of(found, data)
    assert from_page(page) == data
    elements = Elements()
    elements.feed(page.decode())
    scripts = [attributes for tag, attributes in elements.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "certificate"}]
    assert not [tag for tag, _ in elements.tags if tag in ("img", "iframe", "object", "a")]
    addresses = [value for _, attributes in elements.tags for name, value in attributes.items()
                 if name in ("src", "href", "action")]  # fmt: skip
    assert addresses == ["data:,"]


def test_a_page_without_a_certificate_has_none() -> None:
    assert from_page(b"<html></html>") is None


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["verify_certificate", *arguments])
    return verify_certificate.main()


def test_what_was_signed_is_verified_and_a_changed_byte_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = signer()
    (tmp_path / "plan.json").write_text("{}")
    rests_on = [{"name": "plan.json", "bytes": 2, "sha256": digest(b"{}")},
                {"name": "gone.json", "bytes": 2, "sha256": "0"}]  # fmt: skip
    found = made(FINE, signed_by={"algorithm": "ed25519", "key": key.key_name}, rests_on=rests_on)
    data = to_bytes(found)
    file, page, signature, public = (
        tmp_path / name for name in ("certificate.json", "certificate.html", "certificate.sig", "public.pem")
    )
    file.write_bytes(data)
    signature.write_bytes(key.sign_file(data))
    page.write_bytes(page_of(found, data, signature.read_bytes()))
    public.write_text(key.public_pem)
    for one in (file, page):
        assert run(monkeypatch, str(one), "--key", str(public)) == 0
    said = capsys.readouterr().out
    assert "not there, so not checked: gone.json" in said
    assert f"yes, said at 2026-01-01T00:00:00Z of cluster a; SHA-256 {digest(data)}" in said

    other = tmp_path / "other.pem"
    other.write_text(signer().public_pem)
    assert run(monkeypatch, str(file), "--key", str(other)) == 1
    for at in (0, len(data) // 2, len(data) - 2):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert run(monkeypatch, str(file), "--key", str(public)) in (1, 2)
    file.write_bytes(data)
    (tmp_path / "plan.json").write_text("{ }")
    assert run(monkeypatch, str(file), "--key", str(public)) == 1
    assert "plan.json was changed since" in capsys.readouterr().err
    (tmp_path / "plan.json").write_text("{}")
    signature.unlink()
    assert run(monkeypatch, str(file), "--key", str(public)) == 1
    assert run(monkeypatch, str(file)) == 0, "who signed it was not asked"
    file.write_text("[]")
    assert run(monkeypatch, str(file)) == 2


def test_a_secret_signs_no_certificate() -> None:
    with pytest.raises(BadConnection, match="openssl genpkey -algorithm ed25519"):
        Signer("s" * 32).sign_file(b"{}")
    with pytest.raises(BadConnection, match="cannot sign"):
        Signer(signer().public_pem).sign_file(b"{}")
    assert Signer("s" * 32).public_pem == ""
    assert not Signer("s" * 32).holds_file(b"{}", b"x")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret"])
def test_a_certificate_cannot_ask_for_files_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "secret").write_text("s")
    file = tmp_path / "run" / "certificate.json"
    file.parent.mkdir()
    file.write_bytes(to_bytes(made(FINE, rests_on=[{"name": name, "bytes": 1, "sha256": digest(b"s")}])))
    assert run(monkeypatch, str(file)) == 1
    assert "names a file outside" in capsys.readouterr().err
