"""What must hold when the load is over: nothing lost, nothing twice, nothing stuck, and of the erased nothing left."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Mapping
from time import monotonic
from unittest.mock import patch
from uuid import UUID

import asyncpg

from bootstrap.commands.erasures import verify_receipt
from bootstrap.process import Product
from bootstrap.settings import ProductionSettings, read_settings
from bootstrap.worlds.production import Production
from domain.kernel import AccountId, NotFound
from tests.rehearse.load import OVER, Load, Person

PATIENCE = 420
"""Seconds after the load within which everything must have come to its end.

The slowest is an erasure whose worker was killed: its job's lease runs out after 30 s, and what providers held is
looked for again a minute after it was gone. A message of which no webhook told is asked for after two minutes.
"""
TELL_EVERY = 30
OVERDUE = "5 seconds"
JOBS = f"SELECT name, state::text FROM jobs WHERE state = 'dead' OR due_at < now() - interval '{OVERDUE}'"  # noqa: S608 - our own
LEFT = {"rows_left": 0, "objects_left": 0, "keys_left": 0}


async def broken(load: Load, say: Callable[[str], None]) -> list[str]:
    """Return what does not hold, once nothing more comes of waiting."""
    production = Production(settings_of(load.ground.variables))
    async with production.opened() as product:
        end, told = monotonic() + PATIENCE, monotonic()
        while found := await _broken(load, product):
            if monotonic() > end:
                break
            if monotonic() > told + TELL_EVERY:
                say(f"waiting for {len(found)} things to come to their end: {found[0]}")
                told = monotonic()
            await asyncio.sleep(3)
    return found + load.failed


def settings_of(variables: Mapping[str, str]) -> ProductionSettings:
    """Return the settings that processes with these variables have."""
    with patch.dict(os.environ, variables):
        return read_settings(ProductionSettings)


async def _broken(load: Load, product: Product) -> list[str]:
    found = await _erasures(load, product)
    found += await _jobs(load)
    if found:
        return found  # people's own view takes long to look at, and is of no use before
    for person in [*load.residents, *load.stayed]:
        found += await _of_person(load, person)
    found += [
        f"{body!r} was taken {times} times by a carrier"
        for body, times in load.ground.taken.items()
        if times != 1
    ]
    found += [f"{body!r} was never given to a carrier" for body in load.sent if not load.ground.taken[body]]
    compared = await product.use_cases.reconcile_numbers(really=False)
    found += [f"a number at a carrier: {each.kind}" for each in compared.differences]
    held = load.ground.till.holdings()["customers"]
    if held != load.payers:
        found.append(f"{held} customers at Stripe, and not {load.payers}")
    return found


async def _erasures(load: Load, product: Product) -> list[str]:
    """Return which erasures are not done, or have no complete receipt."""
    found = [f"an erasure waits at {each.step}" for each in await product.use_cases.list_erasures()]
    for account in load.gone:
        account_id = AccountId(UUID(account))
        try:
            shown = await product.use_cases.show_receipt(account_id)
        except NotFound:
            found.append("an erasure has no receipt")
            continue
        receipt = shown.receipts[-1]
        whole = LEFT.items() <= receipt.facts.items() and "finished_at" in receipt.facts
        if not whole or not verify_receipt(shown.public_key, receipt.fingerprint, receipt.facts):
            found.append("a receipt is not complete")
        left = sum((await product.outside.store.count_rows(account_id)).values())
        left += await product.outside.keyring.count(account_id) + await product.outside.objects.count(
            account_id
        )
        if left:
            found.append(f"{left} rows, keys and objects are left of somebody")
    return found


async def _jobs(load: Load) -> list[str]:
    connection = await asyncpg.connect(load.ground.databases.owner_url)
    try:
        rows = Counter((row["name"], row["state"]) for row in await connection.fetch(JOBS))
    finally:
        await connection.close()
    return [f"{times} jobs {name} are {state}, and overdue" for (name, state), times in rows.items()]


async def _of_person(load: Load, person: Person) -> list[str]:
    """Return what somebody misses, or has twice."""
    ask, token, name = load.stage.ask, person.token, person.name
    messages = [each async for each in load.stage.messages(token)]
    found = [
        f"{each['body']!r} is still {each['status']}"
        for each in messages
        if each["direction"] == "outbound" and each["status"] not in OVER
    ]
    inbox = Counter(each["body"] for each in messages)
    found += [
        f"{body!r} is there {inbox[body]} times for {name}, and not {person.inbox[body]}"
        for body in inbox.keys() | person.inbox.keys()
        if inbox[body] != person.inbox[body]
    ]
    line = await ask("GET", f"/v1/lines/{person.line}", token=token)
    if line["state"] != "active":
        found.append(f"the line of {name} is {line['state']}")
    states = Counter([each["state"] async for each in load.stage.pages("/v1/voicemails", token)])
    lost = min(load.ground.front.lost_calls, person.voicemails)
    kept = range(person.voicemails - lost, person.voicemails + person.cut_short + 1)
    if states["kept"] not in kept or states.total() != states["kept"]:
        found.append(f"voicemails of {name}: {dict(states)}, and not {person.voicemails} kept")
    calls = Counter([each["outcome"] async for each in load.stage.pages("/v1/calls", token)])
    if under_way := calls.keys() & {"ringing", "in_progress"}:
        found.append(f"calls of {name}: {under_way}")
    return found
