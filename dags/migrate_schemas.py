"""Carry a schema registry: subjects, versions, ids, references, compatibility and modes; and prove it.

plan -> apply -> validate -> restore -> report

The plan compares both registries and names what would be registered, and every clash: an id that the target uses for
another schema, a version with another content. `ids: keep` gives each schema the id it has at the source, so that the
ids in records go on meaning the same; the target registry has to know mode IMPORT. With `ids: map` the target gives
ids, and the records keep those of the source. Then every schema, and what every id leads to, is compared; the
result is in the run's tab "Kafka Ferry". Run it again at any time: it carries what is new.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.schemas.dag import migrate_schemas
from kafka_ferry.jobs.schemas.rules.spec import SchemasSpec

with DAG(
    **about("migrate_schemas", "carry a schema registry and prove it", __doc__, params_of(SchemasSpec), "schemas"),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("kafka_ferry"),
):
    migrate_schemas()
