"""docs/ as a site, by ``make docs``: README is its first page, and GitHub shows the same files as they stand.

Strict: a link, an anchor or an image that leads nowhere, and a page that is in no list below, fail the build.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

PROJECT = Path(__file__).resolve().parents[2]

project = "Kafka Ferry"
release = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
project_copyright = ""  # the licence is not chosen yet
html_show_copyright = False

extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md"]
exclude_patterns = [".*", "dags", "include", "plugins", "tests", "site", "dist", "htmlcov"]  # nothing to look for there
myst_heading_anchors = 4  # as GitHub makes them

html_theme = "furo"
html_title = f"Kafka Ferry {release}"
html_show_sourcelink = False

#: Where a page stands in the list at the side.
PAGES = {
    "Start": ["install", "connections", "object_stores", "check_connections", "security", "preflight"],
    "Migrate": [
        "engines", "mirror_maker2_on_connect", "mirror_maker2_dedicated", "mirror_maker2_on_msk_connect",
        "mirror_maker2_standalone", "mirror_maker1", "msk_replicator", "replicate_topics", "cutover",
        "fail_back", "retire_source", "migrate_schemas", "verify_clusters", "hosts", "msk_connect", "connect_plugins",
    ],
    "Back up, export, stream": [
        "backup_topics", "restore_topics", "verify_backup", "export_topics_to_s3", "import_topics_from_s3",
        "import_files_from_s3", "s3_connectors", "vendors_s3_connectors", "stream_database_changes",
    ],
    "Understand": ["report", "jobs_page", "operate", "reliability", "verification", "changes", "benchmarks", "design"],
}  # fmt: skip
ABOUT = ["CHANGELOG", "CONTRIBUTING", "SECURITY"]


def add_lists(app: Sphinx, docname: str, source: list[str]) -> None:
    """The list of pages: in the README itself it would be noise on GitHub."""
    if docname == root_doc:
        lists = {**{title: [f"docs/{page}" for page in pages] for title, pages in PAGES.items()}, "The project": ABOUT}
        for title, pages in lists.items():
            source[0] += "\n\n```{toctree}\n:hidden:\n:caption: " + title + "\n\n" + "\n".join(pages) + "\n```\n"


def add_index(app: Sphinx, failed: Exception | None) -> None:
    """What a web server shows of a folder."""
    if not failed:
        shutil.copyfile(app.outdir / f"{root_doc}.html", app.outdir / "index.html")


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_lists)
    app.connect("build-finished", add_index)
