"""Generates the tables of params in docs/ from the specs: ``make docs-params`` writes them between their markers.

A page has ``<!-- params:<dag id> -->`` and ``<!-- /params -->`` around its table. Params that an engine shares
unchanged with ``mirror_maker2_on_connect`` are only on that page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from pydantic_core import PydanticUndefined

from kafka_ferry.core.spec import Spec, words_of
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec, VerifySpec
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec
from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec
from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.rules.specs import ENGINES, spec_of
from kafka_ferry.jobs.s3.files.files_spec import FilesSpec
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec
from kafka_ferry.jobs.schemas.rules.spec import SchemasSpec

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
#: DAG to its spec.
SPECS: Final[dict[str, type[Spec]]] = {
    **{engine: spec_of(engine) for engine in ENGINES},
    "backup_topics": BackupSpec,
    "restore_topics": RestoreSpec,
    "verify_backup": VerifySpec,
    "export_topics_to_s3": ExportSpec,
    "import_topics_from_s3": ImportSpec,
    "import_files_from_s3": FilesSpec,
    "stream_database_changes": StreamSpec,
    "check_connections": ConnectionsSpec,
    "cutover": CutoverSpec,
    "fail_back": FailBackSpec,
    "retire_source": RetireSpec,
    "migrate_schemas": SchemasSpec,
}
_PLACE = re.compile(r"(?<=<!-- params:)(\w+)( -->\n).*?(?=<!-- /params -->)", re.DOTALL)


def table(dag_id: str) -> str:
    """Markdown: a line for each param, independent of defaults that the environment sets."""
    spec = SPECS[dag_id]
    said, end = _said(spec), ""
    if issubclass(spec, MigrationSpec) and spec not in (MigrationSpec, ComparisonSpec, CutoverSpec, FailBackSpec):
        common = _said(MigrationSpec)
        missing = [f"`{name}`" for name in common if name not in said]
        without = f", but there is no {', '.join(missing)}" if missing else ""
        end = f"\nAll others are those of [`mirror_maker2_on_connect`](mirror_maker2_on_connect.md){without}.\n"
        said = {name: words for name, words in said.items() if words != common.get(name)}
    rows = [f"| `{name}` | {default} | {text} |\n" for name, (default, text, _) in said.items()]
    return "".join(["| param | default | meaning |\n", "|---|---|---|\n", *rows, end])


def updated(page: str) -> str:
    """A page with its tables up to date."""
    return _PLACE.sub(lambda found: f"{found[1]}{found[2]}{table(found[1])}", page)


def _said(spec: type[Spec]) -> dict[str, tuple[str, str, str | None]]:
    """Param to its default, its text and its section of the form."""
    return {
        name: (_default(spec, name), _text(spec, name, param.schema), param.schema.get("section"))
        for name, param in params_of(spec).items()
    }


def _default(spec: type[Spec], name: str) -> str:
    more = words_of(spec, name).more
    if "allowed" in more:
        return "the first that the deployment allows"
    default = spec.model_fields[name].default
    if default is PydanticUndefined:
        shown = "must be given"
    else:
        value = getattr(default, "value", default)
        shown = "" if value is None or value in ([], {}, "") else f"`{_plain(json.dumps(value))}`"
    # What Airflow's environment says comes before it.
    return f"{shown or 'none'}, or `${more['environment']}`" if "environment" in more else shown


def _text(spec: type[Spec], name: str, schema: dict[str, Any]) -> str:
    words = words_of(spec, name)
    shown: dict[str, str] = schema.get("values_display", {})
    choices = [
        f"`{value}`" + (f": {_escaped(shown[value].removeprefix(f'{value}: '))}" if value in shown else "")
        for value in schema.get("enum", ())
    ]
    examples = [f"`{_plain(one if isinstance(one, str) else json.dumps(one))}`" for one in words.examples]
    parts = [
        f"**{words.title}.** {_escaped(words.description)}",
        f"One of {'; '.join(choices)}." if choices else "",
        f"For example {' or '.join(examples)}." if examples else "",
    ]
    return " ".join(filter(None, parts))


def _escaped(text: str) -> str:
    """Without what Markdown would take for its own."""
    for mark in ("\\", "<", "*", "_", "[", "`"):
        text = text.replace(mark, f"\\{mark}")
    return _plain(text)


def _plain(text: str) -> str:
    """For a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    for file in sorted(DOCS.glob("*.md")):
        if (new := updated(old := file.read_text())) != old:
            file.write_text(new)
            print(f"{file.name}: its table of params was not current")
