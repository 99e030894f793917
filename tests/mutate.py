"""`python -m tests.mutate`: what `./pico mutate` runs. mutmut over the rooms where a broken rule costs most.

It works in a copy of the checkout, so that the mutants it writes are in nobody's way, and runs for each of them the
quick tests that reach it, fastest first. docs/mutation.md says what came out, and why survivors survive.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEAST = 0.9
ROOMS = {
    "crypto": (
        "adapters/outbound/postgres/sealing.py", "adapters/outbound/system/fingerprints.py",
        "adapters/outbound/system/passwords.py", "adapters/outbound/system/tokens.py",
    ),
    "saga": ("domain/erasure.py", "application/erasure*.py"),
    "sessions": ("domain/sessions.py", "application/sessions.py", "application/credentials.py",
                 "application/account_deletion.py"),
    "webhooks": ("adapters/inbound/webhooks/twilio/*.py",),
    "retention": ("domain/retention.py", "application/retention.py", "application/purge.py"),
    "export": ("domain/exports.py", "application/exports.py", "application/export_building.py"),
    "audit": ("domain/audit.py",),
}  # fmt: skip
TESTS = (
    "tests/unit", "tests/contract/carrier/test_twilio_signature.py", "tests/contract/system/test_system.py",
    "tests/contract/store/test_memory.py", "tests/contract/http/test_signed_forms.py",
    "tests/contract/http/test_twilio_webhooks.py", "tests/contract/http/test_webhooks.py",
    "tests/contract/http/test_life.py", "tests/contract/http/test_downloads.py",
)  # fmt: skip
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*cache", ".hypothesis", "__pycache__", "var", "mutants")


@dataclass(frozen=True)
class Mutant:
    """One change of one function, and whether a test noticed."""

    file: str
    name: str
    exit_code: int | None

    @property
    def survived(self) -> bool:
        return self.exit_code in {0, 33}  # passed, or no test reaches it

    @property
    def room(self) -> str:
        return next(room for room, files in ROOMS.items() if any(fnmatch(self.file, one) for one in files))

    def difference(self, mutants: Path) -> str:
        """Return what was changed, as the lines of a diff."""
        functions = {
            node.name: ast.unparse(node).partition("\n")[2].splitlines()
            for node in ast.walk(ast.parse((mutants / self.file).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        name = self.name.rpartition(".")[2]
        original = functions.get(f"{name.rpartition('__mutmut_')[0]}__mutmut_orig", [])
        lines = unified_diff(original, functions.get(name, []), lineterm="", n=0)
        return "\n".join(
            f"    {line}" for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}
        )


def mutants_in(folder: Path) -> Iterator[Mutant]:
    for meta in sorted(folder.rglob("*.meta")):
        found = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        file = str(meta.relative_to(folder))[: -len(".meta")]
        yield from (Mutant(file, name, code) for name, code in found.items())


def configured(rooms: list[str], pyproject: str) -> str:
    """Return a pyproject.toml that tells mutmut what to break, and which tests to ask."""
    wanted = {
        "source_paths": ["domain", "application", "adapters", "bootstrap"],
        "only_mutate": [file for room in rooms for file in ROOMS[room]],
        "also_copy": ["PRIVACY.md"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": list(TESTS),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in wanted.items()]
    return "\n".join([pyproject, "[tool.mutmut]", *lines, "use_git_change_detection = false", ""])


def report(mutants: list[Mutant], folder: Path) -> float:
    """Print the score of each room and every survivor; return the part that was noticed."""
    for one in mutants:
        if one.survived:
            print(f"{one.file}: {one.name.rpartition('.')[2]}\n{one.difference(folder)}")
    for room in ROOMS:
        there = [one for one in mutants if one.room == room]
        killed = sum(not one.survived for one in there)
        if there:
            print(f"{room:10} {killed:5} of {len(there):5} killed  {killed / len(there):6.1%}")
    score = sum(not one.survived for one in mutants) / (len(mutants) or 1)
    print(f"{'all':10} {sum(not one.survived for one in mutants):5} of {len(mutants):5} killed  {score:6.1%}")
    return score


def main(rooms: list[str]) -> int:
    """Break the rooms' rules; return 1 unless at least `LEAST` of the mutants were noticed."""
    with tempfile.TemporaryDirectory(prefix="pico-mutants-") as folder:
        copy = Path(folder) / "pico"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        settings = copy / "pyproject.toml"
        settings.write_text(configured(rooms, settings.read_text(encoding="utf-8")), encoding="utf-8")
        run = [sys.executable, "-m", "mutmut", "run", "--max-children", str(os.cpu_count() or 1)]
        done = subprocess.run(run, cwd=copy, env=os.environ | {"PYTHONPATH": ""}, check=False)
        mutants = list(mutants_in(copy / "mutants"))
        if done.returncode or any(one.exit_code is None for one in mutants):
            print("mutmut did not finish: do the tests pass?")
            return 1
        return int(report(mutants, copy / "mutants") < LEAST)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./pico mutate", description="See that tests notice broken rules.")
    parser.add_argument(
        "--only", action="append", choices=list(ROOMS), help="a room; more than once for more"
    )
    sys.exit(main(parser.parse_args().only or list(ROOMS)))
