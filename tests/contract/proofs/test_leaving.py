"""Your rights to leave: a deleted account is shut at once, and signing out ends that session alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from application.account_deletion import DeleteAccount
from application.ports.store import Tx
from application.sessions import Authenticate, Caller, SignOut, Unauthenticated
from domain.accounts import PendingDeletion
from domain.kernel import AccountId, SessionId
from domain.lines import LineNotActive
from domain.sessions import Session
from tests.support.actors import PASSWORD, with_line
from tests.support.harness import Anywhere
from tests.support.proofs import proves, refused


class KeepsLinesOpen(DeleteAccount):
    """Says goodbye and lets the telephone ring."""

    async def commit(self, account_id: AccountId, erase_at: datetime, *must: Any) -> None:
        await super().commit(account_id, erase_at, *must)

        async def change(tx: Tx) -> None:
            for line in await tx.lines.list_all():
                line.resume(self.clock.now())
                tx.save(line)

        await self.store.update(account_id, change)


def ignores_revocation(anywhere: Anywhere) -> Anywhere:
    known: dict[str, Caller] = {}

    class IgnoresRevocation(Authenticate):
        """Knows for ever whom a token belongs to."""

        async def __call__(self, token: str) -> Caller:
            if token not in known:
                known[token] = await super().__call__(token)
            return known[token]

    return partial(anywhere, authenticate=IgnoresRevocation)


def keeps_lines_open(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_account=KeepsLinesOpen)


@proves("R2", text="bd5cb3c346dc", saboteur=ignores_revocation, says="a session outlives its account")
@proves("R2", text="bd5cb3c346dc", saboteur=keeps_lines_open, says="a line of a deleted account sends")
async def test_a_deleted_account_is_shut_at_once(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        other = await made.use_cases.sign_in(ada.email, PASSWORD)
        for token in (ada.signed_in.token, other.token):
            assert (await made.use_cases.authenticate(token)).account_id == ada.id
        waiting = await ada.sends("on its way")
        await made.use_cases.delete_account(ada.id, PASSWORD)
        for token in (ada.signed_in.token, other.token):
            with refused(Unauthenticated, "a session outlives its account"):
                await made.use_cases.authenticate(token)
        assert await made.use_cases.list_sessions(ada.id) == [], "a session is left open"
        with pytest.raises(PendingDeletion):
            await made.use_cases.sign_in(ada.email, PASSWORD)
        await ada.receives("too late")
        with refused(LineNotActive, "a line of a deleted account sends"):
            await ada.sends("too late")
        await made.settle()
        assert await ada.inbox() == ["on its way"], "a line of a deleted account hears"
        assert not made.carrier.messages, f"{waiting.id} was sent all the same"


class SignsEveryoneOut(SignOut):
    """Ends every session there is."""

    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        async with self.store.begin(account_id) as tx:
            sessions: Sequence[Session] = await tx.sessions.list_open()
        for session in sessions:
            await super().__call__(account_id, session.id)


class ClearsTheDevice(SignOut):
    """Takes signing out for leaving: what was said goes too."""

    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        await super().__call__(account_id, session_id)
        async with self.store.begin(account_id) as tx:
            for row in await tx.conversations.page(None, None, 100):
                tx.remove(await tx.conversations.get(row.id))


def signs_everyone_out(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, sign_out=SignsEveryoneOut)


def clears_data_on_sign_out(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, sign_out=ClearsTheDevice)


@proves("R5", text="29468f814e09", saboteur=ignores_revocation, says="a session that was signed out lives on")
@proves("R5", text="29468f814e09", saboteur=signs_everyone_out, says="signing out ended another session")
@proves("R5", text="29468f814e09", saboteur=clears_data_on_sign_out, says="signing out lost data")
async def test_signing_out_ends_that_session_and_loses_nothing(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await ada.receives("hello")
        other = await made.use_cases.sign_in(ada.email, PASSWORD)
        for token in (ada.signed_in.token, other.token):
            assert (await made.use_cases.authenticate(token)).account_id == ada.id
        before = await made.store.count_rows(ada.id)
        await made.use_cases.sign_out(ada.id, ada.signed_in.session.id)
        with refused(Unauthenticated, "a session that was signed out lives on"):
            await made.use_cases.authenticate(ada.signed_in.token)
        assert [session.id for session in await made.use_cases.list_sessions(ada.id)] == [other.session.id], (
            "signing out ended another session"
        )
        after = await made.store.count_rows(ada.id)
        lost = {name for name, rows in after.items() if rows < before[name]}
        assert lost <= {"directory"}, "signing out lost data"  # where the token was found
        assert await ada.inbox() == ["hello"]
