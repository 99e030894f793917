"""The promises to those who do not want to wait, and to those who want to check a receipt themselves."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from adapters.outbound.system.signing import SystemSigning, signed_by
from application.account_deletion import DeleteAccount, DeletionPreview
from domain.accounts import NotPendingDeletion
from domain.kernel import AccountId
from domain.receipts import PUBLIC, said
from domain.values import Password
from tests.support.actors import PASSWORD, with_line
from tests.support.harness import Anywhere
from tests.support.proofs import proves, refused

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class MakesThemWait(DeleteAccount):
    """Does not hear that somebody waived."""

    async def __call__(
        self, account_id: AccountId, password: Password, *, waived: bool = False
    ) -> DeletionPreview:
        return await super().__call__(account_id, password)


def makes_them_wait(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_account=MakesThemWait)


@proves("H51", text="0fb5afb00db4", saboteur=makes_them_wait, says="somebody who waived was made to wait")
async def test_who_waives_the_thirty_days_is_erased_at_once(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada, ben = await with_line(made), await with_line(made, "ben", "+12025550144")
        preview = await made.use_cases.delete_account(ada.id, PASSWORD, waived=True)
        await made.use_cases.delete_account(ben.id, PASSWORD)
        assert preview.erase_at == made.clock.now(), "somebody who waived was made to wait"
        with refused(NotPendingDeletion, "somebody who waived was made to wait"):
            await made.use_cases.recover_account(ada.email, PASSWORD)
        await made.advance(MINUTE)
        assert await made.ledger.receipt(await made.fingerprint(ada.id)), (
            "somebody who waived was made to wait"
        )
        assert await made.ledger.intent(await made.fingerprint(ben.id)) is None, (
            "who did not waive must not lose it"
        )
        await made.use_cases.recover_account(ben.email, PASSWORD)


class SignsWithAnother(SystemSigning):
    """Signs with a key that it does not publish."""

    async def sign(self, said: bytes) -> bytes:
        return (await super().sign(said))[::-1]


def signs_with_another(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, signing=lambda world: SignsWithAnother(world.keyring))


@proves("H52", text="6860462a13d3", saboteur=signs_with_another, says="the receipt's signature is not ours")
async def test_a_receipt_can_be_checked_without_us(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await made.use_cases.delete_account(ada.id, PASSWORD, waived=True)
        await made.advance(MINUTE)
        shown = await made.use_cases.show_receipt(ada.id)
        assert shown.public_key == await made.use_cases.read_public_key()
        assert shown.receipts
        for receipt in shown.receipts:
            signature = bytes.fromhex(str(receipt.facts[PUBLIC]))
            signed = partial(signed_by, shown.public_key, signature=signature)
            assert signed(said=said(receipt.fingerprint, receipt.facts)), (
                "the receipt's signature is not ours"
            )
            for name in receipt.facts.keys() - {PUBLIC}:
                assert not signed(said=said(receipt.fingerprint, {**receipt.facts, name: 7}))
            assert not signed(said=said(bytes(32), receipt.facts))
        assert len(str(shown.receipts[-1].facts["audit_head"])) == 64


async def test_who_waits_already_can_have_it_done_by_letter(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await made.use_cases.delete_account(ada.id, PASSWORD)
        shown = await made.use_cases.erase_on_request(ada.id, really=False)
        await made.advance(MINUTE)
        assert shown.lines == 1
        assert await made.ledger.intent(await made.fingerprint(ada.id)) is None
        await made.use_cases.erase_on_request(ada.id, really=True)
        await made.advance(MINUTE)
        assert await made.ledger.receipt(await made.fingerprint(ada.id)) is not None
