"""How a DAG of ours is found and read in Airflow: its name in the list, tags, and its page in the UI."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from kafka_ferry.core.job_name import TAG

#: Where an installation keeps docs/: the beginning of an URL, or the whole with `{page}` in it.
DOCS = "FERRY_DOCS_URL"


def about(dag_id: str, title: str, doc: str, params: Mapping[str, Param], *tags: str) -> dict[str, Any]:
    """Arguments of ``DAG``: its params, and all that people find and read it by. Looks at no file and no connection.

    The list's search looks at the display name alone (Airflow 3.3.2), so that begins with the id.

    :param doc: the DAG file's docstring, as ``page`` takes it.
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
    """Markdown: what it does, where to read on, how to use it, its tasks, and every param in the form's sections.

    Airflow shows it in a window of 500 by 400 pixels, and leaves no room between paragraphs (3.3.2): so the link comes
    before what has to be scrolled to, headings part the rest, and params are a list, as a table is cut off there.

    :param doc: three parts with an empty line between them: what, the tasks, and how to use it.
    """
    what, *rest = inspect.cleandoc(doc).split("\n\n", 2)
    file, base = f"docs/{dag_id}.md", os.environ.get(DOCS, "").rstrip("/")
    place = base if "{page}" in base else f"{base}/{{page}}.md"
    more = f"[{file}]({place.replace('{page}', dag_id)})" if base else f"`{file}` of Kafka Ferry"
    parts = [what, f"- Limits, failures, examples: {more}"]
    heads = zip(("Tasks", "Use"), rest, strict=False)
    parts += [f"## {head}\n{text.replace('->', '→')}" for head, text in reversed([*heads])] + ["## Params"]
    sections = dict.fromkeys(param.schema.get("section") for param in params.values())
    for section in sections:
        lines = [_line(name, one) for name, one in params.items() if one.schema.get("section") == section]
        parts += [f"### {section}"] * bool(section) + ["\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _line(name: str, param: Param) -> str:
    """Of the list of params: its name and default, its title in the form, what it says, its choices.

    Not as code: its grey box lies on the line above.
    """
    shown: Mapping[str, str] = param.schema.get("values_display", {})
    choices = [
        f"{value}" + (f": {shown[value].removeprefix(f'{value}: ')}" if value in shown else "")
        for value in param.schema.get("enum", ())
        if value is not None
    ]
    end = f" One of {('; ' if shown else ', ').join(choices)}." if choices else ""
    title = str(param.schema["title"])
    titled = "" if title.lower().replace(" ", "_") == name else f"{title}. "
    words = f"{_default(param)}: {titled}{param.schema['text']}{end}"
    return f"- **{_escaped(name)}**{_escaped(words)}"


def _default(param: Param) -> str:
    if not param.has_value:  # also where the default is None
        return "" if "null" in param.schema["type"] else " (required)"
    return "" if param.value in ([], {}, "") else f" = {json.dumps(param.value)}"


def _escaped(text: str) -> str:
    """Without what Markdown would take for its own."""
    for mark, kept in (("\\", "\\\\"), ("<", "&lt;"), ("*", "\\*"), ("_", "\\_"), ("`", "\\`"), ("\n", " ")):
        text = text.replace(mark, kept)
    return text
