"""An account gets another key while it is in use: nothing changes for anybody, and one key is left."""

from __future__ import annotations

from contextlib import suppress

import pytest

from application.key_rotation import NotHeardYet
from application.ports.keyring import KeyGone
from domain.audit import AuditKind
from domain.kernel import NotFound
from domain.values import Label, MessageBody
from pico_testkit import STRANGER
from tests.contract.rotation.house import House, rotated, tx_rows


async def test_nothing_changes_for_anybody_and_one_key_is_left(house: House) -> None:
    before, former = await house.seen(), await house.world.keyring.open(house.ada.id)
    await rotated(house)
    key = await house.world.keyring.reopen(house.ada.id)
    assert (key.version, key.former, await house.world.keyring.count(house.ada.id)) == (2, None, 1)
    assert key.material != former.material
    assert await house.seen() == before
    await rotated(house)
    assert await house.seen() == before
    assert (await house.world.keyring.reopen(house.ada.id)).version == 3
    log = (await house.world.use_cases.list_audit_log(house.ada.id, None, 100)).items
    assert sum(entry.kind is AuditKind.ACCOUNT_KEY_ROTATED for entry in log) == 2


async def test_it_can_be_used_at_every_stage(house: House) -> None:
    ada, world = house.ada, house.world

    async def used(word: str) -> None:
        await ada.sends(f"said {word}", ada.peer)
        await ada.receives(f"heard {word}", ada.peer)
        await world.settle()
        for _ in range(2):
            await world.use_cases.send_message(ada.id, ada.line_id, STRANGER, MessageBody(word), word)
        await world.use_cases.change_profile(ada.id, Label(word), None)
        await world.use_cases.sign_out(
            ada.id, (await world.use_cases.sign_in(ada.email, ada.password)).session.id
        )
        await house.seen()
        text = await tx_rows(world, ada.id)
        assert f"said {word}" in text
        assert f"heard {word}" in text

    await used("before")
    await house.rotate.begin(ada.id)
    await used("begun")
    with suppress(NotHeardYet):
        await house.rotate.finish(ada.id)
    await house.heard()
    await world.resealing.turn(ada.id)
    await used("turned")
    await house.rotate.finish(ada.id)
    await used("after")


async def test_what_is_over_stays_over(stored: House) -> None:
    house, ada, world = stored, stored.ada, stored.world
    (conversation, *_) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
    await world.use_cases.delete_conversation(ada.id, conversation.id)
    ended = set((await world.keyring.reopen(ada.id)).ended)
    assert conversation.id.bytes in ended
    await house.rotate.begin(ada.id)
    assert (await world.keyring.reopen(ada.id)).ended >= ended
    other = await world.use_cases.sign_in(ada.email, ada.password)
    await world.use_cases.sign_out(ada.id, other.session.id)
    await house.heard()
    await house.rotate.finish(ada.id)
    assert (await world.keyring.reopen(ada.id)).ended >= ended | {other.session.id.bytes}


async def test_who_is_erased_meanwhile_has_no_key_afterwards(house: House) -> None:
    await house.rotate.begin(house.ada.id)
    await house.world.keyring.destroy(house.ada.id)
    await house.world.store.delete_rows(house.ada.id)
    for act in (house.rotate.begin, house.rotate.finish):
        with pytest.raises((KeyGone, NotFound)):
            await act(house.ada.id)
    assert await house.world.keyring.count(house.ada.id) == 0
