"""``python -m kafka_ferry.copy_dags FOLDER [DAG…]``: the package's DAG files into a DAGs folder.

They are copied, not loaded from the package: a schedule, defaults and which of them there are belong to who runs them,
and no managed Airflow takes another DAG bundle. A file there that is another is kept, and named.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).parent


def dag_files() -> list[Path]:
    """Those of the wheel, else those of the checkout that this file is in."""
    for folder in (_PACKAGE / "dags", _PACKAGE.parents[1] / "dags"):
        if found := sorted(folder.glob("*.py")):
            return found
    raise FileNotFoundError(f"no DAG files beside {_PACKAGE}")


def copy_dags(folder: Path, dag_ids: Iterable[str] = (), replace: bool = False) -> dict[str, str]:
    """File name to what was done: ``copied``, ``there already``, ``replaced`` or ``kept: it is another``.

    :param dag_ids: only these; none: all.
    :param replace: write over files that are other than the package's.
    :raises KeyError: there is no DAG of such a name.
    """
    files = {file.stem: file for file in dag_files()}
    folder.mkdir(parents=True, exist_ok=True)
    return {file.name: _copy(file, folder / file.name, replace) for file in map(files.__getitem__, dag_ids or files)}


def _copy(source: Path, target: Path, replace: bool) -> str:
    new, old = source.read_bytes(), target.read_bytes() if target.exists() else None
    if new == old:
        return "there already"
    if old is not None and not replace:
        return "kept: it is another"
    target.write_bytes(new)
    return "copied" if old is None else "replaced"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m kafka_ferry.copy_dags", description=(__doc__ or "")[:99])
    parser.add_argument("folder", type=Path, help="Airflow's DAGs folder, or one below it")
    known = [file.stem for file in dag_files()]
    parser.add_argument("dags", nargs="*", metavar="DAG", help=f"some of {', '.join(known)}; none: all")
    parser.add_argument("--replace", action="store_true", help="write over files that are other than the package's")
    asked = parser.parse_args()
    if unknown := set(asked.dags) - set(known):
        parser.error(f"no such DAG: {', '.join(sorted(unknown))}")
    for name, done in copy_dags(asked.folder, asked.dags, asked.replace).items():
        print(f"{name}: {done}")


if __name__ == "__main__":
    main()
