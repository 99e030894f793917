"""What every store shares: an update that is run again, and what a commit notes beside the aggregates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from application.ports.jobs import Job
from application.ports.store import JobGone, Tx, VersionConflict
from application.unit_of_work import TRIES, PendingWrites
from bootstrap.worlds import InMemory
from domain.audit import AUDITED, AuditEntry, AuditKind
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import AccountId, Aggregate, Event
from domain.messages import MessageDeleted
from domain.values import Label
from tests.support.actors import sign_up, with_line

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNT = AccountId(UUID(int=7))


@pytest.mark.parametrize("losses", range(TRIES + 1))
async def test_a_lost_race_is_run_again_as_often_as_it_says_and_no_oftener(
    world: InMemory, losses: int
) -> None:
    ada = await with_line(world)
    seen: list[Label | None] = []

    async def change(tx: Tx) -> str:
        line = await tx.lines.get(ada.line_id)
        seen.append(line.label)
        line.relabel(Label("late"))
        tx.save(line)
        if len(seen) <= losses:
            raise VersionConflict
        return "done"

    if losses < TRIES:
        assert await world.store.update(ada.id, change) == "done"
    else:
        with pytest.raises(VersionConflict):
            await world.store.update(ada.id, change)
    assert seen == [Label("ada's line")] * min(losses + 1, TRIES), "not as often, or not on a fresh copy"


async def test_an_update_ends_the_job_that_called_for_it(world: InMemory) -> None:
    ada = await sign_up(world)

    async def queue_one(tx: Tx) -> None:
        tx.queue(Job("mail_verification", ada.id, ada.id))

    async def nothing(_tx: Tx) -> None: ...

    await world.store.update(ada.id, queue_one)
    lease = world.queue.take("mail_verification")
    await world.store.update(ada.id, nothing, completing=lease)
    assert await world.queue.waiting() == 0
    with pytest.raises(JobGone):
        await world.store.update(ada.id, nothing, completing=lease)


@pytest.mark.parametrize("kind", AUDITED)
@pytest.mark.parametrize("note", [PendingWrites.save, PendingWrites.remove])
def test_what_is_audited_leaves_one_entry_that_says_what_was_done_to_what_and_when(
    kind: type[Event], note: Callable[[PendingWrites, Aggregate], None]
) -> None:
    event, changed = kind(account_id=ACCOUNT, subject=uuid4(), at=NOW), Aggregate()
    work = PendingWrites(ACCOUNT, TimeOrderedIds(SystemClock()))
    changed.record(event)
    note(work, changed)
    note(work, changed)  # nothing more has happened
    (entry,) = work.audit
    said = (entry.account_id, entry.kind, entry.subject, entry.at)
    assert said == (ACCOUNT, AUDITED[kind], event.subject, NOW)
    assert len(entry.salt) == 32


def test_what_is_not_audited_leaves_no_entry() -> None:
    work, changed = PendingWrites(ACCOUNT, TimeOrderedIds(SystemClock())), Aggregate()
    changed.record(MessageDeleted(account_id=ACCOUNT, subject=uuid4(), at=NOW))
    work.save(changed)
    assert not work.audit


entries = st.builds(
    AuditEntry,
    account_id=st.uuids(),
    id=st.uuids(),
    at=st.datetimes(timezones=st.just(UTC)),
    kind=st.sampled_from(AuditKind),
    subject=st.uuids(),
    salt=st.binary(min_size=32, max_size=32),
)


@given(one=entries, other=entries)
def test_a_commitment_is_to_everything_that_an_entry_says(one: AuditEntry, other: AuditEntry) -> None:
    for name in ("account_id", "id", "at", "kind", "subject", "salt"):
        moved = replace(one, **{name: getattr(other, name)})
        assert (moved.commitment == one.commitment) == (moved == one), name


def test_an_operation_is_remembered_for_as_long_as_it_says_or_without_an_end() -> None:
    work, made = PendingWrites(ACCOUNT, TimeOrderedIds(SystemClock())), uuid4()
    operation, until = Operation("buy:1", "request"), NOW + timedelta(days=1)
    work.idempotent(operation, made, until)
    work.never_again(operation)
    first, second = (record for record in work.saved if isinstance(record, IdempotencyRecord))
    for record in (first, second):
        assert (record.account_id, record.key, record.request) == (ACCOUNT, "buy:1", "request")
    assert (first.resource_id, first.expires_at) == (made, until)
    assert (second.resource_id, second.expires_at) == (None, None)
    assert second.id.version == 4, "its id tells when the operation was done"
