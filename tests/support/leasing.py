"""Buying, losing and giving back, in any order, with the process dying in between: what the carrier holds, and we."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from application.number_reconciliation import Mismatch
from application.ports.numbers import NumberOrder, NumberProvider
from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef, LineId, PicoError
from domain.lines import LineState, PhoneLine
from domain.values import PhoneNumber
from tests.support.actors import PASSWORD, Person, sign_up

T = TypeVar("T")
NUMBERS = [PhoneNumber(f"+120255501{tail}") for tail in range(43, 47)]
MINUTES, HOURS, DAY = timedelta(minutes=5), timedelta(hours=7), timedelta(days=1)
HELD = {LineState.ACTIVE, LineState.SUSPENDED, LineState.PENDING_RELEASE}
MISHAPS = st.sampled_from(
    ["none", "none", "outage", "answer lost", "dies before", "dies after", "not done", "taken"]
)
WAITS = st.sampled_from([MINUTES, HOURS, DAY, 8 * DAY])


class Killed(BaseException):
    """The process dies here: nothing catches it."""


@dataclass
class Mortal:
    """A provider of numbers at whose writes the process may die: before one is sent, or once it is done."""

    provider: NumberProvider
    dies: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.provider, name)

    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        return await self._write(lambda: self.provider.order(number, line_id))

    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        await self._write(lambda: self.provider.release(ref, line_id))

    async def _write(self, write: Callable[[], Coroutine[Any, Any, T]]) -> T:
        when, self.dies = self.dies, ""
        if when == "dies before":
            raise Killed
        done = await write()
        if when == "dies after":
            raise Killed
        return done


class Scene(Protocol):
    """A world, and the carrier before which it stands."""

    @property
    def world(self) -> InMemory:
        """The product."""

    @property
    def numbers(self) -> Mortal:
        """The provider that the product has."""

    def inventory(self) -> set[tuple[str, LineId | None]]:
        """Return what the carrier holds for us, and for which line."""

    def lose(self, number: PhoneNumber) -> None:
        """Have the carrier hold a number no longer."""

    def befall(self, mishap: str) -> None:
        """Have this go wrong at the carrier: with "none" nothing, any more."""

    async def advance(self, by: timedelta) -> None:
        """Let time pass, there and here."""


@dataclass
class Leased:
    """Somebody's line, as a test remembers it."""

    by: Person
    line_id: LineId


class Leasing(RuleBasedStateMachine):
    """What people and carriers do to numbers. Whatever was done, in the end both sides hold the same."""

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[Scene]]) -> None:
        super().__init__()
        self.runner, self.stack = asyncio.Runner(), AsyncExitStack()
        self.people: list[Person] = []
        self.has_left = False
        self.keys = 0
        self.scene = self.run(self.stack.enter_async_context(opened()))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def survives(self, work: Coroutine[Any, Any, object]) -> None:
        """Do it; a refusal is an answer, and a death is not the end."""

        async def tried() -> None:
            with suppress(PicoError, Killed):
                await work

        self.run(tried())

    @initialize()
    def somebody_is_there(self) -> None:
        self.people.append(self.run(sign_up(self.scene.world, "p0")))

    @precondition(lambda self: len(self.people) < 2)
    @rule()
    def another_signs_up(self) -> None:
        self.people.append(self.run(sign_up(self.scene.world, f"p{len(self.people)}")))

    @rule(who=st.integers(0, 1), number=st.sampled_from(NUMBERS), mishap=MISHAPS)
    def buys(self, who: int, number: PhoneNumber, mishap: str) -> None:
        person = self.people[who % len(self.people)]
        self.keys += 1
        self.amid(mishap, self.scene.world.use_cases.buy_line(person.id, number, None, f"key {self.keys}"))

    @rule(which=st.integers(0, 7), back=st.booleans())
    def gives_a_line_up_or_takes_it_back(self, which: int, back: bool) -> None:
        do = self.scene.world.use_cases
        for leased in self.chosen(which):
            asked = do.cancel_release if back else do.release_line
            self.survives(asked(leased.by.id, leased.line_id))

    @rule(which=st.integers(0, 7), mishap=MISHAPS)
    def gives_a_line_up_for_good(self, which: int, mishap: str) -> None:
        for leased in self.chosen(which):
            self.survives(self.scene.world.use_cases.release_line(leased.by.id, leased.line_id))
            self.amid(mishap, self.scene.advance(8 * DAY))

    @rule(number=st.sampled_from(NUMBERS))
    def the_carrier_loses_a_number(self, number: PhoneNumber) -> None:
        self.scene.lose(number)

    @rule(by=WAITS, mishap=MISHAPS)
    def time_passes(self, by: timedelta, mishap: str) -> None:
        self.amid(mishap, self.scene.advance(by))

    @precondition(lambda self: len(self.people) > 1 and not self.has_left)
    @rule(mishap=MISHAPS)
    def the_other_leaves_for_good(self, mishap: str) -> None:
        self.has_left = True
        self.survives(self.scene.world.use_cases.delete_account(self.people[1].id, PASSWORD))
        self.amid(mishap, self.scene.advance(30 * DAY))

    @rule(mishap=MISHAPS, really=st.booleans())
    def is_compared(self, mishap: str, really: bool) -> None:
        self.amid(mishap, self.scene.world.use_cases.reconcile_numbers(really=really))

    def amid(self, mishap: str, work: Coroutine[Any, Any, object]) -> None:
        self.scene.numbers.dies = mishap if mishap.startswith("dies") else ""
        self.scene.befall(mishap)
        self.survives(work)
        self.scene.befall("none")
        self.scene.numbers.dies = ""

    def chosen(self, which: int) -> list[Leased]:
        """Return one of the lines that lease a number, if there is any."""
        lines = [
            Leased(person, line.id)
            for person in self.people
            for line in self.run(self.lines(person))
            if line.holds_number
        ]
        return [lines[which % len(lines)]] if lines else []

    async def lines(self, person: Person) -> list[PhoneLine]:
        try:
            async with self.scene.world.store.begin(person.id) as tx:
                return list(await tx.lines.list_all())
        except PicoError:
            return []  # erased

    @invariant()
    def no_number_is_leased_twice(self) -> None:
        held = [
            line.number
            for person in self.people
            for line in self.run(self.lines(person))
            if line.holds_number
        ]
        assert len(held) == len(set(held)), "two lines lease a number"
        inventory = [number for number, _ in self.scene.inventory()]
        assert len(inventory) == len(set(inventory))

    def teardown(self) -> None:
        try:
            if self.people:
                self.run(self.ends_equal())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    async def ends_equal(self) -> None:
        """Let everything that is under way come to its end; then neither side may hold what the other does not."""
        for _ in range(6):
            await self.scene.advance(HOURS)
        await self.scene.advance(9 * DAY)
        for _ in range(4):
            await self.scene.advance(HOURS)
        lines = [line for person in self.people for line in await self.lines(person)]
        assert not [line for line in lines if line.is_ordering], "an order is left open"
        ours = {(str(line.number), line.id) for line in lines if line.state in HELD}
        theirs = {(str(number), line_id) for number, line_id in self.scene.inventory()}
        assert theirs == ours, "the carrier's inventory is not ours"
        compared = await self.scene.world.use_cases.reconcile_numbers(really=False)
        assert compared.agrees
        assert (compared.held, compared.leased) == (len(ours), len(ours))
        assert not [each for each in compared.differences if each.kind is not Mismatch.UNKNOWN]
