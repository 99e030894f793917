"""What somebody tells who brings a number along: sealed, and gone once it was handed on, or was not in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from application.hold import HoldOfJob
from application.port_following import FollowPort, LapsePort
from application.ports.jobs import JobLease
from application.ports.porting import PortProgress
from application.ports.store import Tx
from domain.kernel import AccountId
from domain.porting import PortDetails, PortRequest, PortRequestId, PortText, Subscriber
from domain.values import Email
from pico_testkit.contracts.porting import BILL, NUMBER, OTHER
from tests.support.actors import Person, sign_up
from tests.support.harness import Anywhere, Databases, in_clear
from tests.support.proofs import proves

MOMENT, WEEK = timedelta(microseconds=1), timedelta(days=7)
SUBSCRIBER = Subscriber(
    is_business=False, name=PortText("Name Canary"), signer=PortText("Signer Canary"),
    signer_email=Email("canary.of.porting@example.org"), street=PortText("1 Canary Street"),
    city=PortText("Canaryville"),
    region=PortText("New Canary"), postal_code=PortText("94105-7731"), account_number=PortText("canary-8471920"),
    pin=PortText("canary-4711"),
)  # fmt: skip
SAID = PortDetails.of(SUBSCRIBER)


async def asked(ada: Person, number: str = NUMBER) -> PortRequest:
    do = ada.world.use_cases
    return (await do.request_port(ada.id, NUMBER if number == NUMBER else OTHER, SUBSCRIBER, number)).port


async def bill() -> AsyncIterator[bytes]:
    yield BILL + b" of the canary"


@proves(
    "C25",
    text="e30e008de43d",
    saboteur=in_clear("port_requests.details"),
    says="what is told lies in clear",
)
@proves(
    "C26", text="d60633000608", saboteur=in_clear("port_requests.number"), says="the number lies in clear"
)
async def test_who_the_subscriber_is_lies_there_as_ciphertext(stored: Databases) -> None:
    async with stored() as world:
        ada = await sign_up(world)
        port = await asked(ada)
        await world.use_cases.prove_port(ada.id, port.id, bill())
        who = {
            text
            for text in (SUBSCRIBER.name, SUBSCRIBER.street, SUBSCRIBER.account_number, SUBSCRIBER.pin)
            if text
        }
        assert await world.traces(SAID, *who) == set(), "what is told lies in clear"
        assert await world.traces(NUMBER) == set(), "the number lies in clear"
        assert await world.traces("of the canary") == set()
        row = await world.row("port_requests")
        assert (row["state"], row["rejection"], row["created_at"]) == ("requested", None, world.clock.now())


class RemembersWhatWasTold(FollowPort):
    """Keeps what the other carrier was told."""

    async def _submit(self, port: PortRequest, hold: HoldOfJob) -> PortProgress:
        progress = await super()._submit(port, hold)

        async def change(tx: Tx) -> None:
            noted = await tx.port_requests.get(port.id)
            noted.details = port.details
            tx.save(noted)

        await self.store.update(port.account_id, change)
        return progress


class NeverLapses(LapsePort):
    """Keeps a draft for ever."""

    async def __call__(self, account_id: AccountId, port_id: PortRequestId, lease: JobLease) -> None:
        async def nothing(_: Tx) -> None: ...

        await self.store.update(account_id, nothing, completing=lease)


def remembers_what_was_told(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, follow_port=RemembersWhatWasTold)


def never_lapses(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, lapse_port=NeverLapses)


@proves("C25", text="e30e008de43d", saboteur=remembers_what_was_told, says="it is kept once Twilio has it")
@proves("C25", text="e30e008de43d", saboteur=never_lapses, says="it is kept for more than seven days")
async def test_what_the_other_carrier_is_told_is_kept_no_longer_than_it_is_needed(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await sign_up(world)
        sent, left = await asked(ada), await asked(ada, OTHER)
        await world.use_cases.prove_port(ada.id, sent.id, bill())
        await world.settle()
        (told,) = world.porting.ports.values()
        assert told.details == SAID
        assert (await world.use_cases.read_port(ada.id, sent.id)).details is None, (
            "it is kept once Twilio has it"
        )
        await world.advance(WEEK - MOMENT)
        assert (await world.use_cases.read_port(ada.id, left.id)).details == SAID
        await world.advance(MOMENT)
        await world.advance(timedelta(minutes=2))
        assert (await world.use_cases.read_port(ada.id, left.id)).details is None, (
            "it is kept for more than seven days"
        )
