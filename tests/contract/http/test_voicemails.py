"""Voicemail over HTTP: listed, played whole or in part, corrected, deleted and restored, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.tones import tone
from domain.values import Peer, PhoneNumber
from domain.voicemail import UNDO_FOR
from tests.support.http_world import OURS, STRANGER, HttpWorld

AUDIO = tone(9)
FRAME = 64 << 10


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def ada(http: HttpWorld) -> str:
    token = await http.person("ada")
    await http.line(token, OURS)
    return token


async def left(http: HttpWorld, token: str, content: bytes = AUDIO, caller: str | None = STRANGER) -> Any:
    peer = None if caller is None else Peer(caller)
    await http.world.recordings.leave(peer, PhoneNumber(OURS), content, seconds=9)
    await http.world.settle()
    return (await http.call("GET", "/v1/voicemails", token=token)).json["items"][0]


async def test_a_voicemail_is_shown_and_played(http: HttpWorld) -> None:
    token = await ada(http)
    shown = await left(http, token)
    assert {name: shown[name] for name in ("from", "state", "type", "size", "duration", "transcript_state")} == {
        "from": STRANGER, "state": "kept", "type": "audio/wav", "size": len(AUDIO), "duration": 9,
        "transcript_state": "pending",
    }  # fmt: skip
    whole = await http.call("GET", f"/v1/voicemails/{shown['id']}/audio", token=token)
    assert (whole.status, whole.body) == (200, AUDIO)
    assert {
        name: whole.headers[name]
        for name in ("Content-Type", "Content-Disposition", "Accept-Ranges", "Cache-Control")
    } == {
        "Content-Type": "audio/wav",
        "Content-Disposition": 'attachment; filename="voicemail.wav"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
    }
    assert (await left(http, token, caller=None))["from"] is None
    assert (await http.call("GET", f"/v1/voicemails?line_id={shown['line_id']}&limit=1", token=token)).json[
        "next_cursor"
    ]


async def test_any_part_of_it_is_played(http: HttpWorld) -> None:
    token = await ada(http)
    path = f"/v1/voicemails/{(await left(http, token))['id']}/audio"
    size = len(AUDIO)
    inside = (
        (0, 0),
        (1, FRAME - 1),
        (FRAME - 1, FRAME),
        (FRAME, 2 * FRAME - 1),
        (size - 1, size - 1),
        (0, size - 1),
    )
    for first, last in inside:
        part = await http.call("GET", path, token=token, headers={"Range": f"bytes={first}-{last}"})
        assert (part.status, part.body) == (206, AUDIO[first : last + 1])
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    for asked, start in (
        (f"bytes={size - 5}-{size + 99}", size - 5),
        ("bytes=-7", size - 7),
        ("bytes=9-", 9),
    ):
        part = await http.call("GET", path, token=token, headers={"Range": asked})
        assert (part.status, part.body) == (206, AUDIO[start:])
    for asked in (f"bytes={size}-", f"bytes={size}-{size + 1}", "bytes=-0"):
        beyond = await http.call("GET", path, token=token, headers={"Range": asked})
        assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    for asked in (
        "bytes=0-1,4-5",
        "bytes=5-4",
        "seconds=0-1",
        "bytes=a-b",
    ):  # may be ignored (RFC 9110, 14.2)
        whole = await http.call("GET", path, token=token, headers={"Range": asked})
        assert (whole.status, whole.body) == (200, AUDIO)


async def test_it_is_marked_and_corrected(http: HttpWorld) -> None:
    token = await ada(http)
    path = f"/v1/voicemails/{(await left(http, token))['id']}"
    etag = (await http.call("GET", path, token=token)).headers["ETag"]
    change = {"heard": True, "transcript": "Hi, it is Noa.\nCall me."}
    changed = await http.call("PATCH", path, change, token=token, headers={"If-Match": etag})
    assert (changed.json["transcript"], changed.json["transcript_state"]) == (
        change["transcript"],
        "corrected",
    )
    assert changed.json["heard_at"]
    assert (await http.call("PATCH", path, {"heard": False}, token=token)).json["heard_at"] is None
    stale = await http.call("PATCH", path, {"heard": True}, token=token, headers={"If-Match": etag})
    assert stale.status == 412
    for wrong in ({}, {"heard": None}, {"heard": 1}, {"transcript": ""}, {"transcript": None}, {"from": "x"}):
        assert (await http.call("PATCH", path, wrong, token=token)).status == 422


async def test_it_is_deleted_restored_and_deleted_for_good(http: HttpWorld) -> None:
    token = await ada(http)
    path = f"/v1/voicemails/{(await left(http, token))['id']}"
    deleted = await http.call("DELETE", path, token=token)
    assert (deleted.status, list(deleted.json)) == (200, ["id", "undo_until"])
    for method, where, body in (("GET", "", None), ("GET", "/audio", None), ("PATCH", "", {"heard": True})):
        assert (await http.call(method, path + where, body, token=token)).status == 404
    assert (await http.call("DELETE", f"{path}/deletion", token=token)).status == 200
    assert (await http.call("GET", f"{path}/audio", token=token)).body == AUDIO
    await http.call("DELETE", path, token=token)
    http.world.clock.advance(UNDO_FOR)
    assert (await http.call("DELETE", f"{path}/deletion", token=token)).status == 409
    await http.world.advance(timedelta(minutes=1))
    assert (await http.call("DELETE", f"{path}/deletion", token=token)).status == 404
    assert not http.world.byte_store.kept


async def test_what_is_not_here_yet_is_a_conflict_and_nobody_else_hears_anything(http: HttpWorld) -> None:
    token = await ada(http)
    http.world.recordings.not_ready = 9
    path = f"/v1/voicemails/{(await left(http, token))['id']}"
    assert (await http.call("GET", f"{path}/audio", token=token)).json["code"] == "audio_not_here"
    other = await http.person("ben")
    for method, where, body in (
        ("GET", "", None), ("GET", "/audio", None), ("PATCH", "", {"heard": True}), ("DELETE", "", None),
        ("DELETE", "/deletion", None),
    ):  # fmt: skip
        assert (await http.call(method, path + where, body, token=other)).status == 404
    assert (await http.call("GET", "/v1/voicemails", token=other)).json["items"] == []
