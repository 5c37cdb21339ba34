"""How a DAG of ours is found and read in Airflow: its name in the list, tags, and its page in the UI."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

#: Tag of all DAGs of ours.
TAG = "kafka-ferry"
#: Where an installation keeps docs/, as the beginning of an URL.
DOCS = "FERRY_DOCS_URL"


def about(dag_id: str, title: str, doc: str, params: Mapping[str, Param], *tags: str) -> dict[str, Any]:
    """Arguments of ``DAG``: its params, and all that people find and read it by. Looks at no file and no connection.

    The list's search looks at the display name alone (Airflow 3.3.2), so that begins with the id.

    :param doc: the DAG file's docstring: what it does, its tasks, what to know before the first run.
    """
    return {
        "dag_id": dag_id,
        "dag_display_name": f"{dag_id}: {title}",
        "description": inspect.cleandoc(doc).partition("\n\n")[0].replace("\n", " "),
        "tags": [TAG, *tags],
        "doc_md": page(dag_id, doc, params),
        "params": dict(params),
    }


def page(dag_id: str, doc: str, params: Mapping[str, Param]) -> str:
    """Markdown: the docstring, every param with its default, and where to read on."""
    rows = [f"| `{name}` | {_default(param)} | {_cell(param)} |" for name, param in params.items()]
    file, base = f"docs/{dag_id}.md", os.environ.get(DOCS, "").rstrip("/")
    more = f"[{file}]({base}/{dag_id}.md)" if base else f"`{file}` of Kafka Ferry"
    table = "\n".join(["| param | default | what it says |", "|---|---|---|", *rows])
    return f"{inspect.cleandoc(doc)}\n\n## Params\n{table}\n\n## More\nLimits, failures and examples: {more}.\n"


def _default(param: Param) -> str:
    if not param.has_value:
        return "must be given"
    value = param.value
    return "" if value is None or value in ([], {}, "") else f"`{_plain(json.dumps(value))}`"


def _cell(param: Param) -> str:
    words: Mapping[str, Any] = param.schema.get("values_display", {})
    text = str(param.schema["text"]) + "".join(f" `{value}`: {said}." for value, said in words.items())
    escaped = text.replace("\\", "\\\\").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    return _plain(f"**{param.schema['title']}.** {escaped}")


def _plain(text: str) -> str:
    """For a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")
