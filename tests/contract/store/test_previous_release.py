"""The previous release's code passes its own store suite on this release's schema: two releases can run at once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.releases import ROOT, laid_out, previous

MIGRATIONS = Path("adapters/outbound/postgres/migrations")
SUITE = "tests/contract/store/test_postgres*.py"
CONTRACTS = '''
"""Take away what the release before still reads."""

from alembic import op

revision, down_revision, branch_labels, depends_on = "9999_contract", {newest!r}, None, None


def upgrade() -> None:
    op.execute("ALTER TABLE messages DROP COLUMN body")
'''


@pytest.fixture
def older() -> Iterator[Path]:
    """Lay out the previous release's code with this one's migrations."""
    commit = previous()
    if not commit:
        pytest.skip("this checkout has no history: the previous release's code is not at hand")
    with tempfile.TemporaryDirectory(prefix="pico-release-") as name:
        folder = Path(name)
        laid_out(commit, folder)
        for database in ("store", "keyring"):
            versions = MIGRATIONS / database / "versions"
            shutil.rmtree(folder / versions)
            shutil.copytree(ROOT / versions, folder / versions, ignore=shutil.ignore_patterns("__pycache__"))
        folder.chmod(0o755)
        yield folder


def suite(folder: Path, *words: str) -> tuple[int, str]:
    """Run the store suite of a checkout with this environment's libraries; return its exit code and last lines."""
    files = [str(path.relative_to(folder)) for path in sorted(folder.glob(SUITE))]
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-x", "-p", "no:cacheprovider", *files, *words]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    return ran.returncode, ran.stdout[-3000:]


def newest(folder: Path) -> str:
    return max(path.stem for path in (folder / MIGRATIONS / "store/versions").glob("[0-9]*.py"))


def test_the_previous_release_works_on_this_schema(older: Path) -> None:
    code, said = suite(
        older, "-k", "not constant_arrivals"
    )  # which times what arrives, and fails on a busy machine
    assert code == 0, said
    assert re.search(r"\b1\d\d passed", said), said


def test_a_schema_that_lost_something_is_noticed(older: Path) -> None:
    contracting = older / MIGRATIONS / "store/versions/9999_contract.py"
    contracting.write_text(CONTRACTS.format(newest=newest(older)), "utf-8")
    code, said = suite(older, "-k", "stored or message")
    assert code == 1, said
    assert "passed" in said or "failed" in said or "error" in said
