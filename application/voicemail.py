"""Use cases of voicemail: list it, listen to it, mark it, correct its transcript, delete it and undo that."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from application.paging import Page
from application.ports.clock import Clock
from application.ports.objects import Objects
from application.ports.store import Store, Tx
from domain.kernel import AccountId, LineId, NotFound
from domain.voicemail import Transcript, Voicemail, VoicemailId


@dataclass(frozen=True, slots=True)
class ListVoicemails:
    """Pages through voicemail, newest first."""

    store: Store

    async def __call__(
        self, account_id: AccountId, line_id: LineId | None, before: VoicemailId | None, limit: int
    ) -> Page[Voicemail, VoicemailId]:
        """Return a page of up to `limit`, of one line or of all. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.voicemails.page(line_id, before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class ReadVoicemail:
    """Shows one voicemail, and hands its audio over."""

    store: Store
    objects: Objects

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId) -> Voicemail:
        """Return it. Raises NotFound, also when it was deleted. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.voicemails.get(voicemail_id)

    async def content(self, voicemail: Voicemail, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield its audio from `start` until before `stop`. Raises NotFound, SealBroken, ObjectsUnavailable."""
        async with self.objects.open(voicemail.account_id, voicemail.object_id) as opened:
            async for piece in opened.read(start, stop):
                yield piece


@dataclass(frozen=True, slots=True)
class ChangeVoicemail:
    """Marks a voicemail as heard or not, and corrects its transcript."""

    store: Store
    clock: Clock

    async def __call__(
        self,
        account_id: AccountId,
        voicemail_id: VoicemailId,
        *,
        heard: bool | None = None,
        transcript: Transcript | None = None,
        versions: frozenset[int] | None = None,
    ) -> Voicemail:
        """Change what is given and return the voicemail. Repeating is harmless.

        Raises NotFound; ChangedMeanwhile unless it is at one of `versions`, where some are named; SealBroken.
        """

        def change(voicemail: Voicemail) -> None:
            if voicemail.is_deleted:
                raise NotFound
            voicemail.must_be_one_of(versions)
            voicemail.must_be_whole()
            if heard is not None:
                voicemail.mark(heard=heard, at=self.clock.now())
            if transcript is not None:
                voicemail.correct(transcript)

        return await _changed(self.store, account_id, voicemail_id, change)


@dataclass(frozen=True, slots=True)
class DeleteVoicemail:
    """Deletes a voicemail: no answer shows it any more, and once that cannot be undone nothing of it is left."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId) -> Voicemail:
        """Return it as it was. Raises NotFound. Repeating is harmless, and prolongs nothing."""
        return await _changed(
            self.store, account_id, voicemail_id, lambda voicemail: voicemail.delete(self.clock.now())
        )


@dataclass(frozen=True, slots=True)
class RestoreVoicemail:
    """Undoes the deletion of a voicemail."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId) -> Voicemail:
        """Return it. Raises NotFound, TooLateToUndo. Repeating is harmless."""
        return await _changed(
            self.store, account_id, voicemail_id, lambda voicemail: voicemail.restore(self.clock.now())
        )


async def _changed(
    store: Store, account_id: AccountId, voicemail_id: VoicemailId, act: Callable[[Voicemail], None]
) -> Voicemail:
    async def change(tx: Tx) -> Voicemail:
        voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
        act(voicemail)
        tx.save(voicemail)
        return voicemail

    return await store.update(account_id, change)
