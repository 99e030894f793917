"""What every erasure ledger promises, whichever stands behind the port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from application.ports.ledger import ErasureLedger, LedgerUnavailable, NoIntent
from domain.receipts import START, Intent, Receipt

KEY = b"k" * 32
AT = datetime(2027, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)
FACTS = {
    "rows": {"messages": [12, 0], "lines": [1, 0]},
    "numbers": "released",
    "rest": None,
    "verified": True,
}


def intent(name: str, keys: int = 1) -> Intent:
    return Intent(sha256(name.encode()).digest(), keys, AT + timedelta(hours=len(name)))


ANNE, BEN, CLEO = intent("Anne"), intent("Ben", 2), intent("Cleo")


class LedgerContract:
    """Subclass it, and give the fixtures `ledger` (signing with KEY) and `outage` (after which nothing answers)."""

    @pytest.fixture
    def ledger(self) -> ErasureLedger:
        raise NotImplementedError

    @pytest.fixture
    def outage(self, ledger: ErasureLedger) -> Callable[[], None]:
        raise NotImplementedError

    async def test_a_new_ledger_is_empty(self, ledger: ErasureLedger) -> None:
        assert await ledger.high_water() == 0
        assert await ledger.pending() == []
        assert await ledger.since(0) == []
        assert await ledger.receipt(ANNE.fingerprint) is None

    async def test_marks_rise_from_one_and_the_newest_is_the_high_water(self, ledger: ErasureLedger) -> None:
        for mark, each in enumerate((ANNE, BEN, CLEO), 1):
            assert await ledger.open_intent(each) == mark == await ledger.high_water()
        assert await ledger.pending() == [ANNE, BEN, CLEO]

    async def test_who_asked_and_is_not_being_erased_in_time_is_overdue(self, ledger: ErasureLedger) -> None:
        assert await ledger.overdue(AT) == set()
        for each, due_at in (
            (ANNE, AT),
            (BEN, AT - timedelta(days=1)),
            (CLEO, AT + timedelta(microseconds=1)),
        ):
            await ledger.note_request(each.fingerprint, due_at)
        assert await ledger.overdue(AT) == {ANNE.fingerprint, BEN.fingerprint}
        await ledger.note_request(ANNE.fingerprint, None)
        assert await ledger.overdue(AT) == {BEN.fingerprint}, "who came back is not"
        await ledger.open_intent(BEN)
        assert await ledger.overdue(AT) == set(), "who is being erased is not"

    async def test_the_first_intent_of_an_account_stands(self, ledger: ErasureLedger) -> None:
        await ledger.open_intent(ANNE)
        await ledger.open_intent(BEN)
        assert await ledger.open_intent(replace(ANNE, keys=7, at=AT + timedelta(days=9))) == 1
        assert await ledger.pending() == [ANNE, BEN]
        assert await ledger.high_water() == 2

    async def test_the_newest_word_about_a_request_stands_and_makes_no_intent(
        self, ledger: ErasureLedger
    ) -> None:
        assert await ledger.requested(ANNE.fingerprint) is None
        for due_at in (AT, None, AT + timedelta(days=30), AT + timedelta(days=30)):
            await ledger.note_request(ANNE.fingerprint, due_at)
            assert await ledger.requested(ANNE.fingerprint) == due_at
        assert await ledger.requested(BEN.fingerprint) is None
        assert await ledger.intent(ANNE.fingerprint) is None
        await ledger.open_intent(BEN)
        assert await ledger.intent(BEN.fingerprint) == BEN
        assert await ledger.requested(ANNE.fingerprint) == AT + timedelta(days=30)
        assert await ledger.high_water() == 1

    async def test_many_intents_at_once_get_a_mark_each(self, ledger: ErasureLedger) -> None:
        intents = [intent("x" * n) for n in range(12)]
        marks = await asyncio.gather(*(ledger.open_intent(each) for each in intents * 2))
        assert sorted(marks[:12]) == list(range(1, 13))
        assert marks[:12] == marks[12:]
        assert [await ledger.open_intent(each) for each in await ledger.since(0)] == list(range(1, 13))

    async def test_completion_ends_an_intent_and_never_lowers_the_mark(self, ledger: ErasureLedger) -> None:
        for each in (ANNE, BEN, CLEO):
            await ledger.open_intent(each)
        await ledger.complete(BEN.fingerprint, FACTS)
        assert await ledger.pending() == [ANNE, CLEO]
        await ledger.complete(CLEO.fingerprint, FACTS)
        assert await ledger.pending() == [ANNE]
        assert await ledger.high_water() == 3

    async def test_a_restored_backup_hears_of_every_later_intent_completed_or_not(
        self, ledger: ErasureLedger
    ) -> None:
        for each in (ANNE, BEN, CLEO):
            await ledger.open_intent(each)
        await ledger.complete(CLEO.fingerprint, FACTS)
        assert [await ledger.since(mark) for mark in range(4)] == [[ANNE, BEN, CLEO], [BEN, CLEO], [CLEO], []]

    async def test_nothing_is_completed_that_was_not_intended(self, ledger: ErasureLedger) -> None:
        await ledger.open_intent(ANNE)
        with pytest.raises(NoIntent):
            await ledger.complete(BEN.fingerprint, FACTS)
        assert await ledger.receipt(BEN.fingerprint) is None

    async def test_the_receipt_is_kept_and_carries_the_ledgers_signature(self, ledger: ErasureLedger) -> None:
        await ledger.open_intent(ANNE)
        receipt = await ledger.complete(ANNE.fingerprint, FACTS)
        assert receipt == await ledger.receipt(ANNE.fingerprint)
        assert receipt.facts == FACTS
        assert receipt.verify(KEY)

    async def test_the_first_receipt_stands(self, ledger: ErasureLedger) -> None:
        await ledger.open_intent(ANNE)
        first = await ledger.complete(ANNE.fingerprint, FACTS)
        assert await ledger.complete(ANNE.fingerprint, {"rows": {}}) == first
        assert await ledger.receipt(ANNE.fingerprint) == first

    async def test_an_interim_receipt_is_signed_and_completes_nothing(self, ledger: ErasureLedger) -> None:
        for each in (ANNE, BEN):
            await ledger.open_intent(each)
        assert await ledger.interim(ANNE.fingerprint) is None
        first = await ledger.sign_interim(ANNE.fingerprint, {"messages_open": 2})
        assert await ledger.sign_interim(ANNE.fingerprint, {"messages_open": 1}) == first
        assert await ledger.interim(ANNE.fingerprint) == first
        assert (first.facts, first.verify(KEY)) == ({"messages_open": 2}, True)
        assert await ledger.pending() == [ANNE, BEN]
        assert await ledger.receipt(ANNE.fingerprint) is None
        receipt = await ledger.complete(ANNE.fingerprint, FACTS)
        assert await ledger.receipt(ANNE.fingerprint) == receipt
        assert await ledger.interim(ANNE.fingerprint) == first
        assert await ledger.pending() == [BEN]
        with pytest.raises(NoIntent):
            await ledger.sign_interim(CLEO.fingerprint, FACTS)

    async def test_a_completed_erasure_is_confirmed_once_and_signed(self, ledger: ErasureLedger) -> None:
        for each in (ANNE, BEN):
            await ledger.open_intent(each)
            with pytest.raises(NoIntent):
                await ledger.confirm(each.fingerprint, {"epoch": 1})
        receipts = [await ledger.complete(each.fingerprint, FACTS) for each in (BEN, ANNE)]
        assert await ledger.unconfirmed() == receipts
        assert await ledger.confirmation(BEN.fingerprint) is None
        first = await ledger.confirm(BEN.fingerprint, {"epoch": 1})
        assert await ledger.confirm(BEN.fingerprint, {"epoch": 2}) == first
        assert await ledger.confirmation(BEN.fingerprint) == first
        assert (first.facts, first.verify(KEY)) == ({"epoch": 1}, True)
        assert await ledger.receipt(BEN.fingerprint) == receipts[0], "it is a second line"
        assert await ledger.unconfirmed() == receipts[1:]
        assert await ledger.pending() == []

    async def test_each_record_moves_it_on_and_repetition_does_not(self, ledger: ErasureLedger) -> None:
        positions = [await ledger.position()]
        assert positions[0] == START
        for _ in range(2):
            for act in (
                lambda: ledger.note_request(ANNE.fingerprint, AT),
                lambda: ledger.open_intent(ANNE),
                lambda: ledger.sign_interim(ANNE.fingerprint, FACTS),
                lambda: ledger.complete(ANNE.fingerprint, FACTS),
                lambda: ledger.confirm(ANNE.fingerprint, {"epoch": 1}),
            ):
                await act()
                if (position := await ledger.position()) not in positions:
                    positions.append(position)
        assert [each.number for each in positions] == list(range(6))
        assert len({each.head for each in positions}) == 6
        assert [await ledger.head_at(number) for number in range(7)] == [*(p.head for p in positions), None]

    async def test_what_the_caller_changes_later_is_not_in_the_receipt(self, ledger: ErasureLedger) -> None:
        counts = [12, 0]
        await ledger.open_intent(ANNE)
        await ledger.complete(ANNE.fingerprint, {"messages": counts})
        counts[1] = 5
        receipt = await ledger.receipt(ANNE.fingerprint)
        assert receipt is not None
        assert receipt.facts == {"messages": [12, 0]}
        assert receipt.verify(KEY)

    async def test_only_values_that_can_be_signed_make_a_receipt(self, ledger: ErasureLedger) -> None:
        await ledger.open_intent(ANNE)
        for unfit in ({"at": AT}, {"count": float("nan")}):
            with pytest.raises((TypeError, ValueError)):
                await ledger.complete(ANNE.fingerprint, unfit)
        assert await ledger.pending() == [ANNE]

    async def test_an_outage_is_told_as_such_by_every_method(
        self, ledger: ErasureLedger, outage: Callable[[], None]
    ) -> None:
        await ledger.open_intent(ANNE)
        outage()
        for call in (
            ledger.open_intent(BEN), ledger.complete(ANNE.fingerprint, FACTS), ledger.receipt(ANNE.fingerprint),
            ledger.pending(), ledger.since(0), ledger.high_water(), ledger.overdue(AT),
            ledger.unconfirmed(), ledger.confirm(ANNE.fingerprint, FACTS), ledger.confirmation(ANNE.fingerprint),
        ):  # fmt: skip
            with pytest.raises(LedgerUnavailable) as told:
                await call
            assert told.value.__cause__ is None
            assert not told.value.args


class TestReceipt:
    """The signature itself, which every ledger makes the same way."""

    receipt = Receipt.signed(KEY, ANNE.fingerprint, FACTS)

    def test_the_order_of_the_facts_does_not_matter(self) -> None:
        assert Receipt.signed(KEY, ANNE.fingerprint, dict(reversed(FACTS.items()))) == self.receipt

    @pytest.mark.parametrize(
        "forged",
        [
            replace(receipt, facts=FACTS | {"numbers": "kept"}),
            replace(receipt, facts={**FACTS, "more": 1}),
            replace(receipt, facts={}),
            replace(receipt, fingerprint=BEN.fingerprint),
            replace(receipt, signature=bytes(32)),
            replace(receipt, signature=b""),
        ],
    )
    def test_an_altered_receipt_does_not_verify(self, forged: Receipt) -> None:
        assert self.receipt.verify(KEY)
        assert not forged.verify(KEY)

    def test_another_key_does_not_verify_it(self) -> None:
        assert not self.receipt.verify(b"j" * 32)

    def test_an_intent_is_of_an_account_with_keys_at_an_instant(self) -> None:
        for unfit in ({"fingerprint": b"short"}, {"keys": -1}, {"at": AT.replace(tzinfo=None)}):
            with pytest.raises(ValueError, match="intent"):
                replace(ANNE, **unfit)

    def test_neither_shows_the_fingerprint(self) -> None:
        assert not any(repr(ANNE.fingerprint) in repr(each) for each in (ANNE, self.receipt))
