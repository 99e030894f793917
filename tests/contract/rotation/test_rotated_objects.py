"""Objects of an account whose key is rotated: what was deleted, or is of no record, does not come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.tones import tone
from application.ports.store import Tx
from bootstrap.worlds import InMemory
from domain.kernel import MediaId, NotFound, ObjectId
from domain.values import Peer
from pico_testkit import STRANGER
from tests.contract.rotation.house import House, content, rotated
from tests.support.actors import with_line


async def test_an_object_deleted_while_it_is_sealed_anew_stays_deleted(house: House) -> None:
    world, ada = house.world, house.ada
    there = [True, False]

    class Deleting(type(world.resealing)):  # type: ignore[misc]  # either
        async def holder(self, *_: object) -> object:
            return object if there.pop(0) else None

    ports = {name: getattr(world.resealing, name) for name in world.resealing.__dataclass_fields__}  # type: ignore[attr-defined]
    rotate = replace(house.rotate, resealing=Deleting(**ports))
    await rotate.begin(ada.id)
    await house.heard()
    await rotate.finish(ada.id)
    with pytest.raises(NotFound):
        async with world.objects.open(ada.id, house.object_id):
            pass


async def test_what_no_record_wants_any_more_is_not_brought_back(house: House) -> None:
    """As where a rotation died after it had sealed anew what a job was deleting."""
    world, ada = house.world, house.ada

    async def withdraw(tx: Tx) -> None:
        media = await tx.media.get(MediaId(house.object_id))
        media.withdraw()
        tx.save(media)

    await world.store.update(ada.id, withdraw)
    orphan = ObjectId(world.ids.new())
    await world.objects.put(ada.id, orphan, content(b"of no record"))
    await rotated(house)
    for gone in (house.object_id, orphan):
        with pytest.raises(NotFound):
            async with world.objects.open(ada.id, gone):
                pass


@pytest.mark.parametrize("deleted", [False, True])
async def test_audio_that_a_rotation_puts_back_as_it_goes_does_not_stay(*, deleted: bool) -> None:
    world = InMemory()
    ada = await with_line(world)
    await world.recordings.leave(Peer(STRANGER), ada.number, tone(2))
    await world.settle()
    [left] = (await world.use_cases.list_voicemails(ada.id, None, None, 9)).items
    delete, resealing = world.byte_store.delete, world.use_cases.rotate_account_key.resealing

    async def raced(name: str) -> None:
        """Delete it while a rotation has it in hand, which writes it, and then looks whether it is wanted."""
        held = world.byte_store.kept.get(name)
        await delete(name)
        if held is not None and await resealing.holder(ada.id, left.object_id) is not None:
            world.byte_store.kept[name] = held

    world.byte_store.delete = raced  # type: ignore[method-assign]
    if deleted:
        await world.use_cases.delete_voicemail(ada.id, left.id)
    await world.advance(timedelta(days=91))
    with pytest.raises(NotFound):
        async with world.objects.open(ada.id, left.object_id):
            pass
