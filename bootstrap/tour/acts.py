"""The tour, act by act."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import ClientSession

from bootstrap.tour.calls import take_calls
from bootstrap.tour.farewell import delete_account, export_everything, think_again
from bootstrap.tour.people import name_block_and_search
from bootstrap.tour.picture import receive_picture
from bootstrap.tour.second_line import take_a_british_line
from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import PASSWORD, Traveller, canary, until
from bootstrap.tour.waking import wake_a_telephone
from bootstrap.tour_failed import TourFailed


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

    stage.begin("A picture comes, without the place where it was taken")
    await receive_picture(stage, ada, ada.planted["Ada's caller"])

    stage.begin("Ada's telephone is woken, and told nothing")
    await wake_a_telephone(stage, ada, ada.planted["Ada's caller"])

    stage.begin("A caller gets a name, another is blocked, and a word is searched for")
    caller, unwanted = ada.planted["Ada's caller"], ada.plant("blocked number", some_caller())
    await name_block_and_search(stage, ada, caller, unwanted)
    await stage.show("contacts", "name", "numbers")
    await stage.show("blocked_numbers", "number")

    stage.begin("Ada takes a British line, which a second carrier has")
    await take_a_british_line(stage, ada, caller)

    stage.begin("Ada misses a call and takes another; only a message and her own greeting are recorded")
    await take_calls(stage, ada, caller)
    await stage.show("calls", "direction", "outcome", "peer")

    stage.begin("An auditor with the database's own files, while both accounts live")
    everything = {**ada.planted, **boris.planted}
    found = len(await stage.search_database(everything))
    stage.tell(f"{found} traces in data files, WAL and log")

    stage.begin("Ada exports everything, once, with her password again")
    await export_everything(stage, ada)

    stage.begin("Boris deletes his account, and ten days later wants it back")
    await think_again(stage, boris)
    stage.begin("Ada deletes hers; 30 days pass on the clock")
    await delete_account(stage, ada)

    stage.begin("Carla gets Ada's former number, and somebody writes to Ada")
    carla = Traveller(client, "Carla")
    await settle_in(stage, carla, "202", ada.line["number"])
    await receive_late(stage, carla)
    stage.begin("Boris and Carla go, too")
    await delete_account(stage, boris)
    await delete_account(stage, carla)

    stage.begin("Every store is searched for every value")
    return len(await stage.search_everything({**ada.planted, **boris.planted, **carla.planted}))


async def settle_in(stage: Stage, who: Traveller, area: str, number: str = "") -> None:
    """Sign up, verify by mail, buy a number: the first on offer unless it is named."""
    email = who.email = who.plant("e-mail", f"{who.name.lower()}-{secrets.token_hex(6)}@example.org")
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
    who.account_id = (await who.ask("GET", "/v1/account"))["id"]
    offers = await who.ask("GET", f"/v1/available-numbers?country=US&area_code={area}")
    number = who.plant("number", number or offers["items"][0]["number"])
    label = who.plant("label", canary("line of " + who.name))
    who.line = await who.ask_once("POST", "/v1/lines", {"number": number, "label": label})
    if who.line["number"] != number:
        raise TourFailed("another number was bought than the one asked for")
    stage.tell(f"{who.name}: {email}, line {number} ({who.line['state']})")


async def exchange_messages(stage: Stage, ada: Traveller, boris: Traveller) -> None:
    """Let a stranger write to Ada, Ada write to Boris, and Ada read both."""
    stranger = ada.plant("caller", some_caller())
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


async def receive_late(stage: Stage, who: Traveller) -> None:
    """Let a stranger write to whoever had the number before, and see that its new owner sees that and nothing older."""
    late = who.plant("late message", canary("Ada, is that still your number?"))
    stranger = who.plant("caller", some_caller())
    await who.ask("POST", "/sandbox/sms", {"from": stranger, "to": who.line["number"], "body": late})

    async def seen() -> list[Any]:
        return list((await who.ask("GET", "/v1/conversations"))["items"])

    [conversation] = await until("the late message", seen)
    items = (await who.ask("GET", f"/v1/conversations/{conversation['id']}/messages"))["items"]
    if [message["body"] for message in items] != [late]:
        raise TourFailed("the number's new owner sees more than what was sent to it now")
    stage.tell(f"Carla sees: {late}")
    stage.tell("and nothing that was ever said to Ada")


def some_caller() -> str:
    """Make a number that nobody has."""
    return f"+1212555{secrets.randbelow(10_000):04}"
