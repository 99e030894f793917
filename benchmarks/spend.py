"""`./pico bench --spend`: whether raced sends, however many, make an account spend more than it may.

One account in a Sandbox sends so many messages, fifty at a time, and then as many while nobody can say what was spent.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from itertools import islice
from pathlib import Path
from time import perf_counter

import asyncpg
from rich.console import Console

from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from domain.accounts import Account, AccountState
from domain.kernel import AccountId, LineId, PicoError
from domain.lines import LineState, PhoneLine
from domain.values import (
    Capability,
    Country,
    Email,
    Label,
    Locale,
    MessageBody,
    PasswordHash,
    Peer,
    PhoneNumber,
)

AT_ONCE = 50
BODY, HOME = MessageBody("hello"), Country("US")


async def overspend(sends: int) -> int:
    """Race the sends, print what came of them and return 1 if more was spent than may be."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="pico-spend-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the database's user must reach it
        settings = Settings(
            port=0, state_dir=Path(folder) / "state", database_url=None, keyring_url=None, public_url=None
        )
        async with Sandbox.running(settings, work=False) as sandbox:
            limit, price = settings.spend_policy.of_a_young_account, settings.spend_policy.cost(BODY, HOME)
            account_id, line_id = await _somebody(sandbox)
            began, from_ = perf_counter(), sandbox.now()
            answers = await _raced(sandbox, account_id, line_id, range(sends))
            took, hours = perf_counter() - began, (sandbox.now() - from_).total_seconds() / 3600
            spent = answers["accepted"] * price
            may = limit.at_once + int((sandbox.now() - from_) / limit.every)
            console.print(f"{sends:,} sends in {took:.1f} s: {dict(answers)}")
            console.print(f"Spent {spent}, of {may} thousandths of a dollar that {hours:.3f} hours allow.")
            connection = await asyncpg.connect(sandbox.databases.owner_url)
            await connection.execute("ALTER TABLE limits RENAME TO gone")
            await connection.close()
            blind = await _raced(sandbox, account_id, line_id, range(sends, sends + 1000))
            console.print(f"While nothing could be counted: {dict(blind)}")
    return int(spent > may + price or blind["accepted"] > 0)


async def _somebody(sandbox: Sandbox) -> tuple[AccountId, LineId]:
    """Make an account that has a line."""
    outside = sandbox.product.outside
    account_id, line_id, now = AccountId(outside.ids.new()), LineId(outside.ids.new()), outside.clock.now()
    await outside.keyring.create(account_id)
    async with outside.store.begin(account_id) as tx:
        tx.save(Account(
            id=account_id, email=Email("ada@bench.example"), password=PasswordHash("!"), display_name=Label("Ada"),
            locale=Locale("en"), terms_accepted_at=now, privacy_accepted_at=now, created_at=now,
            state=AccountState.ACTIVE, verified_at=now,
        ))  # fmt: skip
        tx.save(PhoneLine(
            account_id=account_id, id=line_id, number=PhoneNumber("+12025550143"), country=HOME,
            capabilities=frozenset(Capability), label=None, state=LineState.ACTIVE, created_at=now,
        ))  # fmt: skip
    return account_id, line_id


async def _raced(sandbox: Sandbox, account_id: AccountId, line_id: LineId, sends: range) -> Counter[str]:
    """Send so many, `AT_ONCE` at a time; return what came of them."""
    answers, numbers = Counter[str](), iter(sends)

    async def send(number: int) -> str:
        to = Peer(f"+1310{2000000 + number % 7999999:07}")
        try:
            await sandbox.use_cases.send_message(account_id, line_id, to, BODY, f"key {number}")
        except PicoError as error:
            return error.code
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was sent
            return type(error).__name__
        return "accepted"

    while some := list(islice(numbers, AT_ONCE)):
        answers.update(await asyncio.gather(*map(send, some)))
    return answers
