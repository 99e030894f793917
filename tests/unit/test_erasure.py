"""Hard deletion: crash anywhere, same end."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from application.erasure import EraseAccount
from application.exports import BuildExport
from application.ports.keyring import KeyGone
from application.retention import Sweep
from application.sessions import WrongCredentials
from bootstrap.worlds import InMemory
from domain.erasure import ORDER, Erasure, NotYetGone, Step
from domain.exports import ExportNotReady, ExportState
from domain.kernel import PicoError
from domain.values import Password
from tests.support.actors import PASSWORD, STRANGER, Person, sign_up, with_line


async def lived(world: InMemory) -> Person:
    """Make an account that has something in every corner."""
    ada = await with_line(world)
    await ada.texted("incoming", ref=await world.carrier.receive(STRANGER, ada.number, "incoming"))
    await ada.texts("outgoing")
    await world.settle()
    await world.use_cases.start_export(ada.id)
    await world.settle()
    return ada


async def nothing_left(world: InMemory, ada: Person) -> bool:
    """Look into every store."""
    return (
        not any((await world.store.count_rows(ada.id)).values())
        and not await world.keyring.count(ada.id)
        and not world.carrier.numbers
        and not world.carrier.texts
        and not await world.mail.holds(ada.email)
        and await world.store.erasure(ada.id) is None
        and await world.ledger.receipt(await world.fingerprint(ada.id)) is not None
    )


async def test_thirty_days_later_nothing_is_left(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    early = await world.advance(timedelta(days=30) - timedelta(microseconds=1))
    assert early.accounts == 0
    assert (await world.advance(timedelta(microseconds=1))).accounts == 1
    assert await nothing_left(world, ada)
    with pytest.raises(KeyGone):
        await world.use_cases.read_account(ada.id)


async def test_the_receipt_counts_and_names_nobody(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=30))
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert receipt.verify(b"k" * 32)
    assert receipt.facts["rows_left"] == receipt.facts["keys_left"] == 0
    assert receipt.facts["numbers_released"] == 1
    assert receipt.facts["rows_deleted"] != 0
    assert str(ada.id) not in json.dumps(dict(receipt.facts))


@pytest.mark.parametrize("step", ORDER)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_step_changes_nothing_about_the_end(
    world: InMemory, step: Step, when: str
) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(timedelta(days=30))

    class Crash(BaseException):
        pass

    class Dying(EraseAccount):
        async def take(self, taken: Step, erasure: Erasure) -> Erasure:
            if taken is step and when == "before":
                raise Crash
            erasure = await super().take(taken, erasure)
            if taken is step:
                raise Crash
            return erasure

    honest = world.use_cases.erase_account
    dying = Dying(**{name: getattr(honest, name) for name in EraseAccount.__dataclass_fields__})
    with pytest.raises(Crash):
        await dying(ada.id)
    await world.advance(timedelta(minutes=1))
    assert await nothing_left(world, ada)


@pytest.mark.parametrize("part", ["carrier", "mail", "ledger", "keyring"])
async def test_an_outage_holds_up_the_saga_and_nothing_is_called_done(world: InMemory, part: str) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    getattr(world, part).outage = True
    swept = await world.advance(timedelta(days=30))
    assert swept.accounts == 0
    assert swept.failed
    getattr(world, part).outage = False
    await world.advance(timedelta(minutes=1))
    assert await nothing_left(world, ada)


async def test_a_number_that_the_carrier_secretly_keeps_holds_up_the_saga(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.lies = True
    swept = await world.advance(timedelta(days=30))
    assert swept.failed == {NotYetGone.code: 1}
    assert await world.keyring.count(ada.id)
    world.carrier.lies = False
    await world.advance(timedelta(minutes=1))
    assert await nothing_left(world, ada)


async def test_texts_that_cannot_be_deleted_yet_hold_up_the_saga_for_a_day_at_most(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.too_early = 10_000
    await world.advance(timedelta(days=30))
    assert await world.keyring.count(ada.id)
    await world.advance(timedelta(hours=24))
    assert not await world.keyring.count(ada.id)


async def test_one_account_that_cannot_be_finished_holds_up_no_other(world: InMemory) -> None:
    ada, boris = await sign_up(world, "ada"), await sign_up(world, "boris")
    for person in (ada, boris):
        await world.use_cases.delete_account(person.id, PASSWORD)

    class Stuck(EraseAccount):
        async def take(self, step: Step, erasure: Erasure) -> Erasure:
            if erasure.account_id == ada.id:
                raise NotYetGone
            return await super().take(step, erasure)

    honest = world.use_cases.erase_account
    stuck = Stuck(**{name: getattr(honest, name) for name in EraseAccount.__dataclass_fields__})
    sweep = Sweep(
        **{
            **{n: getattr(world.use_cases.sweep, n) for n in Sweep.__dataclass_fields__},
            "erase_account": stuck,
        }
    )
    world.clock.advance(timedelta(days=30))
    swept = await sweep()
    assert (swept.accounts, swept.failed) == (1, {NotYetGone.code: 1})
    assert not await world.keyring.count(boris.id)


async def test_the_audit_log_outlives_the_account_and_names_nobody(world: InMemory) -> None:
    ada = await lived(world)
    before = len(world.store.audit_log)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=30))
    assert len(world.store.audit_log) >= before
    assert all(str(ada.id) not in repr(entry) for entry in world.store.audit_log)


async def test_revoked_sessions_go_after_ninety_days(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.sign_in(ada.email, PASSWORD)
    await world.use_cases.sign_out(ada.id, ada.signed_in.session.id)
    assert (await world.advance(timedelta(days=90) - timedelta(microseconds=1))).sessions == 0
    assert (await world.advance(timedelta(microseconds=1))).sessions == 1
    assert len(await world.use_cases.list_sessions(ada.id)) == 1


async def test_an_export_holds_everything_and_is_handed_over_once(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.texted("incoming")
    await ada.texts("outgoing")
    export = await world.use_cases.start_export(ada.id)
    assert (await world.use_cases.start_export(ada.id)).id == export.id
    await world.settle()
    export = await world.use_cases.read_export(ada.id, export.id)
    assert export.state is ExportState.READY
    assert export.rows_done == export.rows_total > 0
    with pytest.raises(WrongCredentials):
        await world.use_cases.download_export(ada.id, export.id, Password("wrong password"))
    slices = await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    records = json.loads(b"".join([part async for part in slices]))["records"]
    assert [account["email"] for account in records["accounts"]] == [ada.email]
    assert sorted(message["body"] for message in records["messages"]) == ["incoming", "outgoing"]
    assert records["phone_lines"][0]["number"] == ada.number
    assert "password" not in records["accounts"][0]
    with pytest.raises(ExportNotReady):
        await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    assert (await world.store.count_rows(ada.id))["export_parts"] == 0


async def test_an_export_that_was_interrupted_is_built_afresh(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.texted("incoming")
    export = await world.use_cases.start_export(ada.id)

    class Crash(PicoError):
        """The worker died."""

    class Dying(BuildExport):
        async def finish(self, *_args: object) -> None:
            raise Crash

    honest = world.use_cases.build_export
    dying = Dying(**{name: getattr(honest, name) for name in BuildExport.__dataclass_fields__})
    with pytest.raises(Crash):
        await dying(ada.id, export.id, 0)
    await world.settle()
    slices = await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    assert len(json.loads(b"".join([part async for part in slices]))["records"]["messages"]) == 1


async def test_an_export_nobody_fetched_expires_after_a_day(world: InMemory) -> None:
    ada = await sign_up(world)
    export = await world.use_cases.start_export(ada.id)
    await world.settle()
    await world.advance(timedelta(hours=24))
    assert (await world.use_cases.read_export(ada.id, export.id)).state is ExportState.EXPIRED
    assert (await world.store.count_rows(ada.id))["export_parts"] == 0
    with pytest.raises(ExportNotReady):
        await world.use_cases.download_export(ada.id, export.id, PASSWORD)
