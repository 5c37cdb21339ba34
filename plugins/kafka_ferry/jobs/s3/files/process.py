"""Work on others' files in several processes: each keeps one core busy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka_ferry.core.redaction import secret_values
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.jobs.backup.store.restore import RestoreRange
from kafka_ferry.jobs.common.child_process import Order, answer_order, do_here, run_children
from kafka_ferry.jobs.s3.files.rules.file_segment import FileSegment
from kafka_ferry.jobs.s3.files.rules.formats import Formats
from kafka_ferry.jobs.s3.files.rules.names import FileSet

_MODULE = "kafka_ferry.jobs.s3.files.process"


def run(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Do each order in a process of its own, a single one here; the answers, in their order.

    :raises FerryError: what a process met, with its class.
    """
    if len(orders) == 1:
        return [do_here("the process that reads files", orders[0], secret_values(orders[0]), _do)]
    return run_children(_MODULE, "a process that reads files", [(order, secret_values(order)) for order in orders])


def _formats(order: Order) -> Formats:
    return Formats(**{**order["formats"], "fields": tuple(order["formats"]["fields"])})


def _read(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.s3.files.store.reading import read_partition

    store, formats = open_store(**order["store"]), _formats(order)
    found = [
        read_partition(store, formats, topic, partition, list(map(FileSet.from_json, files)))
        for topic, partition, files in order["partitions"]
    ]
    return {"partitions": [one.to_json() for one in found]}


def _ranges(order: Order) -> list[RestoreRange]:
    return [
        RestoreRange(**{**one, "segments": tuple(map(FileSegment.model_validate, one["segments"]))})
        for one in order["ranges"]
    ]


def _restore(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.backup.store.restore import restore_shard
    from kafka_ferry.jobs.s3.files.store.reading import ForeignFiles

    reader = ForeignFiles(_formats(order))
    return restore_shard(order["config"], open_store(**order["store"]), _ranges(order), reader).to_json()


def _compare(order: Order) -> dict[str, Any]:
    from kafka_ferry.jobs.backup.store.verify import compare_restored
    from kafka_ferry.jobs.s3.files.store.reading import ForeignFiles

    reader = ForeignFiles(_formats(order))
    lines = compare_restored(order["config"], open_store(**order["store"]), _ranges(order), reader)
    return {"lines": [line.to_json() for line in lines]}


_KINDS: Mapping[str, Callable[[Order], dict[str, Any]]] = {"read": _read, "restore": _restore, "compare": _compare}


def _do(order: Order) -> dict[str, Any]:
    return _KINDS[order["kind"]](order)


def main() -> None:
    """The child: one order in, its result or its error out."""
    answer_order(_do)


if __name__ == "__main__":
    main()
