"""The house rules: what may import what, what the wheel and the locks hold, what the launcher does.

A rule that nothing can break holds nothing, so each import contract is broken here on purpose, in a copy.
"""

import ast
import importlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
CONTRACTS = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
LOCKS = ("requirements-uv.txt", "requirements.txt", "requirements-dev.txt")


# --------------------------------------------------------------------------------------- import contracts

VIOLATIONS = [
    ("layers", "domain/kernel.py", "import application"),
    ("layers", "domain/values.py", "import adapters.inbound"),
    ("layers", "application/__init__.py", "import adapters.outbound.memory"),
    ("layers", "application/__init__.py", "import bootstrap"),
    ("layers", "adapters/inbound/__init__.py", "import adapters.outbound.memory"),
    ("layers", "adapters/outbound/__init__.py", "import adapters.inbound"),
    ("layers", "adapters/inbound/__init__.py", "import bootstrap"),
    ("adapters", "adapters/outbound/memory/__init__.py", "import adapters.outbound.postgres"),
    ("adapters", "adapters/outbound/postgres/__init__.py", "import adapters.outbound.newcomer"),
    ("aggregates", "domain/accounts.py", "import domain.sessions"),
    ("aggregates", "domain/messages.py", "from domain import lines"),
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
    """Copy everything the wheel is built from, with an empty module for each one that is not written yet."""
    for package in PACKAGES:
        if (ROOT / package).exists():
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    modules = ["domain.kernel", "domain.values", "adapters.inbound.http", "adapters.outbound.newcomer.main"]
    modules += ["adapters.outbound.memory.main", "adapters.outbound.postgres.main", "application.main"]
    for module in modules + CONTRACTS["aggregates"]["modules"] + ["bootstrap.main"]:
        path = folder / module.replace(".", "/")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").touch()
    for path in folder.rglob("*"):
        if path.is_dir() and path != folder:
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
        name = plain_name(requirement)
        modules = {module for module, names in shipped_by.items() if name in map(plain_name, names)}
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


# ---------------------------------------------------------------------------------------------- packaging


def plain_name(requirement: str) -> str:
    """Return the normalised name in a requirement."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>~! ;]", requirement)[0]).lower()


def pins(lock: str) -> dict[str, str]:
    """Return name and release of all a lock file holds."""
    lines = (ROOT / lock).read_text().splitlines()
    found = [re.match(r"([\w.-]+)==([^\s;]+)", line) for line in lines]
    return {plain_name(match[1]): match[2] for match in found if match}


def test_the_wheel_holds_the_four_packages_and_nothing_else(tmp_path: Path) -> None:
    copy = copy_of_packages(tmp_path)
    (copy / "tests").mkdir()
    (copy / "tests" / "test_nothing.py").touch()
    (built,) = WheelBuilder(str(copy)).build(directory=str(tmp_path / "built"), versions=["standard"])
    top = {name.partition("/")[0] for name in zipfile.ZipFile(built).namelist()}
    version = PROJECT["project"]["version"]
    assert top == {"domain", "application", "adapters", "bootstrap", f"pico-{version}.dist-info"}


def test_every_list_of_the_packages_is_the_same() -> None:
    assert PACKAGES == ["domain", "application", "adapters", "bootstrap"]
    assert PROJECT["tool"]["importlinter"]["root_packages"] == PACKAGES
    assert PROJECT["tool"]["coverage"]["run"]["source"] == PACKAGES
    not_shipped = {"benchmarks", "tests"}
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} - not_shipped <= set(PACKAGES)


def test_nobody_else_ships_our_package_names() -> None:
    shipped_by = metadata.packages_distributions()
    assert [name for name in PACKAGES if set(shipped_by.get(name, [])) - {"pico"}] == []


def test_pico_can_not_be_uploaded_by_accident() -> None:
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_release_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    for requirement in requirements:
        assert re.fullmatch(
            r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^\n]*?)?( \\\n    --hash=sha256:[0-9a-f]{64})+", requirement
        ), requirement.splitlines()[0]
    assert len(requirements) == len(pins(lock))


def test_locks_hold_what_the_project_asks_for() -> None:
    groups = PROJECT["dependency-groups"]
    asked = zip(LOCKS, (groups["installer"], PROJECT["project"]["dependencies"], groups["dev"]), strict=True)
    for lock, requirements in asked:
        wanted = {plain_name(asked): asked.partition("==")[2] for asked in requirements}
        assert wanted.items() <= pins(lock).items(), lock
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def project_files() -> Iterator[Path]:
    """Yield every file that is or could be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        yield from (path for name in listed.stdout.split("\0") if (path := ROOT / name).is_file())
        return
    for folder, folders, names in os.walk(ROOT):  # an unpacked archive, or somebody else's clone
        folders[:] = [name for name in folders if name == ".ci" or not name.startswith((".", "__pycache__"))]
        yield from (Path(folder, name) for name in names)


def test_no_file_names_a_package_registry() -> None:
    names = [
        "pypi",
        "detsohnohtyp"[::-1],  # some look for this one without its ending, too
        "pypi.python",
        "anaconda",
        "npmjs",
        "proxy.golang",
        "rubygems",
        "conda-forge",
    ]
    hosts = [f"{name}.org" for name in names]  # or this file would be found
    registry = re.compile("|".join(map(re.escape, hosts)))
    named = {}
    for path in project_files():
        found = registry.search(path.read_bytes().decode("utf-8", errors="replace"))
        if found:
            named[str(path.relative_to(ROOT))] = found[0]
    assert named == {}


# ----------------------------------------------------------------------------------------------- launcher


def test_the_launcher_imports_the_standard_library_only() -> None:
    tree = ast.parse((ROOT / "pico").read_text(), feature_version=(3, 7))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports]
    assert {str(name).partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("program", ["pico", ".ci/run"])
def test_programs_can_be_executed(program: str) -> None:
    assert os.access(ROOT / program, os.X_OK)


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_lists_the_commands_and_installs_nothing(arguments: list[str], tmp_path: Path) -> None:
    shutil.copy(ROOT / "pico", tmp_path)
    said = subprocess.run(
        [sys.executable, tmp_path / "pico", *arguments], capture_output=True, text=True, check=True
    )
    assert set(re.findall(r"^  ([\w-]+) ", said.stdout, re.MULTILINE)) >= {"serve", "test", "check"}
    assert [path.name for path in tmp_path.iterdir()] == ["pico"]


def test_help_lists_exactly_the_commands_there_are() -> None:
    app = importlib.import_module("bootstrap.__main__").app
    known = {
        command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands
    }
    known |= {group.name for group in app.registered_groups}
    listed = re.findall(r"^  ([\w-]+) ", runpy.run_path(str(ROOT / "pico"))["HELP"], re.MULTILINE)
    assert sorted(listed) == sorted(known | {"test", "check", "bench"}), "the list is HELP in ./pico"


def test_an_old_python_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer on PATH, and found only 3\.10"):
        runpy.run_path(str(ROOT / "pico"))


def test_an_old_python_hands_over_to_a_newer_one_that_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, outcome in (("python3.11", 127), ("python3.12", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {outcome}\n")
        (tmp_path / name).chmod(0o755)

    def execv(path: str, arguments: list[str]) -> None:
        raise SystemExit([path, *arguments])

    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    monkeypatch.setattr(sys, "argv", ["pico", "serve"])
    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as handed_over:
        runpy.run_path(str(ROOT / "pico"))
    newer = str(tmp_path / "python3.12")
    became: object = handed_over.value.code
    assert became == [newer, newer, str(ROOT / "pico"), "serve"]


class Launcher:
    """The launcher on a checkout of its own, where installing is told instead of done."""

    def __init__(self, checkout: Path) -> None:
        checkout.mkdir()
        for lock in LOCKS:
            (checkout / lock).write_text(f"content of {lock}")
        shutil.copy(ROOT / "pico", checkout)
        self.names = runpy.run_path(str(checkout / "pico"))
        self.patch = self.names["main"].__globals__
        self.patch["run"] = self.run
        self.checkout = checkout
        self.told: list[str] = []
        self.failing: tuple[str, ...] = ()
        self.slow = threading.Event()
        self.slow.set()

    def run(self, command: list[str | Path], lock: int, settings: dict[str, str] | None = None) -> str:
        """Stand in for the launcher's own: do what `venv` does, and tell of the rest."""
        words = [str(word) for word in command]
        step = "uv" if words[0].endswith("/uv") else words[2]
        venv = next(path for path in self.checkout.parent.rglob("*venv.lock")).with_suffix("")
        assert not (venv / "pico-stamp").exists(), "the stamp must be written last"
        if step == "venv":
            shutil.rmtree(venv, ignore_errors=True)
            (venv / "bin").mkdir(parents=True)
            (venv / "bin" / "python").symlink_to(sys.executable)
        self.slow.wait(10)
        if step in self.failing:
            raise self.names["Refusal"](step)
        if step == "venv" or "install" in words:
            self.told.append(f"{step} {words[-1]}" if "install" in words else step)
        return ""

    def environment(self, *locks: str) -> list[str]:
        """Ask for an environment; return what had to be done."""
        self.told.clear()
        venv = self.patch["environment"](*locks)
        assert os.access(venv / "bin" / "python", os.X_OK)
        return self.told.copy()

    def serve(self) -> list[str]:
        return self.environment(*LOCKS[:2])

    def test(self) -> list[str]:
        return self.environment(*LOCKS)


FROM_NOTHING = ["venv", "pip requirements-uv.txt", "uv requirements.txt"]
FROM_NOTHING_WITH_TOOLS = ["venv", "pip requirements-uv.txt", "uv requirements-dev.txt"]


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Launcher:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache of mine"))
    return Launcher(tmp_path / "a checkout")


def test_an_environment_is_filled_once(launcher: Launcher) -> None:
    assert launcher.serve() == FROM_NOTHING
    assert launcher.serve() == []
    assert launcher.test() == ["uv requirements-dev.txt"]
    assert launcher.test() == []
    assert launcher.serve() == []


def test_tools_and_all_are_filled_at_once_when_tests_come_first(launcher: Launcher) -> None:
    assert launcher.test() == FROM_NOTHING_WITH_TOOLS
    assert launcher.serve() == []


@pytest.mark.parametrize("lock", LOCKS[:2])
def test_a_changed_lock_fills_from_nothing(lock: str, launcher: Launcher) -> None:
    launcher.test()
    (launcher.checkout / lock).write_text("other content")
    assert launcher.serve() == FROM_NOTHING


def test_changed_tools_leave_serving_alone(launcher: Launcher) -> None:
    launcher.test()
    (launcher.checkout / LOCKS[2]).write_text("other content")
    assert launcher.serve() == []
    assert launcher.test() == FROM_NOTHING_WITH_TOOLS


def test_another_python_fills_from_nothing(launcher: Launcher) -> None:
    launcher.serve()
    stamp = launcher.checkout / ".venv" / "pico-stamp"
    stamp.write_text(stamp.read_text().replace(sys.implementation.cache_tag or "", "cpython-310"))
    assert launcher.serve() == FROM_NOTHING


def test_an_environment_whose_python_is_gone_is_filled_from_nothing(launcher: Launcher) -> None:
    launcher.serve()
    (launcher.checkout / ".venv" / "bin" / "python").unlink()
    assert launcher.serve() == FROM_NOTHING


@pytest.mark.parametrize("failing", [("venv",), ("uv", "pip"), ("uv", "compileall")])
def test_an_interrupted_filling_is_never_used(failing: tuple[str, ...], launcher: Launcher) -> None:
    launcher.failing = failing
    with pytest.raises(launcher.names["Refusal"]):
        launcher.serve()
    launcher.failing = ()
    assert launcher.serve() == FROM_NOTHING


def test_interrupted_adding_of_tools_fills_from_nothing(launcher: Launcher) -> None:
    launcher.serve()
    launcher.failing = ("uv", "pip")
    with pytest.raises(launcher.names["Refusal"]):
        launcher.test()
    launcher.failing = ()
    assert launcher.serve() == FROM_NOTHING


def test_pip_does_what_uv_can_not(launcher: Launcher) -> None:
    launcher.failing = ("uv",)
    assert launcher.serve() == ["venv", "pip requirements-uv.txt", "pip requirements.txt"]


def test_one_of_two_launchers_fills_and_the_other_waits(launcher: Launcher) -> None:
    launcher.slow.clear()
    both = [threading.Thread(target=launcher.patch["environment"], args=LOCKS[:2]) for _ in range(2)]
    for thread in both:
        thread.start()
    launcher.slow.set()
    for thread in both:
        thread.join(10)
    assert launcher.told == FROM_NOTHING


def test_a_checkout_that_is_not_ours_is_left_alone(launcher: Launcher, tmp_path: Path) -> None:
    launcher.patch["is_ours"] = lambda venv: venv.parent != launcher.checkout
    before = sorted(launcher.checkout.iterdir())
    assert launcher.serve() == FROM_NOTHING
    assert launcher.serve() == []
    assert sorted(launcher.checkout.iterdir()) == before
    assert list(tmp_path.glob("cache of mine/pico/*/venv/pico-stamp"))


def test_an_environment_of_somebody_else_is_used_as_long_as_it_is_good(launcher: Launcher) -> None:
    launcher.serve()
    launcher.patch["is_ours"] = lambda venv: venv.parent != launcher.checkout
    assert launcher.serve() == []


def test_nowhere_to_write_is_one_sentence(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(launcher.checkout / "pico"))  # a file holds no folder
    launcher.patch["pwd"] = SimpleNamespace(getpwuid=lambda _: SimpleNamespace(pw_dir="/dev/null"))
    launcher.patch["is_ours"] = lambda _: False
    with pytest.raises(launcher.names["Refusal"], match="set XDG_CACHE_HOME to another folder"):
        launcher.serve()


def test_uv_looks_where_pip_was_told_to(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    told = (
        ":env:.index-url='https://b.example'\nglobal.cert='/ca.pem'\nglobal.index-url='https://a.example'\n"
    )
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.pem")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    settings = launcher.patch["uv_settings"](told)
    assert settings["UV_DEFAULT_INDEX"] == "https://b.example"
    assert "SSL_CERT_FILE" not in settings


def test_nothing_is_installed_without_its_hash(launcher: Launcher) -> None:
    for options in (launcher.names["PIP_INSTALL"], launcher.names["UV_INSTALL"]):
        assert {"--require-hashes", "--no-deps"} <= set(options)


def tiny_wheel(folder: Path, name: str) -> str:
    """Write a wheel with one module; return the line that locks it."""
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "WORD = 'installed'\n")
        wheel.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        about = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{name}-1.dist-info/WHEEL", about)
        wheel.writestr(f"{name}-1.dist-info/RECORD", "")
    return f"{name}==1 --hash=sha256:{sha256(path.read_bytes()).hexdigest()}\n"


def test_a_real_first_run_installs_by_hash_and_becomes_the_command(tmp_path: Path) -> None:
    checkout = tmp_path / "with a space"
    (checkout / "bootstrap").mkdir(parents=True)
    shutil.copy(ROOT / "pico", checkout)
    tell = (
        "import json, os, sys, tiny; print(json.dumps([sys.argv[1:], os.getcwd(), tiny.WORD])); sys.exit(7)"
    )
    (checkout / "bootstrap" / "__main__.py").write_text(tell)
    (checkout / LOCKS[0]).write_text(tiny_wheel(tmp_path, "installer"))
    (checkout / LOCKS[1]).write_text(tiny_wheel(tmp_path, "tiny"))
    (tmp_path / "json.py").write_text("raise SystemExit('the current folder is not for importing')")
    environ = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
    }

    def serve() -> tuple[int, object, str]:
        done = subprocess.run(
            [getattr(sys, "_base_executable", sys.executable), checkout / "pico", "serve", "two words"],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    became = [["serve", "two words"], str(tmp_path), "installed"]
    code, told, progress = serve()
    assert (code, told) == (7, became), progress
    assert len(progress.splitlines()) == 1
    assert serve() == (7, became, "")
