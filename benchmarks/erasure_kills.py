"""`kill -9` before and after every step of an erasure, its receipt and its end.

`./pico bench --erasure-kills TIMES`: at each place a process dies as many times; another one then goes on. The erasure
must come to its end, with one receipt; no provider may be made to do anything twice; and nothing may be left, with us
or with them. What outlives the processes, as it does in life, runs here: PostgreSQL, the carrier, the mail provider.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from adapters.outbound.twilio.simulator import Script
from adapters.outbound.twilio.simulator.pictures import tiny_picture
from application.erasure import EraseAccount
from application.inbound_calls import IncomingCall
from application.inbound_messages import InboundMessage
from application.voicemail_receiving import InboundVoicemail
from benchmarks.passing_on import Exchange, before
from benchmarks.tripwires import LATER, WORDS, Ground, Mined, Tripwire, ground_in, product_on, work
from bootstrap.container import wire
from domain.kernel import AccountId, CarrierRef
from domain.values import Label, MessageBody, Peer, PhoneNumber

STRANGER = Peer("+13105550178")
NUMBERS = cycle(f"+1415555{number:04}" for number in range(100, 200))
ROUNDS = 4
PATIENCE = 60
HELD = ("numbers", "messages", "media", "calls", "recordings")
"""What the carrier must hold of somebody before the erasure, or nothing would be shown."""


class Doomed(NamedTuple):
    """Who is to be erased, what the carrier calls them, and where mails went."""

    account: AccountId
    number: PhoneNumber
    address: str


@dataclass
class Counted:
    """Stands before a provider, and counts what was asked of it and done."""

    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def heard(self, exchange: Exchange) -> None:
        if exchange.method != "GET":
            what = exchange.method, exchange.path
            self.asked[what] += 1
            self.done[what] += exchange.status < 300

    def reset(self) -> None:
        self.done.clear()
        self.asked.clear()


def life(folder: str, _: object, at: int, told_steps: Any) -> None:  # noqa: ANN401 - a connection
    """Be a process that erases, and is killed at a step."""

    async def lived() -> None:
        tripwire = Tripwire(at)

        def mined(**parts: Any) -> EraseAccount:  # noqa: ANN401 - what the honest one is made of
            parts["steps"] = tuple(Mined(step, tripwire, "run") for step in parts["steps"])
            parts["ledger"] = Mined(parts["ledger"], tripwire, "complete")
            parts["store"] = Mined(parts["store"], tripwire, "forget_erasure")
            return EraseAccount(**parts)

        async with product_on(Path(folder)) as product:
            await work(product, wire(product.outside, {"erase_account": mined}), ROUNDS)
        told_steps.send(tripwire.steps)

    asyncio.run(lived())


async def doomed(ground: Ground, number: int) -> Doomed:
    """Let somebody live, so that there is something of them everywhere, and have them ask for erasure at once."""
    use_cases, name = ground.product.use_cases, f"gone{number}"
    account = await ground.somebody(name)
    line = (await use_cases.buy_line(account, PhoneNumber(next(NUMBERS)), Label("Work"), "buy")).line
    await use_cases.send_message(account, line.id, STRANGER, MessageBody("Are you there?"), "send")
    picture = ("image/png", tiny_picture(name))
    heard = CarrierRef(await ground.simulator.inbound_sms(STRANGER, line.number, "I am.", [picture]))
    await use_cases.receive_message(
        InboundMessage(heard, line.number, STRANGER, MessageBody("I am."), attachments=1, line_id=line.id)
    )
    call = CarrierRef(await ground.simulator.inbound_call(STRANGER, line.number, Script("no_answer")))
    await use_cases.answer_call(IncomingCall(call, line.number, STRANGER))
    await use_cases.start_export(account)
    await work(ground.product, use_cases)
    recording = CarrierRef(await ground.recorded(STRANGER, line.number, words=WORDS))
    await use_cases.receive_voicemail(InboundVoicemail(recording, line.number, STRANGER, LATER))
    held = ground.simulator.holdings()
    if missing := [what for what in HELD if not held[what]]:
        raise RuntimeError(f"the carrier holds no {missing}")
    if not await ground.product.outside.objects.count(account):
        raise RuntimeError("there is no object")
    await use_cases.erase_on_request(account, really=True)
    await use_cases.sweep()
    return Doomed(account, line.number, f"{name}@example.org")


async def broken_of(ground: Ground, who: Doomed, counted: Counted) -> list[str]:
    """Return what is not finished, was done twice, or is left."""
    outside, found = ground.product.outside, list[str]()
    name = await outside.fingerprint(who.account)
    if await outside.ledger.receipt(name) is None:
        found.append("there is no receipt")
    receipts = [line for line in _ledger(ground).splitlines() if f'"completed":"{name.hex()}"' in line]
    if len(receipts) != 1:
        found.append(f"there are {len(receipts)} receipts")
    counts = {**await outside.store.count_rows(who.account), "keys": await outside.keyring.count(who.account)}
    counts["objects"] = await outside.objects.count(who.account)
    counts["checkpoints"] = await outside.store.erasure(who.account) is not None
    counts["residue list"] = len(await outside.store.residue(who.account, None, 1))
    counts["jobs"] = await ground.pool.fetchval(
        "SELECT count(*) FROM jobs WHERE account_id = $1", UUID(str(who.account))
    )
    held, posted = ground.simulator.holdings(), ground.post.holdings()
    counts |= {f"{what} at the carrier": str(held[what]).count(who.number) for what in held}
    counts |= {f"{what} at the mail provider": str(posted[what]).count(who.address) for what in posted}
    found += [f"{number} {what} left" for what, number in counts.items() if number]
    return found + [f"{method} {path} was done {times} times" for (method, path), times in counted.done.items()
                    if times > 1 and method == "DELETE"]  # fmt: skip


def _ledger(ground: Ground) -> str:
    return "".join(file.read_text("utf-8") for file in (ground.folder / "ledger").iterdir() if file.is_file())


async def kills(times: int, folder: Path, say: Callable[[str], None]) -> int:
    """Kill `times` times at each place; return how many promises were broken; each is told."""
    broken, killed, asked_anew, counted, numbers = 0, 0, 0, Counted(), count(1)
    async with ground_in(folder, __name__, partial(before, heard=counted.heard)) as ground:

        async def once(at: int) -> tuple[list[str], list[str]]:
            who = await doomed(ground, next(numbers))
            counted.reset()
            if not at and len(await broken_of(ground, who, counted)) < len(HELD):
                raise RuntimeError("what is left would not be found")
            steps = await ground.live(life, None, at)
            end = monotonic() + PATIENCE
            await ground.go_on(2)
            while (wrong := await broken_of(ground, who, counted)) and monotonic() < end:
                await ground.go_on(1)
            return steps, wrong

        steps, wrong = await once(0)
        without = sum(counted.asked.values())
        say(
            f"{len(steps)} places; {without} writes at providers; without a kill: {wrong or 'nothing is left'}"
        )
        broken += len(wrong)
        for at in range(1, len(steps) + 1):
            for _ in range(times):
                _, wrong = await once(at)
                killed, asked_anew = killed + 1, asked_anew + max(0, sum(counted.asked.values()) - without)
                broken += len(wrong)
                for one in wrong:
                    say(f"broken, killed {steps[at - 1]} ({at}): {one}")
            say(f"{steps[at - 1]}: {times} killed")
    say(
        f"killed {killed} times; {asked_anew} requests were asked once more because their answer was lost;"
        f" {broken} promises broken"
    )
    return broken
