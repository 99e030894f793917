"""The launcher fills an environment once, from hash-locked wheels only, and uses none that is not whole."""

import ast
import importlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.txt", "requirements-dev.txt")


def test_the_launcher_imports_the_standard_library_only() -> None:
    tree = ast.parse((ROOT / "pico").read_text(), feature_version=(3, 7))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports]
    assert {str(name).partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("program", ["pico", ".ci/run", ".ci/pythons"])
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
    app = importlib.import_module("bootstrap.program").app
    known = {
        command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands
    }
    known |= {group.name for group in app.registered_groups}
    listed = re.findall(r"^  ([\w-]+) ", runpy.run_path(str(ROOT / "pico"))["HELP"], re.MULTILINE)
    assert sorted(listed) == sorted(
        known | {"test", "check", "docs", "bench", "forge", "mutate", "rehearse"}
    ), "the list is HELP in ./pico"


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
    """The launcher on a checkout of its own, where steps of filling are noted instead of run."""

    def __init__(self, checkout: Path) -> None:
        checkout.mkdir()
        for lock in LOCKS:
            (checkout / lock).write_text(f"content of {lock}")
        shutil.copy(ROOT / "pico", checkout)
        self.names = runpy.run_path(str(checkout / "pico"))
        self.patch = self.names["main"].__globals__
        self.patch["failure"] = self.failure
        self.checkout = checkout
        self.steps: list[str] = []
        self.failing: tuple[str, ...] = ()
        self.started, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def failure(self, command: list[str | Path], *kept: int) -> str:
        """Stand in for the launcher's own: do what `venv` does, and note what would be run."""
        words = [str(word) for word in command]
        step = "pip" if "install" in words else "version" if "--version" in words else words[2]
        assert not list(self.checkout.parent.rglob("pico-stamp")), "the stamp must be written last"
        if step == "venv":
            venv = Path(words[-1])
            shutil.rmtree(venv, ignore_errors=True)
            (venv / "bin").mkdir(parents=True)
            (venv / "bin" / "python").symlink_to(sys.executable)
        self.started.set()
        self.go_on.wait(10)
        if step in self.failing:
            return f"{step} failed"
        self.steps.append(f"{step} {words[-1]}" if step == "pip" else step)
        return ""

    def environment(self, *locks: str) -> list[str]:
        """Ask for an environment; return what had to be done."""
        self.steps.clear()
        venv = self.patch["environment"](*locks)
        assert os.access(venv / "bin" / "python", os.X_OK)
        return self.steps.copy()

    def serve(self) -> list[str]:
        return self.environment(LOCKS[0])

    def test(self) -> list[str]:
        return self.environment(*LOCKS)


ADDING_TOOLS = ["version", "pip requirements-dev.txt", "compileall"]
FROM_NOTHING = ["venv", "version", "pip requirements.txt", "compileall"]
FROM_NOTHING_WITH_TOOLS = ["venv", *ADDING_TOOLS]


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Launcher:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache of mine"))
    monkeypatch.delenv("PICO_VENV", raising=False)
    return Launcher(tmp_path / "a checkout")


def test_an_environment_is_filled_once(launcher: Launcher) -> None:
    assert launcher.serve() == FROM_NOTHING
    assert launcher.serve() == []
    assert launcher.test() == ADDING_TOOLS
    assert launcher.test() == []
    assert launcher.serve() == []


def test_tools_and_all_are_filled_at_once_when_tests_come_first(launcher: Launcher) -> None:
    assert launcher.test() == FROM_NOTHING_WITH_TOOLS
    assert launcher.serve() == []


def test_a_changed_lock_fills_from_nothing(launcher: Launcher) -> None:
    launcher.test()
    (launcher.checkout / LOCKS[0]).write_text("other content")
    assert launcher.serve() == FROM_NOTHING


def test_changed_tools_leave_serving_alone(launcher: Launcher) -> None:
    launcher.test()
    (launcher.checkout / LOCKS[1]).write_text("other content")
    assert launcher.serve() == []
    assert launcher.test() == FROM_NOTHING_WITH_TOOLS


def test_another_python_fills_from_nothing(launcher: Launcher) -> None:
    launcher.serve()
    stamp = launcher.checkout / ".venv" / "pico-stamp"
    stamp.write_text(stamp.read_text().replace(sys.implementation.cache_tag or "", "cpython-310"))
    assert launcher.serve() == FROM_NOTHING


def test_a_python_can_have_an_environment_of_its_own(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICO_VENV", str(tmp_path / "another"))
    assert launcher.serve() == FROM_NOTHING
    assert launcher.serve() == []
    assert (tmp_path / "another" / "pico-stamp").exists()
    assert not (launcher.checkout / ".venv").exists()


def test_a_change_is_tried_on_the_oldest_and_the_newest_python_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("3.10.9", "3.11.7", "3.12.1", "3.13.0", "3.14.0"):
        python = tmp_path / version / "bin" / "python3"
        python.parent.mkdir(parents=True)
        works = f"echo {version} $0" if version != "3.14.0" else "exit 127"
        python.write_text(f"#!/bin/sh\n{works}\n")
        python.chmod(0o755)
    (tmp_path / "versions").symlink_to(tmp_path)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sort", "sed", "cut", "uniq", "bash"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(tools))
    said = subprocess.run(
        [tools / "bash", ROOT / ".ci" / "pythons"], capture_output=True, text=True, check=True
    )
    found = [Path(line).relative_to(tmp_path / "versions").parts[0] for line in said.stdout.splitlines()]
    assert found == ["3.11.7", "3.13.0"]


@pytest.mark.parametrize("damage", [b"", b"\xff", b"cpython"])
def test_a_damaged_stamp_fills_from_nothing(damage: bytes, launcher: Launcher) -> None:
    launcher.serve()
    (launcher.checkout / ".venv" / "pico-stamp").write_bytes(damage)
    assert launcher.test() == FROM_NOTHING_WITH_TOOLS


def test_an_environment_whose_python_is_gone_is_filled_from_nothing(launcher: Launcher) -> None:
    launcher.serve()
    (launcher.checkout / ".venv" / "bin" / "python").unlink()
    assert launcher.serve() == FROM_NOTHING


@pytest.mark.parametrize("failing", ["venv", "pip"])
def test_an_interrupted_filling_is_never_used(failing: str, launcher: Launcher) -> None:
    launcher.failing = (failing,)
    with pytest.raises(SystemExit, match=f"this step failed: .*\n{failing} failed"):
        launcher.serve()
    launcher.failing = ()
    assert launcher.serve() == FROM_NOTHING


def test_interrupted_adding_of_tools_fills_from_nothing(launcher: Launcher) -> None:
    launcher.serve()
    launcher.failing = ("pip",)
    with pytest.raises(SystemExit):
        launcher.test()
    launcher.failing = ()
    assert launcher.serve() == FROM_NOTHING


def test_a_file_that_can_not_be_compiled_is_no_reason_not_to_start(launcher: Launcher) -> None:
    launcher.failing = ("compileall",)
    assert launcher.serve() == FROM_NOTHING[:-1]
    assert launcher.serve() == []


def test_a_python_without_pip_puts_one_into_the_environment(launcher: Launcher) -> None:
    launcher.failing = ("version",)
    assert launcher.serve() == ["venv", "ensurepip", "pip requirements.txt", "compileall"]


def test_a_python_without_pip_and_ensurepip_is_one_sentence(launcher: Launcher) -> None:
    launcher.failing = ("version", "ensurepip")
    with pytest.raises(SystemExit, match=r"has neither pip 22\.3 nor ensurepip: install one first"):
        launcher.serve()


def test_one_of_two_launchers_fills_and_the_other_waits(
    launcher: Launcher, capsys: pytest.CaptureFixture[str]
) -> None:
    launcher.go_on.clear()
    both = [threading.Thread(target=launcher.patch["environment"], args=LOCKS[:1]) for _ in range(2)]
    both[0].start()
    assert launcher.started.wait(10)
    both[1].start()
    said, latest = "", time.monotonic() + 10
    while "waiting for it" not in said and time.monotonic() < latest:
        said += capsys.readouterr().err
        time.sleep(0.01)
    launcher.go_on.set()
    for thread in both:
        thread.join(10)
    assert "another ./pico is filling the environment, waiting for it" in said
    assert launcher.steps == FROM_NOTHING


def test_what_a_killed_launcher_left_running_keeps_the_lock(launcher: Launcher, tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    kept = launcher.names["failure"]([sys.executable, "-c", f"import os; os.fstat({folder})"], folder)
    os.close(folder)
    assert kept == ""


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


def test_an_environment_is_ours_when_we_can_write_there_and_nobody_else_filled_it(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = launcher.checkout / ".venv"
    assert launcher.names["is_ours"](venv)
    launcher.serve()
    assert launcher.names["is_ours"](venv)
    monkeypatch.setattr(os, "geteuid", lambda: venv.stat().st_uid + 1)
    assert not launcher.names["is_ours"](venv)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert not launcher.names["is_ours"](launcher.checkout / "another")


def test_nowhere_to_write_is_one_sentence(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(launcher.checkout / "pico"))  # a file holds no folder
    launcher.patch["pwd"] = SimpleNamespace(getpwuid=lambda _: SimpleNamespace(pw_dir="/dev/null"))
    launcher.patch["is_ours"] = lambda _: False
    with pytest.raises(SystemExit, match="set XDG_CACHE_HOME to another folder"):
        launcher.serve()


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


@pytest.fixture
def real(tmp_path: Path) -> "Real":
    return Real(tmp_path)


class Real:
    """A checkout whose runtime lock holds one tiny wheel, and whose command tells how it was started."""

    TELL = (
        "import json, os, sys, tiny; print(json.dumps([sys.argv[1:], os.getcwd(), tiny.WORD])); sys.exit(7)"
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkout = folder / "with a space"
        (self.checkout / "bootstrap").mkdir(parents=True)
        shutil.copy(ROOT / "pico", self.checkout)
        (self.checkout / "bootstrap" / "__main__.py").write_text(self.TELL)
        self.lock = self.checkout / LOCKS[0]
        self.lock.write_text(tiny_wheel(folder, "tiny"))

    def serve(self) -> subprocess.CompletedProcess[str]:
        machine = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.folder), "PIP_CONFIG_FILE": os.devnull}
        return subprocess.run(
            [getattr(sys, "_base_executable", sys.executable), self.checkout / "pico", "serve", "two words"],
            cwd=self.folder,
            env={**os.environ, **machine},
            capture_output=True,
            text=True,
            check=False,
        )


def test_a_real_first_run_installs_by_hash_and_becomes_the_command(real: Real) -> None:
    (real.folder / "json.py").write_text("raise SystemExit('the current folder is not for importing')")
    became = [["serve", "two words"], str(real.folder), "installed"]
    for lines_of_progress in (1, 0):
        done = real.serve()
        assert done.returncode == 7, done.stderr
        assert json.loads(done.stdout) == became
        assert len(done.stderr.splitlines()) == lines_of_progress


@pytest.mark.parametrize(
    ("locked", "reason"),
    [
        (f"tiny==1 --hash=sha256:{'0' * 64}\n", "DO NOT MATCH THE HASHES"),
        ("tiny==1\n", "require"),
        ("", "No such file"),
    ],
    ids=["another hash", "no hash", "no lock"],
)
def test_nothing_is_installed_that_is_not_locked_by_hash(locked: str, reason: str, real: Real) -> None:
    real.lock.unlink()
    if locked:
        real.lock.write_text(locked)
    done = real.serve()
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(real.checkout.glob(".venv/lib/*/site-packages/tiny*"))
    assert not (real.checkout / ".venv" / "pico-stamp").exists()


def test_what_is_no_wheel_is_not_built(real: Real) -> None:
    (real.folder / "tiny-1-py3-none-any.whl").unlink()
    source = real.folder / "tiny-1.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        archive.add(real.checkout / "pico", "tiny-1/setup.py")
    real.lock.write_text(f"tiny==1 --hash=sha256:{sha256(source.read_bytes()).hexdigest()}\n")
    done = real.serve()
    assert done.returncode == 1
    assert "No matching distribution found for tiny==1" in done.stderr
