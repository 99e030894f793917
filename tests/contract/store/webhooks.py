"""Promises about webhook endpoints: whoever is to hear of something is written down in the commit that does it."""

from __future__ import annotations

from datetime import timedelta

from application.ports.jobs import DELIVER_WEBHOOK
from application.ports.store import Tx
from domain.kernel import AccountId
from domain.live_kinds import LiveKind
from domain.values import Label
from domain.webhook_deliveries import WebhookDelivery, WebhookDeliveryState
from domain.webhook_endpoints import WebhookEndpoint
from tests.contract.store.world import World


async def changes_profile(world: World, account_id: AccountId) -> None:
    async def change(tx: Tx) -> None:
        account = await tx.accounts.get()
        account.change_profile(Label("Ada"), None, world.clock.now())
        tx.save(account)

    await world.store.update(account_id, change)


class WebhookPromises:
    async def told(self, world: World, endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
        async with world.store.begin(endpoint.account_id) as tx:
            return await tx.webhook_deliveries.page(endpoint.id, None, 99)

    async def test_each_endpoint_that_hears_of_it_gets_a_delivery_and_a_job_in_the_same_commit(
        self, world: World
    ) -> None:
        account_id, other_id = await world.account(), await world.account()
        every = world.new_endpoint(account_id)
        some = world.new_endpoint(account_id, LiveKind.MESSAGE_RECEIVED, LiveKind.ACCOUNT_CHANGED)
        deaf = world.new_endpoint(account_id, LiveKind.MESSAGE_RECEIVED)
        off, other = world.new_endpoint(account_id), world.new_endpoint(other_id)
        off.change(None, None, False, world.clock.now())
        off.collect()
        await world.commit(account_id, every, some, deaf, off)
        await world.commit(other_id, other)
        await changes_profile(world, account_id)
        for endpoint in (every, some):
            (delivery,) = await self.told(world, endpoint)
            assert (delivery.kind, delivery.subject) == (LiveKind.ACCOUNT_CHANGED, account_id)
            assert (delivery.state, delivery.attempts) == (WebhookDeliveryState.WAITING, 0)
            assert delivery.at == world.clock.now()
        for endpoint in (deaf, off, other):
            assert await self.told(world, endpoint) == []
        counted = await world.store.count_rows(account_id)
        assert (counted["webhook_deliveries"], counted["jobs"]) == (2, 2)
        assert DELIVER_WEBHOOK == "deliver_webhook"

    async def test_what_is_not_committed_is_told_to_nobody(self, world: World) -> None:
        account_id = await world.account()
        endpoint = world.new_endpoint(account_id)
        await world.commit(account_id, endpoint)

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            account.change_profile(Label("Ada"), None, world.clock.now())
            tx.save(account)
            raise LookupError

        try:
            await world.store.update(account_id, change)
        except LookupError:
            assert await self.told(world, endpoint) == []

    async def test_deliveries_come_latest_first_a_page_at_a_time(self, world: World) -> None:
        account_id = await world.account()
        endpoint, other = world.new_endpoint(account_id), world.new_endpoint(account_id)
        deliveries = [world.new_delivery(endpoint) for _ in range(5)]
        for place, each in enumerate(deliveries):
            each.at += timedelta(seconds=place // 2)
        await world.commit(account_id, endpoint, other, *deliveries, world.new_delivery(other))
        expected = sorted(((each.at, each.id) for each in deliveries), reverse=True)
        async with world.store.begin(account_id) as tx:
            first = await tx.webhook_deliveries.page(endpoint.id, None, 2)
            rest = await tx.webhook_deliveries.page(endpoint.id, (first[-1].at, first[-1].id), 9)
        assert [(each.at, each.id) for each in (*first, *rest)] == expected

    async def test_an_account_with_endpoints_is_erased_whole(self, world: World) -> None:
        has = await world.belongings()
        await changes_profile(world, has.account_id)
        deleted = await world.store.delete_rows(has.account_id)
        assert deleted["webhook_endpoints"] == 1
        assert deleted["webhook_deliveries"] == 2
        left = await world.store.count_rows(has.account_id)
        assert not any(left.values())
