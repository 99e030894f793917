"""The address book: add, read, correct, delete, import, export."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.contacts
from adapters.inbound.http.guards import VERSION, Bearer, Conditional, Idempotent
from adapters.inbound.http.input import Change, Input, Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import COUNTRY, UNSEEN, MaybeId, Text, exactly
from adapters.inbound.http.reply import Download, Id, Media, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from adapters.inbound.http.upload import UPLOAD_REFUSALS, Upload
from adapters.inbound.http.vcards.lines import TooManyLines
from adapters.inbound.http.vcards.reading import cards_in
from adapters.inbound.http.vcards.writing import VCardVersion, vcards
from application.contact_import import NoCards, SkipReason
from application.contacts import Correction
from domain.contacts import (
    Card,
    ContactId,
    ContactName,
    ContactNote,
    ContactNumbers,
    SavedNumber,
    TooManyContacts,
)
from domain.idempotency import IdempotencyMismatch
from domain.requests import Pace
from domain.values import Country

NO_BLANK_AT_EITHER_END = rf"^[^{UNSEEN}\s]([^{UNSEEN}]*[^{UNSEEN}\s])?$"
A_NAME = Text(
    ContactName.parse,
    {"minLength": 1, "maxLength": ContactName.LONGEST, "pattern": NO_BLANK_AT_EITHER_END},
)
A_NUMBER = Text(
    SavedNumber.parse,
    {"minLength": 1, "maxLength": SavedNumber.LONGEST, "pattern": NO_BLANK_AT_EITHER_END},
)
A_NOTE = Text(ContactNote.parse, {"minLength": 1, "maxLength": ContactNote.LONGEST, "pattern": r"^[^\x00]*$"})


A_COUNTRY = exactly(COUNTRY, Country)
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Noa Cohen\r\nTEL;TYPE=CELL:+1 310 555 0178\r\nEND:VCARD\r\n"
FILE = Upload(
    ("text/vcard", "text/x-vcard", "text/directory"), 16 * 1024 * 1024, CARD, (*UPLOAD_REFUSALS, TooManyLines)
)
CARDS = Media("text/vcard", filename="contacts.vcf")

Numbers = Annotated[
    list[Annotated[SavedNumber, A_NUMBER]], Field(min_length=1, max_length=ContactNumbers.MOST)
]


class NewContact(Input):
    """A contact to save."""

    name: Annotated[ContactName, A_NAME]
    numbers: Numbers
    note: Annotated[ContactNote, A_NOTE] | None = None


class ContactChange(Change):
    """What to correct: something, at least. `note` null takes the note away; a field left out stays as it is."""

    name: Annotated[ContactName | None, A_NAME] = None
    numbers: Numbers = Field(default_factory=list)
    note: Annotated[ContactNote, A_NOTE] | None = None


class ContactPage(Paged):
    """A page of contacts."""

    cursor: MaybeId = None


class ImportOptions(Input):
    """Where numbers without a country code are from; unless said, where the person lives, by their locale."""

    country: Annotated[Country | None, A_COUNTRY] = None


class ExportOptions(Input):
    """Which vCard to write."""

    version: Annotated[VCardVersion, Text(VCardVersion, {"enum": list(VCardVersion)})] = VCardVersion.THREE


class Skip(TypedDict):
    """A card that was not saved: by its position in the file, from 1 on, and why."""

    position: Annotated[int, Examples([3])]
    reason: Annotated[str, SpelledOut(SkipReason)]


class ContactImport(TypedDict):
    """What became of a file of contacts. Of the cards that were skipped, the first 1000 are told one by one."""

    added: Annotated[int, Examples([41])]
    merged: Annotated[int, Examples([2])]
    skipped: Annotated[int, Examples([1])]
    dropped: Annotated[int, Examples([17])]
    skips: list[Skip]


class Contact(TypedDict):
    """Somebody the person knows. What was damaged and cannot be read is null."""

    id: Id
    name: str | None
    numbers: list[str] | None
    note: str | None
    created_at: datetime


class Contacts(TypedDict):
    """A page of contacts; `next_cursor` leads to the rest, null at the end."""

    items: list[Contact]
    next_cursor: str | None


def contact(of: domain.contacts.Contact) -> Contact:
    """Show a contact."""
    return {
        "id": str(of.id),
        "name": of.name,
        "numbers": None if "numbers" in of.unreadable else [str(number) for number in of.numbers.each],
        "note": of.note,
        "created_at": of.created_at,
    }


async def add_contact(request: Request[NewContact]) -> Contact:
    """Save a contact. Its numbers become E.164 where they are valid, and stay as they are where not.

    If a contact has one of the numbers and a name that agrees, word by word, it is added to instead, and answered.
    """
    new = request.input
    card = Card(new.name, ContactNumbers.of(new.numbers), new.note)
    saved = await request.use_cases.add_contact(request.account_id, card, request.key)
    request.replayed(yes=saved.repeated)
    return contact(saved.contact)


async def list_contacts(request: Request[ContactPage]) -> Contacts:
    """List contacts, newest first. Names are sealed where they lie: to order by them is for the client."""
    cursor = request.input.cursor
    page = await request.use_cases.list_contacts(
        request.account_id, None if cursor is None else ContactId(cursor), request.input.limit
    )
    return {
        "items": [contact(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


async def read_contact(request: Request[None], contact_id: ContactId) -> Contact:
    """Read one contact."""
    found = await request.use_cases.read_contact(request.account_id, contact_id)
    request.show_version(found.version)
    return contact(found)


async def change_contact(request: Request[ContactChange], contact_id: ContactId) -> Contact:
    """Correct a contact. Numbers are replaced as a whole."""
    wanted = request.input
    given = wanted.model_fields_set
    correction = Correction(
        wanted.name,
        ContactNumbers.of(wanted.numbers) if "numbers" in given else None,
        (wanted.note or ContactNote("")) if "note" in given else None,
    )
    changed = await request.use_cases.change_contact(
        request.account_id, contact_id, correction, request.versions
    )
    request.show_version(changed.version)
    return contact(changed)


async def delete_contact(request: Request[None], contact_id: ContactId) -> None:
    """Delete a contact. Messages stay."""
    await request.use_cases.delete_contact(request.account_id, contact_id)


async def import_contacts(request: Request[ImportOptions]) -> ContactImport:
    """Import a file of vCards: 2.1, 3.0 or 4.0, as phones and address books write them.

    Each card becomes a contact, or is merged into the one that has one of its numbers and a name that agrees. Names,
    numbers and notes are taken; `dropped` counts what else there was. `skips` says by position which cards were not
    saved, and why; repeating an import changes nothing. When a file breaks off, what came before is saved.
    """
    found = cards_in(request.upload)
    report = await request.use_cases.import_contacts(request.account_id, found, request.input.country)
    return {
        "added": report.added,
        "merged": report.merged,
        "skipped": report.skipped,
        "dropped": report.dropped,
        "skips": [{"position": skip.position, "reason": str(skip.reason)} for skip in report.skips],
    }


async def download_contacts(request: Request[ExportOptions]) -> Annotated[Download, CARDS]:
    """Download all contacts as vCards, newest first. One that was damaged is left out: the account's export names it."""
    pages = request.use_cases.export_contacts(request.account_id)
    return Download((vcards(page, request.input.version) async for page in pages), CARDS)


CONTACT = "/v1/contacts/{id}"
CORRECTING = (Bearer(), Conditional())
ONCE = (Bearer(), Idempotent())
ADDING = (IdempotencyMismatch, TooManyContacts)

# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("POST", "/v1/contacts", add_contact, 201, body=NewContact, guards=ONCE, raises=ADDING, location=CONTACT),
    Route("GET", "/v1/contacts", list_contacts, 200, query=ContactPage),
    Route("GET", "/v1/contacts/{contact_id:uuid}", read_contact, 200, headers={"ETag": VERSION}),
    Route("POST", "/v1/contacts/import", import_contacts, 200, query=ImportOptions, upload=FILE, raises=(NoCards,), pace=Pace.HEAVY),
    Route("GET", "/v1/contacts/export", download_contacts, 200, query=ExportOptions),
    Route("PATCH", "/v1/contacts/{contact_id:uuid}", change_contact, 200, body=ContactChange, guards=CORRECTING),
    Route("DELETE", "/v1/contacts/{contact_id:uuid}", delete_contact, 204),
)
# fmt: on
