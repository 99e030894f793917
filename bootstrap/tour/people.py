"""The act of the people: one has a name, one is heard no more, and what was said is found by a word of it."""

from __future__ import annotations

from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import Traveller, canary, until
from bootstrap.tour_failed import TourFailed


async def name_block_and_search(stage: Stage, who: Traveller, known: str, unwanted: str) -> None:
    """Save one caller as a contact, block another number, which then writes, and search. Raises TourFailed."""
    name = who.plant("contact", canary("Noa"))
    await who.ask_once("POST", "/v1/contacts", {"name": name, "numbers": [known]})
    named = await peers(who)
    if named.get(known) != name:
        raise TourFailed("a contact's conversation does not show the contact's name")
    stage.tell(f"{known} is now {name}")

    nuisance = who.plant("nuisance", canary("You have won"))
    await who.ask("PUT", f"/v1/blocked-numbers/{unwanted}")
    await who.ask("POST", "/sandbox/sms", {"from": unwanted, "to": who.line["number"], "body": nuisance})
    await who.ask("POST", "/sandbox/clock", {"advance": "PT10M"})

    async def gone() -> bool:
        held = str(await who.ask("GET", "/sandbox/providers"))
        return nuisance not in held and unwanted not in held

    await until("the deletion of a blocked number's message at the carrier", gone)
    if await peers(who) != named:
        raise TourFailed("something is left of what a blocked number sent")
    stage.tell(f"{unwanted} is blocked: what it sends stays neither here nor at the carrier")

    word = who.plant("search", who.planted[f"{who.name}'s greeting"].split()[-1])
    found = (await who.ask("GET", f"/v1/search?q={word}"))["items"]
    if [message["from"] for message in found] != [known]:
        raise TourFailed("a search does not find the one message with its word in it")
    stage.tell(f"a search for {word} finds: {found[0]['body']}")


async def peers(who: Traveller) -> dict[str, str | None]:
    """Return who is in a conversation with the person, by number, and their names."""
    listed = (await who.ask("GET", "/v1/conversations"))["items"]
    return {conversation["peer"]: conversation["name"] for conversation in listed}
