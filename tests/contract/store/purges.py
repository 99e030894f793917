"""Promises about sweeping what is past its time: at the instant and not before, and no more than asked for."""

from __future__ import annotations

from domain.idempotency import IdempotencyRecord, Operation
from domain.sessions import Session
from tests.contract.store.world import INSTANT, World


class PurgePromises:
    async def test_revoked_sessions_are_purged_at_the_instant_and_not_before(self, world: World) -> None:
        account_id, now = await world.account(), world.clock.now()
        living, late = world.new_session(account_id), world.new_session(account_id, revoked_at=now + INSTANT)
        revoked = [world.new_session(account_id, revoked_at=now) for _ in range(3)]
        await world.commit(account_id, living, late, *revoked)
        assert await world.store.purge(Session, "revoked_at", now - INSTANT, 9) == 0
        assert [await world.store.purge(Session, "revoked_at", now, 2) for _ in range(3)] == [2, 1, 0]
        async with world.store.begin(account_id) as tx:
            assert (await tx.sessions.get(late.id)).revoked_at == late.revoked_at
            assert [session.id for session in await tx.sessions.list_open()] == [living.id]
            assert (await tx.records.count())["sessions"] == 2

    async def test_expired_sessions_are_purged_at_the_instant_and_not_before(self, world: World) -> None:
        account_id, now = await world.account(), world.clock.now()
        late, ended = (world.new_session(account_id, ends_at=at) for at in (now + INSTANT, now))
        await world.commit(account_id, late, ended)
        assert await world.store.purge(Session, "ends_at", now - INSTANT, 9) == 0
        assert await world.store.purge(Session, "ends_at", now, 0) == 0
        assert await world.store.purge(Session, "ends_at", now, 9) == 1
        async with world.store.begin(account_id) as tx:
            assert [session.id for session in await tx.sessions.list_open()] == [late.id]

    async def test_acts_are_forgotten_at_the_instant_and_can_then_be_done_again(self, world: World) -> None:
        account_id, now = await world.account(), world.clock.now()
        acts = [Operation(f"operation {number}") for number in range(4)]
        expiries = (now, now, now, now + INSTANT)
        done = [
            world.new_record(account_id, operation, expires_at=at)
            for operation, at in zip(acts, expiries, strict=True)
        ]
        await world.commit(account_id, *done)
        assert await world.store.purge(IdempotencyRecord, "expires_at", now - INSTANT, 9) == 0
        assert [await world.store.purge(IdempotencyRecord, "expires_at", now, 2) for _ in range(3)] == [
            2,
            1,
            0,
        ]
        async with world.store.begin(account_id) as tx:
            assert [await tx.idempotency.earlier_result(operation) is not None for operation in acts] == [
                False,
                False,
                False,
                True,
            ]
        await world.commit(account_id, world.new_record(account_id, acts[0]))
