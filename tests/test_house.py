"""The house: which room may use which, what pure rooms may not touch, and how large a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from kafka_ferry.extras import EXTRAS

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "plugins" / "kafka_ferry"
DAGS = sorted((PROJECT / "dags").glob("*.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Those that are in no room: what every room may use, and what Airflow asks for by name.
OPEN = {"exceptions", "compat", "extras", "provider_info"}
GROUND_FLOOR = [*(f"{name}.py" for name in sorted(OPEN)), "copy_dags.py", "plugin.py"]
#: Those that are in a room, as paths inside the package.
ROOMED = [
    inside
    for inside in (path.relative_to(PACKAGE).as_posix() for path in MODULES)
    if inside not in (*GROUND_FLOOR, "__init__.py", "jobs/__init__.py")
]

#: Rooms without Airflow and without I/O, and files beside those that do it.
PURE = (
    "core", "records", "hooks/msk/rules", "hooks/msk_connect/rules",
    "jobs/backup/rules", "jobs/cdc/rules", "jobs/connections/rules", "jobs/cutover/rules", "jobs/migration/rules",
    "jobs/registry/rules", "jobs/schemas/rules",
    "jobs/runtimes/service_role/rules", "jobs/s3/files/rules", "jobs/s3/files/files_spec.py",
    "jobs/s3/connect/rules",
    "jobs/runtimes/msk_connect_spec.py", "jobs/runtimes/msk_connect_cluster.py",
    "jobs/cdc/debezium_config.py",
    "hooks/hosts/java_command.py", "hooks/hosts/launch.py", "hooks/hosts/scripts.py", "hooks/hosts/shell.py",
    "hooks/hosts/ssm_script.py",
)  # fmt: skip
#: Of engines: what their params and their configurations are.
PURE_ENDINGS = ("_spec.py", "_config.py")
OUTSIDE = (
    "aiokafka", "airflow", "asyncio", "boto3", "botocore", "confluent_kafka", "http", "paramiko", "requests", "socket",
    "subprocess", "urllib3",
)  # fmt: skip

#: Arrows go one way (docs/design.md): a room may import the rooms named, itself, and the exceptions.
GROUND = {"core", "records"}
PUBLIC = {"operators", "sensors", "triggers"}
BELOW = GROUND | PUBLIC | {"hooks", "report", "jobs/common", "jobs/runtimes", "jobs/registry"}
ARROWS = {
    "core": set[str](),
    "records": {"core"},
    "hooks": GROUND,
    "triggers": {"core", "hooks"},
    "operators": {"core", "hooks", "triggers"},
    "sensors": {"core", "hooks", "triggers"},
    "report": GROUND,
    "jobs/common": GROUND | PUBLIC | {"hooks", "report"},
    "jobs/runtimes": BELOW - {"jobs/runtimes", "jobs/registry"},
    "jobs/registry": BELOW - {"jobs/runtimes", "jobs/registry"},
    "jobs/backup": BELOW,
    "jobs/cdc": BELOW,
    "jobs/connections": BELOW,
    "jobs/migration": BELOW,
    "jobs/schemas": BELOW,
    "jobs/s3": BELOW | {"jobs/backup"},  # an export is a backup that others read
    "jobs/cutover": BELOW | {"jobs/migration"},  # a cutover is the last step of a migration
}


def room_of(inside: str) -> str:
    """The room of a file or a module inside the package; jobs are a room each."""
    parts = inside.split("/")
    return "/".join(parts[:2]) if parts[0] == "jobs" else parts[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def imports(path: Path) -> Iterator[str]:
    """Every module imported anywhere in a file, also inside functions; but not for type checkers only."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: imports are absolute"
            yield node.module or ""


def is_pure(path: Path) -> bool:
    inside = path.relative_to(PACKAGE).as_posix()
    of_engine = inside.startswith("jobs/migration/engines/") and inside.endswith(PURE_ENDINGS)
    return inside in PURE or of_engine or any(inside.startswith(f"{room}/") for room in PURE)


def test_the_rooms_are_found() -> None:
    assert {room_of(inside) for inside in ROOMED} == set(ARROWS)
    assert sum(map(is_pure, MODULES)) > 20
    assert DAGS


@pytest.mark.parametrize("path", [path for path in MODULES if is_pure(path)], ids=name_of)
def test_pure_modules_import_nothing_that_does_io(path: Path) -> None:
    assert [name for name in imports(path) if name.split(".")[0] in OUTSIDE] == []


@pytest.mark.parametrize("path", [path for path in MODULES if is_pure(path)], ids=name_of)
def test_pure_modules_open_no_files(path: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {func.id for func in calls if isinstance(func, ast.Name)}
    methods = {func.attr for func in calls if isinstance(func, ast.Attribute)}
    assert not names & {"open", "print", "input"}
    assert not methods & {"read_text", "write_text", "read_bytes", "write_bytes", "getenv", "urlopen", "sleep"}


BLOCK = """
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[1].split():
            raise ImportError(f"a pure module reached {name}")

sys.meta_path.insert(0, Wall())
sys.path.insert(0, sys.argv[2])
import importlib
for module in sys.argv[3:]:
    importlib.import_module(module)
"""


def test_pure_modules_reach_nothing_outside_even_through_others() -> None:
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in MODULES
        if is_pure(path) and path.name != "__init__.py"
    ]
    outside = "aiokafka airflow boto3 botocore confluent_kafka paramiko requests urllib3"
    command = [sys.executable, "-c", BLOCK, outside, str(PACKAGE.parent)]
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    # The wall stands: a module that is not pure runs into it.
    broken = subprocess.run([*command, "kafka_ferry.hooks.kafka.admin"], capture_output=True, text=True, check=False)
    assert "a pure module reached" in broken.stderr


@pytest.mark.parametrize("inside", ROOMED)
def test_arrows_go_one_way(inside: str) -> None:
    room = room_of(inside)
    used = {
        room_of(name.removeprefix("kafka_ferry.").replace(".", "/"))
        for name in imports(PACKAGE / inside)
        if name.startswith("kafka_ferry.")
    }
    assert used - ARROWS[room] - {room} - OPEN == set()


@pytest.mark.parametrize("inside", GROUND_FLOOR)
def test_what_is_in_no_room_uses_no_room(inside: str) -> None:
    used = {name.split(".")[1] for name in imports(PACKAGE / inside) if name.startswith("kafka_ferry.")}
    allowed = OPEN | ({"report"} if inside == "plugin.py" else set())
    assert used - allowed == set()


#: What is elsewhere in some Airflow from 3.0.6 on, or tells which one it is.
DIFFERS = {
    "airflow": None, "airflow.version": None, "airflow.exceptions": None, "airflow.hooks.base": None,
    "airflow.sdk.bases.hook": None, "airflow.sdk.configuration": None, "airflow.sdk.exceptions": None,
    "airflow.sdk.execution_time.secrets_masker": None,
    "airflow.sdk": {"BaseHook", "conf", "result", "BaseAsyncOperator", "DeadlineAlert", "RetryRule"},
    "airflow.sdk.log": {"redact"},
}  # fmt: skip


def of_some_airflows_only(source: str) -> list[str]:
    """Imports of names that are not in the same place in all Airflows; not those for type checkers."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in DIFFERS and DIFFERS[alias.name] is None]
        elif isinstance(node, ast.ImportFrom) and node.module in DIFFERS:
            names = DIFFERS[node.module]
            found += [f"{node.module}.{a.name}" for a in node.names if names is None or a.name in names]
        elif isinstance(node, ast.Constant) and node.value in ("apache-airflow", "apache-airflow-core"):
            found.append(f"version of {node.value}")
    return found


@pytest.mark.parametrize("path", [path for path in (*MODULES, *DAGS) if path.name != "compat.py"], ids=name_of)
def test_one_module_knows_what_airflows_differ_in(path: Path) -> None:
    assert of_some_airflows_only(path.read_text()) == []


def test_the_search_for_what_differs_finds_it() -> None:
    assert of_some_airflows_only("from airflow.sdk import DAG, conf") == ["airflow.sdk.conf"]
    assert of_some_airflows_only("from airflow.sdk.exceptions import TaskDeferred") != []
    assert of_some_airflows_only("import airflow") == ["airflow"]
    assert of_some_airflows_only("from importlib.metadata import version\nversion('apache-airflow')") != []
    assert of_some_airflows_only((PACKAGE / "compat.py").read_text()) != []


def unguarded(source: str) -> list[str]:
    """Imports of what an extra brings, outside a ``with brought_by`` of that extra."""
    tree, parents = ast.parse(source), dict[ast.AST, ast.AST]()
    for node in ast.walk(tree):
        parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        above = ast.unparse(parents[node])  # begins with the line that the import stands below
        for extra, modules in EXTRAS.items():
            theirs = [name for name in names if any(f"{name}.".startswith(f"{module}.") for module in modules)]
            if extra != "fast" and theirs and not above.startswith((f"with brought_by('{extra}')", "if TYPE_CHECKING")):
                found += theirs
    return found


@pytest.mark.parametrize("path", [*MODULES, *DAGS], ids=name_of)
def test_who_imports_what_an_extra_brings_says_so(path: Path) -> None:
    assert unguarded(path.read_text()) == []


def test_the_search_for_unguarded_imports_finds_some() -> None:
    assert unguarded("import boto3") == ["boto3"]
    assert unguarded("with brought_by('aws'):\n    import pymysql") == ["pymysql"]
    assert unguarded("with brought_by('aws'):\n    import boto3") == []


def test_no_two_rooms_import_each_other() -> None:
    assert [(room, other) for room, used in ARROWS.items() for other in used if room in ARROWS[other]] == []


def test_no_files_import_each_other_in_a_circle() -> None:
    """Not even inside functions, where Python would let them."""
    names = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for path in MODULES
    }
    graph = {}
    for path in MODULES:
        own = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        graph[own] = {name for name in imports(path) if name in names} - {own}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_clients_stay_small() -> None:
    """They know how a system is asked, not what for: what grows here is most likely the work of a job."""
    lines = sum(len(path.read_text().splitlines()) for path in MODULES if path.is_relative_to(PACKAGE / "hooks"))
    assert lines < 12_000


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_imports_a_dag(path: Path) -> None:
    names = set(imports(path))
    assert not names & {dag.stem for dag in DAGS}
    assert not any(name.split(".")[0] == "dags" for name in names)


@pytest.mark.parametrize("path", DAGS, ids=name_of)
def test_a_dag_uses_jobs_only(path: Path) -> None:
    used = {name.split(".")[1] for name in imports(path) if name.startswith("kafka_ferry.")}
    assert used == {"jobs"}


IN_REPORT = sorted(
    path
    for path in (PACKAGE / "report").rglob("*")
    if path.suffix in (".py", ".html", ".js", ".css") and not path.name.endswith(".min.js")
)


@pytest.mark.parametrize("path", IN_REPORT, ids=name_of)
def test_the_report_knows_no_job(path: Path) -> None:
    """A job hands in its words (``report.reported_job``): what stands here by name is forgotten by the next job."""
    names = {dag.stem for dag in DAGS}  # every engine has a DAG of its name
    assert names & set(re.findall(r"[a-z0-9]+(?:_[a-z0-9]+)+", path.read_text())) == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_over_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", DAGS, ids=name_of)
def test_no_dag_file_is_over_150_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 150


SECRET_NAME = re.compile(r"(password|passwd|secret|token|api_?key|access_?key)$", re.IGNORECASE)
SECRET_LOOK = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}|ghp_[A-Za-z0-9]{36}")


def secrets_in(source: str) -> list[str]:
    """Literals that look like secrets, and names of secrets that are given a literal."""
    found = [
        f"line {source[: match.start()].count(chr(10)) + 1}: {match[0][:12]}…" for match in SECRET_LOOK.finditer(source)
    ]
    for node in ast.walk(ast.parse(source)):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(ast.unparse(target), node.value) for target in node.targets]
        elif isinstance(node, ast.Call):
            pairs = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        for name, value in pairs:
            if SECRET_NAME.search(name) and isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
                found.append(f"line {value.lineno}: {name}")
    return found


@pytest.mark.parametrize("path", [*MODULES, *DAGS], ids=name_of)
def test_no_secret_is_written_down(path: Path) -> None:
    assert secrets_in(path.read_text()) == []


def test_the_search_for_secrets_finds_some() -> None:
    assert secrets_in("db_password = 'x'") == ["line 1: db_password"]
    assert secrets_in("connect(token='x')") == ["line 1: token"]
    assert len(secrets_in(f"x = '{'AKIA' + 'A' * 16}'")) == 1
    assert secrets_in("password = os.environ['X']\nkey = 'topic'") == []
