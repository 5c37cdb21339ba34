"""Stop the producers of a wave, and let them work again: each change is in the journal before it is made."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.wave_journal import Journal
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.kafka.acls import KafkaAcls
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.live.webhook import Webhook
from kafka_ferry.jobs.cutover.rules.fence import lift_commands
from kafka_ferry.jobs.cutover.rules.handover import told_of_fence
from kafka_ferry.jobs.cutover.rules.spec import Fence

log = logging.getLogger(__name__)

_VISIBLE_SECONDS = 10.0
_POLL = 0.1


def raise_fence(wave: Wave, journal: Journal) -> None:
    """Stop the producers, or let them be stopped. Safe to repeat.

    :param journal: which says what is to be added, and has been kept.
    """
    spec = wave.spec
    if spec.fence is Fence.ACL:
        wave.source.admin.create_acls(journal.fence_acls)
        _wait_for(wave.source, journal.fence_acls, there=True)
    elif spec.fence is Fence.WEBHOOK and spec.fence_webhook_conn_id:
        _tell(wave, "fence", spec.fence_webhook_conn_id)


def lift_fence(cluster: KafkaClusterHook, journal: Journal) -> None:
    """Delete the ACLs that were added, and no other; see them gone. Safe to repeat.

    :raises FerryError: it cannot be done, with the commands that do it by hand.
    """
    acls = journal.fence_acls
    try:
        KafkaAcls.of(cluster).delete_acls(acls)
        _wait_for(cluster, acls, there=False)
    except FerryError as error:
        servers = str(cluster.extra.get("bootstrap.servers"))
        by_hand = "\n".join(lift_commands(acls, servers))
        log.error("the fence is still on the source. By hand, for each topic of the wave:\n%s", by_hand)  # noqa: TRY400
        raise TransientError(f"the fence of wave {journal.wave} is still on the source: {error}") from error


def tell_unfence(wave: Wave) -> None:
    """Let who stopped the producers start them again. What it does not answer is told, and holds nothing up."""
    spec = wave.spec
    if spec.fence is Fence.WEBHOOK and spec.fence_webhook_conn_id:
        try:
            _tell(wave, "unfence", spec.fence_webhook_conn_id)
        except FerryError as error:
            log.error("producers were not told to go on: %s", error)  # noqa: TRY400


def _tell(wave: Wave, event: str, conn_id: str) -> None:
    seconds = wave.spec.fence_timeout
    payload = told_of_fence(event, wave.spec.wave, wave.targets, wave.source.extra, seconds)
    Webhook(conn_id).post(payload, seconds)


def _wait_for(cluster: KafkaClusterHook, acls: Sequence[Acl], *, there: bool) -> None:
    """What the controller took, a broker shows a moment later (measured)."""
    deadline, wanted = time.monotonic() + _VISIBLE_SECONDS, set(acls)
    while wanted:
        known = set(cluster.admin.acls() or ())
        wrong = wanted - known if there else wanted & known
        if not wrong:
            return
        if time.monotonic() > deadline:
            state = "are not there yet" if there else "are still there"
            raise TransientError(f"{cluster.conn_id}: {len(wrong)} ACLs of the fence {state}: {sorted(wrong)[0]}")
        time.sleep(_POLL)
