"""Subscriptions: what an account pays for, as its provider last said, and what follows from it by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, NewType, Self
from uuid import UUID

from domain.classification import IndexScope, held
from domain.entitlements import Plan
from domain.kernel import AccountId, Aggregate, ErrorKind, Event, PicoError, SealBroken
from domain.money import Money
from domain.retention import due
from domain.values import PersonalText

SubscriptionId = NewType("SubscriptionId", UUID)


class PlanName(StrEnum):
    """The plans that can be bought, where they are offered."""

    BASIC = "basic"
    PLUS = "plus"
    TEAM = "team"


class SubscriptionState(StrEnum):
    """Where a subscription stands."""

    NONE = "none"
    """There is none, or none yet."""
    INCOMPLETE = "incomplete"
    """The first payment has not come through."""
    ACTIVE = "active"
    """Paid, or on trial."""
    PAST_DUE = "past_due"
    """The last payment failed and is tried again: for a time of grace nothing changes."""
    UNPAID = "unpaid"
    PAUSED = "paused"
    ENDED = "ended"


class Seller(StrEnum):
    """Through whom a subscription is paid."""

    STRIPE = "stripe"
    APP_STORE = "app_store"
    PLAY_STORE = "play_store"


class PlanNotOffered(PicoError):
    """This plan is not on offer here."""

    kind = ErrorKind.CONFLICT
    code = "plan_not_offered"


class AlreadySubscribed(PicoError):
    """There is a subscription already: change its plan, or end it where it was bought."""

    kind = ErrorKind.CONFLICT
    code = "already_subscribed"


class NotSubscribed(PicoError):
    """This needs a subscription that is paid for here."""

    kind = ErrorKind.CONFLICT
    code = "not_subscribed"


class PayerRef(PersonalText):
    """What a payment provider calls an account that pays or paid: its own opaque id."""

    __slots__ = ()


class PurchaseToken(PersonalText):
    """By what an app store knows a purchase, and which store."""

    __slots__ = ()

    @classmethod
    def of(cls, seller: Seller, token: str) -> Self:
        """Return the token of a store's purchase."""
        return cls(f"{seller}:{token}")

    @property
    def seller(self) -> Seller:
        """Which store it is."""
        return Seller(self.partition(":")[0])

    @property
    def opaque(self) -> str:
        """What the store itself calls it."""
        return self.partition(":")[2]


class BuyerToken(PersonalText):
    """By what an app store knows whose a purchase is: a UUID, drawn at random for the account."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan as it is sold: what it costs a month and what it entitles to."""

    name: PlanName
    price: Money
    plan: Plan


@dataclass(frozen=True, slots=True)
class Offers:
    """The plans on offer, and what an account may have that pays for none."""

    on_sale: Mapping[PlanName, Offer] = field(default_factory=dict)
    free: Plan = Plan(0)  # noqa: RUF009 - a frozen value

    def get(self, name: PlanName) -> Offer:
        """Return an offer. Raises PlanNotOffered."""
        try:
            return self.on_sale[name]
        except KeyError:
            raise PlanNotOffered from None

    def entitled(self, subscription: Subscription | None, now: datetime) -> Plan:
        """Return what an account is entitled to: by its subscription, or without one, whichever is more."""
        if subscription is None or not subscription.entitles(now):
            return self.free
        paid = None if subscription.plan is None else self.on_sale.get(subscription.plan)
        return self.free if paid is None or paid.plan.lines < self.free.lines else paid.plan

    def silences(self, subscription: Subscription | None, lines: int, now: datetime) -> bool:
        """Tell whether an account's lines are silent because nothing entitles to so many any more."""
        lapsed = subscription is not None and subscription.has_lapsed(now)
        return lapsed and lines > self.free.lines


@dataclass(frozen=True, slots=True)
class LapsePolicy:
    """What happens, and when, once nobody pays any more."""

    grace: timedelta = timedelta(days=7)
    """As long as a payment that failed changes nothing."""
    warning: timedelta = timedelta(days=23)
    """After the lapse the person is told that the numbers will go."""
    release: timedelta = timedelta(days=7)
    """After the warning they are given up; each can be taken back for as long as any that was given up."""


LAPSE = LapsePolicy()
LOOK_WITHIN = timedelta(days=7)
"""How long nobody looks, at most: whatever a provider told in vain is known by then."""
SOON = timedelta(minutes=5)
AFTER_PERIOD = timedelta(hours=2)
"""After a period's end, until a provider has charged for the next: Stripe waits for an hour before it does."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a provider says of an account's subscription: the truth, as of now."""

    state: SubscriptionState = SubscriptionState.NONE
    plan: PlanName | None = None
    """None for one that is not among our plans."""
    period_ends_at: datetime | None = None
    ends_at: datetime | None = None
    """When it ends, if it is not renewed."""
    seller: Seller = Seller.STRIPE
    stopped: bool = False
    """Whether it was we who stopped what would have been charged, for an account that was deleted."""
    doubled: bool = False
    """Whether another one is renewed besides."""
    unacknowledged: bool = False
    """Whether an app store waits to hear that the person has what was bought, and gives the money back otherwise."""

    @property
    def renews(self) -> bool:
        """Whether something will be charged, or may be."""
        return self.state in CHARGED and self.ends_at is None


def best_of(one: Seen, other: Seen) -> Seen:
    """Return what counts of two: what entitles before what does not, what is not over before what is."""
    return min(one, other, key=lambda seen: RANK.index(seen.state))


RANK = (
    SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE, SubscriptionState.PAUSED, SubscriptionState.UNPAID,
    SubscriptionState.INCOMPLETE, SubscriptionState.ENDED, SubscriptionState.NONE,
)  # fmt: skip
"""Of several subscriptions the one whose state stands first counts."""
CHARGED = frozenset(
    {
        SubscriptionState.INCOMPLETE, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE,
        SubscriptionState.UNPAID, SubscriptionState.PAUSED,
    }
)  # fmt: skip
"""States of a subscription that is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(Event):
    """The provider says something else of the subscription than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Event):
    """A renewal was not paid; the provider tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionLapsed(Event):
    """Nothing is paid any more: lines fall silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAnnounced(Event):
    """The person is to be told that the numbers of the lines will go."""


@dataclass(slots=True, kw_only=True)
class Subscription(Aggregate):
    """What an account pays for. An account has one row at most, from its first look at a checkout on."""

    stored_as: ClassVar[str] = "subscriptions"
    clause: ClassVar[str] = "C13"

    account_id: AccountId
    id: SubscriptionId
    payer: Annotated[PayerRef | None, held(index=IndexScope.SYSTEM)] = None
    purchase: PurchaseToken | None = None
    """Of one that was bought in an app store."""
    buyer: Annotated[BuyerToken | None, held(index=IndexScope.SYSTEM)] = None
    state: Annotated[SubscriptionState, held(bound=True)] = SubscriptionState.NONE
    seller: Annotated[Seller, held(bound=True)] = Seller.STRIPE
    plan: Annotated[PlanName | None, held(bound=True)] = None
    period_ends_at: Annotated[datetime | None, held(bound=True)] = None
    ends_at: Annotated[datetime | None, held(bound=True)] = None
    past_due_since: Annotated[datetime | None, held(bound=True)] = None
    lapsed_at: Annotated[datetime | None, held(bound=True)] = None
    warned_at: Annotated[datetime | None, held(bound=True)] = None
    payer_asked_at: Annotated[datetime | None, held(bound=True, exported=False)] = None
    """When the provider was first asked to make a payer: on record before it is."""
    look_at: Annotated[datetime | None, held(bound=True, exported=False)] = None
    """When a job looks again, at the latest."""
    looks: Annotated[int, held(bound=True, exported=False)] = 0
    """How often it was looked: an answer is applied to the row that it was asked for, and to no later one."""

    @classmethod
    def begin(cls, account_id: AccountId) -> Self:
        """Make the row of an account that has paid for nothing yet. It has the account's id: there is no second one."""
        return cls(account_id=account_id, id=SubscriptionId(account_id))

    def is_listed_by(self, field: str) -> bool:
        """Tell whether the directory leads here: by a payer and by a buyer, once there is one."""
        return getattr(self, field) is not None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing that could be charged, as far as we know."""
        return self.state not in CHARGED

    @property
    def is_bought_in_store(self) -> bool:
        """Whether only its person can end it, in the store where it was bought."""
        return self.seller is not Seller.STRIPE and not self.is_over

    def must_be_free(self) -> None:
        """Raise AlreadySubscribed while a subscription would be the second one, SealBroken for an altered row."""
        self.must_be_whole()
        if self.state in CHARGED - {SubscriptionState.INCOMPLETE}:
            raise AlreadySubscribed

    def must_be_readable(self) -> None:
        """Raise SealBroken unless it says who pays, and what decides is as it was sealed."""
        self.must_be_whole()
        if self.unreadable:
            raise SealBroken

    def must_be_paid_here(self) -> PayerRef:
        """Return who pays. Raises NotSubscribed, SealBroken."""
        self.must_be_whole()
        if self.payer is None or self.seller is not Seller.STRIPE:
            raise NotSubscribed
        return self.payer

    def lose_payer(self, payer: PayerRef) -> None:
        """Note that the provider knows this payer no more: another one is to be made. Repeating is harmless."""
        if self.payer == payer:
            self.payer = None

    def ask_for_payer(self, at: datetime) -> None:
        """Note that the provider is about to be asked to make a payer. The first time counts."""
        self.payer_asked_at = self.payer_asked_at or at

    def entitles(self, now: datetime) -> bool:
        """Tell whether it is paid for, or within the time of grace."""
        if self.altered:
            return False
        if self.state is SubscriptionState.PAST_DUE:
            return self.past_due_since is None or not due(self.past_due_since, LAPSE.grace, now)
        return self.state is SubscriptionState.ACTIVE

    def has_lapsed(self, now: datetime) -> bool:
        """Tell whether it was paid for, and is no more."""
        return not self.altered and self.state not in NEVER_PAID and not self.entitles(now)

    def apply(self, seen: Seen, now: datetime) -> None:
        """Take over what the provider says. Repeating is harmless."""
        self.looks += 1
        before = (self.state, self.seller, self.plan, self.period_ends_at, self.ends_at)
        gone = seen.state is SubscriptionState.NONE and self.state not in NEVER_PAID
        self.state, self.seller = SubscriptionState.ENDED if gone else seen.state, seen.seller
        self.plan = seen.plan or (self.plan if seen.state in CHARGED else None)
        self.period_ends_at, self.ends_at = seen.period_ends_at, seen.ends_at
        if self.state is not SubscriptionState.PAST_DUE:
            self.past_due_since = None
        elif self.past_due_since is None:
            self.past_due_since = now
            self.record(PaymentFailed(account_id=self.account_id, subject=self.id, at=now))
        if before != (self.state, self.seller, self.plan, self.period_ends_at, self.ends_at):
            self.record(SubscriptionChanged(account_id=self.account_id, subject=self.id, at=now))

    def grow_older(self, now: datetime) -> None:
        """Note what the clock made of it: that it lapsed, that the time to warn has come. Repeating is harmless."""
        if not self.has_lapsed(now):
            self.lapsed_at = self.warned_at = None
        elif self.lapsed_at is None:
            self.lapsed_at = now
            self.record(SubscriptionLapsed(account_id=self.account_id, subject=self.id, at=now))
        elif self.warned_at is None and due(self.lapsed_at, LAPSE.warning, now):
            self.warned_at = now
            self.record(ReleaseAnnounced(account_id=self.account_id, subject=self.id, at=now))

    def gives_lines_up(self, now: datetime) -> bool:
        """Tell whether the numbers of its lines go: nobody pays, and the person was told in time."""
        return self.warned_at is not None and due(self.warned_at, LAPSE.release, now)

    def look_again(self, now: datetime) -> timedelta | None:
        """Return after how long to look again, if no job does as soon as that already; None: one does, or none need."""
        if self.state is SubscriptionState.NONE or self.gives_lines_up(now):
            return None
        instants = (
            self.period_ends_at and self.period_ends_at + AFTER_PERIOD,
            self.past_due_since and self.past_due_since + LAPSE.grace,
            self.lapsed_at and self.lapsed_at + LAPSE.warning,
            self.warned_at and self.warned_at + LAPSE.release,
        )
        wait = min((at - now for at in instants if at is not None and at > now), default=LOOK_WITHIN)
        wait = max(min(wait, LOOK_WITHIN), SOON)
        if self.look_at is not None and now < self.look_at <= now + wait:
            return None
        self.look_at = now + wait
        return wait


NEVER_PAID = frozenset({SubscriptionState.NONE, SubscriptionState.INCOMPLETE})
