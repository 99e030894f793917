"""What an export holds for people: a page to begin with, and a table for each kind of record."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from io import StringIO
from typing import Any

from application.export_words import Words
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
    names = stored.exported
    return _lines(
        [["" if (value := row.get(name)) is None else _cell(value) for name in names] for row in rows]
    ).encode()


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def first_page(
    words: Words, at: datetime, counts: Mapping[str, int], files: Mapping[str, int], damaged: int
) -> bytes:
    """Return the HTML page: what is in the archive, and where, in one language. It loads nothing from anywhere."""
    rows = "".join(
        f'<tr><td><a href="csv/{name}.csv">{escape(words.records[name])}</a></td><td>{count}</td></tr>\n'
        for name, count in counts.items()
        if count
    )
    folders = "".join(
        f"<li>{_said(words.files, folder=f'{folder}/', count=count)}</li>\n"
        for folder, count in files.items()
    )
    harm = f"<p>{_said(words.damaged, count=damaged)}</p>\n" if damaged else ""
    title = escape(words.title)
    return (
        f'<!doctype html>\n<html lang="{words.language}" dir="{words.direction}">'
        f'<head><meta charset="utf-8"><title>{title}</title>\n'
        "<style>body{font-family:sans-serif;max-width:50rem;margin:2rem auto}td{padding:.2rem 1rem}</style></head>\n"
        f"<body><h1>{title}</h1>\n<p>{_said(words.held_at, at=f'{at:%Y-%m-%d %H:%M:%S}')}</p>\n"
        f"<table>\n{rows}</table>\n<ul>\n{folders}</ul>\n{harm}"
        f"<p>{_said(words.for_programs)}</p></body></html>\n"
    ).encode()


def _said(sentence: str, **known: object) -> str:
    """Return a sentence as HTML; what is put into it keeps its own direction."""
    return escape(sentence).format(
        **{name: f"<bdi>{escape(str(value))}</bdi>" for name, value in known.items()}
    )
