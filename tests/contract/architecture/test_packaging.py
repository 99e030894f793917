"""The wheel holds Pico's packages only, and the locks hold every dependency by hash and without an address."""

import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
LOCKS = ("requirements.txt", "requirements-dev.txt")


def pins(lock: str) -> dict[str, str]:
    """Return name and release of all a lock file holds."""
    lines = (ROOT / lock).read_text().splitlines()
    found = [re.match(r"([\w.-]+)==([^\s;]+)", line) for line in lines]
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def test_the_wheel_holds_our_packages_and_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for package in (*PACKAGES, "benchmarks"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "PRIVACY.md", "PRIVACY.he.md"):
        shutil.copy(ROOT / name, copy)
    proofs = Path("tests", "contract", "proofs")
    shutil.copytree(ROOT / proofs, copy / proofs, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests" / "test_nothing.py").touch()
    (built,) = WheelBuilder(str(copy)).build(directory=str(tmp_path / "built"), versions=["standard"])
    names = zipfile.ZipFile(built).namelist()
    assert {
        "bootstrap/PRIVACY.md",
        "bootstrap/PRIVACY.he.md",
        "bootstrap/proofs/test_time.py",
        "pico_testkit/contracts/messages.py",
    } <= set(names)
    top = {name.partition("/")[0] for name in names}
    version = PROJECT["project"]["version"]
    assert top == {*PACKAGES, f"pico-{version}.dist-info"}


def test_every_list_of_the_packages_is_the_same() -> None:
    assert PACKAGES == ["domain", "application", "adapters", "bootstrap", "pico_testkit"]
    assert PROJECT["tool"]["importlinter"]["root_packages"] == PACKAGES
    assert PROJECT["tool"]["coverage"]["run"]["source"] == PACKAGES
    not_shipped = {"benchmarks", "tests"}
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} - not_shipped <= set(PACKAGES)


def test_nobody_else_ships_our_package_names() -> None:
    shipped_by = metadata.packages_distributions()
    assert [name for name in PACKAGES if set(shipped_by.get(name, [])) - {"pico"}] == []


def test_pico_can_not_be_uploaded_by_accident() -> None:
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_release_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    for requirement in requirements:
        assert re.fullmatch(
            r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^\n]*?)?( \\\n    --hash=sha256:[0-9a-f]{64})+", requirement
        ), requirement.splitlines()[0]
    assert len(requirements) == len(pins(lock))


def test_locks_hold_what_the_project_asks_for() -> None:
    asked = (PROJECT["project"]["dependencies"], PROJECT["dependency-groups"]["dev"])
    for lock, lines in zip(LOCKS, asked, strict=True):
        requirements = [Requirement(line) for line in lines]
        wanted = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in requirements}
        assert wanted.items() <= pins(lock).items(), lock
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def project_files() -> Iterator[Path]:
    """Yield every file that is or could be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        yield from (path for name in listed.stdout.split("\0") if (path := ROOT / name).is_file())
        return
    for folder, folders, names in os.walk(ROOT):  # an unpacked archive, or somebody else's clone
        folders[:] = [name for name in folders if name == ".ci" or not name.startswith((".", "__pycache__"))]
        yield from (Path(folder, name) for name in names)


def test_no_file_names_a_package_registry() -> None:
    names = [
        "pypi",
        "detsohnohtyp"[::-1],  # some look for this one without its ending, too
        "pypi.python",
        "anaconda",
        "npmjs",
        "proxy.golang",
        "rubygems",
        "conda-forge",
    ]
    hosts = [f"{name}.org" for name in names]  # or this file would be found
    registry = re.compile("|".join(map(re.escape, hosts)))
    named = {}
    for path in project_files():
        found = registry.search(path.read_bytes().decode("utf-8", errors="replace"))
        if found:
            named[str(path.relative_to(ROOT))] = found[0]
    assert named == {}
