"""README's first steps, pasted as they stand there: they end well only where every step did."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sandbox_process import ROOT, Served

pytestmark = pytest.mark.xdist_group("sandbox")  # one after the other: each starts a server of its own

NEEDED = ("sh", "curl", "seq", "sleep")
(STEPS,) = re.findall(
    r"^```sh\n(sh <<'END'\n.*?^END\n)```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
)
DONE = "nothing is left"


@pytest.fixture(scope="module")
def pico() -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="pico readme ") as folder:
        Path(folder).chmod(0o755)  # the database server may run as another user
        served = Served(Path(folder) / "state")
        yield served
        served.stop()


@pytest.fixture
def few_tools(tmp_path: Path) -> Path:
    """A PATH of what the steps may need, and nothing else: no jq."""
    for tool in NEEDED:
        found = shutil.which(tool)
        assert found is not None, f"README's first steps need {tool}"
        (tmp_path / tool).symlink_to(found)
    (tmp_path / "python3").symlink_to(sys.executable)
    return tmp_path


def paste(pico: Served, path: Path) -> subprocess.CompletedProcess[str]:
    """Give the steps to a shell as if they were typed."""
    environment = {"PATH": str(path), "PICO_PORT": pico.url.rpartition(":")[2], "HOME": os.devnull}
    return subprocess.run(
        ["sh"],  # noqa: S607 - the one a newcomer has
        input=STEPS,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_first_steps_end_with_nothing_left_and_can_be_repeated(pico: Served, few_tools: Path) -> None:
    for _ in range(2):
        done = paste(pico, few_tools)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1] == DONE


@pytest.mark.parametrize(
    ("fault", "last"),
    [("outage", "signed up"), ("lie", "thirty days later")],
    ids=["nothing can be bought", "nothing is truly deleted"],
)
def test_the_first_steps_stop_at_the_one_that_fails(
    pico: Served, few_tools: Path, fault: str, last: str
) -> None:
    assert pico.ask("POST", "/sandbox/faults", {fault: True})[0] == 200
    try:
        done = paste(pico, few_tools)
    finally:
        assert pico.ask("POST", "/sandbox/faults", {fault: False})[0] == 200
    assert done.returncode != 0
    assert done.stderr
    assert done.stdout.splitlines()[-1].startswith(last)
    assert DONE not in done.stdout
