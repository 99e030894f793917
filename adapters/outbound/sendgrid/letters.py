"""Mails as they are read: rendered by us, so that the provider's templates hold nothing of anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from adapters.outbound.sendgrid.words import WORDS
from application.ports.mail import MailKind
from domain.values import Locale

HERE = Path(__file__).parent
ENGLISH = "en"
DIRECTIONS: Mapping[str, str] = MappingProxyType({ENGLISH: "ltr", "he": "rtl"})
"""The languages there are, and the direction in which each is written."""
_FORMER = MappingProxyType({"iw": "he"})
"""What some systems still call a language (ISO 639, changed in 1989)."""
_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(["html"], default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

Link = Callable[[str], str]
"""Returns the address that a mail links to, given what it is for: a tag and an operation of the API."""


class Letter(NamedTuple):
    """A mail as it is sent."""

    language: str
    subject: str
    text: str
    html: str


def language_of(locale: Locale) -> str:
    """Return the language to write in: English where there is no other of the person's."""
    primary = locale.partition("-")[0]
    language = _FORMER.get(primary, primary)
    return language if language in DIRECTIONS else ENGLISH


def letter(kind: MailKind, locale: Locale, token: str | None, link: Link) -> Letter:
    """Write a mail."""
    language, words = language_of(locale), WORDS[kind]
    said = _translations(language).gettext
    given = {
        "language": language,
        "direction": DIRECTIONS[language],
        "subject": said(words.subject),
        "body": said(words.body),
        "token": token,
        "link": link(words.operation),
        "open": said("Open Pico"),
        "why": said(
            "Pico sends this mail because it concerns your account. Nobody counts whether you read it."
        ),
    }
    text, html = (_TEMPLATES.get_template(f"letter.{form}").render(given) for form in ("txt", "html"))
    return Letter(language, given["subject"] or "", text, html)


@cache
def _translations(language: str) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    return translation("mail", HERE / "locale", [language])
