"""`pico keys`, as an operator types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.sandbox_process import ROOT


def pico(*words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run a command on a Sandbox's folder."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
    return subprocess.run(
        [sys.executable, "-m", "bootstrap", *words, "--state-dir", str(state)],
        cwd=ROOT, env=outside, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip


def test_the_master_key_is_rotated_by_hand_where_nothing_runs(tmp_path: Path) -> None:
    masters = set[str]()
    for number in (1, 2):
        done = pico("keys", "rotate-master", state=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Master key {number} is gone for good from ")
        held = json.loads((tmp_path / "kms" / "master-keys.json").read_text())
        assert len(held["keys"]) == 1
        assert held["newest"] not in masters
        masters.add(held["newest"])
