"""What mails say: in each language there is, without a trace of how it is read, with a link that leads somewhere."""

from __future__ import annotations

import re
from gettext import translation
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from adapters.inbound.http.openapi import document
from adapters.inbound.http.routes import ROUTES
from adapters.outbound.sendgrid.letters import DIRECTIONS, ENGLISH, HERE, letter
from adapters.outbound.sendgrid.words import WORDS
from application.ports.mail import MailKind
from domain.values import Locale

URL = "http://127.0.0.1:8080/docs#/{}"
OPERATIONS = {
    f"{operation['tags'][0]}/{operation['operationId']}"
    for operations in document(ROUTES)["paths"].values()
    for operation in operations.values()
}
WITH_TOKENS = {MailKind.VERIFY, MailKind.PASSWORD_RESET, MailKind.EMAIL_CHANGE}
CATALOGUES = [pytest.param(HERE / "locale" / each, id=each) for each in DIRECTIONS if each != ENGLISH]


class Page(HTMLParser):
    """Notes what a page says, and all addresses that it would lead to or load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.addresses: list[str] = []
        self.root: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.root = dict(attrs)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "background"}]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.mark.parametrize("language", DIRECTIONS)
@pytest.mark.parametrize("kind", MailKind)
def test_text_and_page_say_the_same_and_nothing_is_loaded(kind: MailKind, language: str) -> None:
    written = letter(kind, Locale(language), "pico_v1_token" if kind in WITH_TOKENS else None, URL.format)
    page = Page(written.html)
    said = " ".join(page.said)
    for part in re.split(r"\n+", written.text.partition("\n-- \n")[0].rpartition("\n\n")[0]):
        assert part in said
    assert ("pico_v1_token" in said) == (kind in WITH_TOKENS)
    assert page.addresses == [URL.format(WORDS[kind].operation)]
    assert page.addresses[0] in written.text
    assert page.root == {"lang": language, "dir": DIRECTIONS[language]}


@pytest.mark.parametrize("kind", MailKind)
def test_every_link_leads_to_an_operation(kind: MailKind) -> None:
    assert WORDS[kind].operation in OPERATIONS


@pytest.mark.parametrize(
    ("locale", "language"), [("en", "en"), ("he", "he"), ("he-IL", "he"), ("iw-IL", "he"), ("fr-CA", "en")]
)
def test_whose_language_there_is_not_reads_english(locale: str, language: str) -> None:
    assert letter(MailKind.RECOVERED, Locale(locale), None, str).language == language


@pytest.mark.parametrize("folder", CATALOGUES)
def test_every_word_is_translated_and_the_compiled_catalogue_is_that_one(folder: Path) -> None:
    with (folder / "LC_MESSAGES" / "mail.po").open("rb") as file:
        catalogue = read_po(file, locale=folder.name)
    said = {message.id: message.string for message in catalogue if message.id}
    assert said.keys() >= {text for words in WORDS.values() for text in words[:2]}
    assert all(said.values())
    assert not any(message.fuzzy for message in catalogue if message.id)
    compiled = translation("mail", folder.parent, [folder.name]).gettext
    assert {text: compiled(str(text)) for text in said} == said


def test_what_stands_in_a_mail_cannot_become_markup() -> None:
    html = letter(MailKind.VERIFY, Locale("en"), "<script>", str).html
    assert "<script>" not in html
