"""Nobody's mailbox is flooded, and an outage of the provider uses nothing up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.mail import MailKind
from bootstrap.worlds import InMemory
from domain.values import Email, Label, Locale
from tests.support.actors import PASSWORD, sign_up

ADA = Email("ada@example.org")
DAY = timedelta(days=1)


async def try_to_sign_up(world: InMemory, email: Email = ADA) -> None:
    await world.use_cases.sign_up(email, PASSWORD, Label("Somebody"), Locale("en"))
    await world.settle()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 600), min_size=8, max_size=40))
async def test_no_day_sees_more_than_five_mails_about_sign_ups_at_one_address(pauses: list[int]) -> None:
    world = InMemory()
    at = []
    for pause in pauses:
        world.clock.advance(timedelta(minutes=pause))
        before = len(world.mail.sent)
        await try_to_sign_up(world)
        at += [world.clock.now()] * (len(world.mail.sent) - before)
    assert all(sum(first <= other <= first + DAY for other in at) <= 5 for first in at)


async def test_what_is_mailed_about_a_sign_up_counts_together_whether_the_address_is_known_or_not(
    world: InMemory,
) -> None:
    await sign_up(world)  # the first mail
    for _ in range(9):
        await try_to_sign_up(world)
        await try_to_sign_up(world, Email("nobody@example.org"))
    kinds = Counter((str(mail.to), mail.kind) for mail in world.mail.sent)
    assert kinds == {
        (str(ADA), MailKind.VERIFY): 1,
        (str(ADA), MailKind.ALREADY_REGISTERED): 2,
        ("nobody@example.org", MailKind.VERIFY): 3,
    }


async def test_a_provider_that_does_not_answer_uses_nothing_up(world: InMemory) -> None:
    world.mail.outage = True
    await try_to_sign_up(world)
    for _ in range(12):
        await world.advance(timedelta(minutes=10))
    assert world.mail.sent == []
    world.mail.outage = False
    for _ in range(12):
        await world.advance(timedelta(minutes=30))
    assert len(world.mail.sent) == 1
    await try_to_sign_up(world)
    await try_to_sign_up(world)
    assert len(world.mail.sent) == 3


async def test_mails_go_out_while_the_limits_do_not_answer(world: InMemory) -> None:
    world.limits.outage = True
    for _ in range(9):
        await try_to_sign_up(world)
    assert len(world.mail.sent) == 3
