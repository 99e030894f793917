"""What is kept of mail that does not arrive, and what is mailed from then on."""

from __future__ import annotations

from functools import partial
from typing import Any

from application.mail import SendPasswordChangedMail
from application.mail_suppression import NoteUnreachable
from application.passwords import ResetPassword
from application.ports.mail import MailKind
from application.sessions import SignedIn
from domain.accounts import Account, Unreachable
from domain.kernel import AccountId
from domain.values import Email, Password
from tests.contract.proofs.test_passwords import link
from tests.support.actors import PASSWORD, sign_up
from tests.support.harness import Databases
from tests.support.proofs import proves

NEW, OTHER = Password("four boring purple umbrellas"), Password("five loud yellow curtains")


def writes_all_the_same(stored: Databases) -> Databases:
    class Insistent(SendPasswordChangedMail):
        def _may_go_to(self, to: Email, account: Account) -> bool:
            return True

    return partial(stored, send_password_changed_mail=Insistent)


def keeps_who_it_was(stored: Databases) -> Databases:
    class Noting(NoteUnreachable):
        async def __call__(self, email: Email, why: Unreachable, at: Any) -> None:
            await super().__call__(email, why, at)
            await self.store._database.execute(  # type: ignore[attr-defined]  # the one on PostgreSQL
                "INSERT INTO limits VALUES ($1, now() + interval '9 years')", email.encode()
            )

    return partial(stored, note_unreachable=Noting)


def keeps_nothing(stored: Databases) -> Databases:
    class Deaf(NoteUnreachable):
        async def __call__(self, email: Email, why: Unreachable, at: Any) -> None:
            pass

    return partial(stored, note_unreachable=Deaf)


def never_forgives(stored: Databases) -> Databases:
    class Unmoved(ResetPassword):
        async def _reset(self, account_id: AccountId, mark: bytes, new: Password) -> SignedIn:
            before = await self.store.update(account_id, lambda tx: tx.accounts.get())
            signed_in = await super()._reset(account_id, mark, new)
            async with self.store.begin(account_id) as tx:
                account = await tx.accounts.get()
                account.unreachable, account.unreachable_since = before.unreachable, before.unreachable_since
                tx.save(account)
            return signed_in

    return partial(stored, reset_password=Unmoved)


@proves("C22", text="6e198a02e826", saboteur=keeps_nothing, says="the account does not say it")
@proves("C22", text="6e198a02e826", saboteur=keeps_who_it_was, says="more is kept than a word and a time")
@proves("H33", text="be33faf86853", saboteur=writes_all_the_same, says="mail goes where it comes back")
@proves("H33", text="be33faf86853", saboteur=never_forgives, says="a link that arrived changes nothing")
async def test_where_mail_comes_back_only_what_is_waited_for_is_sent(stored: Databases) -> None:
    async with stored() as world:
        ada = await sign_up(world)
        do, kinds = world.use_cases, lambda: [mail.kind for mail in world.mail.sent]
        await do.note_unreachable(ada.email, Unreachable.RETURNED, world.clock.now())
        account = await do.read_account(ada.id)
        said = (account.unreachable, account.unreachable_since)
        assert said == (Unreachable.RETURNED, world.clock.now()), "the account does not say it"
        assert not await world.traces(ada.email), "more is kept than a word and a time"
        await do.change_password(ada.id, PASSWORD, NEW)
        await world.settle()
        assert MailKind.PASSWORD_CHANGED not in kinds(), "mail goes where it comes back"
        await do.start_export(ada.id)
        await world.settle()
        token = await link(world, ada.email)
        assert {MailKind.EXPORT_READY, MailKind.PASSWORD_RESET} <= set(kinds())
        await do.reset_password(token, OTHER)
        assert (await do.read_account(ada.id)).unreachable is None, "a link that arrived changes nothing"
        await world.settle()
        assert MailKind.PASSWORD_CHANGED in kinds()
