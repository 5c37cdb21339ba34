"""``python -m bench.backup_once ORDER``: one export or restore by our engine, as a process that can be measured.

The order is a file of JSON: ``what`` (export or restore), ``config`` (librdkafka settings), ``store`` (as
``process.store_order`` gives it), ``name``, ``topic``, ``id`` and for a restore ``target``. Prints what was counted.
Loads what its order needs, and begins and ends as the children do that a task starts.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from kafka_ferry.jobs.common.child_process import collect_seldom, end_now


def main() -> NoReturn:
    """Errors end it with their trace."""
    collect_seldom()
    order = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(_export(order) if order["what"] == "export" else _restore(order)))
    end_now()


def _export(order: dict[str, Any]) -> dict[str, float]:
    from kafka_ferry.hooks.kafka.admin import KafkaAdmin
    from kafka_ferry.hooks.objects.open import open_store
    from kafka_ferry.jobs.s3.export_run import ExportRun, shards_of
    from kafka_ferry.jobs.s3.s3_spec import ExportSpec

    spec = ExportSpec(
        topics=[order["topic"]],
        export=order["name"],
        location=order["store"]["location"],
        mode="full",
        format=order.get("format", "parquet"),
    )
    admin = KafkaAdmin(order["config"], "source")
    export = ExportRun(admin, order["config"], open_store(**order["store"]), order["store"], spec, order["id"])
    mine = [at for shard in shards_of(export.begin()) for at in shard]
    done = export.run_shard(mine)
    export.finish()
    return done


def _restore(order: dict[str, Any]) -> dict[str, float]:
    from kafka_ferry.hooks.objects.open import open_store
    from kafka_ferry.jobs.backup.rules.spec import RestoreSpec
    from kafka_ferry.jobs.backup.store.restore_run import RestoreRun
    from kafka_ferry.jobs.backup.store.work import added, in_processes

    spec = RestoreSpec(
        backup=order["name"], location=order["store"]["location"], rename={order["topic"]: order["target"]}, groups=[]
    )
    restore_run = RestoreRun(order["config"], open_store(**order["store"]), spec)
    memory: dict[str, dict[str, str]] = {}
    restore_run.provision(memory)
    ranges = restore_run.ranges()
    place = {"kind": "restore", "config": order["config"], "store": order["store"]}
    done = added(
        in_processes(
            ranges,
            lambda one: sum(segment.bytes for segment in one.segments),
            lambda some: {**place, "ranges": [one.to_json() for one in some]},
        )
    )
    restore_run.release(memory)
    return done


if __name__ == "__main__":
    main()
