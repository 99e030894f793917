"""Pictures over HTTP: shown with their message, downloaded whole or in part, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from adapters.outbound.memory.message_carrier import FetchableMedia
from domain.media import MediaType
from domain.values import Peer, PhoneNumber
from tests.support.http_world import OURS, STRANGER, HttpWorld
from tests.support.photographs import photograph


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def received(http: HttpWorld, token: str, *media: FetchableMedia) -> dict[str, Any]:
    """Have a message with these come in, and return it as it is shown."""
    await http.world.carrier.receive(Peer(STRANGER), PhoneNumber(OURS), "look", media)
    await http.world.settle()
    (conversation,) = (await http.call("GET", "/v1/conversations", token=token)).json["items"]
    path = f"/v1/conversations/{conversation['id']}/messages"
    newest = (await http.call("GET", path, token=token)).json["items"][0]
    shown: dict[str, Any] = (await http.call("GET", f"/v1/messages/{newest['id']}", token=token)).json
    return shown


async def ada(http: HttpWorld) -> str:
    token = await http.person("ada")
    await http.line(token, OURS)
    return token


@pytest.mark.parametrize("kind", MediaType)
async def test_a_picture_is_shown_with_its_message_and_downloaded_clean(
    http: HttpWorld, kind: MediaType
) -> None:
    token, taken = await ada(http), photograph(kind)
    message = await received(http, token, FetchableMedia(kind.mime, taken.content))
    (picture,) = message["media"]
    assert (picture["state"], picture["type"], picture["refusal"]) == ("kept", kind.mime, None)
    whole = await http.call("GET", f"/v1/media/{picture['id']}", token=token)
    assert (whole.status, len(whole.body)) == (200, picture["size"])
    assert not [word for word in taken.hidden if word.encode() in whole.body]
    assert {
        name: whole.headers[name]
        for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options", "Cache-Control")
    } == {
        "Content-Type": kind.mime,
        "Content-Disposition": f'attachment; filename="picture.{kind.value}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


async def test_part_of_a_picture_is_downloaded(http: HttpWorld) -> None:
    token = await ada(http)
    content = photograph(MediaType.PNG, size=(700, 500)).content
    message = await received(http, token, FetchableMedia("image/png", content))
    (picture,) = message["media"]
    path, size = f"/v1/media/{picture['id']}", picture["size"]
    whole = (await http.call("GET", path, token=token)).body
    for first, last in ((0, 0), (5, 99), (size - 3, size - 1), (0, size - 1)):
        part = await http.call("GET", path, token=token, headers={"Range": f"bytes={first}-{last}"})
        assert (part.status, part.body) == (206, whole[first : last + 1])
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert (await http.call("GET", path, token=token, headers={"Range": f"bytes={size}-"})).status == 416
    head = await http.call("HEAD", path, token=token)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(size), b"")


async def test_what_is_refused_says_why_and_is_not_downloaded(http: HttpWorld) -> None:
    token = await ada(http)
    message = await received(http, token, FetchableMedia("video/mp4", b"ftyp"))
    (video,) = message["media"]
    assert (video["state"], video["type"], video["size"], video["refusal"]) == (
        "refused", None, 0, "unsupported",
    )  # fmt: skip
    assert (await http.call("GET", f"/v1/media/{video['id']}", token=token)).code == "media_not_ready"


async def test_somebody_elses_a_deleted_and_no_picture_are_all_404(http: HttpWorld) -> None:
    token, ben = await ada(http), await http.person("ben")
    message = await received(http, token, FetchableMedia("image/gif", photograph(MediaType.GIF).content))
    (picture,) = message["media"]
    path = f"/v1/media/{picture['id']}"
    assert (await http.call("GET", path, token=ben)).code == "not_found"
    assert (await http.call("GET", f"/v1/media/{uuid4()}", token=token)).code == "not_found"
    assert (await http.call("GET", path)).status == 401
    assert (await http.call("GET", path, token=token)).status == 200
    assert (await http.call("DELETE", f"/v1/messages/{message['id']}", token=token)).status == 204
    assert (await http.call("GET", path, token=token)).code == "not_found"
    await http.world.advance(timedelta(minutes=3))
    assert await http.world.objects.count((await http.world.use_cases.authenticate(token)).account_id) == 0


async def test_a_message_without_pictures_shows_none(http: HttpWorld) -> None:
    token = await ada(http)
    assert (await received(http, token))["media"] == []
