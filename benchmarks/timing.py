"""`./pico bench --timing`: whether the time of an answer tells if an address has its account.

Signing in (with a wrong password), signing up and asking for a new password are asked in pairs, one address known and
one not, in random order. The figure is the area under the ROC curve (AUC): the chance that a known address takes longer
than an unknown one. At 0.50 the time tells nothing; chance alone moves it by 0.02 (one standard error) in 400 pairs.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter
from types import MappingProxyType

import asyncpg
from aiohttp import ClientSession
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from domain.accounts import Account, AccountState
from domain.kernel import AccountId
from domain.values import Email, Label, Locale, Password

WITHIN = 0.03
"""How far from 0.50 the AUC may be."""
PASSWORD, WRONG = "correct horse battery staple", "wrong horse battery staple"
KNOWN, UNKNOWN = "known{}@bench.example", "unknown{}@bench.example"

ASKED: Mapping[str, tuple[str, int, Mapping[str, object]]] = MappingProxyType({
    "sign in": ("/v1/sessions", 401, {"password": WRONG}),
    "sign up": ("/v1/accounts", 202, {
        "password": WRONG, "display_name": "Somebody", "locale": "en", "accepted": {"terms": True, "privacy": True},
    }),
    "reset": ("/v1/password-resets", 202, {}),
})  # fmt: skip
"""What is asked of an address: the path, the status of the answer, and what the body holds besides."""


async def tell(pairs: int) -> int:
    """Measure, print a table and return 1 if any time tells."""
    console = Console()
    table = Table("asked", "key", "AUC", "known, ms", "unknown, ms", "known later, ms", box=SIMPLE_HEAD)
    told = False
    with tempfile.TemporaryDirectory(prefix="pico-timing-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the database's user must reach it
        state = Path(folder) / "state"
        settings = Settings(port=0, state_dir=state, database_url=None, keyring_url=None, public_url=None)
        async with Sandbox.running(settings, work=False) as sandbox:
            await people(sandbox, pairs)
        for asked, key in product(ASKED, ("cold", "warm")):
            # Whatever a process knew is forgotten with it: each account is met for the first time again.
            async with Sandbox.running(settings, work=False) as sandbox:
                known, unknown = await _asked(sandbox, asked, pairs, same=key == "warm")
            auc = area(known, unknown)
            told |= abs(auc - 0.5) > WITHIN
            table.add_row(
                asked, key, f"{auc:.3f}", f"{median(known) * 1e3:.2f}", f"{median(unknown) * 1e3:.2f}",
                f"{median(k - u for k, u in zip(known, unknown, strict=True)) * 1e3:+.3f}",
            )  # fmt: skip
    console.print(table)
    console.print(f"An AUC further than {WITHIN} from 0.50 would tell." if not told else "The time tells.")
    return int(told)


def area(known: list[float], unknown: list[float]) -> float:
    """Return the chance that one of `known` is greater than one of `unknown`; equal ones count half."""
    ordered = sorted(unknown)
    wins = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in known)
    return wins / 2 / len(known) / len(unknown)


async def people(sandbox: Sandbox, pairs: int) -> list[AccountId]:
    """Make accounts as verification leaves them, and return them; one hash is enough for all."""
    made = []
    outside = sandbox.product.outside
    now = outside.clock.now()
    async with outside.hasher.turn("") as hashing:
        phc = await hashing.hash(Password(PASSWORD))
    for number in range(pairs):
        account_id = AccountId(outside.ids.new())
        made.append(account_id)
        await outside.keyring.create(account_id)
        async with outside.store.begin(account_id) as tx:
            tx.save(Account(
                id=account_id, email=Email(KNOWN.format(number)), password=phc, display_name=Label("Somebody"),
                locale=Locale("en"), terms_accepted_at=now, privacy_accepted_at=now, created_at=now,
                state=AccountState.ACTIVE, verified_at=now,
            ))  # fmt: skip
    return made


async def _asked(sandbox: Sandbox, asked: str, pairs: int, *, same: bool) -> tuple[list[float], list[float]]:
    """Ask in pairs; return the seconds of each answer for known and for unknown addresses.

    What was counted of guesses is forgotten before each: else all but the first six were refused, alike and at once.
    """
    times: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    async with (
        ClientSession() as client,
        asyncpg.create_pool(sandbox.databases.database_url, min_size=1, max_size=1) as database,
    ):

        async def ask(address: str) -> float:
            path, expected, more = ASKED[asked]
            await database.execute("DELETE FROM limits")
            began = perf_counter()
            async with client.post(sandbox.url + path, json={"email": address, **more}) as answer:
                await answer.read()
                took = perf_counter() - began
            if answer.status != expected:
                raise RuntimeError(answer.status)
            return took

        for number in range(5):  # whatever the first requests of a process find cold is nobody's account
            await ask(UNKNOWN.format(f"-{number}"))
        if same:
            await ask(KNOWN.format(0))
        for number in range(pairs):
            order = [KNOWN, UNKNOWN]
            if secrets.randbits(1):
                order.reverse()
            for kind in order:
                times[kind].append(await ask(kind.format(0 if same and kind == KNOWN else number)))
    return times[KNOWN], times[UNKNOWN]
