"""Work on shards in several processes: where columns and hashes are made by Python, each keeps one core busy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka_ferry.core.redaction import secret_values
from kafka_ferry.core.signature import Signer
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.hooks.objects.store import PATIENCE, ObjectStore
from kafka_ferry.jobs.common.child_process import Order, answer_order, do_here, run_children

_MODULE = "kafka_ferry.jobs.backup.store.process"


def store_order(
    location: str,
    settings: Mapping[str, Any] | None = None,
    patience: float = PATIENCE,
    signer: Signer | None = None,
) -> dict[str, Any]:
    """How a child opens the store: arguments of ``open_store``."""
    signing = {"signing": signer.to_json()} if signer else {}
    return {"location": location, "settings": dict(settings or {}), "patience": patience, **signing}


def run(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Do each order in a process of its own; the answers, in their order. When one fails the others are stopped.

    A single order is done here: another process would cost its start (0.8 s with Numba, measured) and gain nothing.

    :raises FerryError: what a process met, with its class.
    """
    if len(orders) == 1:
        return [do_here("the backup's process", orders[0], secret_values(orders[0]), _do)]
    return run_children(_MODULE, "a backup process", [(order, secret_values(order)) for order in orders])


def _store(order: Order) -> ObjectStore:
    return open_store(**order["store"])


def _export(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.backup.store.export import ExportRange, export_shard

    ranges = [ExportRange(**one) for one in order["ranges"]]
    limits = {name: order[name] for name in ("segment_bytes", "buffer_bytes") if name in order}
    place = _store(order), order["backup"], order["backup_id"]
    kind = order.get("format", "parquet")
    return export_shard(order["config"], *place, ranges, order["isolation_level"], **limits, kind=kind).to_json()


def _restore(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.backup.store.restore import RestoreRange, restore_shard

    return restore_shard(order["config"], _store(order), list(map(RestoreRange.from_json, order["ranges"]))).to_json()


def _compare(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.backup.store.restore import RestoreRange
    from kafka_ferry.jobs.backup.store.verify import compare_restored

    ranges = list(map(RestoreRange.from_json, order["ranges"]))
    lines = compare_restored(order["config"], _store(order), ranges, growing=order.get("growing", False))
    return {"lines": [line.to_json() for line in lines]}


def _source(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.backup.store.source_check import BackedUp, compare_with_source

    partitions = list(map(BackedUp.from_json, order["partitions"]))
    lines = compare_with_source(order["config"], order["isolation_level"], partitions)
    return {"lines": [line.to_json() for line in lines]}


def _verify(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.backup.rules.manifest import Segment
    from kafka_ferry.jobs.backup.store.verify import verify_segments

    segments = [(topic, partition, Segment.model_validate(data)) for topic, partition, data in order["segments"]]
    return {"damage": [one.to_json() for one in verify_segments(_store(order), segments)]}


_KINDS: dict[str, Callable[[Order], dict[str, Any]]] = {
    "export": _export,
    "restore": _restore,
    "compare": _compare,
    "source": _source,
    "verify": _verify,
}


def _do(order: Order) -> dict[str, Any]:
    return _KINDS[order["kind"]](order)


def main() -> None:
    """The child: one order in, its result or its error out."""
    answer_order(_do)


if __name__ == "__main__":
    main()
