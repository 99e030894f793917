"""Push tokens: one device, one account; and what wakes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.line_settings import LineSettings
from application.passwords import ChangePassword
from application.sessions import Caller, SignedIn
from domain.kernel import NotFound
from domain.push import DeviceToken, InvalidPushToken, NotPushed, Platform, PushTokenId
from domain.quiet_hours import QuietHours
from domain.values import Password, PhoneNumber
from pico_testkit import PASSWORD, STRANGER, InMemory
from tests.support.actors import Person, sign_up, with_line

DEVICE, OTHER = DeviceToken("a1" * 32), DeviceToken("b2" * 32)


async def registers(ada: Person, token: DeviceToken = DEVICE, of: SignedIn | None = None) -> PushTokenId:
    session = (of or ada.signed_in).session
    caller = Caller(session.account_id, session.id)
    return (await ada.world.use_cases.register_push_token(caller, Platform.IOS, token)).id


async def tokens(ada: Person) -> list[str]:
    return [str(token.token) for token in await ada.world.use_cases.list_push_tokens(ada.id)]


async def test_each_message_wakes_each_device_once_however_often_it_is_delivered() -> None:
    world = InMemory()
    ada = await with_line(world)
    await registers(ada)
    await registers(ada, OTHER, await world.use_cases.sign_in(ada.email, PASSWORD))
    for _ in range(20):
        await ada.receives("hello", ref="SM1")
        await world.settle()
    assert sorted(world.push.woken) == [(Platform.IOS, DEVICE), (Platform.IOS, OTHER)]


async def test_what_a_blocked_number_sends_wakes_nobody() -> None:
    world = InMemory()
    ada = await with_line(world)
    await registers(ada)
    await world.use_cases.block_number(ada.id, PhoneNumber(STRANGER))
    await ada.receives("hello")
    await world.settle()
    assert world.push.woken == []


async def test_a_line_that_is_not_to_disturb_wakes_nobody() -> None:
    world = InMemory()
    ada = await with_line(world)
    await registers(ada)
    for ends, woken in (("13:00", 0), ("12:00", 1)):
        settings = LineSettings(do_not_disturb=QuietHours.of("11:00", ends, "UTC"))
        await world.use_cases.change_line(ada.id, ada.line_id, settings)
        await ada.receives("hello")
        await world.settle()
        assert len(world.push.woken) == woken


async def test_a_device_is_woken_for_whoever_registered_it_last() -> None:
    world = InMemory()
    ada, ben = await with_line(world), await with_line(world, "ben", "+12025550144")
    await registers(ada)
    await registers(ben)
    assert (await tokens(ada), await tokens(ben)) == ([], [DEVICE])
    await ada.receives("for ada")
    await world.settle()
    assert world.push.woken == []
    await ben.receives("for ben")
    await world.settle()
    assert world.push.woken == [(Platform.IOS, DEVICE)]


async def test_registering_again_changes_nothing_and_another_token_takes_its_place() -> None:
    ada = await sign_up(InMemory())
    for token in (DEVICE, DEVICE, OTHER):
        await registers(ada, token)
        assert await tokens(ada) == [token]
    phone = await ada.world.use_cases.sign_in(ada.email, PASSWORD)
    await registers(ada, OTHER, phone)
    assert await tokens(ada) == [OTHER], "one device is not woken twice"


async def test_a_token_goes_with_its_session_whichever_way_that_ends() -> None:
    world = InMemory()
    ada = await sign_up(world)
    phone = await world.use_cases.sign_in(ada.email, PASSWORD)
    await registers(ada)
    await registers(ada, OTHER, phone)
    await world.use_cases.sign_out(ada.id, phone.session.id)
    assert await tokens(ada) == [DEVICE]
    phone = await world.use_cases.sign_in(ada.email, PASSWORD)
    await registers(ada, OTHER, phone)
    await world.use_cases.sign_out_others(ada.id, ada.signed_in.session.id)
    assert await tokens(ada) == [DEVICE]
    change: ChangePassword = world.use_cases.change_password
    again = await change(ada.id, PASSWORD, Password("another battery staple"))
    assert await tokens(ada) == []
    await registers(ada, DEVICE, again)
    await world.use_cases.ask_password_reset(ada.email)
    await world.settle()
    link = world.mail.sent[-1].link_token
    assert link is not None
    again = await world.use_cases.reset_password(link, PASSWORD)
    assert await tokens(ada) == []
    await registers(ada, DEVICE, again)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    async with world.store.begin(ada.id) as tx:
        assert await tx.push_tokens.list_all() == []


async def test_a_session_that_ran_out_wakes_nobody_any_more() -> None:
    world = InMemory()
    ada = await with_line(world)
    await registers(ada)
    world.clock.advance(timedelta(days=40))
    await ada.receives("hello")
    await world.settle()
    assert world.push.woken == []
    assert await tokens(ada) == []


async def test_a_token_that_the_service_calls_over_is_forgotten_unless_it_is_newer() -> None:
    world = InMemory()
    ada = await with_line(world)
    await registers(ada)
    for since, kept in ((world.clock.now() - timedelta(hours=1), [DEVICE]), (None, [])):
        world.push.gone = {DEVICE: since}
        await ada.receives("hello")
        await world.settle()
        assert await tokens(ada) == kept


async def test_what_is_not_the_tokens_fault_costs_no_token_and_is_not_tried_for_ever() -> None:
    world = InMemory()
    ada = await with_line(world)
    await registers(ada)
    for knob in ("outage", "refusing"):
        setattr(world.push, knob, True)
        await ada.receives("hello")
        for _ in range(12):
            await world.advance(timedelta(hours=7))
        setattr(world.push, knob, False)
        assert await tokens(ada) == [DEVICE]
        await world.advance(timedelta(hours=7))
        assert world.push.woken == [], "hours later it is not worth waking anybody"
    world.push.outage = True
    await ada.receives("hello")
    await world.settle()
    world.push.outage = False
    await world.advance(timedelta(minutes=1))
    assert world.push.woken == [(Platform.IOS, DEVICE)]


async def test_only_devices_that_are_woken_here_are_registered() -> None:
    ada = await sign_up(InMemory())
    ada.world.push._platforms = frozenset({Platform.ANDROID})
    with pytest.raises(NotPushed):
        await registers(ada)
    for wrong in ("", "short", "a" * 1025, "with a blank in it"):
        with pytest.raises(InvalidPushToken):
            DeviceToken.parse(wrong)


async def test_a_device_can_be_left_alone() -> None:
    ada = await sign_up(InMemory())
    token = await registers(ada)
    await ada.world.use_cases.delete_push_token(ada.id, token)
    assert await tokens(ada) == []
    with pytest.raises(NotFound):
        await ada.world.use_cases.delete_push_token(ada.id, token)
