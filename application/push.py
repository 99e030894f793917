"""Use cases of pushes: whose device is woken, and waking it."""

from __future__ import annotations

from dataclasses import dataclass

from application.hold import HoldOfJob
from application.job_type import JobType, Provider
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids
from application.ports.jobs import WAKE_DEVICE, JobLease, Queue
from application.ports.keyring import KeyGone
from application.ports.push import Push, PushRefused, PushTokenGone, PushUnavailable
from application.ports.store import Store, Tx, VersionConflict
from application.sessions import Caller
from domain.kernel import AccountId, NotFound
from domain.push import DeviceToken, NotPushed, Platform, PushToken, PushTokenId

ATTEMPTS = 5
"""To register a token, should others do so at the same moment."""
MOST_TRIES = 8
"""Then a push is minutes late, and not worth it: the next message wakes the device, or the person does."""


@dataclass(frozen=True, slots=True)
class RegisterPushToken:
    """Has a device woken from now on for whoever is signed in on it, and for nobody else."""

    store: Store
    directory: Directory
    push: Push
    clock: Clock
    ids: Ids

    async def __call__(self, caller: Caller, platform: Platform, token: DeviceToken) -> PushToken:
        """Return the one token of this session. Repeating is harmless.

        The device's token may be another account's still, whose person signed out without a word: it is taken from
        there first, so that at no time two accounts wake it. Raises NotPushed; NotFound for a session that is over.
        """
        if platform not in self.push.platforms:
            raise NotPushed
        for _ in range(ATTEMPTS):
            found = await self.directory.push_token(token)
            if found is not None and found[0] != caller.account_id:
                await self._forget(*found)
            try:
                return await self._register(caller, platform, token)
            except VersionConflict:
                continue  # somebody else registered it at this moment
        raise VersionConflict

    async def _register(self, caller: Caller, platform: Platform, token: DeviceToken) -> PushToken:
        async def change(tx: Tx) -> PushToken:
            session, now = await tx.sessions.get(caller.session_id), self.clock.now()
            if session.is_over(now):
                raise NotFound
            tx.require_unchanged(session)
            for known in await tx.push_tokens.list_all():
                if known.session_id == session.id or known.token == token:
                    tx.remove(known)
            registered = PushToken(
                account_id=caller.account_id, id=PushTokenId(self.ids.new()), session_id=session.id,
                platform=platform, token=token, registered_at=now,
            )  # fmt: skip
            tx.save(registered)
            return registered

        async with self.store.begin(caller.account_id) as tx:
            return await change(tx)

    async def _forget(self, account_id: AccountId, token_id: PushTokenId) -> None:
        async def change(tx: Tx) -> None:
            tx.remove(await tx.push_tokens.get(token_id))

        try:
            await self.store.update(account_id, change)
        except (NotFound, KeyGone):
            return  # gone meanwhile, or with its account


@dataclass(frozen=True, slots=True)
class ListPushTokens:
    """Shows which devices are woken."""

    store: Store

    async def __call__(self, account_id: AccountId) -> list[PushToken]:
        """Return their tokens, newest first. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.push_tokens.list_all()


@dataclass(frozen=True, slots=True)
class DeletePushToken:
    """Has a device not be woken any more."""

    store: Store

    async def __call__(self, account_id: AccountId, token_id: PushTokenId) -> None:
        """Forget its token. Raises NotFound, also when repeated."""

        async def change(tx: Tx) -> None:
            tx.remove(await tx.push_tokens.get(token_id))

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class WakeDevice:
    """Wakes one device, if its session is still open; forgets a token that the service says is over."""

    store: Store
    queue: Queue
    push: Push
    clock: Clock

    async def __call__(self, account_id: AccountId, token_id: PushTokenId, lease: JobLease) -> None:
        """Wake it. Repeating wakes it again. Raises JobGone, PushUnavailable, PushRefused."""
        async with self.store.begin(account_id) as tx:
            token, account = await tx.push_tokens.get(token_id), await tx.accounts.get_even_broken()
            try:
                session = await tx.sessions.get(token.session_id)
            except NotFound:
                session = None
        if token.altered or "token" in token.unreadable or account.restriction is not None:
            return
        if session is None or session.is_over(self.clock.now()):
            await self._forget(token, lease)
            return
        await HoldOfJob(self.queue, account_id, lease)()
        try:
            await self.push.wake(token.platform, token.token)
        except PushTokenGone as gone:
            if token.is_older_than(gone.at):
                await self._forget(token, lease)
        except NotPushed:
            return
        except (PushUnavailable, PushRefused):
            if lease.token < MOST_TRIES:
                raise

    async def _forget(self, token: PushToken, lease: JobLease) -> None:
        async def change(tx: Tx) -> None:
            tx.remove(await tx.push_tokens.get(token.id))

        await self.store.update(token.account_id, change, completing=lease)


JOBS = (JobType(WAKE_DEVICE, WakeDevice, asks=Provider.PUSH),)
