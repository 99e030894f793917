"""The link by which another password is chosen: once, for some hours, and with nothing about it at rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from adapters.outbound.system.tokens import SignedTokens
from application.mail import RESET_LINK_LIVES, SendPasswordResetMail
from application.passwords import ResetPassword
from application.ports.tokens import Purpose
from application.sessions import SignedIn, Unauthenticated, open_session
from application.sign_up import BadToken
from domain.accounts import Account, LinkUsed
from domain.kernel import AccountId
from domain.values import Password
from tests.support.canary_account import lived
from tests.support.harness import Databases, OnPostgres
from tests.support.proofs import proves, refused

MOMENT = timedelta(seconds=1)
NEW, OTHER = Password("four boring purple umbrellas"), Password("five loud yellow curtains")


class Everlasting(SignedTokens):
    async def read(self, purpose: Purpose, token: str, now: datetime) -> tuple[AccountId, bytes] | None:
        return await super().read(purpose, token, now - timedelta(days=1))


class Believing(SignedTokens):
    async def _mac(self, said: bytes) -> bytes:
        return bytes(32)


class TakesAgain(ResetPassword):
    """Asks no link for which password it was made, and ends no session."""

    async def _reset(self, account_id: AccountId, _mark: bytes, new: Password) -> SignedIn:
        async with self.hasher.turn(str(account_id)) as hashing:
            phc = await hashing.hash(new)
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.password = phc
            tx.save(account)
            return open_session(tx, account, self.ids, self.tokens, self.clock.now(), self.retention)


class LeavesSessions(ResetPassword):
    """Ends no session."""

    async def _reset(self, account_id: AccountId, mark: bytes, new: Password) -> SignedIn:
        async with self.hasher.turn(str(account_id)) as hashing:
            phc = await hashing.hash(new)
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.reset_password(phc, mark, self.clock.now())
            tx.save(account)
            return open_session(tx, account, self.ids, self.tokens, self.clock.now(), self.retention)


def links_last_for_ever(stored: Databases) -> Databases:
    return partial(stored, tokens=lambda world: Everlasting(world.keyring))


def takes_any_signature(stored: Databases) -> Databases:
    return partial(stored, tokens=lambda world: Believing(world.keyring))


def takes_a_link_again(stored: Databases) -> Databases:
    return partial(stored, reset_password=TakesAgain)


def leaves_sessions(stored: Databases) -> Databases:
    return partial(stored, reset_password=LeavesSessions)


def notes_links(stored: Databases) -> Databases:
    def noting(**given: Any) -> SendPasswordResetMail:
        honest = SendPasswordResetMail(**given)

        class Noting(SendPasswordResetMail):
            async def link_token(self, account: Account) -> str:
                token = await honest.link_token(account)
                await honest.store._database.execute(  # type: ignore[attr-defined]  # the one on PostgreSQL
                    "INSERT INTO limits VALUES ($1, now() + interval '9 years')", token.encode()
                )
                return token

        return Noting(**given)

    return partial(stored, send_password_reset_mail=noting)


async def link(world: OnPostgres, email: Any) -> str:
    await world.use_cases.ask_password_reset(email)
    await world.settle()
    return str(world.mail.sent[-1].link_token)


@proves("H31", text="f831074f3893", saboteur=takes_any_signature, says="a forged link changes a password")
@proves("H31", text="f831074f3893", saboteur=notes_links, says="a link is stored")
@proves("H31", text="f831074f3893", saboteur=links_last_for_ever, says="a link does not expire")
@proves("H31", text="f831074f3893", saboteur=takes_a_link_again, says="a link works twice")
@proves("H31", text="f831074f3893", saboteur=leaves_sessions, says="a session outlives the password")
async def test_a_link_lets_another_password_be_chosen_once_for_twelve_hours(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        token = await link(world, ada.email)
        forged = SignedTokens(world.keyring)
        forged._mac = Believing(world.keyring)._mac  # type: ignore[method-assign]
        mark = (await world.use_cases.read_account(ada.id)).credentials_mark
        until = world.clock.now() + RESET_LINK_LIVES
        with refused(BadToken, "a forged link changes a password"):
            await world.use_cases.reset_password(
                await forged.mailed(Purpose.PASSWORD_RESET, ada.id, mark, until), NEW
            )
        assert not await world.traces(token), "a link is stored"
        world.clock.advance(RESET_LINK_LIVES)
        with refused(BadToken, "a link does not expire"):
            await world.use_cases.reset_password(token, NEW)
        token = await link(world, ada.email)
        world.clock.advance(RESET_LINK_LIVES - MOMENT)
        before = await world.use_cases.sign_in(ada.email, ada.password)
        after = await world.use_cases.reset_password(token, NEW)
        with refused(LinkUsed, "a link works twice"):
            await world.use_cases.reset_password(token, OTHER)
        with refused(Unauthenticated, "a session outlives the password"):
            await world.use_cases.authenticate(before.token)
        assert (await world.use_cases.authenticate(after.token)).account_id == ada.id
