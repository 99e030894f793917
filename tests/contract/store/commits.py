"""Promises about leaving a unit of work: all of it or nothing, and never over somebody else's head."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace

import pytest

from application.ports.keyring import KeyGone
from application.ports.store import VersionConflict
from domain.audit import AuditKind
from domain.failures import FailureReason
from domain.kernel import Aggregate, NotFound
from domain.values import Label, MessageBody
from tests.contract.store.world import LATER, World, opened


class Mishap(Exception):
    """Something goes wrong inside a unit of work."""


def assert_same(read: Aggregate | None, saved: Aggregate) -> None:
    """Equal in every field, types included: a body that comes back as a bare string would show itself in a log."""
    assert read is not None
    assert read == replace(saved, version=1)
    for field in fields(saved):
        assert isinstance(getattr(read, field.name), type(getattr(saved, field.name))), field.name


class CommitPromises:
    async def test_what_was_saved_is_read_back_whole(self, world: World) -> None:
        account = world.new_account()
        await world.keyring.create(account.id)
        line, export = (
            world.new_line(account.id),
            world.new_export(account.id, expires_at=world.clock.now() + LATER),
        )
        conversation, part = world.new_conversation(line), world.new_part(export, 0, bytes(range(256)))
        message, empty = world.new_message(conversation), world.new_message(conversation, body="")
        message.attempted_at, message.failure = world.clock.now(), FailureReason.REJECTED
        await world.commit(account.id, account, line, conversation, message, empty, export, part)
        async with world.store.begin(account.id) as tx:
            assert_same(await tx.accounts.get(), account)
            assert_same(await tx.lines.get(line.id), line)
            assert_same(await tx.conversations.get(conversation.id), conversation)
            assert_same(await tx.messages.get(message.id), message)
            assert_same(await tx.messages.get(empty.id), empty)
            assert_same(await tx.exports.get(export.id), export)
            assert_same(await tx.exports.part(export.id, 0), part)

    async def test_a_session_is_read_back_without_its_token_and_keeps_it_all_the_same(
        self, world: World
    ) -> None:
        account_id = await world.account()
        session = world.new_session(account_id, token="pico_s1_once_only")
        await world.commit(account_id, session)
        async with world.store.begin(account_id) as tx:
            found = await tx.sessions.get(session.id)
            assert found.token is None
            found.created_at += LATER
            tx.save(found)
        assert await world.directory.session("pico_s1_once_only") == opened(found)

    async def test_a_commit_keeps_rows_jobs_and_audit_entries_together(self, world: World) -> None:
        account_id = await world.account()
        line = world.ordered_line(account_id)
        rows, jobs, audited = await world.traces(account_id)
        await world.commit(account_id, line)
        assert (await world.read_line(line)).number == line.number
        (entry,) = await world.entries(account_id)
        assert (entry.kind, entry.subject, entry.at) == (AuditKind.LINE_ORDERED, line.id, world.clock.now())
        now, waiting, log = await world.traces(account_id)
        assert (waiting, log) == (jobs + 1, audited + 1)
        added = {table: count - rows[table] for table, count in now.items() if count != rows[table]}
        added.pop("directory", None)  # a store may keep one, and count it
        assert added == {"phone_lines": 1, "audit_entries": 1, "live_events": 1, "jobs": 1}

    async def test_a_failed_unit_of_work_leaves_no_trace(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        before = await world.traces(account_id)
        with pytest.raises(Mishap):
            async with world.store.begin(account_id) as tx:
                mine = await tx.lines.get(line.id)
                mine.relabel(Label("never"))
                mine.release(world.clock.now(), world.clock.now())
                tx.save(mine)
                tx.save(world.ordered_line(account_id))
                raise Mishap
        assert await world.traces(account_id) == before
        assert_same(await world.read_line(line), line)

    async def test_pending_writes_are_seen_by_nobody_before_the_commit(self, world: World) -> None:
        account_id = await world.account()
        line, fresh = await world.line(account_id), world.new_line(account_id)
        async with world.store.begin(account_id) as tx:
            mine = await tx.lines.get(line.id)
            mine.relabel(Label("pending"))
            tx.save(mine)
            tx.save(fresh)
            assert (await world.read_line(line)).label == "Work"
            assert (await tx.lines.get(line.id)).label == "Work"
            for reader in (tx.lines.get(fresh.id), world.read_line(fresh)):
                with pytest.raises(NotFound):
                    await reader
        assert (await world.read_line(line)).label == "pending"
        assert_same(await world.read_line(fresh), fresh)

    async def test_what_was_read_is_a_private_copy(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        line.relabel(Label("after the commit"))
        async with world.store.begin(account_id) as tx:
            (await tx.lines.get(line.id)).relabel(Label("never saved"))
            assert (await tx.lines.get(line.id)).label == "Work"
        assert (await world.read_line(line)).label == "Work"

    async def test_what_is_kept_is_what_stands_when_the_unit_of_work_ends(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        async with world.store.begin(account_id) as tx:
            mine = await tx.lines.get(line.id)
            tx.save(mine)
            mine.relabel(Label("last word"))
            tx.save(mine)
        found = await world.read_line(line)
        assert (found.label, found.version) == ("last word", 2)

    async def test_the_version_counts_the_commits(self, world: World) -> None:
        line = await world.line(await world.account())
        assert (await world.read_line(line)).version == 1
        await world.relabel(line, "second")
        assert (await world.read_line(line)).version == 2

    async def test_what_was_committed_can_be_changed_and_committed_again(self, world: World) -> None:
        line = await world.line(await world.account())
        line.relabel(Label("again"))
        await world.commit(line.account_id, line)
        found = await world.read_line(line)
        assert (found.label, found.version) == ("again", 2)

    async def test_what_is_saved_and_then_removed_is_removed(self, world: World) -> None:
        line = await world.line(await world.account())
        async with world.store.begin(line.account_id) as tx:
            mine = await tx.lines.get(line.id)
            mine.relabel(Label("last"))
            tx.save(mine)
            tx.remove(mine)
        with pytest.raises(NotFound):
            await world.read_line(line)

    async def test_a_unit_of_work_cannot_write_another_accounts_rows(self, world: World) -> None:
        mine, theirs = await world.account(), await world.belongings()
        before = await world.traces(theirs.account_id)
        async with world.store.begin(theirs.account_id) as tx:
            line, message = await tx.lines.get(theirs.line.id), await tx.messages.get(theirs.message.id)
        line.relabel(Label("hijacked"))
        message.body = MessageBody("hijacked")
        for foreign in (line, message, world.new_line(theirs.account_id)):
            with suppress(VersionConflict, ValueError):
                await world.commit(mine, foreign)
            with suppress(VersionConflict, ValueError):
                async with world.store.begin(mine) as tx:
                    tx.remove(foreign)
        assert await world.traces(theirs.account_id) == before
        async with world.store.begin(theirs.account_id) as tx:
            assert (await tx.lines.get(line.id)).label == theirs.line.label != line.label
            assert (await tx.messages.get(message.id)).body == theirs.message.body

    async def test_without_its_key_an_account_is_closed(self, world: World) -> None:
        account_id, stranger = await world.account(), world.new_account()
        assert await world.keyring.destroy(account_id) == 1
        for closed in (account_id, stranger.id):
            with pytest.raises(KeyGone):
                async with world.store.begin(closed) as tx:
                    await tx.accounts.get()
