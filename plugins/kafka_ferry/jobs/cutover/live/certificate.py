"""Write the certificate of a run: JSON, page, signature."""

from __future__ import annotations

import base64
import hashlib

import pendulum

from kafka_ferry.core.checks import Check, TopicLine
from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.jobs.common.deployment import signing_connection
from kafka_ferry.jobs.common.signing import signer_of
from kafka_ferry.jobs.cutover.live.retirement import Retirement
from kafka_ferry.jobs.cutover.rules.certificate import (
    CERTIFICATE,
    CERTIFICATE_PAGE,
    SCRIPT,
    SIGNATURE,
    certificate,
    digest,
    to_bytes,
)
from kafka_ferry.jobs.cutover.rules.retirement import SourceFacts
from kafka_ferry.report.artifacts import (
    BLOCK,
    CHECKS_MADE,
    FINGERPRINTS,
    FROZEN,
    PLAN,
    DamagedArtifact,
    RunArtifacts,
    read_results,
)
from kafka_ferry.report.page import environment

#: Artifacts: the waves' journals as they were read, and the source as it was seen.
WAVES = "waves.json"
FACTS = "source.json"
FILES = (CERTIFICATE, CERTIFICATE_PAGE, SIGNATURE)


def ed25519_signer(conn_id: str | None) -> Signer | None:
    """Who signs; None: nobody. A deployment's key for backups may be a secret, which signs no certificate.

    :raises BadConnection: the key that was asked for is no Ed25519 private key.
    """
    signer = signer_of(conn_id)
    if signer is None or (conn_id is None and signer.algorithm != "ed25519"):
        return None
    try:
        signer.sign_file(b"{}")
    except BadConnection as error:
        raise BadConnection(f"signing_conn_id: connection {signing_connection(conn_id)!r}: {error}") from None
    return signer


def write_certificate(of: Retirement, artifacts: RunArtifacts) -> dict[str, str]:
    """Write it from the run's own files. Its answer and its SHA-256.

    :raises DamagedArtifact: a file is not there.
    """
    made, plan, facts = (artifacts.read_json(name) for name in (CHECKS_MADE, PLAN, FACTS))
    if made is None or plan is None or facts is None:
        raise DamagedArtifact(f"{artifacts.path(CHECKS_MADE)} is not there. Fix: clear validate")
    signer, results, seen = ed25519_signer(of.spec.signing_conn_id), read_results(artifacts), SourceFacts.read(facts)
    rests_on = [PLAN, WAVES, FROZEN, FACTS, *artifacts.names(FINGERPRINTS), CHECKS_MADE]
    found = certificate(
        issued=pendulum.now("UTC").isoformat(timespec="seconds"),
        run=(artifacts.dag_id, artifacts.run_id),
        source=plan["source"],
        target=plan["target"],
        waves=of.waves,
        checks=[Check.model_validate(one) for one in made["checks"]],
        topics=[TopicLine.model_validate(one) for one in made["topics"]],
        results=results,
        ends={tp: (end, of.done.target_ends[tp]) for tp, end in of.done.ends.items()},
        rests_on=[_hashed(artifacts, name) for name in rests_on],
        signed_by={"algorithm": signer.algorithm, "key": signer.key_name} if signer else None,
        left={"left_behind": seen.left_behind, "left_groups": seen.left_groups},
    )
    data = to_bytes(found)
    signature = signer.sign_file(data) if signer else b""
    page = environment().get_template("certificate.html").render(
        found=found, sha256=digest(data), signature=base64.b64encode(signature).decode(),
        json=data.decode("ascii"), script=SCRIPT,
    )  # fmt: skip
    artifacts.write_blocks(CERTIFICATE, [data])
    if signer:
        artifacts.write_blocks(SIGNATURE, [signature])
    artifacts.write_text(CERTIFICATE_PAGE, page)
    return {"answer": found["answer"], "sha256": digest(data), "path": artifacts.path(CERTIFICATE_PAGE)}


def _hashed(artifacts: RunArtifacts, name: str) -> dict[str, str | int]:
    hashed, size = hashlib.sha256(), 0
    with artifacts.opened(name) as file:
        while block := file.read(BLOCK):
            hashed.update(block)
            size += len(block)
    return {"name": name, "bytes": size, "sha256": hashed.hexdigest()}
