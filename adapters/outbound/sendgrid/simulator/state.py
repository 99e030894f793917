"""What the simulated SendGrid remembers, in memory and, if asked, in a file that survives `kill -9`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from adapters.simulators import keep


class SentMail(TypedDict):
    """One mail that was taken; `at` is RFC 3339."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    language: str
    categories: list[str]
    at: str


@dataclass(slots=True)
class State:
    """Mails, oldest first, and addresses by suppression list. What is erased is erased: no list of it is kept."""

    file: Path | None = None
    mails: list[SentMail] = field(default_factory=list)
    suppressed: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the file if there is one."""
        if self.file is not None and self.file.exists():
            kept = json.loads(self.file.read_text("utf-8"))
            self.mails, self.suppressed = kept["mails"], kept["suppressed"]

    def save(self) -> None:
        """Put it on disk, if it is to be there."""
        if self.file is not None:
            keep(self.file, {"mails": self.mails, "suppressed": self.suppressed})

    def add(self, mail: SentMail) -> None:
        """Keep a mail."""
        self.mails.append(mail)
        self.save()

    def suppress(self, listed: str, address: str) -> None:
        """Put an address on a list."""
        self.suppressed.setdefault(listed, []).append(address)
        self.save()

    def is_suppressed(self, listed: str, address: str) -> bool:
        """Tell whether an address is on a list."""
        return any(_same(each, address) for each in self.suppressed.get(listed, ()))

    def release(self, listed: str, address: str) -> None:
        """Take an address off a list."""
        left = [each for each in self.suppressed.get(listed, ()) if not _same(each, address)]
        self.suppressed[listed] = left
        self.save()

    def erase(self, addresses: list[str]) -> None:
        """Forget everything of these addresses."""
        for address in addresses:
            self.mails = [mail for mail in self.mails if not _same(mail["to"], address)]
            for listed in self.suppressed:
                self.release(listed, address)
        self.save()


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
