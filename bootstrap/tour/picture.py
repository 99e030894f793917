"""The act of the picture: it stays, and where it was taken does not."""

from __future__ import annotations

from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import Traveller, canary, until
from bootstrap.tour_failed import TourFailed


async def receive_picture(stage: Stage, who: Traveller, sender: str) -> None:
    """Have a picture with a place in it come in, and look at what is left of it. Raises TourFailed."""
    caption = who.plant("caption", canary("This is it"))
    place = who.plant("place", canary("52.5200 N, 13.4050 E"))
    sent = {"from": sender, "to": who.line["number"], "body": caption, "picture": place}
    await who.ask("POST", "/sandbox/sms", sent)

    async def kept() -> str:
        for conversation in (await who.ask("GET", "/v1/conversations"))["items"]:
            page = await who.ask("GET", f"/v1/conversations/{conversation['id']}/messages")
            for message in page["items"]:
                whole = await who.ask("GET", f"/v1/messages/{message['id']}")
                found = [str(each["id"]) for each in whole["media"] if each["state"] == "kept"]
                if found:
                    return found[0]
        return ""

    content = await who.fetch(f"/v1/media/{await until('the picture', kept)}")
    if place.encode() in content:
        raise TourFailed("a picture says where it was taken")
    at_rest = await stage.objects()
    stage.tell(f"{len(content)} bytes of PNG; the place written into it was left out before it was kept")
    stage.tell(f"as stored: {at_rest[0].name[:28]}…, {at_rest[0].read_bytes().hex()[:28]}…")
