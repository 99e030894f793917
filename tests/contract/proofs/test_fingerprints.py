"""The small print about fingerprints: what is known again without being kept."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import cast
from uuid import UUID

from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.system.ids import TimeOrderedIds
from application.idempotency import PurgeIdempotencyRecords
from application.messages import DeleteConversation
from application.ports.store import Tx
from application.purge import PurgeResult
from domain.kernel import AccountId, ConversationId
from domain.messages import PeerOptedOut
from tests.support.canary_account import lived
from tests.support.harness import ENVIRONMENT, Databases, OnPostgres
from tests.support.proofs import proves, refused
from tests.support.sabotage import BelievesInRelease, keeping

MOMENT, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)


def remembers_requests_for_two_days(stored: Databases) -> Databases:
    return partial(stored, retention=keeping(idempotency=2 * DAY))


def forgets_requests_at_once(stored: Databases) -> Databases:
    return partial(stored, retention=keeping(idempotency=MINUTE))


class ForgetsDeliveries(PurgeIdempotencyRecords):
    """Takes what has no end for what is past it."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        store = cast("PostgresStore", self.store)
        await store._database.execute("DELETE FROM idempotency_records WHERE expires_at IS NULL")
        return await super().__call__(now, limit)


def forgets_what_was_delivered(stored: Databases) -> Databases:
    return partial(stored, purge_idempotency_records=ForgetsDeliveries)


class Recorder(TimeOrderedIds):
    """Gives no random ids: all of them tell when."""

    def random_id(self) -> UUID:
        return self.new()


def notes_when_it_was_delivered(stored: Databases) -> Databases:
    return partial(stored, ids=lambda world: Recorder(world.clock))


class PublicCipher(AccountCipher):
    def blind_index(self, purpose: str, value: bytes) -> bytes:
        return UUID(int=0).bytes + value[:16].rjust(16)


def notes_requests_as_they_are(stored: Databases) -> Databases:
    def store(world: OnPostgres) -> PostgresStore:
        made = PostgresStore(world.database, world.keyring, world.ids, environment=ENVIRONMENT)
        made._ciphers.open = lambda account_id, key, other=None: PublicCipher(ENVIRONMENT, account_id, key)  # type: ignore[method-assign]
        return made

    return partial(stored, store=store)


@proves(
    "H6",
    text="db443d75a587",
    saboteur=remembers_requests_for_two_days,
    says="a request is remembered too long",
)
@proves("H6", text="db443d75a587", saboteur=forgets_requests_at_once, says="a request was forgotten early")
@proves("H6", text="db443d75a587", saboteur=forgets_what_was_delivered, says="a delivery was forgotten")
@proves(
    "H6", text="db443d75a587", saboteur=notes_when_it_was_delivered, says="it tells when it was delivered"
)
@proves(
    "H6",
    text="db443d75a587",
    saboteur=notes_requests_as_they_are,
    says="a request can be read in its fingerprint",
)
async def test_fingerprints_are_kept_of_requests_for_a_day_and_of_what_was_delivered_for_good(
    stored: Databases,
) -> None:
    async with stored() as world:
        ada = await lived(world)
        await world.advance(30 * DAY)
        former = [row["id"] for row in await world.rows("idempotency_records")]
        assert len(former) == 2, "a delivery was forgotten"
        ref, key = f"SM{secrets.token_hex(16)}", f"key {secrets.token_hex(8)}"
        await ada.receives("hello", ref=ref)
        await ada.sends("hello", key=key)
        made = {row["id"] for row in await world.rows("idempotency_records")}
        assert len(made) == 4
        assert (
            await world.traces(key, f"receive:{ref}", f"send:{key}"[:16], f"receive:{ref}"[:16]) == set()
        ), "a request can be read in its fingerprint"
        await world.advance(DAY - MOMENT)
        assert {row["id"] for row in await world.rows("idempotency_records")} == made, (
            "a request was forgotten early"
        )
        await world.advance(MOMENT)
        kept = {row["id"]: row for row in await world.rows("idempotency_records")}
        assert len(kept) == 3, "a request is remembered too long"
        await world.advance(4000 * DAY)
        assert kept.keys() >= set(former), "a delivery was forgotten"
        assert {row["id"]: row for row in await world.rows("idempotency_records")} == kept
        for row in kept.values():
            assert UUID(bytes=row["id"].bytes).version == 4, "it tells when it was delivered"
            assert {name for name, value in row.items() if value is not None} == {
                "account_id", "id", "key", "request", "seal", "version"
            }, "it tells what was delivered"  # fmt: skip
        await world.use_cases.delete_account(ada.id, ada.password)
        await world.advance(30 * DAY)
        await world.advance(DAY)
        assert await world.rows("idempotency_records") == [], "it goes with the account"


class DeletesStopToo(DeleteConversation):
    """Leaves nothing of a conversation."""

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> None:
        async def change(tx: Tx) -> None:
            conversation = await tx.conversations.get(conversation_id)
            conversation.delete(self.clock.now())
            tx.save(conversation)

        await self.store.update(account_id, change)


def deletes_stop_too(stored: Databases) -> Databases:
    return partial(stored, delete_conversation=DeletesStopToo)


def releases_only(stored: Databases) -> Databases:
    return partial(stored, finish_release=BelievesInRelease)


@proves("H27", text="359dc160dea9", saboteur=deletes_stop_too, says="a STOP was forgotten")
@proves("H27", text="359dc160dea9", saboteur=notes_requests_as_they_are, says="the number can be read")
@proves("H27", text="359dc160dea9", saboteur=releases_only, says="the line is released, and it stays")
async def test_a_stop_outlives_its_conversation_as_a_fingerprint(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await ada.receives("STOP", ada.peer)
        for _ in range(2):
            (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
            await world.use_cases.delete_conversation(ada.id, conversation.id)
            for _ in range(3):
                await world.advance(DAY)
            with refused(PeerOptedOut, "a STOP was forgotten"):
                await ada.sends("please", ada.peer)
            kept = await world.row("opt_outs")
            assert set(kept.keys()) == {
                "account_id", "id", "line_id", "opted_out_at", "peer", "seal", "version"
            }  # fmt: skip
            assert await world.traces(ada.peer) == set(), "the number can be read"
            await ada.receives("by the way", ada.peer)
            assert await world.rows("opt_outs") == [], "the conversation knows it"
            with refused(PeerOptedOut, "a STOP was forgotten"):
                await ada.sends("please", ada.peer)
        (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
        await world.use_cases.delete_conversation(ada.id, conversation.id)
        await world.use_cases.release_line(ada.id, ada.line_id)
        await world.advance(7 * DAY)
        assert await world.rows("opt_outs") == [], "the line is released, and it stays"
