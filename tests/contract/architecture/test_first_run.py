"""A real first run of the launcher: hash-locked wheels are installed, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.txt", "requirements-dev.txt")


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
