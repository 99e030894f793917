"""The launcher's own words, and on which Python it runs."""

import ast
import importlib
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


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
