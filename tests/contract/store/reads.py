"""Promises about reading: only one's own, only what is not deleted, and pages without gaps or repeats."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from application.inventory import INVENTORY
from application.ports.store import StoreUnavailable, Tx
from domain.idempotency import Operation
from domain.kernel import CarrierRef, ConversationId, ExportId, LineId, MessageId, NotFound, SessionId
from tests.contract.store.world import Belongings, World

OWN = {"account", "export_page", "count_records"}
"""Reads that take no name of a thing: they can only ever be about the account itself."""


def reads(tx: Tx, of: Belongings) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return every other way of reading, aimed at what `of` has."""
    return {
        "session": lambda: tx.session(of.session.id),
        "sessions": tx.sessions,
        "line": lambda: tx.line(of.line.id),
        "lines": tx.lines,
        "messaging_context": lambda: tx.messaging_context(of.line.id, of.conversation.peer, of.operation),
        "earlier_result": lambda: tx.earlier_result(of.operation),
        "conversation": lambda: tx.conversation(of.conversation.id),
        "deleted_conversation": lambda: tx.deleted_conversation(of.deleted.id),
        "conversations": lambda: tx.conversations(None, None, 9),
        "conversations of a line": lambda: tx.conversations(of.line.id, None, 9),
        "message": lambda: tx.message(of.message.id),
        "any_message": lambda: tx.any_message(of.remnant.id),
        "message_by_ref": lambda: tx.message_by_ref(of.message.ref or CarrierRef("")),
        "messages": lambda: tx.messages(of.conversation.id, None, 9),
        "messages_to_purge": lambda: tx.messages_to_purge(of.deleted.id, 9),
        "with_carrier_copy": lambda: tx.with_carrier_copy(None, 9),
        "export": lambda: tx.export(of.export.id),
        "exports": tx.exports,
        "part": lambda: tx.part(of.export.id, 0),
    }


async def finds(read: Callable[[], Awaitable[Any]]) -> bool:
    """Tell whether a read answers with anything at all."""
    try:
        return bool(await read())
    except NotFound:
        return False


class ReadPromises:
    async def test_every_read_finds_ones_own_and_nothing_of_anothers(self, world: World) -> None:
        theirs, mine = await world.belongings(), await world.account()
        async with world.store.begin(theirs.account_id) as tx:
            ways = reads(tx, theirs)
            assert {name for name, read in ways.items() if await finds(read)} == set(ways)
        async with world.store.begin(mine) as tx:
            assert {name for name, read in reads(tx, theirs).items() if await finds(read)} == set()
            assert sum((await tx.count_records()).values()) == 1
            for stored in INVENTORY:
                if stored.exported:
                    assert [row["id"] for row in await tx.export_page(stored, None, 9)] == [mine] * (
                        stored.name == "accounts"
                    )
        everything = {name for name, method in vars(Tx).items() if inspect.iscoroutinefunction(method)}
        assert {name.split()[0] for name in ways} == everything - OWN, "a new read must join this promise"

    async def test_what_does_not_exist_is_not_found(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        peer, operation, none = world.new_conversation(line).peer, Operation("none"), world.ids.new()
        async with world.store.begin(account_id) as tx:
            for read in (
                lambda: tx.session(SessionId(none)), lambda: tx.line(LineId(none)), lambda: tx.export(ExportId(none)),
                lambda: tx.messaging_context(LineId(none), peer, operation),
                lambda: tx.conversation(ConversationId(none)),
                lambda: tx.deleted_conversation(ConversationId(none)), lambda: tx.message(MessageId(none)),
                lambda: tx.any_message(MessageId(none)), lambda: tx.messages(ConversationId(none), None, 9),
            ):  # fmt: skip
                with pytest.raises(NotFound):
                    await read()
            context = await tx.messaging_context(line.id, peer, operation)
            assert (context.line.id, context.conversation, context.earlier) == (line.id, None, None)
            assert await tx.message_by_ref(CarrierRef("SM0")) is None
            assert await tx.part(ExportId(none), 0) is None

    async def test_living_sessions_are_listed_newest_first_and_a_revoked_one_can_be_read(
        self, world: World
    ) -> None:
        account_id = await world.account()
        sessions = []
        for _ in range(3):
            sessions.append(world.new_session(account_id))
            world.clock.advance(timedelta(seconds=1))
        oldest, middle, newest = sessions
        middle.revoked_at = world.clock.now()
        await world.commit(account_id, *sessions)
        async with world.store.begin(account_id) as tx:
            assert [session.id for session in await tx.sessions()] == [newest.id, oldest.id]
            assert (await tx.session(middle.id)).revoked_at == middle.revoked_at

    async def test_lines_and_exports_are_listed_newest_first(self, world: World) -> None:
        account_id = await world.account()
        lines, exports = [], []
        for _ in range(3):
            lines.append(world.new_line(account_id))
            exports.append(world.new_export(account_id))
            world.clock.advance(timedelta(seconds=1))
        await world.commit(account_id, *lines, *exports)
        async with world.store.begin(account_id) as tx:
            assert [line.id for line in await tx.lines()] == [line.id for line in reversed(lines)]
            assert [export.id for export in await tx.exports()] == [export.id for export in reversed(exports)]

    async def test_a_deleted_conversation_vanishes_at_once_with_everything_in_it(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            for hidden in (
                lambda: tx.conversation(has.deleted.id), lambda: tx.message(has.remnant.id),
                lambda: tx.messages(has.deleted.id, None, 9), lambda: tx.deleted_conversation(has.conversation.id),
            ):  # fmt: skip
                with pytest.raises(NotFound):
                    await hidden()
            assert [c.id for c in await tx.conversations(None, None, 9)] == [has.conversation.id]
            assert (
                await tx.messaging_context(has.line.id, has.deleted.peer, has.operation)
            ).conversation is None
            assert (await tx.deleted_conversation(has.deleted.id)).deleted_at == has.deleted.deleted_at
            assert (await tx.any_message(has.remnant.id)).body == has.remnant.body
            assert await tx.message_by_ref(has.remnant.ref or CarrierRef("")) == replace(
                has.remnant, version=1
            )

    async def test_a_deleted_conversation_frees_the_peer_for_a_new_one(self, world: World) -> None:
        has = await world.belongings()
        again = world.new_conversation(has.line, has.deleted.peer)
        await world.commit(has.account_id, again)
        async with world.store.begin(has.account_id) as tx:
            found = (await tx.messaging_context(has.line.id, has.deleted.peer, has.operation)).conversation
            assert found is not None
            assert found.id == again.id
            assert await tx.messages(again.id, None, 9) == []

    async def test_two_accounts_may_know_a_text_by_the_same_reference(self, world: World) -> None:
        for _ in range(2):
            line = await world.line(await world.account())
            conversation = world.new_conversation(line)
            message = world.new_message(conversation, ref="SM1")
            await world.commit(line.account_id, conversation, message)
            async with world.store.begin(line.account_id) as tx:
                assert await tx.message_by_ref(CarrierRef("SM1")) == replace(message, version=1)

    async def test_an_exports_parts_are_read_by_position_and_dropped_together(self, world: World) -> None:
        account_id = await world.account()
        one, two = world.new_export(account_id), world.new_export(account_id)
        parts = [world.new_part(one, position, bytes([position])) for position in (2, 0, 1)]
        await world.commit(account_id, one, two, *parts, world.new_part(two, 0, b"other"))
        async with world.store.begin(account_id) as tx:
            read = [await tx.part(one.id, position) for position in range(4)]
            assert [part and part.content for part in read] == [b"\x00", b"\x01", b"\x02", None]
        for _ in range(2):
            async with world.store.begin(account_id) as tx:
                tx.remove_parts(one.id)
        async with world.store.begin(account_id) as tx:
            assert [await tx.part(one.id, position) for position in range(3)] == [None] * 3
            other = await tx.part(two.id, 0)
            assert other is not None
            assert other.content == b"other"
            assert (await tx.count_records())["export_parts"] == 1

    async def test_the_tally_counts_every_kind_of_record(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            assert await tx.count_records() == {
                "accounts": 1, "sessions": 1, "phone_lines": 1, "conversations": 2, "messages": 2,
                "idempotency_records": 1,
                "exports": 1, "export_parts": 1, "audit_entries": 2,
            }  # fmt: skip

    async def test_a_store_that_does_not_answer_says_so(self, world: World) -> None:
        account_id, now = await world.account(), world.clock.now()
        with pytest.raises(StoreUnavailable):
            async with world.store.begin(account_id) as tx:
                account = await tx.account()
                tx.save(account)
                await world.strike()
        for call in (
            world.store.count_rows(account_id), world.store.delete_rows(account_id), world.store.erasure(account_id),
            world.store.forget_erasure(account_id), world.store.purge_sessions(now, 1),
            world.store.purge_idempotency_records(now, 1),
            world.directory.account_by_email("noa@example.com"), world.directory.session("pico_s1_unknown"),
            world.directory.line("+15550001111"), world.directory.accounts_to_erase(now, now, 1),
            world.directory.exports_to_expire(now, 1),
        ):  # fmt: skip
            with pytest.raises(StoreUnavailable):
                await call
        with pytest.raises(StoreUnavailable):
            async with world.store.begin(account_id) as tx:
                await tx.account()
