"""Greetings over HTTP: written, uploaded, downloaded, taken away, and played to a caller."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from adapters.tones import tone
from tests.support.http_world import OURS, STRANGER, HttpWorld

SOUND = tone(1)
WAV = {"Content-Type": "audio/wav"}


async def heard(http: HttpWorld) -> dict[str, str | None]:
    """Call the line, and return what is said and played."""
    form = {
        "AccountSid": f"AC{1:032x}",
        "CallSid": f"CA{1:032x}",
        "CallStatus": "in-progress",
        "From": STRANGER,
        "To": OURS,
    }
    rung = {**form, "DialCallStatus": "no-answer"}
    await http.webhook("/webhooks/twilio/voice", form)
    answer = await http.webhook("/webhooks/twilio/voice/dial-action?step=rang", rung)
    document = fromstring(answer.body)  # noqa: S314 - our own
    assert document.find("Record") is not None
    return {each.tag: each.text for each in document if each.tag in {"Say", "Play"}}


async def test_a_greeting_is_written_uploaded_and_taken_away() -> None:
    async with HttpWorld.running() as http:
        token = await http.person("ada")
        path = f"/v1/lines/{await http.line(token, OURS)}/greeting"
        usual = await http.call("GET", path, token=token)
        assert usual.json == {"words": None, "type": None, "size": 0}
        assert (await http.call("GET", f"{path}/audio", token=token)).status == 409
        assert (await http.call("PUT", path, {"words": "This is Ada."}, token=token)).json[
            "words"
        ] == "This is Ada."
        assert await heard(http) == {"Say": "This is Ada."}
        put = await http.call("PUT", f"{path}/audio", raw=SOUND, token=token, headers=WAV)
        assert put.json == {"words": None, "type": "audio/wav", "size": len(SOUND)}
        address = (await heard(http))["Play"]
        assert address is not None
        played = await http.call("GET", address.partition("pico.example")[2])
        assert (played.status, played.body) == (200, SOUND)
        part = await http.call("GET", f"{path}/audio", token=token, headers={"Range": "bytes=4-9"})
        assert (part.status, part.body) == (206, SOUND[4:10])
        assert (await http.call("DELETE", path, token=token)).status == 204
        assert (await http.call("GET", path, token=token)).json == usual.json
        assert (await http.call("GET", address.partition("pico.example")[2])).status == 404


async def test_a_recording_that_does_not_say_what_it_is_is_refused() -> None:
    async with HttpWorld.running() as http:
        token = await http.person("ada")
        path = f"/v1/lines/{await http.line(token, OURS)}/greeting/audio"
        refused = await http.call("PUT", path, token=token)
        assert (refused.status, refused.code) == (422, "not_audio")
        refused = await http.call("PUT", path, raw=SOUND, token=token, headers={"Content-Type": "audio/ogg"})
        assert (refused.status, refused.code) == (422, "unsupported_audio")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [(b"<html></html>" * 9, "audio/wav", 422), (SOUND, "audio/mpeg", 422), (SOUND, "text/html", 422)],
)
async def test_what_is_no_recording_is_refused(content: bytes, kind: str, status: int) -> None:
    async with HttpWorld.running() as http:
        token = await http.person("ada")
        path = f"/v1/lines/{await http.line(token, OURS)}/greeting"
        headers = {"Content-Type": kind}
        assert (
            await http.call("PUT", f"{path}/audio", raw=content, token=token, headers=headers)
        ).status == status
        assert (await http.call("GET", path, token=token)).json["type"] is None
