"""A line whose number is gone, or can no longer do what it could: it is noticed, said, and the line sends nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from application.ports.mail import MailKind
from application.ports.message_carrier import SenderRefused
from application.ports.numbers import NumberOrder
from bootstrap.worlds import InMemory
from domain.lines import LineNotActive, LineState, NotForMessages, PhoneLine
from domain.messages import Sent, Status
from domain.values import Capability
from tests.support.actors import PASSWORD, with_line


def drop_number(world: InMemory, line: PhoneLine) -> None:
    """Have the carrier withdraw a line's number, or whoever runs its account give it away by hand."""
    assert line.ref is not None
    del world.carrier.numbers[line.ref], world.carrier.owners[line.number]


async def test_a_number_lost_while_it_is_kept_is_not_taken_back(world: InMemory) -> None:
    ada = await with_line(world)
    assert ada.line is not None
    await world.use_cases.release_line(ada.id, ada.line_id)
    drop_number(world, ada.line)
    await world.use_cases.cancel_release(ada.id, ada.line_id)
    await world.settle()
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.LOST


async def test_a_line_whose_number_is_gone_does_not_come_back_with_the_account(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    assert ada.line is not None
    drop_number(world, ada.line)
    await world.advance(timedelta(days=3))
    await world.use_cases.recover_account(ada.email, PASSWORD)
    await world.settle()
    lost = await world.use_cases.read_line(ada.id, ada.line_id)
    assert lost.state is LineState.LOST
    assert lost.released_at == world.clock.now()
    assert [mail.kind for mail in world.mail.sent].count(MailKind.LINE_LOST) == 1
    with pytest.raises(LineNotActive):
        await ada.sends("hello")
    assert (await world.use_cases.release_line(ada.id, ada.line_id)).state is LineState.LOST
    grace = await with_line(world, "grace", ada.number)
    assert grace.line is not None, "the number may be leased again"
    assert grace.line.state is LineState.ACTIVE


async def test_a_line_whose_number_is_there_comes_back_with_the_account(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    await world.settle()
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.ACTIVE
    assert MailKind.LINE_LOST not in [mail.kind for mail in world.mail.sent]


async def test_a_refusal_to_send_from_a_number_has_the_number_looked_for(world: InMemory) -> None:
    ada = await with_line(world)
    assert ada.line is not None
    drop_number(world, ada.line)
    sent = await ada.sends("hello")
    await world.settle()
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.FAILED
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.LOST
    assert [mail.kind for mail in world.mail.sent].count(MailKind.LINE_LOST) == 1


async def test_what_a_number_can_no_longer_do_is_noted_when_the_carrier_refuses_it(world: InMemory) -> None:
    ada = await with_line(world)
    assert ada.line is not None
    assert ada.line.ref is not None
    owned = world.carrier.numbers[ada.line.ref]
    voice = NumberOrder.active(ada.line.ref, frozenset({Capability.VOICE}))
    world.carrier.numbers[ada.line.ref] = replace(owned, order=voice)

    async def refuse(*_: object) -> Sent:
        raise SenderRefused(21606)

    world.carrier.send = refuse  # type: ignore[method-assign, assignment]
    await ada.sends("hello")
    await world.settle()
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert (line.state, line.capabilities) == (LineState.ACTIVE, frozenset({Capability.VOICE}))
    with pytest.raises(NotForMessages):
        await ada.sends("hello again")
