"""The launcher fills an environment once, and uses none that is not whole."""

import os
import runpy
import shutil
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.txt", "requirements-dev.txt")


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
