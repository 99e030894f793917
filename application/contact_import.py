"""The use cases of moving an address book: many cards come in, all contacts go out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from application.address_book import AddressBook, country_of, in_e164
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.numbering import NumberingPlan
from application.ports.store import Store, Tx
from domain.contacts import MOST_CONTACTS, Card, Contact
from domain.kernel import AccountId, PicoError
from domain.values import Country

BATCH = 25
"""Cards to a commit."""
PAGE = 500
"""Contacts read at once."""
MOST_TOLD = 1000
"""Skipped cards that are told of one by one."""


class NoCards(PicoError):
    """There is no card in this file."""

    code = "no_cards"


class SkipReason(StrEnum):
    """Why a card was not saved."""

    WITHOUT_NUMBER = "without_number"
    WITHOUT_NAME = "without_name"
    TOO_LONG = "too_long"
    CUT_OFF = "cut_off"
    """The file ends before the card does."""
    ADDRESS_BOOK_FULL = "address_book_full"


@dataclass(frozen=True, slots=True)
class FoundCard:
    """A card of a file by its position, from 1 on: what there is to save of it, or why there is nothing.

    `dropped` counts what it says besides, which no contact has.
    """

    position: int
    card: Card | None
    skipped: SkipReason | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    """A card that was not saved."""

    position: int
    reason: SkipReason


@dataclass(slots=True)
class ImportReport:
    """What became of a file's cards. Of those that were skipped the first MOST_TOLD are told one by one."""

    added: int = 0
    merged: int = 0
    skipped: int = 0
    dropped: int = 0
    skips: list[Skip] = field(default_factory=list)

    def add(self, other: ImportReport) -> None:
        """Add what became of further cards."""
        self.added, self.merged = self.added + other.added, self.merged + other.merged
        self.skipped, self.dropped = self.skipped + other.skipped, self.dropped + other.dropped
        self.skips += other.skips[: MOST_TOLD - len(self.skips)]

    def skip(self, position: int, reason: SkipReason) -> None:
        """Note that a card was not saved."""
        self.skipped += 1
        self.skips.append(Skip(position, reason))


@dataclass(frozen=True, slots=True)
class ImportContacts:
    """Saves the cards of a file, some at a time: what came before a break is saved, and found again by the next try."""

    store: Store
    clock: Clock
    ids: Ids
    plan: NumberingPlan

    async def __call__(
        self, account_id: AccountId, cards: AsyncIterable[FoundCard], country: Country | None
    ) -> ImportReport:
        """Return what became of each. Numbers are read as in `country`, or else where the person lives.

        Raises NoCards. Repeating is harmless: a card that is there already is merged, and changes nothing.
        """
        if country is None:
            async with self.store.begin(account_id) as tx:
                country = await country_of(tx)
        report, batch = ImportReport(), list[FoundCard]()
        async for found in cards:
            batch.append(found)
            if len(batch) == BATCH:
                report.add(await self._save(account_id, batch, country))
                batch = []
        report.add(await self._save(account_id, batch, country))
        if not (report.added or report.merged or report.skipped):
            raise NoCards
        return report

    async def _save(
        self, account_id: AccountId, batch: list[FoundCard], country: Country | None
    ) -> ImportReport:
        cards = [
            replace(found.card, numbers=in_e164(self.plan, found.card.numbers, country))
            if found.card
            else None
            for found in batch
        ]

        async def change(tx: Tx) -> ImportReport:
            report, now = ImportReport(), self.clock.now()
            numbers = [number for card in cards if card for number in card.numbers.each]
            book = await AddressBook.opened(tx, self.ids, numbers)
            room = MOST_CONTACTS - await tx.contacts.count()
            for found, card in zip(batch, cards, strict=True):
                if card is None:
                    report.skip(found.position, found.skipped or SkipReason.WITHOUT_NUMBER)
                    continue
                known = book.known(card)
                if known is not None:
                    book.merge(known, card, now)
                    report.merged += 1
                elif report.added < room:
                    book.add(account_id, card, now)
                    report.added += 1
                else:
                    report.skip(found.position, SkipReason.ADDRESS_BOOK_FULL)
                    continue
                report.dropped += found.dropped
            return report

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ExportContacts:
    """Hands out the whole address book."""

    store: Store

    async def __call__(self, account_id: AccountId) -> AsyncGenerator[list[Contact], None]:
        """Yield contacts page by page, newest first, broken ones too. Repeating is harmless."""
        before = None
        while True:
            async with self.store.begin(account_id) as tx:
                page = await tx.contacts.page(before, PAGE)
            if not page:
                return
            yield page
            before = page[-1].id
