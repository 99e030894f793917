"""Every import contract in pyproject.toml is kept, and notices when it is broken.

Each one is broken on purpose in a copy of the packages. What the contracts list is compared with the code, so a
new aggregate or dependency cannot be forgotten.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
CONTRACTS = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}

VIOLATIONS = [
    ("layers", "domain/kernel.py", "import application"),
    ("layers", "domain/values.py", "import adapters.inbound"),
    ("layers", "application/__init__.py", "import adapters.outbound.memory"),
    ("layers", "application/__init__.py", "import bootstrap"),
    ("layers", "adapters/inbound/__init__.py", "import adapters.outbound.memory"),
    ("layers", "adapters/outbound/__init__.py", "import adapters.inbound"),
    ("layers", "adapters/inbound/__init__.py", "import bootstrap"),
    ("layers", "bootstrap/__init__.py", "import pico_testkit"),
    ("adapters", "adapters/outbound/memory/__init__.py", "import adapters.outbound.postgres"),
    ("adapters", "adapters/outbound/postgres/__init__.py", "import adapters.outbound.newcomer"),
    ("layers", "adapters/cache.py", "import adapters.inbound"),
    ("layers", "adapters/jwt.py", "import adapters.google_access"),
    ("inbound", "adapters/inbound/webhooks/__init__.py", "import adapters.inbound.http.problems"),
    ("inbound", "adapters/inbound/http/__init__.py", "import adapters.inbound.worker"),
    ("inbound", "adapters/inbound/http_io.py", "import adapters.inbound.http.problems"),
    ("inbound", "adapters/inbound/email_addresses.py", "import adapters.inbound.http_io"),
    ("inbound", "adapters/inbound/cli/__init__.py", "import adapters.inbound.http"),
    ("aggregates", "domain/accounts/account.py", "import domain.sessions"),
    ("aggregates", "domain/messages/message.py", "from domain import lines"),
    ("injector", "domain/kernel.py", "import dependency_injector"),
    ("injector", "application/__init__.py", "from dependency_injector import providers"),
    ("injector", "adapters/inbound/__init__.py", "import dependency_injector.containers"),
    ("vendors", "domain/values.py", "import phonenumbers"),
    ("vendors", "application/__init__.py", "from sqlalchemy.ext import asyncio"),
]

# Runs in a process of its own: here the real packages are imported already, and would be linted instead.
LINTER = """
import contextlib, io, json, pathlib, sys
from importlinter.cli import lint_imports

def said():
    with contextlib.redirect_stdout(io.StringIO()) as text:
        lint_imports(no_cache=True, no_logo=True)
    return text.getvalue()

answers = [said()]
for _, name, line in json.load(sys.stdin):
    path = pathlib.Path(name)
    before = path.read_text()
    path.write_text(f"{before}\\n{line}\\n")
    answers.append(said())
    path.write_text(before)
print(json.dumps(answers))
"""


def copy_of_packages(folder: Path) -> Path:
    """Copy the packages with their contracts, and add an outbound adapter that nobody has heard of."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "adapters" / "outbound" / "newcomer").mkdir()
    for path in folder.rglob("*"):
        if path.is_dir():
            (path / "__init__.py").touch()
    return folder


@pytest.fixture(scope="module")
def lint_answers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What import-linter says of the copy as it stands, then of the copy with each violation."""
    done = subprocess.run(
        [sys.executable, "-c", LINTER],
        cwd=copy_of_packages(tmp_path_factory.mktemp("linted")),
        env={"PATH": os.environ["PATH"], "COLUMNS": "200"},
        input=json.dumps(VIOLATIONS),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def verdicts(answer: str) -> dict[str, str]:
    return {
        id_: found[1]
        for id_, contract in CONTRACTS.items()
        if (found := re.search(rf"^{re.escape(contract['name'])} (KEPT|BROKEN)", answer, re.MULTILINE))
    }


@pytest.mark.xdist_group("import contracts")
def test_every_import_contract_is_kept(lint_answers: list[str]) -> None:
    assert verdicts(lint_answers[0]) == dict.fromkeys(CONTRACTS, "KEPT"), lint_answers[0]


@pytest.mark.xdist_group("import contracts")
@pytest.mark.parametrize("number", range(len(VIOLATIONS)), ids=[f"{a}: {b}: {c}" for a, b, c in VIOLATIONS])
def test_a_violation_breaks_its_contract_and_no_other(number: int, lint_answers: list[str]) -> None:
    broken = VIOLATIONS[number][0]
    answer = lint_answers[number + 1]
    assert verdicts(answer) == dict.fromkeys(CONTRACTS, "KEPT") | {broken: "BROKEN"}, answer


def test_every_import_contract_is_broken_by_a_violation() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == set(CONTRACTS)


STARTS = "import sys, bootstrap.program, bootstrap.worlds.sandbox; print(*sys.modules)"
NEEDLESS = {
    "adapters.outbound.aws", "adapters.outbound.memory", "adapters.outbound.redis", "alembic", "boto3", "mako", "redis",
    "sentry_sdk", "sqlalchemy.orm",
}  # fmt: skip
"""What takes long to load, and is for migrations, for tests or for Production."""


def test_a_sandbox_that_starts_loads_nothing_heavy_that_it_has_no_use_for() -> None:
    said = subprocess.run(
        [sys.executable, "-c", STARTS], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert NEEDLESS & {*said.stdout.split()} == set()


def test_every_module_with_an_aggregate_stands_alone() -> None:
    with_aggregate = {
        f"domain.{path.stem}"
        for path in (ROOT / "domain").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith("Aggregate") for base in node.bases)
    }
    with_aggregate.discard("domain.audit")  # it tells of the events of all the others
    assert with_aggregate <= set(CONTRACTS["aggregates"]["modules"])


def test_every_dependency_is_kept_out_of_domain_and_application() -> None:
    shipped_by = metadata.packages_distributions()
    kept_out = {*CONTRACTS["vendors"]["forbidden_modules"], *CONTRACTS["injector"]["forbidden_modules"]}
    for requirement in PROJECT["project"]["dependencies"]:
        name = canonicalize_name(Requirement(requirement).name)
        modules = {module for module, names in shipped_by.items() if name in map(canonicalize_name, names)}
        assert modules, f"{name} is not installed"
        assert modules - {"test"} <= kept_out, name  # one of them ships its tests too


def foreign_imports(package: Path, allowed: set[str]) -> set[str]:
    """Name every import that is neither from the standard library nor allowed."""
    foreign = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "."] if not node.level else [package.name]
            else:
                continue
            roots = {name.partition(".")[0] for name in names}
            foreign |= roots - sys.stdlib_module_names - allowed
    return foreign


@pytest.mark.parametrize(
    ("package", "allowed"), [("domain", {"domain"}), ("application", {"application", "domain"})]
)
def test_domain_and_application_need_the_standard_library_only(
    package: str, allowed: set[str], tmp_path: Path
) -> None:
    assert foreign_imports(ROOT / package, allowed) == set()
    copy = copy_of_packages(tmp_path) / package
    (copy / "violation.py").write_text("def later():\n    from yaml import load\n")
    assert foreign_imports(copy, allowed) == {"yaml"}
