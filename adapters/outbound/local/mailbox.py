"""A mail provider for one machine: nothing is sent, everything can be read by whoever runs the Sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from typing_extensions import override

from adapters.outbound.local import files
from application.ports.mail import Mail, MailKind, MailUnavailable
from domain.values import Email, Locale


class StoredMail(TypedDict):
    """One mail as the provider holds it; `at` is RFC 3339."""

    to: str
    kind: str
    locale: str
    token: str | None
    at: str


Mails = list[StoredMail]


class LocalMailbox(Mail):
    """`Mail` into one file, mode 0600, of a folder; several processes may share it.

    It stands for the provider, so it holds addresses in clear, as the provider does, until it is told to forget them.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        """`now` answers aware instants; nothing is read or written yet."""
        self._file = folder / "mails.json"
        self._now = now

    @override
    async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
        at = self._now().isoformat().replace("+00:00", "Z")
        mail = StoredMail(to=str(to), kind=kind.value, locale=str(locale), token=link_token, at=at)
        await self._change(lambda mails: [*mails, mail])

    @override
    async def erase(self, address: Email) -> None:
        await self._change(lambda mails: [mail for mail in mails if not _to(mail, address)])

    @override
    async def holds(self, address: Email) -> bool:
        return any(_to(mail, address) for mail in await self.list())

    async def list(self) -> Mails:
        """Return every mail held, newest last. Raises MailUnavailable. Repeating is harmless."""
        return await self._change(lambda mails: mails)

    async def _change(self, change: Callable[[Mails], Mails]) -> Mails:
        """Change the mails as they are in the file now, in a thread: it waits for a lock and for the disk."""
        try:
            return await asyncio.to_thread(self._change_file, change)
        except OSError:
            raise MailUnavailable from None

    def _change_file(self, change: Callable[[Mails], Mails]) -> Mails:
        with files.locked(self._file.parent):
            before = self._read()
            after = change(before)
            if after != before:
                files.replace(self._file, json.dumps(after, indent=1).encode())
            return after

    def _read(self) -> Mails:
        text = files.read(self._file)
        try:
            mails: Mails = [] if text is None else json.loads(text)
        except ValueError:
            pass
        else:
            return mails
        raise MailUnavailable  # outside the handler: the error above quotes the file


def _to(mail: StoredMail, address: Email) -> bool:
    return Email(mail["to"]).canonical == address.canonical
