"""The proofs of the policy, run: each honest and sabotaged, and what was seen of each clause counted."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from bootstrap.policy import Proof

SABOTAGED = re.compile(r"(?:^|-)(?P<clause>[A-Z][1-9][0-9]*)-")
"""In the brackets behind a test's name: the clause that was switched off, before the saboteur's name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one clause: runs of its proofs, and how many went as they must."""

    honest: int = 0
    passed: int = 0
    sabotaged: int = 0
    noticed: int = 0
    """Sabotaged runs that failed at the assertion they name."""

    @property
    def holds(self) -> bool:
        """Tell whether every honest run passed and every sabotage was noticed, and there were both."""
        return self.honest == self.passed > 0 and self.sabotaged == self.noticed > 0

    def __str__(self) -> str:
        return f"{self.passed} of {self.honest} pass, {self.noticed} of {self.sabotaged} sabotages fail where they must"


def run_proofs(root: Path, folder: Path) -> Mapping[str, Mapping[str, bool]]:
    """Run the proofs in a folder with pytest; return by test, and by what stands in its brackets, whether it went well.

    Raises OSError when pytest did not get as far as to say so.
    """
    with tempfile.TemporaryDirectory(prefix="pico-proofs-") as made:
        report = Path(made) / "report.xml"
        options = ["-q", "--no-header", "-p", "no:cacheprovider", "-n", "auto", f"--junitxml={report}"]
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, str(folder)], cwd=root, stdout=sys.stderr, check=False
        )
        return outcomes(report.read_text(encoding="utf-8"))


def outcomes(report: str) -> dict[str, dict[str, bool]]:
    """Read pytest's report: by `<module>::<function>` and parameters, whether the run went well."""
    found: dict[str, dict[str, bool]] = {}
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        function, _, parameters = case.get("name", "").partition("[")
        test = f"{case.get('classname', '').rpartition('.')[2]}.py::{function}"
        bad = any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped"))
        found.setdefault(test, {})[parameters.rstrip("]")] = not bad
    return found


def seen_of(clause: str, proofs: Iterable[Proof], ran: Mapping[str, Mapping[str, bool]]) -> Seen:
    """Count the runs that were about one clause."""
    honest, sabotaged = [], []
    for test in {proof.test for proof in proofs}:
        for parameters, well in ran.get(test, {}).items():
            off = SABOTAGED.search(parameters)
            if off is None:
                honest.append(well)
            elif off["clause"] == clause:
                sabotaged.append(well)
    return Seen(len(honest), sum(honest), len(sabotaged), sum(sabotaged))
