"""``python -m kafka_ferry.jobs.cutover.verify_certificate FILE [--key PEM]``: is a certificate what was signed, and are
the files that it rests on what they were?

FILE is ``certificate.json`` or ``certificate.html``. It needs neither Airflow nor Kafka.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.jobs.cutover.rules.certificate import SCHEMA, SIGNATURE, digest, from_page


def signed_bytes(file: Path) -> bytes:
    """The JSON of a certificate, of a page too.

    :raises ValueError: there is none.
    """
    data = file.read_bytes()
    data = from_page(data) or data
    found = json.loads(data)
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError(f"is no {SCHEMA}")
    return data


def problems(data: bytes, folder: Path, key: str, signature: bytes | None) -> list[str]:
    """What is wrong; empty: nothing.

    :param folder: where the files are that it rests on.
    :param key: PEM of the public key; empty: it is not asked who signed.
    """
    found: dict[str, Any] = json.loads(data)
    wrong = []
    if key and signature is None:
        wrong.append("the certificate has no signature file")
    elif key and not Signer(key).holds_file(data, signature or b""):
        wrong.append("the signature is not of this key and these bytes: one of them was changed")
    for one in found["rests_on"]:
        file = folder / one["name"]
        if not file.resolve().is_relative_to(folder.resolve()):
            wrong.append(f"it names a file outside of the folder: {one['name']!r}")
        elif not file.exists():
            print(f"not there, so not checked: {one['name']}")
        elif digest(file.read_bytes()) != one["sha256"]:
            wrong.append(f"{one['name']} was changed since")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m kafka_ferry.jobs.cutover.verify_certificate", description=__doc__)
    parser.add_argument("file", type=Path, help="certificate.json or certificate.html")
    parser.add_argument("--key", type=Path, help="PEM of the public key of who must have signed it")
    parser.add_argument("--signature", type=Path, help="default: certificate.sig beside the file")
    parser.add_argument("--folder", type=Path, help="with the files that it rests on; default: that of the file")
    asked = parser.parse_args()
    signature = asked.signature or asked.file.with_name(SIGNATURE)
    try:
        data = signed_bytes(asked.file)
        wrong = problems(
            data, asked.folder or asked.file.parent, asked.key.read_text() if asked.key else "",
            signature.read_bytes() if signature.exists() else None,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, BadConnection) as error:
        print(f"{asked.file}: {error}", file=sys.stderr)
        return 2
    found = json.loads(data)
    for text in wrong:
        print(f"WRONG: {text}", file=sys.stderr)
    if not wrong:
        signed = f"signed with the key {found['signed_by']['key']}" if asked.key else "who signed it was not checked"
        print(f"{found['question']} {found['answer']}, said at {found['issued']} of cluster "
              f"{found['source'].get('cluster_id')}; SHA-256 {digest(data)}; {signed}")  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
