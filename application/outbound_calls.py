"""Use cases of calls that the person makes: from an app, or by having the carrier ring the app first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.call_costs import CallCosts
from application.inbound_calls import call_taken, is_blocked, known_call, spoken_to
from application.inbound_messages import passing_over_the_erased
from application.ports.call_clients import CallClients
from application.ports.carrier_errors import CarrierRefused
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.ids import Ids
from application.ports.limits import LimitsUnavailable
from application.ports.numbering import NumberingPlan
from application.ports.store import Store, Tx
from application.ports.voice_carrier import ClientToken, VoiceCarrier
from domain.blocked_numbers import NumberBlocked
from domain.call_instructions import (
    OVER,
    REFUSAL,
    CallAnswer,
    ClientIdentity,
    Connect,
    HangUp,
    Instruction,
    RecordGreeting,
    Say,
)
from domain.call_words import Notice, Spoken
from domain.calls import Call, CallDirection, CallOutcome
from domain.destinations import EmergencyNumber, UnreachableNumber, must_be_reachable
from domain.idempotency import Operation
from domain.kernel import AccountId, CallId, CarrierRef, LineId, NotFound, PicoError
from domain.lines import LineNotActive, NotForCalls, PhoneLine
from domain.retention import Retention
from domain.spend import DestinationNotAllowed, SendingPaused, SpendLimited
from domain.values import Peer, PhoneNumber

TOKEN_LIFE = timedelta(hours=1)
"""How long an app calls and is called by one token: it cannot be taken back before."""
NOTICES: dict[type[PicoError], Notice] = {
    EmergencyNumber: Notice.NO_EMERGENCY_CALLS,
    DestinationNotAllowed: Notice.NOT_ALLOWED,
    UnreachableNumber: Notice.NO_SUCH_NUMBER,
    SpendLimited: Notice.SPENT,
    SendingPaused: Notice.NOT_NOW,
    LimitsUnavailable: Notice.NOT_NOW,
    NumberBlocked: Notice.BLOCKED,
}
"""What somebody hears whose call is refused: there is no other way to tell an app why."""


def must_be_callable(plan: NumberingPlan, line: PhoneLine, to: Peer) -> None:
    """Raise EmergencyNumber, or UnreachableNumber for what is no number, or the line itself."""
    must_be_reachable(plan.destination(to, line.country), short_codes=False)
    if to == Peer(line.number):
        raise UnreachableNumber


@dataclass(frozen=True, slots=True)
class IssueVoiceToken:
    """Makes the token with which a line's apps call and are called."""

    store: Store
    clients: CallClients
    voice: VoiceCarrier
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId) -> tuple[ClientIdentity, ClientToken]:
        """Return the apps' name and a token for an hour. Raises NotFound, LineNotActive, NotForCalls.

        Raises CarrierUnsupported where apps cannot call, CarrierUnavailable, CarrierRefused. Repeating makes another
        token.
        """
        async with self.store.begin(account_id) as tx:
            (await tx.lines.get(line_id)).must_take_calls()
        client = await self.clients.identity(account_id, line_id)
        return client, await self.voice.client_token(client, self.clock.now(), TOKEN_LIFE)


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that was begun, by this request or, if `repeated`, by an earlier one with the same key."""

    call: Call
    repeated: bool


@dataclass(frozen=True, slots=True)
class BeginCall:
    """Puts a call that goes out on record, once it is known that it may."""

    clock: Clock
    ids: Ids
    plan: NumberingPlan
    costs: CallCosts

    async def __call__(
        self, tx: Tx, line: PhoneLine, to: Peer, ref: CarrierRef | None, paid: list[int]
    ) -> tuple[Call, timedelta]:
        """Return the call, to be saved, and how long it may last. `paid` remembers what was taken over lost races.

        One to the line's own number is for its greeting: its app is all that it calls, whoever is blocked.

        Raises LineNotActive, NotForCalls, EmergencyNumber, UnreachableNumber, DestinationNotAllowed, NumberBlocked,
        SpendLimited, SendingPaused, LimitsUnavailable.
        """
        line.must_take_calls()
        if to != Peer(line.number):
            must_be_callable(self.plan, line, to)
            if await is_blocked(tx, to):
                raise NumberBlocked
        terms = await self.costs.pay(line, PhoneNumber(to), already=sum(paid))
        paid.append(terms.cost)
        call = Call.begin(
            line.account_id, CallId(self.ids.new()), line.id,
            direction=CallDirection.OUTBOUND, peer=to, ref=ref, at=self.clock.now(),
        )  # fmt: skip
        call.reserve(sum(paid))
        tx.require_unchanged(line)
        return call, terms.longest


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Rings the line's apps, and calls somebody once one of them answers."""

    store: Store
    voice: VoiceCarrier
    clients: CallClients
    clock: Clock
    retention: Retention
    begin: BeginCall

    async def __call__(self, account_id: AccountId, line_id: LineId, to: PhoneNumber, key: str) -> Placed:
        """Return the call as it is. Raises NotFound, IdempotencyMismatch, CarrierUnavailable, CarrierRefused.

        Raises what `BeginCall` does.

        Intent is on record before the carrier is asked, which is never asked twice. Repeating with the same key is
        harmless.
        """
        operation, paid = Operation.requested("call", key, line_id, to), list[int]()

        async def change(tx: Tx) -> tuple[Call, PhoneLine, bool]:
            line, earlier = await tx.lines.get(line_id), await tx.idempotency.earlier_result(operation)
            if earlier is not None:
                return await tx.calls.get_even_broken(CallId(earlier.must_match())), line, True
            call, _ = await self.begin(tx, line, Peer(to), None, paid)
            tx.save(call)
            tx.idempotent(operation, call.id, self.retention.idempotency.ends(self.clock.now()))
            return call, line, False

        call, line, repeated = await self.store.update(account_id, change)
        if not repeated:
            call = await self._ring(call, line)
        return Placed(call, repeated)

    async def _ring(self, call: Call, line: PhoneLine) -> Call:
        client = await self.clients.identity(line.account_id, line.id)
        try:
            ref = await self.voice.place_call(call.id, line.id, client, line.number)
        except CarrierRefused:
            await self._note(call, None)
            raise
        return await self._note(call, ref)

    async def _note(self, placed: Call, ref: CarrierRef | None) -> Call:
        """Note the carrier's reference; or that it refused."""

        async def change(tx: Tx) -> Call:
            call = await tx.calls.get_even_deleted(placed.id)
            if ref is None:
                call.reach(CallOutcome.FAILED)
                call.end(self.clock.now())
            else:
                adopt(tx, call, ref)
            tx.save(call)
            return call

        return await self.store.update(placed.account_id, change)


def adopt(tx: Tx, call: Call, ref: CarrierRef) -> None:
    """Note the carrier's reference of a call that we asked for, and that it is on record. Repeating is harmless."""
    if call.ref is None:
        call.adopt(ref)
        tx.never_again(call_taken(ref))


@dataclass(frozen=True, slots=True)
class AppCall:
    """A call from an app, as the carrier tells of it: all but the app's name is the app's own word.

    `line_id` is the line that the app says it calls from, where it says so.
    """

    ref: CarrierRef
    client: str
    to: str
    line_id: LineId | None = None


@dataclass(frozen=True, slots=True)
class AnswerApp:
    """Says what is done with a call that an app makes."""

    store: Store
    clients: CallClients
    begin: BeginCall

    async def __call__(self, app_call: AppCall) -> CallAnswer:
        """Return what the carrier is told: the call goes out from the line that the app's name stands for, or not.

        Asking again answers the same. Raises KeyGone.
        """
        owner = await self.clients.owner(app_call.client)
        if owner is None or app_call.line_id not in {None, owner.line_id}:
            return REFUSAL
        paid, answer = list[int](), REFUSAL

        async def change(tx: Tx) -> CallAnswer:
            line, call = await tx.lines.get(owner.line_id), await known_call(tx, app_call.ref)
            if call is not None:
                return await self._again(tx, call, line)
            if await tx.idempotency.earlier_result(call_taken(app_call.ref)) is not None:
                return OVER
            call, longest = await self.begin(tx, line, Peer(app_call.to), app_call.ref, paid)
            tx.never_again(call_taken(app_call.ref))
            answer = await self._answered(tx, call, line, longest)
            tx.save(call)
            return answer

        async with passing_over_the_erased(self.store, Lease(*owner), fresh=True):
            try:
                answer = await self.store.update(owner.account_id, change)
            except tuple(NOTICES) as refusal:
                return refused(refusal, await language_of(self.store, owner.account_id))
            except (LineNotActive, NotForCalls):
                return REFUSAL
        return answer

    async def _again(self, tx: Tx, call: Call, line: PhoneLine) -> CallAnswer:
        if call.is_deleted or call.is_over or call.line_id != line.id or call.peer is None:
            return OVER
        terms = await self.begin.costs.pay(line, PhoneNumber(call.peer), already=call.reserved or 1)
        return await self._answered(tx, call, line, terms.longest)

    async def _answered(self, tx: Tx, call: Call, line: PhoneLine, longest: timedelta) -> CallAnswer:
        if call.is_to_itself(line.number):
            call.reach(CallOutcome.IN_PROGRESS)
            return greeting_asked(call, line, spoken_to(await tx.accounts.get_even_broken()))
        return connected(call, line, longest)


async def language_of(store: Store, account_id: AccountId) -> Spoken:
    """Return in which language a person is spoken to. Raises KeyGone."""
    async with store.begin(account_id) as tx:
        return spoken_to(await tx.accounts.get_even_broken())


def refused(refusal: PicoError, language: Spoken) -> CallAnswer:
    """Tell whoever calls why their call is refused."""
    said: tuple[Instruction, ...] = (Say(NOTICES[type(refusal)]), HangUp())
    return CallAnswer(said, language=language)


def connected(call: Call, line: PhoneLine, longest: timedelta) -> CallAnswer:
    """Have the carrier call the other side, always from the line's own number."""
    if call.peer is None:
        return OVER
    return CallAnswer((Connect(PhoneNumber(call.peer), line.number, longest),), line.id, call.id)


def greeting_asked(call: Call, line: PhoneLine, language: Spoken) -> CallAnswer:
    """Have the person say what the line's callers are to hear; nobody is called."""
    return CallAnswer((RecordGreeting(),), line.id, call.id, language)


@dataclass(frozen=True, slots=True)
class PickedUp:
    """An app answered a call that we had the carrier make. `number` is the line's own, from which it rang."""

    ref: CarrierRef
    number: PhoneNumber
    line_id: LineId | None
    call_id: CallId | None


@dataclass(frozen=True, slots=True)
class ConnectCall:
    """Says what is done when an app answers a call that we had the carrier make."""

    store: Store
    directory: Directory
    costs: CallCosts

    async def __call__(self, picked_up: PickedUp) -> CallAnswer:
        """Return what the carrier is told. Asking again answers the same. Raises KeyGone."""
        call_id = picked_up.call_id
        lease = await self.directory.line(picked_up.number, fresh=True)
        if call_id is None or lease is None or picked_up.line_id not in {None, lease.line_id}:
            return OVER

        async def change(tx: Tx) -> tuple[Call, PhoneLine]:
            line, call = await tx.lines.get(lease.line_id), await tx.calls.get_even_deleted(call_id)
            known = (call.line_id, call.direction) == (line.id, CallDirection.OUTBOUND)
            if (
                not known
                or call.is_deleted
                or call.altered
                or call.is_over
                or call.ref not in {None, picked_up.ref}
            ):
                raise NotFound
            if not line.lets_calls_out:
                raise NotFound
            adopt(tx, call, picked_up.ref)
            if call.is_to_itself(line.number):
                call.reach(CallOutcome.IN_PROGRESS)
            tx.save(call)
            return call, line

        answer = OVER
        async with passing_over_the_erased(self.store, lease, fresh=True):
            answer = await self._connected(*await self.store.update(lease.account_id, change))
        return answer  # noqa: RET504 - an account that is being erased is passed over

    async def _connected(self, call: Call, line: PhoneLine) -> CallAnswer:
        if call.peer is None:
            return OVER
        try:
            terms = await self.costs.pay(line, PhoneNumber(call.peer), already=call.reserved)
        except tuple(NOTICES) as refusal:
            return refused(refusal, await language_of(self.store, line.account_id))
        if call.is_to_itself(line.number):
            return greeting_asked(call, line, await language_of(self.store, line.account_id))
        return connected(call, line, terms.longest)
