"""What is in an export that was downloaded."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile


def file_in(archive: bytes, name: str) -> bytes:
    """Return one file of it. Raises KeyError."""
    with ZipFile(BytesIO(archive)) as opened:
        return opened.read(name)


def export_in(archive: bytes) -> dict[str, Any]:
    """Return its export.json."""
    found: dict[str, Any] = json.loads(file_in(archive, "export.json"))
    return found
