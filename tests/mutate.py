"""`python -m tests.mutate`: what `./pico mutate` runs. mutmut over the rooms where a broken rule costs most.

It works in copies of the checkout, one room after another, so that the mutants it writes are in nobody's way, and runs
for each of them the tests that reach it, quickest first, until one fails. docs/mutation.md says what came out, and why
survivors survive.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[1]
BESIDE = ROOT.parent / "shared"
LEAST = 0.9
SOURCES = "domain", "application", "adapters", "bootstrap"


@dataclass(frozen=True)
class Room:
    """Files to break, and the tests to ask beside those of `tests/unit`."""

    files: tuple[str, ...]
    tests: tuple[str, ...] = ()


ROOMS = {
    "crypto": Room(
        (
            "adapters/outbound/postgres/sealing.py", "adapters/outbound/postgres/codec.py",
            "adapters/outbound/postgres/binding.py", "adapters/outbound/postgres/keyring.py",
            "adapters/outbound/system/fingerprints.py", "adapters/outbound/system/passwords.py",
            "adapters/outbound/system/tokens.py",
        ),
        (
            "tests/contract/keyring", "tests/contract/system/test_system.py",
            "tests/contract/store/test_bound.py",
        ),
    ),
    "saga": Room(
        (
            "domain/erasure.py", "domain/residue.py", "domain/receipts.py", "application/erasure*.py",
            "application/asking_again.py", "application/residue.py", "application/carrier_copies.py",
            "application/line_release.py", "application/account_deletion.py",
        ),
        (
            "tests/contract/store/test_memory.py", "tests/contract/ledger/test_ledger.py::TestMemoryLedger",
            "tests/contract/carrier/test_other_school.py",
        ),
    ),
    "sessions": Room(
        ("domain/sessions.py", "application/sessions.py", "application/credentials.py"),
        ("tests/contract/store/test_memory.py",),
    ),
    "webhooks": Room(
        (
            "adapters/inbound/webhooks/answers.py", "adapters/inbound/webhooks/*/*.py",
            "adapters/outbound/twilio/signature.py",
        ),
        (
            "tests/contract/carrier/test_twilio_signature.py", "tests/contract/http/test_signed_forms.py",
            "tests/contract/http/test_twilio_webhooks.py", "tests/contract/http/test_webhooks.py",
            "tests/contract/http/test_telnyx_webhooks.py", "tests/contract/http/test_telnyx_calls.py",
            "tests/contract/http/test_telnyx_apps.py", "tests/contract/http/test_telnyx_legs.py",
            "tests/contract/http/test_telnyx_app_legs.py", "tests/contract/http/test_telnyx_mailbox.py",
            "tests/contract/http/test_telnyx_events.py", "tests/contract/http/test_twilio_calls.py",
            "tests/contract/http/test_twilio_forms.py", "tests/contract/http/test_webhook_answers.py",
            "tests/contract/http/test_voice_webhooks.py", "tests/contract/http/test_voicemail_webhooks.py",
            "tests/contract/http/test_stripe_webhooks.py",
            "tests/contract/http/test_sendgrid_webhooks.py", "tests/contract/payments/test_app_store.py",
            "tests/contract/payments/test_google_play.py", "tests/contract/payments/test_google_pushes.py",
            "tests/contract/payments/test_store_laws.py",
        ),
    ),
    "retention": Room(("domain/retention.py", "application/retention.py", "application/purge.py")),
    "export": Room(
        ("domain/exports.py", "application/exports.py", "application/export_building.py"),
        ("tests/contract/store/test_memory.py",),
    ),
    "audit": Room(
        ("domain/audit.py", "application/unit_of_work.py"), ("tests/contract/store/test_memory.py",)
    ),
}  # fmt: skip
CONFTEST = """\
from hypothesis import Phase, settings

NAME = "_hypothesis_internal_use_settings"


def pytest_itemcollected(item):
    function = getattr(item.obj, "__func__", item.obj)
    if hasattr(function, NAME):
        few = settings(
            getattr(function, NAME), max_examples=20, phases=(Phase.explicit, Phase.generate), deadline=None,
            derandomize=True, database=None,
        )
        setattr(function, NAME, few)
"""
"""How Hypothesis looks for an example that fails: the same few each time, and the first one will do."""
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*cache", ".hypothesis", "__pycache__", "var", "mutants")


@dataclass(frozen=True)
class Mutant:
    """One change of one function, and what became of it."""

    file: str
    name: str
    exit_code: int | None

    @property
    def fate(self) -> str:
        """What pytest, or the signal that ended it, says of it: killed, timed out or survived."""
        if self.exit_code in {1, 3, 37}:
            return "killed"
        return "timed out" if self.exit_code in {-24, -9, 24, 36, 152} else "survived"

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


def configured(room: Room, pyproject: str) -> str:
    """Return a pyproject.toml that tells mutmut what to break, and which tests to ask."""
    wanted = {
        "source_paths": list(SOURCES),
        "only_mutate": room.files,
        "also_copy": sorted({path.name for path in ROOT.glob("[a-zA-Z]*")} - {*SOURCES, "var", "mutants"}),
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": ["tests/unit", *room.tests],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in wanted.items()]
    lines += ["timeout_constant = 30.0", "timeout_multiplier = 2.0", "use_git_change_detection = false"]
    return "\n".join([pyproject, "[tool.mutmut]", *lines, ""])


def prepare(room: Room, copy: Path) -> None:
    """Make a copy of the checkout ready to be broken."""
    for file in (path for pattern in room.files for path in copy.glob(pattern)):
        # mutmut leaves decorated functions alone, and this decorator does nothing
        file.write_text(re.sub(r"(?m)^ *@override\n", "", file.read_text(encoding="utf-8")), encoding="utf-8")
    settings = copy / "pyproject.toml"
    settings.write_text(configured(room, settings.read_text(encoding="utf-8")), encoding="utf-8")
    (copy / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")


def broken(room: Room, copy: Path) -> list[Mutant]:
    """Break a room in a copy of the checkout, and return what became of each mutant. Raises SystemExit."""
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    prepare(room, copy)
    run = [sys.executable, "-m", "mutmut", "run", "--max-children", str(os.cpu_count() or 1)]
    environ = {"PICO_SPECS": str(BESIDE / "specs"), "PICO_WEBHOOK_SAMPLES": str(BESIDE / "webhooks")}
    done = subprocess.run(run, cwd=copy, env=environ | os.environ | {"PYTHONPATH": ""}, check=False)
    mutants = list(mutants_in(copy / "mutants"))
    if done.returncode or any(one.exit_code is None for one in mutants):
        sys.exit("mutmut did not finish: do the tests pass?")
    return mutants


def main(names: list[str]) -> int:
    """Break the rooms' rules; return 1 unless at least `LEAST` of each room's mutants were noticed."""
    worst, figures = 1.0, []
    for name in names:
        began = monotonic()
        with tempfile.TemporaryDirectory(prefix="pico-mutants-") as folder:
            copy = Path(folder) / "pico"
            mutants = broken(ROOMS[name], copy)
            for one in mutants:
                if one.fate == "survived":
                    print(f"{one.file}: {one.name.rpartition('.')[2]}\n{one.difference(copy / 'mutants')}")
        fates = Counter(one.fate for one in mutants)
        score = 1 - fates["survived"] / len(mutants)
        worst = min(worst, score)
        figures.append(
            f"{name:10} {len(mutants):5} mutants, {fates['killed']:5} killed, {fates['timed out']:3} timed out,"
            f" {fates['survived']:3} survived: {score:6.1%}, in {(monotonic() - began) / 60:.1f} minutes"
        )
    print(*figures, sep="\n")
    return int(worst < LEAST)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./pico mutate", description="See that tests notice broken rules.")
    parser.add_argument(
        "--only", action="append", choices=list(ROOMS), help="a room; more than once for more"
    )
    sys.exit(main(parser.parse_args().only or list(ROOMS)))
