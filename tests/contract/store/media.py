"""Promises about what is known of pictures: in order, each message's own, and uploads for themselves."""

from __future__ import annotations

from tests.contract.store.world import World


class MediaPromises:
    async def test_pictures_come_by_message_in_order(self, world: World) -> None:
        account_id = await world.account()
        conversation = world.new_conversation(await world.line(account_id))
        first, second, bare = (world.new_message(conversation) for _ in range(3))
        pictures = [world.new_media(account_id, of, at) for of in (second, first) for at in (2, 0, 1)]
        upload = world.new_media(account_id)
        await world.commit(account_id, conversation, first, second, bare, *pictures, upload)
        async with world.store.begin(account_id) as tx:
            found = await tx.media.of_messages([first.id, second.id, bare.id])
            assert [(media.message_id, media.position) for media in found] == [
                (of.id, at) for of in (first, second) for at in range(3)
            ]
            assert [media.position for media in await tx.media.of_messages([second.id])] == [0, 1, 2]
            assert await tx.media.of_messages([]) == []

    async def test_uploads_are_those_that_go_with_no_message_oldest_first(self, world: World) -> None:
        account_id = await world.account()
        conversation = world.new_conversation(await world.line(account_id))
        message = world.new_message(conversation)
        uploads = [world.new_media(account_id) for _ in range(3)]
        await world.commit(
            account_id, conversation, message, world.new_media(account_id, message), *reversed(uploads)
        )
        async with world.store.begin(account_id) as tx:
            assert [media.id for media in await tx.media.unused()] == [media.id for media in uploads]
