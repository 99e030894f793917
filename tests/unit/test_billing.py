"""What an account pays for: bought, renewed, failing, over; and what its lines and its person notice of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.outbound.memory.payments import DRAFT, PERIOD
from application.ports.mail import MailKind
from application.ports.payments import PaymentHint, PaymentsUnavailable
from bootstrap.worlds import InMemory
from domain.accounts import AccountRestricted, InboundChoice, PendingDeletion
from domain.billing import (
    LAPSE,
    AlreadySubscribed,
    NotSubscribed,
    Offer,
    Offers,
    PayerRef,
    PlanName,
    PlanNotOffered,
    SubscriptionState,
)
from domain.entitlements import LineLimitReached, Plan
from domain.idempotency import IdempotencyMismatch
from domain.kernel import AccountId
from domain.lines import LineState
from domain.money import Money
from tests.support.actors import PASSWORD, Person, sign_up

NUMBERS = ("+12025550143", "+12025550144", "+12025550145")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
PAID_ONLY = Offers(
    {
        PlanName.BASIC: Offer(PlanName.BASIC, Money(499, "USD"), Plan(1)),
        PlanName.PLUS: Offer(PlanName.PLUS, Money(1299, "USD"), Plan(3)),
    }
)
"""Nothing is free."""


@pytest.fixture
def world() -> InMemory:
    return InMemory(offers=PAID_ONLY)


def payer_of(world: InMemory, account_id: AccountId) -> PayerRef:
    (payer,) = (ref for ref, payer in world.payments.payers.items() if payer.account_id == account_id)
    return payer


async def tell(world: InMemory) -> None:
    """Have the provider's hints come in."""
    for hint in list(world.payments.events):
        await world.use_cases.receive_payment_hint(hint)
    await world.settle()


async def subscribe(world: InMemory, plan: PlanName = PlanName.BASIC, name: str = "ada") -> Person:
    person = await sign_up(world, name)
    await world.use_cases.open_checkout(person.id, plan, "checkout")
    world.payments.buy(payer_of(world, person.id))
    await tell(world)
    return person


async def state(world: InMemory, person: Person) -> SubscriptionState:
    return (await world.use_cases.read_subscription(person.id)).subscription.state


def mails(world: InMemory) -> list[MailKind]:
    return [mail.kind for mail in world.mail.sent]


async def test_a_plan_entitles_once_it_is_paid_and_not_before(world: InMemory) -> None:
    ada = await sign_up(world)
    with pytest.raises(LineLimitReached):
        await ada.with_line(NUMBERS[0])
    opened = await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "checkout")
    assert opened.page.url.startswith("https://")
    with pytest.raises(LineLimitReached):
        await ada.with_line(NUMBERS[0])
    world.payments.buy(payer_of(world, ada.id))
    await tell(world)
    await ada.with_line(NUMBERS[0])
    with pytest.raises(LineLimitReached):
        await ada.with_line(NUMBERS[1])


async def test_a_purchase_that_nobody_told_of_is_found(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "checkout")
    world.payments.buy(payer_of(world, ada.id))
    await world.advance(timedelta(hours=1))
    assert await state(world, ada) is SubscriptionState.ACTIVE


async def test_what_no_webhook_told_is_read_from_the_providers_list(world: InMemory) -> None:
    ada = await subscribe(world)
    await world.use_cases.sweep()
    world.payments.decline(payer_of(world, ada.id))
    await world.advance(timedelta(minutes=61))
    asked = world.payments.calls.count("hints")
    await world.use_cases.sweep()
    await world.use_cases.sweep()
    assert world.payments.calls.count("hints") == asked, "once an hour"
    world.payments.outage = True
    swept = await world.advance(timedelta(hours=1))
    assert swept.failed == {"payments_unavailable": 1}
    world.payments.outage = False
    world.payments.end(payer_of(world, ada.id))
    await world.advance(timedelta(minutes=11))
    assert (await world.use_cases.read_subscription(ada.id)).subscription.ends_at is not None


async def test_a_checkout_repeated_with_its_key_is_the_same_page(world: InMemory) -> None:
    ada = await sign_up(world)
    opened = await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "one")
    again = await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "one")
    assert (again.page, again.id, again.repeated) == (opened.page, opened.id, True)
    with pytest.raises(IdempotencyMismatch):
        await world.use_cases.open_checkout(ada.id, PlanName.PLUS, "one")
    with pytest.raises(PlanNotOffered):
        await world.use_cases.open_checkout(ada.id, PlanName.TEAM, "two")


async def test_whatever_answers_get_lost_there_is_one_payer_and_one_page(world: InMemory) -> None:
    ada = await sign_up(world)
    for lost in range(1, 4):
        world.payments.lost_answers = lost
        for _ in range(lost):
            with pytest.raises(PaymentsUnavailable):
                await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "one")
        await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "one")
    assert len(world.payments.payers) == 1
    (payer,) = world.payments.payers.values()
    assert len(payer.pages) == 1


async def test_a_payer_made_by_a_request_of_long_ago_is_found_again(world: InMemory) -> None:
    ada = await sign_up(world)
    world.payments.lost_answers = 1
    with pytest.raises(PaymentsUnavailable):
        await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "one")
    world.payments._done.clear()  # the provider remembers no key for ever
    await world.advance(2 * DAY)
    await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "two")
    assert len(world.payments.payers) == 1


async def test_only_one_page_can_be_paid_on_and_no_second_plan_is_bought(world: InMemory) -> None:
    ada = await sign_up(world)
    for key in ("one", "two"):
        await world.use_cases.open_checkout(ada.id, PlanName.BASIC, key)
    payer = payer_of(world, ada.id)
    world.payments.buy(payer)
    with pytest.raises(LookupError):
        world.payments.buy(payer)
    await tell(world)
    with pytest.raises(AlreadySubscribed):
        await world.use_cases.open_checkout(ada.id, PlanName.PLUS, "three")


async def test_a_plan_is_changed_once_and_never_to_fewer_lines_than_there_are(world: InMemory) -> None:
    ada = await subscribe(world)
    await ada.with_line(NUMBERS[0])
    change = world.use_cases.change_plan
    assert await change(ada.id, PlanName.PLUS, "key") is False
    assert await change(ada.id, PlanName.PLUS, "key") is True
    assert len(world.payments.bills) == 2, "charged at once, and once"
    await ada.with_line(NUMBERS[1])
    with pytest.raises(LineLimitReached):
        await change(ada.id, PlanName.BASIC, "other")
    ben = await sign_up(world, "ben")
    with pytest.raises(NotSubscribed):
        await change(ben.id, PlanName.PLUS, "key")
    with pytest.raises(NotSubscribed):
        await world.use_cases.open_portal(ben.id)
    assert (await world.use_cases.open_portal(ada.id)).url


async def test_who_pays_again_pays_for_the_lines_there_are(world: InMemory) -> None:
    ada = await subscribe(world, PlanName.PLUS)
    for number in NUMBERS:
        await ada.with_line(number)
    world.payments.end(payer_of(world, ada.id))
    await world.advance(PERIOD)
    await tell(world)
    with pytest.raises(LineLimitReached):
        await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "again")
    await world.use_cases.open_checkout(ada.id, PlanName.PLUS, "as before")


async def test_a_payment_that_fails_changes_nothing_for_the_time_of_grace(world: InMemory) -> None:
    ada = await (await subscribe(world)).with_line(NUMBERS[0])
    world.payments.decline(payer_of(world, ada.id))
    await world.advance(PERIOD + DRAFT)
    await tell(world)
    assert await state(world, ada) is SubscriptionState.PAST_DUE
    assert mails(world).count(MailKind.PAYMENT_FAILED) == 1
    await world.advance(LAPSE.grace - MINUTE)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.ACTIVE
    await world.advance(MINUTE + DAY)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.SUSPENDED
    assert mails(world).count(MailKind.SUBSCRIPTION_LAPSED) == 1
    world.payments.decline(payer_of(world, ada.id), declines=False)
    await tell(world)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.ACTIVE


async def test_after_a_long_lapse_the_numbers_go_and_never_without_a_warning(world: InMemory) -> None:
    ada = await (await subscribe(world)).with_line(NUMBERS[0])
    world.payments.end(payer_of(world, ada.id))
    await world.advance(PERIOD)
    await tell(world)
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert line.state is LineState.SUSPENDED
    await world.advance(100 * DAY)
    assert mails(world).count(MailKind.RELEASE_ANNOUNCED) == 1
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert line.state is LineState.SUSPENDED, "somebody was warned a moment ago"
    await world.advance(LAPSE.release)
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert line.state is LineState.PENDING_RELEASE
    with pytest.raises(NotSubscribed):
        await world.use_cases.cancel_release(ada.id, ada.line_id)
    await world.advance(7 * DAY)
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert line.state is LineState.RELEASED
    assert not world.carrier.numbers


async def test_a_number_that_was_given_up_is_back_with_who_pays_again_in_time(world: InMemory) -> None:
    ada = await (await subscribe(world)).with_line(NUMBERS[0])
    world.payments.end(payer_of(world, ada.id))
    await world.advance(PERIOD)
    for wait in (LAPSE.warning + DAY, LAPSE.release + DAY):
        await world.advance(wait)
    await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "again")
    world.payments.buy(payer_of(world, ada.id))
    await tell(world)
    await world.use_cases.cancel_release(ada.id, ada.line_id)
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert line.state is LineState.ACTIVE


async def test_deletion_stops_the_renewal_before_it_is_answered_and_recovery_restores_it(
    world: InMemory,
) -> None:
    ada = await subscribe(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    (payer,) = world.payments.payers.values()
    assert [bought.ends for bought in payer.bought] == [True]
    await world.advance(DAY)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    await world.settle()
    assert [bought.ends for bought in payer.bought] == [False]
    await world.advance(PERIOD)
    assert len(world.payments.bills) == 2


async def test_what_the_person_ended_stays_ended_after_a_recovery(world: InMemory) -> None:
    ada = await subscribe(world)
    world.payments.end(payer_of(world, ada.id))
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    await world.settle()
    await world.advance(PERIOD + DAY)
    assert len(world.payments.bills) == 1


async def test_an_outage_at_deletion_is_made_good_and_an_open_page_sells_nothing(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "key")
    world.payments.outage = True
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.settle()
    world.payments.outage = False
    await world.advance(MINUTE)
    with pytest.raises(LookupError):
        world.payments.buy(payer_of(world, ada.id))


async def test_a_page_that_was_on_its_way_while_the_account_was_deleted_is_closed(world: InMemory) -> None:
    ada = await sign_up(world)
    payments = world.payments
    honest = payments.open_checkout

    async def slow(*given: object) -> object:
        page = await honest(*given)  # type: ignore[arg-type]  # passed on
        await world.use_cases.delete_account(ada.id, PASSWORD)
        payer = payer_of(world, ada.id)
        payments.payers[payer].open_page = next(iter(payments.payers[payer].pages))  # it came late
        return page

    payments.open_checkout = slow  # type: ignore[method-assign, assignment]
    with pytest.raises(PendingDeletion):
        await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "key")
    with pytest.raises(LookupError):
        payments.buy(payer_of(world, ada.id))


async def test_a_renewal_that_is_taken_up_again_at_the_provider_is_stopped_again(world: InMemory) -> None:
    ada = await subscribe(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.payments.end(payer_of(world, ada.id), ends=False)  # in a portal that was open still
    await tell(world)
    (payer,) = world.payments.payers.values()
    assert payer.bought[0].ends


async def test_erasure_cancels_and_forgets_the_payer_and_counts_both(world: InMemory) -> None:
    ada = await subscribe(world)
    await world.use_cases.delete_account(ada.id, PASSWORD, waived=True)
    await world.advance(timedelta())
    await world.advance(timedelta())
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert (receipt.facts["subscriptions_cancelled"], receipt.facts["payers_deleted"]) == (1, 1)
    assert [payer.deleted for payer in world.payments.payers.values()] == [True]
    for hint in list(world.payments.events):
        await world.use_cases.receive_payment_hint(hint)


async def test_erasure_finds_a_payer_that_only_the_provider_knows(world: InMemory) -> None:
    ada = await sign_up(world)
    world.payments.lost_answers = 1
    with pytest.raises(PaymentsUnavailable):
        await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "one")
    await world.use_cases.delete_account(ada.id, PASSWORD, waived=True)
    await world.advance(timedelta())
    assert [payer.deleted for payer in world.payments.payers.values()] == [True]


async def test_a_hint_counts_once_and_one_for_nobody_is_dropped(world: InMemory) -> None:
    ada = await subscribe(world)
    fetched = world.payments.calls.count("fetch")
    hint = PaymentHint("evt_1", payer_of(world, ada.id), world.clock.now())
    for _ in range(3):
        await world.use_cases.receive_payment_hint(hint)
        await world.use_cases.receive_payment_hint(PaymentHint("evt_2", PayerRef("cus_other"), hint.at))
        await world.settle()
    assert world.payments.calls.count("fetch") == fetched + 1


async def test_a_frozen_account_buys_nothing_and_can_still_end_what_it_pays_for(world: InMemory) -> None:
    ada = await subscribe(world)
    await world.use_cases.restrict_account(ada.id, InboundChoice.REFUSED)
    with pytest.raises(AccountRestricted):
        await world.use_cases.change_plan(ada.id, PlanName.PLUS, "key")
    assert (await world.use_cases.open_portal(ada.id)).url
    ben = await sign_up(world, "ben")
    await world.use_cases.restrict_account(ben.id, InboundChoice.REFUSED)
    with pytest.raises(AccountRestricted):
        await world.use_cases.open_checkout(ben.id, PlanName.BASIC, "key")
