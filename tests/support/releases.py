"""The previous release: which it is, and its code as it was."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

GIT = shutil.which("git") or "git"
ROOT = Path(__file__).resolve().parents[2]


def previous() -> str:
    """Return the commit of the newest tag before this one; without a tag, the one that docs/releases.md names.

    Nothing where this checkout has no history.
    """
    tagged = _git("describe", "--tags", "--abbrev=0", "HEAD^")
    if tagged:
        return tagged
    named = re.search(
        r"^ +first: ([0-9a-f]{40})$", (ROOT / "docs/releases.md").read_text("utf-8"), re.MULTILINE
    )
    assert named, "docs/releases.md names no commit"
    return named[1] if _git("cat-file", "-t", named[1]) == "commit" else ""


def laid_out(commit: str, folder: Path) -> Path:
    """Lay a commit's files out in a folder, and return it."""
    archive = subprocess.run([GIT, "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11 has it since 3.11.4
        packed.extractall(folder)  # noqa: S202 - of a commit of ours
    return folder


def _git(*words: str) -> str:
    try:
        done = subprocess.run([GIT, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
