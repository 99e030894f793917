"""When the next master key takes over, and when an erasure is said to be final."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from bootstrap.worlds import InMemory
from domain.epochs import Epoch, EpochPolicy, gone_through
from tests.support.actors import PASSWORD, Person, sign_up

AT = datetime(2027, 3, 1, tzinfo=UTC)
SECOND, DAY, WEEK = timedelta(seconds=1), timedelta(days=1), timedelta(days=7)
spans = some.timedeltas(timedelta(), timedelta(days=400))


@given(
    age=spans, period=some.timedeltas(SECOND, 60 * DAY), ago=some.none() | spans, quiet=some.none() | spans
)
def test_an_epoch_ends_by_age_or_once_erasures_have_ceased_and_never_before(
    age: timedelta, period: timedelta, ago: timedelta | None, quiet: timedelta | None
) -> None:
    policy, epoch, now = EpochPolicy(period, quiet), Epoch(3, AT), AT + age
    finished = [] if ago is None else [now - ago, now - ago - DAY]
    ceased = quiet is not None and ago is not None and ago >= quiet
    assert policy.due(epoch, finished, now) is (age >= period or ceased)
    assert policy.ends(epoch, now) >= now
    assert policy.due(epoch, [now], policy.ends(epoch, now)), (
        "the receipt names a time at which it would not end"
    )


def test_an_epoch_counts_as_gone_only_behind_those_before_it() -> None:
    gone, later, kept = Epoch(1, AT, AT), Epoch(2, AT, AT + DAY), Epoch(3, AT)
    assert gone_through([], AT) == 0
    assert gone_through([gone, later, kept], AT) == 1
    assert gone_through([kept, later, gone], AT + DAY) == 2
    assert gone_through([replace(gone, gone_at=None), replace(later, gone_at=AT)], AT) == 0


async def erased(world: InMemory, name: str = "ada") -> Person:
    person = await sign_up(world, name)
    await world.use_cases.delete_account(person.id, PASSWORD)
    await world.advance(30 * DAY)
    return person


async def test_the_second_line_comes_when_the_master_key_is_gone_and_not_before() -> None:
    world = InMemory()
    ada = await erased(world)
    fingerprint = await world.fingerprint(ada.id)
    receipt = await world.ledger.receipt(fingerprint)
    assert receipt is not None
    by = datetime.fromisoformat(str(receipt.facts["unreadable_by"]))
    assert by <= world.clock.now() + 2 * WEEK
    lines = {}
    while world.clock.now() < by + DAY:
        await world.advance(DAY)
        lines[world.clock.now()] = await world.ledger.confirmation(fingerprint)
    final = next(line for line in lines.values() if line)
    since = datetime.fromisoformat(str(final.facts["unreadable_since"]))
    assert all((line is not None) is (at >= since) for at, line in lines.items())
    assert since <= by + DAY, "sweeps are a day apart here"


async def test_epochs_turn_each_week_and_every_account_stays_as_it_was() -> None:
    world = InMemory()
    ada = await sign_up(world)
    await world.use_cases.sweep()
    for _ in range(3):
        await world.advance(WEEK)
    assert [each.number for each in await world.epochs.all()] == [1, 2, 3, 4]
    assert [each.gone_at is None for each in await world.epochs.all()] == [False, False, False, True]
    assert (await world.use_cases.sign_in(ada.email, PASSWORD)).session.account_id == ada.id


async def test_in_a_sandbox_it_turns_after_a_batch_of_erasures_and_only_then() -> None:
    world = InMemory(epoch_policy=EpochPolicy(timedelta(days=90), quiet=2 * SECOND, look_every=timedelta()))
    await world.use_cases.sweep()
    people = [await sign_up(world, name) for name in ("ada", "boris")]
    for each in people:
        await world.use_cases.delete_account(each.id, PASSWORD)
    await world.advance(30 * DAY)
    assert len(await world.epochs.all()) == 1
    await world.advance(SECOND)
    assert len(await world.epochs.all()) == 1, "another erasure may be about to finish"
    await world.advance(SECOND)
    assert len(await world.epochs.all()) == 2
    for _ in range(5):
        await world.advance(DAY)
    assert len(await world.epochs.all()) == 2, "nothing waits for it"


async def test_an_outage_of_the_keys_delays_an_epoch_and_loses_nothing() -> None:
    world = InMemory()
    await sign_up(world)
    await world.use_cases.sweep()
    world.clock.advance(WEEK)
    world.keyring.outage = True
    assert (await world.use_cases.sweep()).failed["keys_unavailable"]
    world.keyring.outage = False
    await world.use_cases.sweep()
    assert [each.gone_at is None for each in await world.epochs.all()] == [False, True]


async def test_a_deletion_that_an_operator_cancelled_confirms_nothing() -> None:
    """The plan says that the master key is gone; the key service says that it is there."""
    world = InMemory()
    ada = await erased(world)
    world.epochs.is_gone = _is_there  # type: ignore[method-assign]
    for _ in range(20):
        await world.advance(DAY)
    assert await world.ledger.confirmation(await world.fingerprint(ada.id)) is None


async def _is_there(number: int) -> bool:
    return number < 0
