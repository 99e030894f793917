"""Another address: confirmed at the new one, told to the one before, which is then forgotten."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from application.email_changes import FORMER_KEPT, AskEmailChange
from application.ports.mail import MailKind
from domain.kernel import AccountId
from domain.values import Email, Password
from tests.support.canary_account import lived
from tests.support.harness import Databases, in_clear
from tests.support.proofs import proves
from tests.support.sabotage import skipping_job

HOUR, MOMENT = timedelta(hours=1), timedelta(seconds=1)


class BelievesAtOnce(AskEmailChange):
    """Takes the address without asking anybody who reads mail there."""

    async def __call__(self, account_id: AccountId, email: Email, password: Password) -> None:
        await super().__call__(account_id, email, password)
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.change_email(account.email_change_mark, self.clock.now())
            tx.save(account)


def takes_an_address_unconfirmed(stored: Databases) -> Databases:
    return partial(stored, ask_email_change=BelievesAtOnce)


def tells_nobody(stored: Databases) -> Databases:
    return partial(stored, send_email_changed_mail=skipping_job)


def keeps_the_former_address(stored: Databases) -> Databases:
    return partial(stored, forget_former_address=skipping_job)


def keeps_what_was_not_confirmed(stored: Databases) -> Databases:
    return partial(stored, forget_new_address=skipping_job)


@proves(
    "H32", text="5e882ef85fb1", saboteur=takes_an_address_unconfirmed, says="an address was not confirmed"
)
@proves("H32", text="5e882ef85fb1", saboteur=tells_nobody, says="the address before was not told")
@proves(
    "H32",
    text="5e882ef85fb1",
    saboteur=in_clear("accounts.former_email"),
    says="the address before lies in clear",
)
@proves(
    "H32", text="5e882ef85fb1", saboteur=in_clear("accounts.new_email"), says="the new address lies in clear"
)
@proves(
    "H32", text="5e882ef85fb1", saboteur=keeps_the_former_address, says="the address before is not forgotten"
)
@proves(
    "H32",
    text="5e882ef85fb1",
    saboteur=keeps_what_was_not_confirmed,
    says="an unconfirmed address is kept",
)
async def test_another_address_is_confirmed_and_the_one_before_told_and_forgotten(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        new, other = Email(f"new.{ada.email}"), Email(f"other.{ada.email}")

        async def account() -> Any:
            return await world.use_cases.read_account(ada.id)

        await world.use_cases.ask_email_change(ada.id, other, ada.password)
        assert (await account()).email == ada.email, "an address was not confirmed"
        await world.settle()
        assert not await world.traces(other), "the new address lies in clear"
        await world.advance(HOUR)
        assert (await account()).new_email is None, "an unconfirmed address is kept"
        await world.use_cases.ask_email_change(ada.id, new, ada.password)
        await world.settle()
        (mail,) = [one for one in world.mail.sent if one.to == new]
        await world.use_cases.verify_email_change(ada.id, str(mail.link_token))
        await world.settle()
        told = [one.to for one in world.mail.sent if one.kind is MailKind.EMAIL_CHANGED]
        assert told == [ada.email], "the address before was not told"
        assert not await world.traces(ada.email), "the address before lies in clear"
        await world.advance(FORMER_KEPT - MOMENT)
        assert (await account()).former_email == ada.email
        await world.advance(MOMENT)
        assert (await account()).former_email is None, "the address before is not forgotten"
        assert not await world.mail.holds(ada.email), "the address before is not forgotten"
