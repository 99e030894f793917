"""The small print about what providers hold: it is asked for until it is gone, and nothing is called done before."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from application.asking_again import AskProvidersAgain
from application.carrier_copies import DeleteCarrierCopies
from application.erasure import VerifyNothingLeft
from application.hold import Hold
from application.message_deletion import DeleteCarrierCopy
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.jobs import JobLease
from domain.erasure import NO_COUNTS, Erasure
from domain.kernel import AccountId, CarrierRef, MessageId
from tests.support.actors import PASSWORD, STRANGER, Person, with_line
from tests.support.harness import Databases, OnPostgres
from tests.support.liar import Liar, Lie
from tests.support.proofs import proves
from tests.support.sabotage import skipped_step

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def heard(made: OnPostgres) -> tuple[Person, CarrierRef]:
    ada = await with_line(made)
    ref = await made.carrier.receive(STRANGER, ada.number, "heard")
    await ada.receives("heard", ref=ref)
    return ada, ref


class BelievesInDeletion(DeleteCarrierCopy):
    """Takes a copy for deleted without looking for it."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        await self.commit(account_id, message_id, lease)


def believes_in_deletion(stored: Databases) -> Databases:
    return partial(stored, delete_carrier_copy=BelievesInDeletion)


@proves(
    "H9",
    text="940f14b21145",
    saboteur=believes_in_deletion,
    says="a copy counts as deleted that Twilio holds",
)
async def test_a_copy_counts_as_deleted_only_when_it_was_looked_for(stored: Databases) -> None:
    async with stored() as made:
        ada, ref = await heard(made)
        made.carrier.lies = True
        for _ in range(3):
            await made.advance(HOUR)
        async with made.store.begin(ada.id) as tx:
            message = await tx.messages.by_ref(ref)
        assert message is not None
        assert message.has_carrier_copy, "a copy counts as deleted that Twilio holds"
        made.carrier.lies = False
        await made.advance(HOUR)
        assert not made.carrier.messages


def asks_once(stored: Databases) -> Databases:
    return partial(stored, ask_providers_again=skipped_step("asked_again"))


def asks_at_once(stored: Databases) -> Databases:
    return partial(
        stored, ask_providers_again=lambda **given: AskProvidersAgain(**{**given, "pause": timedelta()})
    )


@proves(
    "H9", text="940f14b21145", saboteur=asks_once, says="an account counts as erased that Twilio still has"
)
@proves(
    "H9", text="940f14b21145", saboteur=asks_at_once, says="an account counts as erased that Twilio still has"
)
async def test_an_account_is_asked_about_again_after_a_minute(stored: Databases) -> None:
    async with stored(carrier=lambda made: Liar(made.clock.now), pause=lambda _: MINUTE) as made:
        ada, _ = await heard(made)
        made.carrier.silent = True
        await made.carrier.receive(STRANGER, ada.number, "never delivered")
        await made.use_cases.delete_account(ada.id, PASSWORD)
        liar: Any = made.carrier
        liar.lie = Lie.FORGETS
        await made.advance(30 * DAY)
        liar.lie = None
        await made.advance(MINUTE - SECOND)
        fingerprint = await made.fingerprint(ada.id)
        assert await made.ledger.receipt(fingerprint) is None, (
            "an account counts as erased that Twilio still has"
        )
        for _ in range(3):
            await made.advance(MINUTE)
        assert not made.carrier.messages, "an account counts as erased that Twilio still has"
        assert not made.carrier.numbers
        assert await made.ledger.receipt(fingerprint)


class ForgetsWhatIsLeft(VerifyNothingLeft):
    """Looks for rows and keys, and lets providers keep what they have."""

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        return NO_COUNTS


def forgets_what_is_left(stored: Databases) -> Databases:
    return partial(stored, verify_nothing_left=ForgetsWhatIsLeft)


@proves(
    "H24", text="afa38c4b1ebe", saboteur=forgets_what_is_left, says="complete, and Twilio holds a message"
)
async def test_what_is_left_at_twilio_is_asked_for_until_it_is_gone(stored: Databases) -> None:
    async with stored() as made:
        ada, ref = await heard(made)
        made.carrier.too_early = 1_000_000
        await made.use_cases.delete_account(ada.id, PASSWORD)
        await made.advance(30 * DAY)
        await made.advance(DAY)
        fingerprint = await made.fingerprint(ada.id)
        assert not any((await made.store.count_rows(ada.id)).values()), "our own data waits still"
        assert not await made.keyring.count(ada.id)
        for _ in range(30):
            await made.advance(5 * DAY)
        assert await made.ledger.receipt(fingerprint) is None, "complete, and Twilio holds a message"
        interim = await made.ledger.interim(fingerprint)
        assert interim is not None, "nothing says what is open"
        assert interim.facts["messages_open"] == 1
        assert {trace.place for trace in await made.traces(ref, ada.number, ada.email)} == {"residue"}
        assert {row["ref"] for row in await made.rows("residue", state="held")} == {ref}
        made.carrier.too_early = 0
        await made.advance(DAY)
        assert not made.carrier.messages, "nobody asks for it any more"
        receipt = await made.ledger.receipt(fingerprint)
        assert receipt is not None
        assert receipt.facts["messages_deleted"] == receipt.facts["numbers_released"] == 1
        assert await made.rows("residue") == []


class GoesOnUnheard(DeleteCarrierCopies):
    """Takes no answer for a good one."""

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        with suppress(CarrierUnavailable):
            return await super().run(erasure, hold)
        return NO_COUNTS


def goes_on_unheard(stored: Databases) -> Databases:
    return partial(stored, delete_carrier_copies=GoesOnUnheard, ask_providers_again=skipped_step("asked_again"),
                   release_numbers=skipped_step("numbers"), delete_recordings=skipped_step("recordings"),
                   delete_call_records=skipped_step("call_records"), delete_payer=skipped_step("payer"))  # fmt: skip


@proves("H24", text="afa38c4b1ebe", saboteur=goes_on_unheard, says="it did not wait for an answer")
async def test_while_twilio_does_not_answer_hard_deletion_waits(stored: Databases) -> None:
    async with stored() as made:
        ada, _ = await heard(made)
        await made.use_cases.delete_account(ada.id, PASSWORD)
        made.carrier.outage = True
        await made.advance(30 * DAY)
        await made.advance(3 * DAY)
        assert any((await made.store.count_rows(ada.id)).values()), "it did not wait for an answer"
        made.carrier.outage = False
        await made.advance(DAY)
        assert not any((await made.store.count_rows(ada.id)).values())
        assert await made.ledger.receipt(await made.fingerprint(ada.id))
