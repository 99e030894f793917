"""The tour, act by act."""

from __future__ import annotations

import secrets

from aiohttp import ClientSession

from bootstrap.tour.farewell import delete_account, export_everything
from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import PASSWORD, TourFailed, Traveller, canary, until


async def play(stage: Stage, client: ClientSession) -> int:
    """Play every act; return how many traces were left at the end. Raises TourFailed."""
    ada, boris = Traveller(client, "Ada"), Traveller(client, "Boris")
    stage.begin("Ada and Boris sign up, verify, and take a line")
    await settle_in(stage, ada, "202")
    await settle_in(stage, boris, "415")
    await stage.show("phone_lines", "number", "label")

    stage.begin("Messages come and go")
    await exchange_messages(stage, ada, boris)
    await stage.show("messages", "direction", "status", "body")

    stage.begin("An auditor with the database's own files, while both accounts live")
    everything = {**ada.planted, **boris.planted}
    found = len(await stage.search_database(everything))
    stage.tell(f"{found} traces in data files, WAL and log")

    stage.begin("Ada exports everything, once, with her password again")
    await export_everything(stage, ada)

    stage.begin("Ada deletes her account; 30 days pass on the clock")
    await delete_account(stage, ada)
    stage.begin("Boris does the same")
    await delete_account(stage, boris)

    stage.begin("Every store is searched for every value")
    return len(await stage.search_everything(everything))


async def settle_in(stage: Stage, who: Traveller, area: str) -> None:
    """Sign up, verify by mail, buy a number."""
    email = who.plant("e-mail", f"{who.name.lower()}-{secrets.token_hex(6)}@example.org")
    name = who.plant("name", canary(who.name))
    new = {
        "email": email,
        "password": PASSWORD,
        "display_name": name,
        "locale": "en",
        "accepted": {"terms": True, "privacy": True},
    }
    await who.ask("POST", "/v1/accounts", new)

    async def mailed() -> str:
        mails = (await who.ask("GET", "/sandbox/mails"))["items"]
        return next((mail["token"] for mail in mails if mail["to"] == email), "")

    link = await until("the mail", mailed)
    proof = {"token": link, "password": PASSWORD}
    who.token = (await who.ask("POST", "/v1/account-verifications", proof))["token"]
    offers = await who.ask("GET", f"/v1/available-numbers?country=US&area_code={area}")
    number = who.plant("number", offers["items"][0]["number"])
    label = who.plant("label", canary("line of " + who.name))
    who.line = await who.ask_once("POST", "/v1/lines", {"number": number, "label": label})
    if who.line["number"] != number:
        raise TourFailed("another number was bought than the one asked for")
    stage.tell(f"{who.name}: {email}, line {number} ({who.line['state']})")


async def exchange_messages(stage: Stage, ada: Traveller, boris: Traveller) -> None:
    """Let a stranger write to Ada, Ada write to Boris, and Ada read both."""
    stranger = ada.plant("caller", "+1212555" + f"{secrets.randbelow(10_000):04}")
    greeting = ada.plant("greeting", canary("Is the flat still free?"))
    await ada.ask("POST", "/sandbox/sms", {"from": stranger, "to": ada.line["number"], "body": greeting})
    said = boris.plant("message", canary("Dinner at eight, bring the papers"))
    sent = await ada.ask_once(
        "POST", f"/v1/lines/{ada.line['id']}/messages", {"to": boris.line["number"], "body": said}
    )

    async def arrived() -> bool:
        return bool((await boris.ask("GET", "/v1/conversations"))["items"])

    async def delivered() -> bool:
        return bool((await ada.ask("GET", f"/v1/messages/{sent['id']}"))["status"] == "delivered")

    await until("the message's arrival", arrived)
    await until("the delivery receipt", delivered)
    for conversation in (await ada.ask("GET", "/v1/conversations"))["items"]:
        last, unread = conversation["last_message"], conversation["unread"]
        stage.tell(
            f"Ada sees {conversation['peer']}, {unread} unread of {conversation['total']}: {last['body']}"
        )
        page = await ada.ask("GET", f"/v1/conversations/{conversation['id']}/messages")
        for message in page["items"]:
            stage.tell(f"  {message['from']} to {message['to']}, {message['status']}: {message['body']}")
