"""The address book: add, read, correct, delete, import, export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from pico_client.calls import Calls, given, new_key, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Contact(Result):
    """Somebody the person knows. What was damaged is None. `etag` names this version; a list does not tell it."""

    id: str
    name: str | None
    numbers: list[str] | None
    note: str | None
    created_at: datetime
    etag: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Skip(Result):
    """A card that was not saved: by its position in the file, from 1 on, and why."""

    position: int
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class ContactImport(Result):
    """What became of a file of contacts. `dropped` counts values that no contact has."""

    added: int
    merged: int
    skipped: int
    dropped: int
    skips: list[Skip]


class Contacts(Calls):
    """What one does with contacts."""

    def add_contact(
        self, name: str, numbers: Iterable[str], note: str | None = None, *, key: str | None = None
    ) -> Contact:
        """Save a contact, or add to the one that has one of the numbers and a name that agrees.

        Under the same `key`, made unless given, it is saved once however often this is called.
        """
        new = {"name": name, "numbers": list(numbers), "note": note}
        return self._ask(Contact, "POST", "/v1/contacts", body=new, key=key or new_key())

    def list_contacts(self) -> Iterator[Contact]:
        """List contacts, newest first."""
        return self._list(Contact, "/v1/contacts")

    def read_contact(self, contact_id: str) -> Contact:
        """Read one contact."""
        return self._ask(Contact, "GET", f"/v1/contacts/{part(contact_id)}")

    def change_contact(
        self,
        contact_id: str,
        name: str | None = None,
        numbers: Iterable[str] | None = None,
        note: str | None = None,
        *,
        if_match: str | None = None,
    ) -> Contact:
        """Correct a contact; None leaves a field as it is, an empty note takes the note away.

        With the `etag` that was read, no later change is overwritten.
        """
        change = given(name=name, numbers=None if numbers is None else list(numbers))
        if note is not None:
            change["note"] = note or None
        return self._ask(Contact, "PATCH", f"/v1/contacts/{part(contact_id)}", body=change, if_match=if_match)

    def delete_contact(self, contact_id: str) -> None:
        """Delete a contact. Messages stay."""
        self._send("DELETE", f"/v1/contacts/{part(contact_id)}")

    def import_contacts(self, file: IO[bytes], country: str | None = None) -> ContactImport:
        """Import a file of vCards. Numbers are read as in `country`; repeating it changes nothing."""
        query = {"country": country}
        return self._ask(ContactImport, "POST", "/v1/contacts/import", file=file, query=query)

    def download_contacts(self, into: IO[bytes], version: str | None = None) -> None:
        """Write all contacts to a file, as vCards of version 3.0 or 4.0."""
        with self._stream("GET", "/v1/contacts/export", query={"version": version}) as answer:
            for chunk in answer.iter_bytes():
                into.write(chunk)
