"""What every carrier of messages promises; what only some can, the others refuse."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable
from datetime import datetime, timedelta

import pytest

from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable, CarrierUnsupported
from application.ports.message_carrier import (
    MediaGone,
    MessageCarrier,
    OptedOut,
    ReceivedCopy,
    SenderRefused,
    TooEarly,
    Unreachable,
)
from domain.kernel import CarrierRef
from domain.messages import Direction, Status
from domain.values import MessageBody, Peer
from pico_testkit.contracts.carrier import (
    BODY,
    LINE,
    MESSAGE,
    NUMBER,
    OTHER_LINE,
    OTHER_MESSAGE,
    OTHER_NUMBER,
    OTHER_PEER,
    PEER,
    START,
    CarrierWorld,
    error_of,
)


class MessageCarrierContract:
    """Subclass it, and give the fixture `world`. `owned` is NUMBER, already bought for LINE."""

    @pytest.fixture
    def world(self) -> CarrierWorld:
        raise NotImplementedError

    @pytest.fixture
    async def owned(self, world: CarrierWorld) -> CarrierRef:
        return await world.bought()

    # ---------------------------------------------------------------------------------------- messages

    async def test_a_message_to_a_number_of_ours_reaches_us(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        ref = await world.receive(PEER, NUMBER, BODY)
        assert world.inbox == [(PEER, NUMBER, BODY)]
        assert world.proofs == [LINE if world.number_abilities.has_line_webhooks else world.now]
        found = await world.carrier.look_up(ref)
        assert found is not None
        assert (found.ref, found.status) == (ref, Status.RECEIVED)

    async def test_a_sent_message_is_queued_then_receipts_come_under_our_own_id(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        sent = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert (sent.status, sent.failure) == (Status.QUEUED, None)
        await world.settle()
        assert {(message_id, ref) for message_id, ref, _ in world.receipts} == {(MESSAGE, sent.ref)}
        assert world.receipts[-1][2] is Status.DELIVERED
        found = await world.carrier.look_up(sent.ref)
        assert found is not None
        assert (found.ref, found.status) == (sent.ref, Status.DELIVERED)

    async def test_a_message_whose_answer_was_lost_is_found_once_or_sent_once_under_its_id(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        since, abilities = world.now, world.message_abilities
        assert abilities.can_find_by_pair or abilities.sends_idempotent_for, "no way to send at most once"
        world.lose_next_answer()
        with pytest.raises(CarrierUnavailable):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        if abilities.can_find_by_pair:
            [found] = await world.carrier.find_by_pair(NUMBER, PEER, BODY, since)
            assert await world.carrier.look_up(found.ref) is not None
        if abilities.sends_idempotent_for:
            again = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
            await world.settle()
            assert {ref for _, ref, _ in world.receipts} == {again.ref}

    async def test_a_message_during_an_outage_was_not_sent(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        world.outage(on=True)
        with pytest.raises(CarrierUnavailable):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        world.outage(on=False)
        await world.settle()
        assert world.receipts == []
        if world.message_abilities.can_find_by_pair:
            assert await world.carrier.find_by_pair(NUMBER, PEER, BODY, world.now) == []

    async def test_only_just_that_message_is_found_oldest_first(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.can_find_by_pair:
            with pytest.raises(CarrierUnsupported):
                await world.carrier.find_by_pair(NUMBER, PEER, BODY, START)
            return
        early = await world.sent()
        world.now += timedelta(hours=1)
        since = world.now
        first = await world.sent()
        await world.carrier.send(MESSAGE, NUMBER, OTHER_PEER, BODY)
        await world.carrier.send(MESSAGE, NUMBER, PEER, MessageBody(f"{BODY}!"))
        await world.bought(OTHER_NUMBER, OTHER_LINE)
        await world.carrier.send(MESSAGE, OTHER_NUMBER, PEER, BODY)
        await world.receive(PEER, NUMBER, BODY)
        world.now += timedelta(seconds=1)
        later = [await world.sent(OTHER_MESSAGE), await world.sent()]
        found = await world.carrier.find_by_pair(NUMBER, PEER, BODY, since)
        assert [sent.ref for sent in found] == [first, *later]
        assert (await world.carrier.find_by_pair(NUMBER, PEER, BODY, START))[0].ref == early

    async def test_a_message_to_a_peer_who_said_stop_is_refused_until_they_say_start(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        await world.receive(PEER, NUMBER, "Stop")
        with pytest.raises(OptedOut):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert (await world.carrier.send(MESSAGE, NUMBER, OTHER_PEER, BODY)).status is Status.QUEUED
        await world.receive(PEER, NUMBER, "START")
        assert (await world.carrier.send(OTHER_MESSAGE, NUMBER, PEER, BODY)).status is Status.QUEUED
        assert [body for _, _, body in world.inbox] == ["Stop", "START"]

    async def test_a_message_to_a_destination_out_of_reach_is_refused(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        with pytest.raises(Unreachable):
            await world.carrier.send(MESSAGE, NUMBER, world.unreachable, BODY)
        await world.settle()
        assert world.receipts == []
        if world.message_abilities.can_list:
            assert await world.carrier.list_message_refs(NUMBER) == []

    async def test_a_short_code_is_reached_where_that_is_declared(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if world.message_abilities.reaches_short_codes:
            assert (await world.carrier.send(MESSAGE, NUMBER, Peer("72345"), BODY)).status is Status.QUEUED
        else:
            with pytest.raises(Unreachable):
                await world.carrier.send(MESSAGE, NUMBER, Peer("72345"), BODY)

    async def test_a_message_from_a_number_that_is_not_ours_is_refused(self, world: CarrierWorld) -> None:
        with pytest.raises(SenderRefused):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)

    # ------------------------------------------------------------------------------------------- pictures

    async def test_the_pictures_of_a_message_are_fetched_by_their_place_in_it(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        pictures = {
            ("image/png", bytes(range(256)) * 999),
            ("image/gif", b"GIF89a"),
            ("image/jpeg", b"\xff\xd8"),
        }
        if not world.message_abilities.carries_media:
            with pytest.raises(CarrierUnsupported):
                await fetched(world.carrier, await world.receive(PEER, NUMBER, BODY), 0)
            return
        ref = await world.receive(PEER, NUMBER, BODY, [*pictures])
        found = [await fetched(world.carrier, ref, position) for position in range(3)]
        assert set(found) == pictures
        assert [await fetched(world.carrier, ref, position) for position in range(3)] == found
        if world.message_abilities.can_list:
            [copy] = await world.carrier.list_copies(NUMBER)
            assert copy.attachments == 3

    async def test_there_are_no_more_pictures_than_came_and_none_once_the_copy_is_deleted(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.carries_media:
            return
        without = await world.receive(PEER, NUMBER, BODY)
        ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
        for asked, position in ((without, 0), (ref, 1), (CarrierRef(f"MM{'0' * 32}"), 0)):
            with pytest.raises(MediaGone):
                await fetched(world.carrier, asked, position)
        if world.message_abilities.can_delete_copies:
            await world.carrier.delete_copy(ref)
            with pytest.raises(MediaGone):
                await fetched(world.carrier, ref, 0)

    # ------------------------------------------------------------------------------------------- copies

    async def test_a_deleted_copy_is_gone_and_deleting_may_be_repeated(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        ref = await world.sent()
        if not world.message_abilities.can_delete_copies:
            with pytest.raises(CarrierUnsupported):
                await world.carrier.delete_copy(ref)
            assert await world.carrier.look_up(ref) is not None
            return
        for _ in range(2):
            await world.carrier.delete_copy(ref)
            assert await world.carrier.look_up(ref) is None
        if world.message_abilities.can_find_by_pair:
            assert await world.carrier.find_by_pair(NUMBER, PEER, BODY, START) == []

    async def test_a_deletion_that_comes_too_early_says_how_long_to_wait(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.can_delete_copies:
            return
        ref = await world.sent()
        world.too_early()
        with pytest.raises(TooEarly) as early:
            await world.carrier.delete_copy(ref)
        assert early.value.retry_after is not None
        assert early.value.retry_after > timedelta(0)
        assert await world.carrier.look_up(ref) is not None
        await world.carrier.delete_copy(ref)
        assert await world.carrier.look_up(ref) is None

    async def test_a_deletion_that_was_not_done_shows_when_looked_up(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.can_delete_copies:
            return
        ref = await world.sent()
        world.lie()
        await world.carrier.delete_copy(ref)
        assert await world.carrier.look_up(ref) is not None
        if world.message_abilities.can_list:
            assert await world.carrier.list_message_refs(NUMBER) == [ref]

    async def test_what_is_listed_are_the_messages_of_this_number_both_ways_until_deleted(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.can_list:
            with pytest.raises(CarrierUnsupported):
                await world.carrier.list_message_refs(NUMBER)
            return
        await world.bought(OTHER_NUMBER, OTHER_LINE)
        sent = {await world.sent(), await world.sent(OTHER_MESSAGE, to=OTHER_PEER)}
        ours = sent | {await world.receive(PEER, NUMBER, BODY)}
        await world.receive(PEER, OTHER_NUMBER, BODY)
        left = await world.carrier.list_message_refs(NUMBER)
        assert set(left) == ours
        assert len(left) == len(ours)
        if world.message_abilities.can_delete_copies:
            for ref in left:
                await world.carrier.delete_copy(ref)
            assert await world.carrier.list_message_refs(NUMBER) == []
            assert len(await world.carrier.list_message_refs(OTHER_NUMBER)) == 1

    async def test_a_copy_is_listed_with_all_that_is_needed_to_take_it_in(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.can_list:
            with pytest.raises(CarrierUnsupported):
                await world.carrier.list_copies(NUMBER)
            return
        sent, received = await world.sent(), await world.receive(OTHER_PEER, NUMBER, BODY)
        copies = {copy.ref: copy for copy in await world.carrier.list_copies(NUMBER)}
        assert set(copies) == {sent, received}
        assert (copies[sent].direction, copies[sent].peer) == (Direction.OUTBOUND, PEER)
        assert (copies[received].direction, copies[received].peer) == (Direction.INBOUND, OTHER_PEER)
        for copy in copies.values():
            assert (copy.body, copy.attachments) == (BODY, 0)
            assert START - timedelta(seconds=1) <= copy.at <= world.now

    async def test_what_came_to_any_number_of_ours_is_listed_from_an_instant_on(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.can_list_received:
            with pytest.raises(CarrierUnsupported):
                await received(world.carrier, START)
            with pytest.raises(CarrierUnsupported):
                await world.carrier.read_received(CarrierRef("none"))
            return
        await world.bought(OTHER_NUMBER, OTHER_LINE)
        await world.receive(PEER, NUMBER, BODY)
        world.now += timedelta(hours=1)
        since = world.now
        await world.sent()
        came = {}
        for times in range(3):
            world.now += timedelta(seconds=times)
            came[await world.receive(PEER, NUMBER, BODY)] = NUMBER
            came[await world.receive(OTHER_PEER, OTHER_NUMBER, BODY)] = OTHER_NUMBER
        found = await received(world.carrier, since)
        assert {copy.ref: copy.number for copy in found} == came
        assert len(found) == len(came)
        for copy in found:
            told = await world.carrier.read_received(copy.ref)
            assert told is not None
            assert copy.copy in {None, told}
            assert (told.ref, told.direction, told.body) == (copy.ref, Direction.INBOUND, BODY)
            assert told.peer == (PEER if copy.number == NUMBER else OTHER_PEER)
            assert since - timedelta(seconds=1) <= copy.at <= world.now
        assert await received(world.carrier, world.now + timedelta(hours=1)) == []

    async def test_only_what_came_in_and_is_still_there_is_read(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.message_abilities.can_list_received:
            return
        assert await world.carrier.read_received(await world.sent()) is None
        ref = await world.receive(PEER, NUMBER, BODY)
        if world.message_abilities.can_delete_copies:
            await world.carrier.delete_copy(ref)
            assert await world.carrier.read_received(ref) is None
            assert await received(world.carrier, START) == []

    async def test_a_message_between_two_numbers_of_ours_is_two_messages_one_for_each(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        await world.bought(OTHER_NUMBER, OTHER_LINE)
        sent = await world.sent(to=Peer(OTHER_NUMBER))
        received = await world.receive(Peer(NUMBER), OTHER_NUMBER, BODY)
        if world.message_abilities.can_find_by_pair:
            found = await world.carrier.find_by_pair(NUMBER, Peer(OTHER_NUMBER), BODY, START)
            assert [message.ref for message in found] == [sent]
        if world.message_abilities.can_list:
            assert await world.carrier.list_message_refs(NUMBER) == [sent]
            theirs = await world.carrier.list_message_refs(OTHER_NUMBER)
            assert received in theirs
            assert sent not in theirs

    # ------------------------------------------------------------------------------------------- errors

    async def test_during_an_outage_every_question_about_messages_says_so(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        ref = await world.sent()
        world.outage(on=True)
        for ask in every_message_method(world.carrier, ref):
            with pytest.raises(CarrierUnavailable):
                await ask

    async def test_nonsense_about_messages_is_no_answer(self, world: CarrierWorld, owned: CarrierRef) -> None:
        carries_media = world.message_abilities.carries_media
        ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")] if carries_media else [])
        for oddity in world.oddities:
            world.babble(oddity)
            for ask in every_message_method(world.carrier, ref, deleting=False):
                error = await error_of(ask)
                assert isinstance(error, CarrierUnavailable), oddity
                assert (error.__cause__, error.__context__) == (None, None)
        world.babble("")
        assert await world.carrier.look_up(ref) is not None

    async def test_no_error_shows_anything_about_anybody(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        await world.receive(PEER, NUMBER, "STOP")
        refused = [
            await error_of(world.carrier.send(MESSAGE, NUMBER, PEER, BODY)),
            await error_of(world.carrier.send(MESSAGE, NUMBER, world.unreachable, BODY)),
            await error_of(world.carrier.send(MESSAGE, OTHER_NUMBER, PEER, BODY)),
        ]
        assert all(isinstance(error, CarrierRefused) for error in refused)
        world.outage(on=True)
        unavailable = [await error_of(ask) for ask in every_message_method(world.carrier, owned)]
        for error in refused + unavailable:
            shown = repr(error) + "".join(traceback.format_exception(error))
            for secret in (NUMBER, OTHER_NUMBER, PEER, world.unreachable, BODY):
                assert str(secret) not in shown
                assert secret.removeprefix("+") not in shown
            assert (error.__cause__, error.__context__) == (None, None)


async def fetched(carrier: MessageCarrier, ref: CarrierRef, position: int) -> tuple[str, bytes]:
    """Fetch a picture whole."""
    async with carrier.fetch_media(ref, position) as media:
        return media.type, b"".join([piece async for piece in media.content])


async def received(carrier: MessageCarrier, since: datetime) -> list[ReceivedCopy]:
    """List all that came in."""
    return [copy async for page in carrier.list_received(since) for copy in page]


def every_message_method(
    carrier: MessageCarrier, ref: CarrierRef, *, deleting: bool = True
) -> list[Awaitable[object]]:
    """Ask the carrier for everything it offers, once."""
    abilities = carrier.message_abilities
    asked: list[Awaitable[object]] = [carrier.send(MESSAGE, NUMBER, PEER, BODY), carrier.look_up(ref)]
    if abilities.can_find_by_pair:
        asked.append(carrier.find_by_pair(NUMBER, PEER, BODY, START))
    if abilities.can_delete_copies and deleting:
        asked.append(carrier.delete_copy(ref))
    if abilities.carries_media:
        asked.append(fetched(carrier, ref, 0))
    if abilities.can_list:
        asked += [carrier.list_message_refs(NUMBER), carrier.list_copies(NUMBER)]
    if abilities.can_list_received:
        asked += [received(carrier, START), carrier.read_received(ref)]
    return asked
