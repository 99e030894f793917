"""How long we keep it: to the microsecond, on a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from selectors import DefaultSelector, SelectorKey
from typing import TypeVar

from adapters.inbound.worker import keep_sweeping
from adapters.outbound.memory.system import HandClock
from application.erasure import BeginErasures
from application.ports.store import Tx
from application.purge import PurgeResult
from application.retention import Sweep, SweepResult
from application.sessions import Unauthenticated
from bootstrap.worlds import InMemory
from domain.accounts import AccountErasureBegun, AccountState
from domain.audit import AuditEntry
from domain.kernel import AccountId
from domain.sessions import Session
from domain.values import Email, Label, Locale, SignUpPlace
from tests.support.actors import PASSWORD, sign_up, with_line
from tests.support.harness import Anywhere, Worlds, skipping
from tests.support.lying_there import HastyDirectory, audit_log, clear_audit_log, everybody, ids
from tests.support.proofs import proves
from tests.support.sabotage import SkippedPurge, keeping, skipped_step, sparing

T = TypeVar("T")
MOMENT = timedelta(microseconds=1)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class AsksNobody(BeginErasures):
    """Begins the erasure of every account it is shown, whatever the account says of its own time."""

    async def begin(self, account_id: AccountId, now: datetime) -> bool:
        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            account.state = AccountState.ERASING
            account.record(AccountErasureBegun(account_id=account_id, subject=account_id, at=now))
            tx.save(account)

        await self.store.update(account_id, change)
        return True


def erases_idle_accounts(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, directory=HastyDirectory, begin_erasures=AsksNobody)


@proves(
    "T1", text="80dace8b6c32", saboteur=erases_idle_accounts, says="data of an active account went by itself"
)
async def test_nothing_of_an_active_account_goes_by_itself(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await ada.receives("years ago")
        lasting = {"accounts", "phone_lines", "conversations", "messages", "audit_entries"}
        before = {
            name: rows for name, rows in (await made.store.count_rows(ada.id)).items() if name in lasting
        }
        for _ in range(10):
            await made.advance(365 * DAY)
        after = await made.store.count_rows(ada.id)
        assert {name: after[name] for name in lasting} == before, "data of an active account went by itself"
        assert await ada.inbox() == ["years ago"]


class Hurry(DefaultSelector):
    """Waiting that takes no time: the hand clock moves instead, and the event loop's time with it."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self.clock, self.waited = clock, 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout:
            self.waited += timeout
            self.clock.advance(timedelta(seconds=timeout))
        return super().select(0)


class HurriedLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: HandClock) -> None:
        self._hurry = Hurry(clock)
        super().__init__(self._hurry)

    def time(self) -> float:
        return self._hurry.waited


def run_hurried(clock: HandClock, life: Callable[[], Coroutine[None, None, T]]) -> T:
    with asyncio.Runner(loop_factory=lambda: HurriedLoop(clock)) as runner:
        return runner.run(life())


def erases_a_second_early(world: Worlds) -> Worlds:
    return partial(world, retention=keeping(soft_deleted=30 * DAY - timedelta(seconds=1)))


class SleepySweep(Sweep):
    """Works in the first quarter of every hour."""

    async def __call__(self) -> SweepResult:
        return await super().__call__() if self.clock.now().minute < 15 else SweepResult()


def sleeps_through_the_due_time(world: Worlds) -> Worlds:
    return partial(world, sweep=SleepySweep)


@proves(
    "T2", text="2c03f1ea3b52", saboteur=erases_a_second_early, says="the erasure began too early or too late"
)
@proves(
    "T2",
    text="2c03f1ea3b52",
    saboteur=sleeps_through_the_due_time,
    says="three minutes on, nothing has begun",
)
async def test_erasure_starts_within_a_minute_of_thirty_days(world: Worlds) -> None:
    made = world()

    async def life() -> tuple[datetime, datetime]:
        made.clock.advance(20 * MINUTE)
        ada = await sign_up(made)
        left = made.clock.now()
        await made.use_cases.delete_account(ada.id, PASSWORD)
        made.clock.advance(30 * DAY - timedelta(seconds=60.5))  # so that one sweep comes half a second early
        tasks = [
            asyncio.create_task(keep_sweeping(made.use_cases.sweep)),
            asyncio.create_task(made.queue.run(made.worker)),
        ]
        await asyncio.sleep(180)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        intents = await made.ledger.since(0)
        assert len(intents) == 1, "three minutes on, nothing has begun"
        return left, intents[0].at

    left, began = await asyncio.to_thread(run_hurried, made.clock, life)
    assert left + timedelta(hours=30 * 24) <= began <= left + timedelta(hours=30 * 24, minutes=1), (
        "the erasure began too early or too late"
    )


def erases_when_told(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, begin_erasures=AsksNobody)


@proves("T2", text="2c03f1ea3b52", saboteur=erases_when_told, says="an account was erased before its time")
async def test_an_account_knows_its_own_time_whatever_the_directory_says(anywhere: Anywhere) -> None:
    async with anywhere(directory=HastyDirectory) as made:
        ada, boris = await with_line(made), await sign_up(made, "boris")
        await made.use_cases.sign_up(Email("cleo@example.org"), PASSWORD, Label("Cleo"), Locale("en"))
        await made.advance(DAY - MINUTE)
        assert len(await everybody(made)) == 3, "an account was erased before its time"
        await made.advance(MINUTE)
        assert set(await everybody(made)) == {ada.id, boris.id}
        await made.use_cases.delete_account(ada.id, PASSWORD)
        await made.advance(30 * DAY - MINUTE)
        assert await made.keyring.count(ada.id), "an account was erased before its time"
        assert await made.ledger.since(0) != [], "the sign-up was erased"
        await made.advance(MINUTE)
        assert not await made.keyring.count(ada.id)
        assert await made.keyring.count(boris.id)


def forgets_sessions_early(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(ended_session=90 * DAY - MOMENT))


def forgets_sessions_late(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(ended_session=90 * DAY + MOMENT))


@proves("T5", text="8ab88239384a", saboteur=forgets_sessions_early, says="a session was forgotten early")
@proves("T5", text="8ab88239384a", saboteur=forgets_sessions_late, says="a session is kept too long")
async def test_a_revoked_session_is_kept_for_ninety_days(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await sign_up(made)
        lasting = await made.use_cases.sign_in(ada.email, PASSWORD)
        await made.use_cases.sign_out(ada.id, ada.signed_in.session.id)
        await made.advance(90 * DAY - MOMENT)
        assert await ids(made, Session, ada.id) == {ada.signed_in.session.id, lasting.session.id}, (
            "a session was forgotten early"
        )
        await made.advance(MOMENT)
        assert await ids(made, Session, ada.id) == {lasting.session.id}, "a session is kept too long"
        await made.advance(lasting.session.ends_at + 90 * DAY - MOMENT - made.clock.now())
        assert await ids(made, Session, ada.id) == {lasting.session.id}, "a session was forgotten early"
        await made.advance(MOMENT)
        assert await ids(made, Session, ada.id) == set(), "a session is kept too long"


async def is_open(made: InMemory, token: str) -> bool:
    found = await made.directory.session(token)
    assert found is not None, "a session is gone before its time"
    try:
        await made.use_cases.authenticate(token)
    except Unauthenticated:
        return False
    return True


def never_expires(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(idle_session=10_000 * DAY, session=10_000 * DAY))


def expires_unused_sessions_late(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(idle_session=30 * DAY + MOMENT))


def expires_unused_sessions_early(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(idle_session=30 * DAY - MOMENT))


def expires_used_sessions_late(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(session=180 * DAY + MOMENT))


def expires_used_sessions_early(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(session=180 * DAY - MOMENT))


@proves("T8", text="efc7a1c21f03", saboteur=never_expires, says="a session lives too long")
@proves("T8", text="efc7a1c21f03", saboteur=expires_unused_sessions_late, says="a session lives too long")
@proves("T8", text="efc7a1c21f03", saboteur=expires_unused_sessions_early, says="a session expired early")
@proves("T8", text="efc7a1c21f03", saboteur=expires_used_sessions_late, says="a session lives too long")
@proves("T8", text="efc7a1c21f03", saboteur=expires_used_sessions_early, says="a session expired early")
async def test_a_session_expires_unused_and_at_last_in_any_case(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await sign_up(made)
        began = made.clock.now()
        used = (await made.use_cases.sign_in(ada.email, PASSWORD)).token
        for _ in range(7):
            made.clock.advance(25 * DAY)
            assert await is_open(made, used), "a session expired early"
        made.clock.advance(began + 180 * DAY - MOMENT - made.clock.now())
        assert await is_open(made, used), "a session expired early"
        made.clock.advance(MOMENT)
        assert not await is_open(made, used), "a session lives too long"

        unused, used_again = [(await made.use_cases.sign_in(ada.email, PASSWORD)).token for _ in range(2)]
        made.clock.advance(3 * DAY)
        day_after = made.clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        assert await is_open(made, unused), "a session expired early"
        assert await is_open(made, used_again), "a session expired early"
        made.clock.advance(day_after + 30 * DAY - MOMENT - made.clock.now())
        assert await is_open(made, used_again), "a session expired early"
        made.clock.advance(MOMENT)
        assert not await is_open(made, unused), "a session lives too long"


def releases_early(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(released_number=7 * DAY - MOMENT))


def releases_late(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(released_number=7 * DAY + MOMENT))


@proves("T9", text="ca4e762e03bc", saboteur=releases_early, says="a number went back early")
@proves("T9", text="ca4e762e03bc", saboteur=releases_late, says="a number is kept too long")
async def test_a_number_that_is_given_up_is_kept_for_seven_days(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await made.use_cases.release_line(ada.id, ada.line_id)
        await ada.receives("too late")
        assert await ada.inbox() == [], "a number that was given up took a message"
        await made.advance(7 * DAY - MOMENT)
        assert made.carrier.numbers, "a number went back early"
        await made.use_cases.cancel_release(ada.id, ada.line_id)
        await made.advance(7 * DAY)
        assert made.carrier.numbers, "a number went back that was taken back"
        await made.use_cases.release_line(ada.id, ada.line_id)
        await made.advance(7 * DAY)
        assert not made.carrier.numbers, "a number is kept too long"


MAY_SHRINK = (
    "DROP TRIGGER audit_log_only_grows ON audit_log; DROP TRIGGER audit_recent_only_grows ON audit_recent"
)


def forgets_the_log(anywhere: Anywhere) -> Anywhere:
    def purge(store: object, **_: object) -> Callable[[datetime, int], Awaitable[PurgeResult]]:
        class ForgetsTheLog(SkippedPurge):
            """Empties the audit log every year."""

            async def __call__(self, now: datetime, limit: int) -> PurgeResult:
                if now.year > 2026:
                    await clear_audit_log(store)
                return PurgeResult(0)

        return ForgetsTheLog("sessions")

    return partial(anywhere, purge_ended_sessions=purge, sql=MAY_SHRINK)


def leaves_the_log_personal(anywhere: Anywhere) -> Anywhere:
    """Take the account's half of the log for a part of the log: delete everything else."""
    return partial(
        anywhere, delete_rows=sparing(AuditEntry), verify_nothing_left=skipped_step("verified"),
        sql=skipping("DELETE", "audit_entries"),
    )  # fmt: skip


@proves("T6", text="5830ec811130", saboteur=forgets_the_log, says="the log was forgotten")
@proves("T6", text="5830ec811130", saboteur=leaves_the_log_personal, says="the log stays personal")
async def test_the_audit_log_stays_for_ever_and_becomes_anonymous(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await made.use_cases.delete_account(ada.id, PASSWORD)
        log = await audit_log(made)
        assert len(log) == (await made.store.count_rows(ada.id))["audit_entries"] > 0
        for _ in range(3):
            await made.advance(365 * DAY)
        assert (await audit_log(made)).items() >= log.items(), "the log was forgotten"
        assert await made.ledger.receipt(await made.fingerprint(ada.id)), "the account was not erased"
        assert (await made.store.count_rows(ada.id))["audit_entries"] == 0, "the log stays personal"
        assert ada.id.bytes not in b"".join(await audit_log(made))


def erases_sign_ups_early(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(unverified=DAY - MOMENT))


def erases_sign_ups_late(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(unverified=DAY + MOMENT))


@proves("T7", text="2b19cafac524", saboteur=erases_sign_ups_early, says="a sign-up was erased early")
@proves("T7", text="2b19cafac524", saboteur=erases_sign_ups_late, says="a sign-up is kept too long")
async def test_a_sign_up_not_verified_in_a_day_is_erased(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        boris = await sign_up(made, "boris")
        await made.use_cases.sign_up(Email("ada@example.org"), PASSWORD, Label("Ada"), Locale("en"))
        await made.settle()
        (ada,) = filter(None, await made.directory.sign_ups(SignUpPlace.every(Email("ada@example.org"))))
        await made.advance(DAY - MOMENT)
        assert await made.keyring.count(ada), "a sign-up was erased early"
        assert (await made.store.count_rows(ada))["accounts"] == 1
        await made.advance(MOMENT)
        assert not await made.keyring.count(ada), "a sign-up is kept too long"
        assert not any((await made.store.count_rows(ada)).values())
        assert await made.directory.account_by_email("boris@example.org") == boris.id
