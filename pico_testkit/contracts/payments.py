"""What every payment provider promises, whichever stands behind the port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.payments import PaymentHint, PaymentRefused, Payments, PaymentsUnavailable
from domain.billing import PayerRef, PlanName, PlanNotOffered, Seen, SubscriptionState
from domain.kernel import AccountId

ADA, BEN = (AccountId(UUID(int=number, version=4)) for number in (1, 2))
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR, PERIOD = timedelta(hours=1), timedelta(days=30)


class PaymentsContract:
    """Subclass it, and give the fixtures: `payments`, which sells `basic` and `plus` and no `team`, and the knobs.

    The provider's months have thirty days, and it drafts an invoice an hour before it finalises it.
    """

    @pytest.fixture
    def payments(self) -> Payments:
        raise NotImplementedError

    @pytest.fixture
    def advance(self) -> Callable[[timedelta], None]:
        """Move the provider's clock, which begins at `START`."""
        raise NotImplementedError

    @pytest.fixture
    def buy(self) -> Callable[[PayerRef], None]:
        """Have the person pay on the one page that is open. Raises LookupError where none is."""
        raise NotImplementedError

    @pytest.fixture
    def declines(self) -> Callable[[bool], None]:
        """Have every card be refused from now on, or taken; then what is owed is charged at once."""
        raise NotImplementedError

    @pytest.fixture
    def finalised(self) -> Callable[[], int]:
        """Return how many invoices were finalised so far."""
        raise NotImplementedError

    @pytest.fixture
    def paid(self) -> Callable[[], int]:
        """Return how many invoices were paid so far."""
        raise NotImplementedError

    @pytest.fixture
    def outage(self) -> Callable[[bool], None]:
        """Make the provider not answer, or answer again."""
        raise NotImplementedError

    @pytest.fixture
    def lose_answer(self) -> Callable[[], None]:
        """Have the next write be done, and its answer lost."""
        raise NotImplementedError

    async def payer(self, payments: Payments) -> PayerRef:
        return await payments.make_payer(ADA, uuid4())

    async def bought(self, payments: Payments, buy: Callable[[PayerRef], None]) -> PayerRef:
        payer = await self.payer(payments)
        await payments.open_checkout(payer, ADA, PlanName.BASIC, uuid4())
        buy(payer)
        return payer

    async def test_a_payer_is_made_once_for_a_key_and_found_by_the_account(self, payments: Payments) -> None:
        key = uuid4()
        payer = await payments.make_payer(ADA, key)
        assert await payments.make_payer(ADA, key) == payer
        other = await payments.make_payer(BEN, uuid4())
        assert other != payer
        assert await payments.find_payers(ADA, START - HOUR) == [payer]
        assert await payments.find_payers(ADA, START + HOUR) == []
        assert await payments.holds_payer(payer)
        assert await payments.fetch(payer) == Seen()

    async def test_a_write_whose_answer_is_lost_is_done_once(
        self, payments: Payments, lose_answer: Callable[[], None]
    ) -> None:
        key = uuid4()
        lose_answer()
        with pytest.raises(PaymentsUnavailable):
            await payments.make_payer(ADA, key)
        payer = await payments.make_payer(ADA, key)
        assert await payments.find_payers(ADA, START - HOUR) == [payer]

    async def test_nothing_is_paid_for_before_it_is_bought(
        self, payments: Payments, buy: Callable[[PayerRef], None]
    ) -> None:
        payer = await self.payer(payments)
        key = uuid4()
        page = await payments.open_checkout(payer, ADA, PlanName.BASIC, key)
        assert page.url
        assert await payments.open_checkout(payer, ADA, PlanName.BASIC, key) == page
        assert (await payments.fetch(payer)).state is SubscriptionState.NONE
        buy(payer)
        assert await payments.fetch(payer) == Seen(
            SubscriptionState.ACTIVE, PlanName.BASIC, START + PERIOD, None
        )
        assert await payments.charges(payer)

    async def test_of_several_pages_only_the_last_sells(
        self, payments: Payments, buy: Callable[[PayerRef], None]
    ) -> None:
        payer = await self.payer(payments)
        for plan in (PlanName.BASIC, PlanName.PLUS):
            await payments.open_checkout(payer, ADA, plan, uuid4())
        buy(payer)
        assert (await payments.fetch(payer)).plan is PlanName.PLUS
        with pytest.raises(LookupError):
            buy(payer)

    async def test_what_is_not_on_offer_is_refused(self, payments: Payments) -> None:
        payer = await self.payer(payments)
        with pytest.raises(PlanNotOffered):
            await payments.open_checkout(payer, ADA, PlanName.TEAM, uuid4())
        with pytest.raises(PlanNotOffered):
            await payments.change_plan(payer, PlanName.TEAM, uuid4())
        with pytest.raises(PaymentRefused):
            await payments.change_plan(payer, PlanName.PLUS, uuid4())
        assert (await payments.open_portal(payer)).url

    async def test_a_closed_page_sells_nothing(
        self, payments: Payments, buy: Callable[[PayerRef], None]
    ) -> None:
        payer = await self.payer(payments)
        await payments.open_checkout(payer, ADA, PlanName.BASIC, uuid4())
        for _ in range(2):
            await payments.close_checkouts(payer)
        with pytest.raises(LookupError):
            buy(payer)

    async def test_a_plan_is_changed_once_and_paid_at_once(
        self, payments: Payments, buy: Callable[[PayerRef], None], finalised: Callable[[], int]
    ) -> None:
        payer = await self.bought(payments, buy)
        key = uuid4()
        for _ in range(2):
            await payments.change_plan(payer, PlanName.PLUS, key)
        assert (await payments.fetch(payer)).plan is PlanName.PLUS
        assert finalised() == 2

    async def test_a_renewal_is_charged_and_one_that_fails_is_past_due_until_it_is_paid(
        self,
        payments: Payments,
        buy: Callable[[PayerRef], None],
        advance: Callable[[timedelta], None],
        declines: Callable[[bool], None],
        finalised: Callable[[], int],
    ) -> None:
        payer = await self.bought(payments, buy)
        advance(PERIOD + HOUR)
        assert (await payments.fetch(payer)).period_ends_at == START + 2 * PERIOD
        assert finalised() == 2
        declines(True)
        advance(PERIOD)
        assert (await payments.fetch(payer)).state is SubscriptionState.PAST_DUE
        declines(False)
        assert (await payments.fetch(payer)).state is SubscriptionState.ACTIVE

    async def test_after_a_stop_nothing_is_charged_and_it_ends_with_its_period(
        self,
        payments: Payments,
        buy: Callable[[PayerRef], None],
        advance: Callable[[timedelta], None],
        finalised: Callable[[], int],
    ) -> None:
        payer = await self.bought(payments, buy)
        for _ in range(2):
            await payments.stop_renewal(payer)
        stopped = await payments.fetch(payer)
        assert (stopped.state, stopped.ends_at) == (SubscriptionState.ACTIVE, START + PERIOD)
        assert stopped.stopped
        assert not stopped.renews
        advance(PERIOD + 2 * HOUR)
        assert (await payments.fetch(payer)).state is SubscriptionState.ENDED
        assert finalised() == 1

    async def test_a_stop_holds_an_invoice_that_is_on_its_way_and_recovery_sends_it(
        self,
        payments: Payments,
        buy: Callable[[PayerRef], None],
        advance: Callable[[timedelta], None],
        finalised: Callable[[], int],
    ) -> None:
        payer = await self.bought(payments, buy)
        advance(PERIOD + HOUR / 2)
        await payments.stop_renewal(payer)
        advance(2 * HOUR)
        await payments.fetch(payer)
        assert finalised() == 1, "an invoice is finalised after goodbye"
        for _ in range(2):
            await payments.restore_renewal(payer)
        await payments.fetch(payer)
        assert finalised() == 2
        assert (await payments.fetch(payer)).renews

    async def test_a_stop_ends_the_retries_of_a_payment_that_failed(
        self,
        payments: Payments,
        buy: Callable[[PayerRef], None],
        advance: Callable[[timedelta], None],
        declines: Callable[[bool], None],
        paid: Callable[[], int],
    ) -> None:
        payer = await self.bought(payments, buy)
        declines(True)
        advance(PERIOD + HOUR)
        assert (await payments.fetch(payer)).state is SubscriptionState.PAST_DUE
        await payments.stop_renewal(payer)
        declines(False)
        advance(HOUR)
        await payments.fetch(payer)
        assert paid() == 1, "a payment is tried again after goodbye"

    async def test_what_was_bought_twice_is_renewed_once(
        self, payments: Payments, buy: Callable[[PayerRef], None], advance: Callable[[timedelta], None],
        finalised: Callable[[], int],
    ) -> None:  # fmt: skip
        payer = await self.bought(payments, buy)
        assert not (await payments.fetch(payer)).doubled
        await payments.open_checkout(payer, ADA, PlanName.PLUS, uuid4())
        buy(payer)
        assert (await payments.fetch(payer)).doubled
        for _ in range(2):
            await payments.end_doubles(payer)
        held = await payments.fetch(payer)
        assert (held.doubled, held.renews, held.plan) == (False, True, PlanName.BASIC)
        advance(PERIOD + HOUR)
        await payments.fetch(payer)
        assert finalised() == 3

    async def test_a_stop_closes_the_page(self, payments: Payments, buy: Callable[[PayerRef], None]) -> None:
        payer = await self.payer(payments)
        await payments.open_checkout(payer, ADA, PlanName.BASIC, uuid4())
        await payments.stop_renewal(payer)
        with pytest.raises(LookupError):
            buy(payer)

    async def test_restoring_undoes_a_stop_and_nothing_else(
        self, payments: Payments, buy: Callable[[PayerRef], None]
    ) -> None:
        payer = await self.bought(payments, buy)
        before = await payments.fetch(payer)
        await payments.restore_renewal(payer)
        assert await payments.fetch(payer) == before
        await payments.stop_renewal(payer)
        await payments.restore_renewal(payer)
        assert await payments.fetch(payer) == before

    async def test_what_is_cancelled_is_over_and_charges_nothing(
        self,
        payments: Payments,
        buy: Callable[[PayerRef], None],
        advance: Callable[[timedelta], None],
        finalised: Callable[[], int],
    ) -> None:
        payer = await self.bought(payments, buy)
        for _ in range(2):
            await payments.cancel(payer)
        assert not await payments.charges(payer)
        assert (await payments.fetch(payer)).state is SubscriptionState.ENDED
        advance(2 * PERIOD)
        await payments.fetch(payer)
        assert finalised() == 1

    async def test_a_payer_that_is_deleted_is_gone_and_so_is_what_they_paid_for(
        self, payments: Payments, buy: Callable[[PayerRef], None]
    ) -> None:
        payer = await self.bought(payments, buy)
        for _ in range(2):
            await payments.delete_payer(payer)
        assert not await payments.holds_payer(payer)
        assert not await payments.charges(payer)
        assert not (await payments.fetch(payer)).renews
        assert await payments.find_payers(ADA, START - HOUR) == []
        with pytest.raises(PaymentRefused):
            await payments.open_portal(payer)

    async def test_nobody_pays_for_nothing(self, payments: Payments) -> None:
        nobody = PayerRef("cus_nobody")
        await payments.cancel(nobody)
        await payments.end_doubles(nobody)
        await payments.delete_payer(nobody)
        await payments.stop_renewal(nobody)
        await payments.restore_renewal(nobody)
        assert not await payments.charges(nobody)
        assert not await payments.holds_payer(nobody)
        assert await payments.fetch(nobody) == Seen()

    async def test_the_list_of_what_happened_names_the_payer(
        self, payments: Payments, buy: Callable[[PayerRef], None], advance: Callable[[timedelta], None]
    ) -> None:
        payer = await self.bought(payments, buy)
        told = [hint async for hint in payments.hints(START - HOUR)]
        assert {hint.payer for hint in told} == {payer}
        assert len({hint.ref for hint in told}) == len(told)
        advance(2 * HOUR)
        since = [hint async for hint in payments.hints(START + HOUR)]
        assert since == []

    async def test_an_outage_is_told_from_everything_else(
        self, payments: Payments, buy: Callable[[PayerRef], None], outage: Callable[[bool], None]
    ) -> None:
        payer = await self.bought(payments, buy)
        outage(True)

        async def hints() -> list[PaymentHint]:
            return [hint async for hint in payments.hints(START)]

        asked = (
            lambda: payments.make_payer(ADA, uuid4()),
            lambda: payments.find_payers(ADA, START),
            lambda: payments.open_checkout(payer, ADA, PlanName.BASIC, uuid4()),
            lambda: payments.close_checkouts(payer),
            lambda: payments.open_portal(payer),
            lambda: payments.change_plan(payer, PlanName.PLUS, uuid4()),
            lambda: payments.fetch(payer),
            lambda: payments.stop_renewal(payer),
            lambda: payments.restore_renewal(payer),
            lambda: payments.end_doubles(payer),
            lambda: payments.cancel(payer),
            lambda: payments.charges(payer),
            lambda: payments.delete_payer(payer),
            lambda: payments.holds_payer(payer),
            hints,
        )
        for ask in asked:
            with pytest.raises(PaymentsUnavailable):
                await ask()
        outage(False)
        assert (await payments.fetch(payer)).renews
