"""Client quotas are set, and looked at until the brokers show them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kafka_ferry.core.quotas import QuotaDiff
from kafka_ferry.exceptions import BadParam, NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas

log = logging.getLogger(__name__)

_VISIBLE_SECONDS = 30.0


def set_quotas(target: KafkaClusterHook, look: Callable[[], QuotaDiff]) -> tuple[QuotaDiff, list[str]]:
    """Set what is missing or different and wait until the target shows it; safe to repeat.

    :param look: compares, again and again.
    :return: what is different now, and what the brokers refused.
    """
    diff = look()
    refused = KafkaQuotas.of(target).set_quotas(diff.to_set)
    for quota in diff.to_set:
        log.info("set %s", quota)
    # What the controller took, a broker knows a moment later.
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while diff.to_set and not refused and time.monotonic() < deadline:
        time.sleep(0.2)
        diff = look()
    return diff, refused


def quotas_to_set(target: KafkaClusterHook, look: Callable[[], QuotaDiff], instead: str) -> QuotaDiff:
    """What ``quotas: copy`` would set.

    :param look: compares. ``instead``: values of the param that set none.
    :raises BadParam: it cannot be done there, or the target refuses one.
    """
    fix = f"quotas: {instead}"
    try:
        diff = look()
        refused = KafkaQuotas.of(target).set_quotas(diff.to_set, validate_only=True)
    except (NotSupported, NotAuthorized) as error:
        raise BadParam("quotas", f"is copy, but {error}", fix) from error
    if refused:
        raise BadParam("quotas", f"is copy, but the target refuses {'; '.join(refused[:3])}", fix)
    return diff
