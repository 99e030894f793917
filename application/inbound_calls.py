"""Use cases of calls that come in: what the carrier is told when one arrives, and after each step of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from application.call_costs import CallCosts
from application.inbound_messages import passing_over_the_erased
from application.mailbox import Mailbox
from application.ports.call_clients import CallClients
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.ids import Ids
from application.ports.repositories.calls import CallContext
from application.ports.store import Store, Tx
from domain.accounts import Account
from domain.call_instructions import (
    OVER,
    REFUSAL,
    CallAnswer,
    Forward,
    HangUp,
    Instruction,
    RingApp,
    TakeMessage,
)
from domain.call_routing import CallStep, NextStep, next_step
from domain.call_words import Spoken
from domain.calls import Call, CallDirection, CallOutcome
from domain.idempotency import Operation
from domain.kernel import CallId, CarrierRef, LineId, PicoError
from domain.lines import PhoneLine
from domain.values import Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call to a number of ours as the carrier tells of it, cut down to what Pico keeps.

    `caller` is None where the number is withheld. `line_id` is the lease that the webhook's address names, where it
    does: a call for the number's former owner names another than the present one.
    """

    ref: CarrierRef
    to: PhoneNumber
    caller: Peer | None
    line_id: LineId | None = None


@dataclass(frozen=True, slots=True)
class StepDone:
    """What became of a step of a call that came in: of ringing the apps, or another telephone.

    `step` is None where the carrier's question does not say which: it was the apps, unless the line forwards at once.
    """

    call: IncomingCall
    step: CallStep | None
    outcome: CallOutcome
    duration: int = 0


def call_taken(ref: CarrierRef) -> Operation:
    """Return the operation of putting this call on record, which happens once."""
    return Operation(f"call:{ref}")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes, and all that is needed to say so."""

    next: NextStep
    call: Call
    line: PhoneLine
    language: Spoken
    message: TakeMessage
    """How a message is taken, where it may come to that."""


@dataclass(frozen=True, slots=True)
class RouteCall:
    """Finds the line a call is for, commits what is to be known of the call, and says where it goes."""

    store: Store
    directory: Directory
    clock: Clock
    ids: Ids
    mailbox: Mailbox

    async def __call__(
        self, incoming: IncomingCall, note: Callable[[Call, PhoneLine, datetime], NextStep]
    ) -> Route | None:
        """Return where the call goes by what `note` says of it; None where it goes nowhere, and leaves no trace.

        Raises KeyGone when the account's key is lost, SealBroken when the line was altered. Repeating is harmless.
        """
        # As for messages: what is remembered of a number is believed only where the carrier names the line.
        for fresh in (False, True) if incoming.line_id is not None else (True,):
            lease = await self.directory.line(incoming.to, fresh=fresh)
            if lease is None:
                return None
            async with passing_over_the_erased(self.store, lease, fresh=fresh):
                if incoming.line_id in {None, lease.line_id}:
                    found, route = await self.routed(lease, incoming, note)
                    if found:
                        return route
        return None

    async def routed(
        self, lease: Lease, incoming: IncomingCall, note: Callable[[Call, PhoneLine, datetime], NextStep]
    ) -> tuple[bool, Route | None]:
        """Commit the call; tell whether the line still leases the number, and where the call goes."""

        async def change(tx: Tx) -> tuple[bool, Route | None]:
            context = await tx.calls.context(
                lease.line_id, incoming.ref, incoming.caller, call_taken(incoming.ref)
            )
            line, call = context.line, context.call
            line.must_be_of(incoming.to)
            if not line.holds_number:
                return False, None
            if call is None:
                call = self._open(tx, context, incoming)
            if call is None or call.is_deleted or call.altered:
                return True, None
            next_ = note(call, line, self.clock.now())
            tx.save(call)
            if not line.takes_calls_in:
                return True, None  # since the call began: whatever it would lead to is over
            to_mailbox = next_ in {
                NextStep.TAKE_MESSAGE,
                NextStep.FORWARD,
            }  # what may not be forwarded goes there
            message = await self.mailbox.instruction(tx, line) if to_mailbox else TakeMessage()
            return True, Route(next_, call, line, spoken_to(context.account), message)

        return await self.store.update(lease.account_id, change)

    def _open(self, tx: Tx, context: CallContext, incoming: IncomingCall) -> Call | None:
        """Put the call on record, once; None where nothing of it is to be kept."""
        line, account, now = context.line, context.account, self.clock.now()
        if context.earlier is None and account.refuses_inbound:
            tx.require_unchanged(account)
            tx.never_again(call_taken(incoming.ref))  # else it would be found later, once the freeze is over
            return None
        if context.earlier is not None or not line.takes_calls_in:
            return None
        call_id = CallId(self.ids.new())
        tx.require_unchanged(account)
        tx.require_unchanged(line)
        if not account.is_active:
            return None
        tx.never_again(call_taken(incoming.ref))
        if context.blocked:
            call = Call.deleted_on_arrival(line.account_id, call_id, line.id, incoming.ref, now)
            tx.save(call)
            return call
        return Call.begin(
            line.account_id, call_id, line.id,
            direction=CallDirection.INBOUND, peer=incoming.caller, ref=incoming.ref, at=now,
        )  # fmt: skip


def spoken_to(account: Account) -> Spoken:
    """Return in which language a person's callers, and who answers for them, are spoken to: the person's own."""
    return Spoken.of_locale(None if "locale" in account.unreadable else account.locale)


async def known_call(tx: Tx, ref: CarrierRef) -> Call | None:
    """Return the call that is on record, in whatever state."""
    return await tx.calls.by_ref(ref)


async def is_blocked(tx: Tx, peer: Peer | None) -> bool:
    """Tell whether the account wants to hear nothing of a peer."""
    return peer is not None and await tx.blocked_numbers.find(PhoneNumber(peer)) is not None


@dataclass(frozen=True, slots=True)
class Direct:
    """Turns where a call goes into what the carrier is told."""

    clients: CallClients
    costs: CallCosts

    async def __call__(self, route: Route) -> CallAnswer:
        """Return the instructions. A call that may not be forwarded now goes to the mailbox instead."""
        told = (await self._instruction(route),)
        return CallAnswer(told, route.line.id, route.call.id, route.language)

    async def _instruction(self, route: Route) -> Instruction:
        line = route.line
        match route.next:
            case NextStep.RING:
                return RingApp(await self.clients.identity(line.account_id, line.id))
            case NextStep.FORWARD if line.forward_to is not None:
                try:
                    longest = await self.costs.take(route.call, line, line.forward_to)
                except PicoError:  # spent, not allowed there any more, or nobody can count
                    return route.message
                return Forward(line.forward_to, line.number, longest)
            case NextStep.HANG_UP:
                return HangUp()
        return route.message


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """Says what is done with a call that comes in."""

    route: RouteCall
    direct: Direct

    async def __call__(self, incoming: IncomingCall) -> CallAnswer:
        """Return what the carrier is told; a number that takes no calls, or not this one, is busy.

        Asking again answers the same, and puts nothing else on record. Raises KeyGone, SealBroken.
        """

        def arrive(call: Call, line: PhoneLine, at: datetime) -> NextStep:
            return next_step(
                CallStep.ARRIVED, call.outcome, talked=call.outcome.talked, forward=line.forwards,
                quiet=line.is_quiet(at),
            )  # fmt: skip

        route = await self.route(incoming, arrive)
        return REFUSAL if route is None else await self.direct(route)


@dataclass(frozen=True, slots=True)
class ContinueCall:
    """Says what is done with a call after one of its steps."""

    route: RouteCall
    direct: Direct

    async def __call__(self, done: StepDone) -> CallAnswer:
        """Return what the carrier is told. Any order and repetition of steps leaves the same call. Raises as above."""

        def go_on(call: Call, line: PhoneLine, at: datetime) -> NextStep:
            step = done.step or CallStep.RANG
            # What another telephone says of itself counts for nothing: its mailbox may have taken the call.
            forwarded = step is CallStep.FORWARDED and done.outcome.talked
            call.reach(CallOutcome.NO_ANSWER if forwarded else done.outcome, done.duration)
            next_ = next_step(
                step,
                done.outcome,
                talked=call.outcome.talked,
                forward=line.forwards,
                quiet=line.is_quiet(at),
            )
            if step is CallStep.RANG and done.outcome.talked:
                call.end(
                    at
                )  # a forwarded one ends with the carrier's own word: the key may be heard of later
            return next_

        route = await self.route(done.call, go_on)
        return OVER if route is None else await self.direct(route)
