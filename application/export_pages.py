"""What an export holds for people: a page to begin with, and a table for each kind of record."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from io import StringIO
from typing import Any

from application.inventory import Stored

BOM = "\ufeff"
"""By which spreadsheets know UTF-8."""
_NUMBER = re.compile(r"[+-]?\d+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would work out instead of showing it (CWE-1236)."""


def heading(stored: Stored) -> bytes:
    """Return the first line of a table."""
    return (BOM + _lines([stored.exported])).encode()


def table(stored: Stored, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the lines of some records, in the order of the columns (RFC 4180)."""
    return _lines([[_cell(row.get(name)) for name in stored.exported] for row in rows]).encode()


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def first_page(at: datetime, counts: Mapping[str, int], files: Mapping[str, int], damaged: int) -> bytes:
    """Return the HTML page: what is in the archive, and where. It loads nothing from anywhere."""
    rows = "".join(
        f'<tr><td><a href="csv/{name}.csv">{escape(name.replace("_", " "))}</a></td><td>{count}</td></tr>\n'
        for name, count in counts.items()
        if count
    )
    folders = "".join(f"<li>{escape(folder)}/: {count} files</li>\n" for folder, count in files.items())
    harm = f"<p>{damaged} records or files were damaged and cannot be read: manifest.json names them.</p>\n"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Your data</title>\n'
        "<style>body{font-family:sans-serif;max-width:50rem;margin:2rem auto}td{padding:.2rem 1rem}</style></head>\n"
        f"<body><h1>Your data</h1>\n<p>Everything held about you at {at:%Y-%m-%d %H:%M:%S} UTC.</p>\n"
        f"<table>\n{rows}</table>\n<ul>\n{folders}</ul>\n{harm if damaged else ''}"
        "<p>export.json holds the same for programs, laid out as schema.json says.</p></body></html>\n"
    ).encode()
