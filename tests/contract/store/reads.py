"""Promises about reading: only one's own, only what there is, and no answer when there is none."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from application.inventory import INVENTORY
from application.ports.repositories.search import SegmentPlace
from application.ports.store import StoreUnavailable, Tx
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import (
    CarrierRef,
    ConversationId,
    ExportId,
    LineId,
    MessageId,
    NotFound,
    SessionId,
)
from domain.lines import LineState
from domain.search import SearchSegment
from domain.sessions import Session
from domain.values import Peer
from tests.contract.store.world import Belongings, World

OWN = {"accounts.get", "accounts.get_even_broken", "records.page", "records.written", "records.count"}
"""Reads that take no name of a thing: they can only ever be about the account itself."""


def reads(tx: Tx, of: Belongings) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return every other way of reading, aimed at what `of` has."""
    return {
        "sessions.get": lambda: tx.sessions.get(of.session.id),
        "sessions.list_open": tx.sessions.list_open,
        "lines.get": lambda: tx.lines.get(of.line.id),
        "lines.get_even_broken": lambda: tx.lines.get_even_broken(of.line.id),
        "lines.list_all": tx.lines.list_all,
        "lines.page": lambda: tx.lines.page(None, None, 9),
        "lines.page of a state": lambda: tx.lines.page(of.line.state, None, 9),
        "idempotency.earlier_result": lambda: tx.idempotency.earlier_result(of.operation),
        "conversations.context": lambda: tx.conversations.context(
            of.line.id, of.conversation.peer, of.operation
        ),
        "conversations.get": lambda: tx.conversations.get(of.conversation.id),
        "conversations.get_even_broken": lambda: tx.conversations.get_even_broken(of.conversation.id),
        "conversations.shown": lambda: tx.conversations.shown(of.conversation.id),
        "conversations.get_deleted": lambda: tx.conversations.get_deleted(of.deleted.id),
        "conversations.page": lambda: tx.conversations.page(None, None, 9),
        "conversations.page of a line": lambda: tx.conversations.page(of.line.id, None, 9),
        "conversations.with_peer": lambda: tx.conversations.with_peer(of.line.id, of.conversation.peer),
        "conversations.opt_out": lambda: tx.conversations.opt_out(of.line.id, of.deleted.peer),
        "conversations.opt_outs": lambda: tx.conversations.opt_outs(of.line.id),
        "messages.get": lambda: tx.messages.get(of.message.id),
        "messages.sending": lambda: tx.messages.sending(of.message.id),
        "messages.get_even_broken": lambda: tx.messages.get_even_broken(of.message.id),
        "messages.shown": lambda: tx.messages.shown(of.message.id),
        "messages.is_unread": lambda: tx.messages.is_unread(of.message),
        "messages.get_even_deleted": lambda: tx.messages.get_even_deleted(of.remnant.id),
        "messages.by_ref": lambda: tx.messages.by_ref(of.message.ref or CarrierRef("")),
        "messages.known_refs": lambda: tx.messages.known_refs([of.message.ref or CarrierRef("")]),
        "messages.page": lambda: tx.messages.page(of.conversation.id, None, 9),
        "messages.to_purge": lambda: tx.messages.to_purge(of.deleted.id, 9),
        "messages.with_carrier_copy": lambda: tx.messages.with_carrier_copy(None, 9),
        "push_tokens.get": lambda: tx.push_tokens.get(of.push_token.id),
        "subscriptions.find": tx.subscriptions.find,
        "push_tokens.list_all": tx.push_tokens.list_all,
        "push_tokens.of_sessions": lambda: tx.push_tokens.of_sessions([of.session.id]),
        "audit_entries.page": lambda: tx.audit_entries.page(None, 9),
        "blocked_numbers.find": lambda: tx.blocked_numbers.find(of.blocked.number),
        "blocked_numbers.page": lambda: tx.blocked_numbers.page(None, 9),
        "blocked_numbers.count": tx.blocked_numbers.count,
        "calls.get_even_broken": lambda: tx.calls.get_even_broken(of.call.id),
        "calls.get_even_deleted": lambda: tx.calls.get_even_deleted(of.call.id),
        "calls.context": lambda: tx.calls.context(
            of.line.id, of.call.ref or CarrierRef(""), of.call.peer, of.operation
        ),
        "calls.by_ref": lambda: tx.calls.by_ref(of.call.ref or CarrierRef("")),
        "calls.page": lambda: tx.calls.page(None, None, None, 9),
        "calls.page of a line with a peer": lambda: tx.calls.page(of.line.id, of.call.peer, None, 9),
        "calls.with_carrier_record": lambda: tx.calls.with_carrier_record(None, 9),
        "contacts.get": lambda: tx.contacts.get(of.contact.id),
        "contacts.get_even_broken": lambda: tx.contacts.get_even_broken(of.contact.id),
        "contacts.page": lambda: tx.contacts.page(None, 9),
        "contacts.holders": lambda: tx.contacts.holders(of.contact.numbers.each),
        "contacts.names": lambda: tx.contacts.names([Peer(number) for number in of.contact.numbers.each]),
        "contacts.entries": lambda: tx.contacts.entries(of.contact.id),
        "contacts.count": tx.contacts.count,
        "media.get": lambda: tx.media.get(of.media.id),
        "media.of_messages": lambda: tx.media.of_messages([of.message.id]),
        "media.unused": tx.media.unused,
        "webhook_endpoints.get": lambda: tx.webhook_endpoints.get(of.webhook_endpoint.id),
        "webhook_endpoints.list_all": tx.webhook_endpoints.list_all,
        "webhook_deliveries.get": lambda: tx.webhook_deliveries.get(of.webhook_delivery.id),
        "webhook_deliveries.page": lambda: tx.webhook_deliveries.page(of.webhook_endpoint.id, None, 9),
        "port_requests.get": lambda: tx.port_requests.get(of.port.id),
        "port_requests.get_even_broken": lambda: tx.port_requests.get_even_broken(of.port.id),
        "port_requests.list_all": tx.port_requests.list_all,
        "greetings.get": lambda: tx.greetings.get(of.greeting.id),
        "greetings.of_line": lambda: tx.greetings.of_line(of.line.id),
        "greetings.with_carrier_copy": tx.greetings.with_carrier_copy,
        "voicemails.get": lambda: tx.voicemails.get(of.voicemail.id),
        "voicemails.get_even_deleted": lambda: tx.voicemails.get_even_deleted(of.voicemail.id),
        "voicemails.by_ref": lambda: tx.voicemails.by_ref(of.voicemail.ref),
        "voicemails.page": lambda: tx.voicemails.page(None, None, 9),
        "voicemails.with_carrier_copy": lambda: tx.voicemails.with_carrier_copy(None, 9),
        "search.places": tx.search.places,
        "search.opened": lambda: tx.search.opened(place_of(of.segment)),
        "search.get_even_broken": lambda: tx.search.get_even_broken(of.segment.id),
        "search.said_before": lambda: tx.search.said_before(None, MessageId(UUID(int=0)), 9),
        "search.said_after": lambda: tx.search.said_after(MessageId(UUID(int=0)), of.message.id, 9),
        "search.shown": lambda: tx.search.shown([of.message.id]),
        "search.conversations_with": lambda: tx.search.conversations_with(of.conversation.peer),
        "exports.get": lambda: tx.exports.get(of.export.id),
        "exports.get_even_broken": lambda: tx.exports.get_even_broken(of.export.id),
        "exports.list_all": tx.exports.list_all,
        "exports.page": lambda: tx.exports.page(None, 9),
        "exports.part": lambda: tx.exports.part(of.export.id, 0),
    }


def place_of(segment: SearchSegment) -> SegmentPlace:
    return SegmentPlace(segment.id, segment.first, segment.through, 1)


def every_read() -> set[str]:
    """Return the name of every method by which the repositories of a unit of work read."""
    repositories = {name: member for name, member in vars(Tx).items() if isinstance(member, property)}
    return {
        f"{name}.{method}"
        for name, member in repositories.items()
        for method, function in vars(get_type_hints(member.fget)["return"]).items()
        if inspect.iscoroutinefunction(function)
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
            assert sum((await tx.records.count()).values()) == 1
            for stored in INVENTORY:
                if stored.exported:
                    assert [row["id"] for row in await tx.records.page(stored, None, 9)] == [mine] * (
                        stored.name == "accounts"
                    )
                    assert (await tx.records.written(stored, None, 9)).rows == (stored.name == "accounts")
        assert {name.split()[0] for name in ways} == every_read() - OWN, "a new read must join this promise"

    async def test_what_does_not_exist_is_not_found(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        peer, operation, none = world.new_conversation(line).peer, Operation("none"), world.ids.new()
        async with world.store.begin(account_id) as tx:
            for read in (
                lambda: tx.sessions.get(SessionId(none)), lambda: tx.lines.get(LineId(none)),
                lambda: tx.exports.get(ExportId(none)),
                lambda: tx.conversations.context(LineId(none), peer, operation),
                lambda: tx.conversations.get(ConversationId(none)),
                lambda: tx.conversations.get_deleted(ConversationId(none)), lambda: tx.messages.get(MessageId(none)),
                lambda: tx.messages.get_even_deleted(MessageId(none)),
                lambda: tx.messages.page(ConversationId(none), None, 9),
            ):  # fmt: skip
                with pytest.raises(NotFound):
                    await read()
            context = await tx.conversations.context(line.id, peer, operation)
            assert (context.line.id, context.conversation, context.earlier) == (line.id, None, None)
            assert await tx.messages.by_ref(CarrierRef("SM0")) is None
            assert await tx.exports.part(ExportId(none), 0) is None

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
            assert [session.id for session in await tx.sessions.list_open()] == [newest.id, oldest.id]
            assert (await tx.sessions.get(middle.id)).revoked_at == middle.revoked_at

    async def test_lines_and_exports_are_listed_newest_first(self, world: World) -> None:
        account_id = await world.account()
        lines, exports = [], []
        for _ in range(3):
            lines.append(world.new_line(account_id))
            exports.append(world.new_export(account_id, expires_at=world.clock.now()))
            world.clock.advance(timedelta(seconds=1))
        await world.commit(account_id, *lines, *exports)
        async with world.store.begin(account_id) as tx:
            assert [line.id for line in await tx.lines.list_all()] == [line.id for line in reversed(lines)]
            assert [export.id for export in await tx.exports.list_all()] == [
                export.id for export in reversed(exports)
            ]

    async def test_pages_of_lines_and_exports_are_cut_by_the_store(self, world: World) -> None:
        account_id = await world.account()
        lines, exports = [], []
        for _ in range(4):
            lines.append(world.new_line(account_id))
            exports.append(world.new_export(account_id, expires_at=world.clock.now()))
            world.clock.advance(timedelta(seconds=1))
        first, second, third, fourth = lines
        second.state = LineState.SUSPENDED
        await world.commit(account_id, *lines, *exports)
        async with world.store.begin(account_id) as tx:
            everything = [line.id for line in reversed(lines)]
            for before, rest in ((None, everything), (third.id, everything[2:]), (first.id, [])):
                for limit in (1, 2, 9):
                    page = await tx.lines.page(None, before, limit)
                    assert [line.id for line in page] == rest[:limit]
            assert [line.id for line in await tx.lines.page(LineState.SUSPENDED, None, 9)] == [second.id]
            assert await tx.lines.page(LineState.SUSPENDED, second.id, 9) == []
            assert await tx.lines.page(LineState.FAILED, None, 9) == []
            others = [line.id for line in await tx.lines.page(first.state, fourth.id, 9)]
            assert others == [third.id, first.id]
            assert [export.id for export in await tx.exports.page(exports[3].id, 2)] == [
                exports[2].id,
                exports[1].id,
            ]

    async def test_a_store_that_does_not_answer_says_so(self, world: World) -> None:
        account_id, now = await world.account(), world.clock.now()
        with pytest.raises(StoreUnavailable):
            async with world.store.begin(account_id) as tx:
                account = await tx.accounts.get()
                tx.save(account)
                await world.strike()
        for call in (
            world.store.count_rows(account_id), world.store.delete_rows(account_id), world.store.erasure(account_id),
            world.store.forget_erasure(account_id), world.store.purge(Session, "revoked_at", now, 1),
            world.store.purge(IdempotencyRecord, "expires_at", now, 1),
            world.directory.account_by_email("noa@example.com"), world.directory.session("pico_s1_unknown"),
            world.directory.line("+15550001111"), world.directory.accounts_to_erase(now, now, 1),
            world.directory.exports_to_expire(now, 1),
        ):  # fmt: skip
            with pytest.raises(StoreUnavailable):
                await call
        with pytest.raises(StoreUnavailable):
            async with world.store.begin(account_id) as tx:
                await tx.accounts.get()
