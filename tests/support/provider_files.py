"""The providers' specifications and sample webhooks, which live beside the repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).resolve().parents[3] / "shared"


def specification(name: str) -> Any:
    """Read a file of provider specifications, from `PICO_SPECS` or beside the repository."""
    return _read(_specification(name))


def is_there(name: str) -> bool:
    """Tell whether a file of provider specifications is at hand: for checks that a test makes besides its own."""
    return _specification(name).exists()


def sample_webhooks(name: str) -> Any:
    """Read a file of sample webhooks, from `PICO_WEBHOOK_SAMPLES` or beside the repository."""
    return _read(Path(os.environ.get("PICO_WEBHOOK_SAMPLES") or BESIDE / "webhooks") / name)


def _specification(name: str) -> Path:
    return Path(os.environ.get("PICO_SPECS") or BESIDE / "specs") / name


def _read(path: Path) -> Any:
    """Skip the test that needs a file which is not there; where CI is true, that is a failure."""
    if not path.exists():
        missing = f"{path.name} is not there: set PICO_SPECS and PICO_WEBHOOK_SAMPLES"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing, allow_module_level=True)
    return json.loads(path.read_text("utf-8"))
