"""`pico keys`, as an operator types it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks.forked import Ran, run
from tests.support.sandbox_process import ROOT


def pico(*words: str, state: Path) -> Ran:
    """Run a command on a Sandbox's folder."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
    return run("bootstrap", *words, "--state-dir", str(state), environment=outside, folder=ROOT, timeout=90)


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
