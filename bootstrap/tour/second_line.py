"""The act of the second carrier: a line of another country is with it, and nobody who texts can tell."""

from __future__ import annotations

from typing import Any

from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import Traveller, canary, until
from bootstrap.tour_failed import TourFailed


async def take_a_british_line(stage: Stage, who: Traveller, sender: str) -> None:
    """Take a line that another carrier has, and have a message go each way. Raises TourFailed."""
    offers = await who.ask("GET", "/v1/available-numbers?country=GB")
    number = who.plant("British number", offers["items"][0]["number"])
    label = who.plant("British label", canary("for London"))
    ordered = await who.ask_once("POST", "/v1/lines", {"number": number, "label": label})
    stage.tell(f"{number}: {ordered['state']}, which takes a moment there")

    async def active() -> dict[str, Any]:
        line = await who.ask("GET", f"/v1/lines/{ordered['id']}")
        return dict(line) if line["state"] == "active" else {}

    line = await until("the second carrier's word", active)
    held = await who.ask("GET", "/sandbox/providers")
    if number not in str(held["second_carrier"]) or number in str(held["carrier"]):
        raise TourFailed("a British number is not with the second carrier")
    came = who.plant("British message", canary("Cheers, is this Ada?"))
    await who.ask("POST", "/sandbox/sms", {"from": sender, "to": number, "body": came})
    said = who.plant("British answer", canary("Speaking"))
    sent = await who.ask_once("POST", f"/v1/lines/{line['id']}/messages", {"to": sender, "body": said})

    async def delivered() -> bool:
        return bool((await who.ask("GET", f"/v1/messages/{sent['id']}"))["status"] == "delivered")

    await until("the second carrier's receipt", delivered)
    [conversation] = (await who.ask("GET", f"/v1/conversations?line_id={line['id']}"))["items"]
    page = (await who.ask("GET", f"/v1/conversations/{conversation['id']}/messages"))["items"]
    if sorted(message["body"] for message in page) != sorted([came, said]):
        raise TourFailed("a message by the second carrier is missing")
    stage.tell(f"{number}: active; {sender} wrote, Ada answered, and it was {page[0]['status']}")
