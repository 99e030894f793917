"""A newcomer's minute: two accounts live a whole life in a throw-away Sandbox, told on screen."""

from __future__ import annotations

import asyncio
import base64
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import ClientSession
from rich.console import Console
from rich.table import Table

from bootstrap.plaintext_scan import search_files
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox

PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that live for a minute
PATIENCE = 20.0
"""Seconds until something that should happen by itself counts as broken."""


class TourFailed(Exception):
    """The tour did not go as told; the message says where."""


@dataclass
class Traveller:
    """One person: what they told us, and so what must not be found afterwards."""

    client: ClientSession
    name: str
    planted: dict[str, str] = field(default_factory=dict)
    token: str = ""
    line: dict[str, Any] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Send one request and return the JSON answer. Raises TourFailed."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        async with self.client.request(method, path, json=body, headers=headers) as answer:
            if answer.status >= 400:  # noqa: PLR2004 - the class of errors
                raise TourFailed(f"{method} {path.split('?', maxsplit=1)[0]} answered {answer.status}")
            return await answer.json() if answer.content_type == "application/json" else None

    def plant(self, what: str, value: str) -> str:
        """Remember a personal value."""
        self.planted[f"{self.name}'s {what}"] = value
        return value


def canary(text: str) -> str:
    """Make a value that occurs nowhere by chance."""
    return f"{text} {secrets.token_hex(6)}"


async def until(what: str, true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that should happen by itself. Raises TourFailed."""
    for _ in range(int(PATIENCE / 0.05)):
        if await true():
            return
        await asyncio.sleep(0.05)
    raise TourFailed(f"{what} did not happen within {PATIENCE:.0f} s")


class Tour:
    """Plays the tour against a running Sandbox and tells it on `console`."""

    def __init__(self, sandbox: Sandbox, client: ClientSession, console: Console) -> None:
        self.sandbox, self.client, self.console = sandbox, client, console
        self.chapter = 0

    def tell(self, text: str) -> None:
        """Say one line."""
        self.console.print(f"   {text}", highlight=False)

    def head(self, text: str) -> None:
        """Begin a chapter."""
        self.chapter += 1
        self.console.print(f"\n[bold]{self.chapter}. {text}[/bold]", highlight=False)

    async def play(self) -> int:
        """Play it; return how many traces were left at the end."""
        ada, boris = Traveller(self.client, "Ada"), Traveller(self.client, "Boris")
        self.head("Ada and Boris sign up, verify, and take a line")
        await self.settle_in(ada, "202")
        await self.settle_in(boris, "415")
        await self.show("phone_lines", "number", "number_index", "label")

        self.head("Texts come and go")
        await self.texts(ada, boris)
        await self.show("messages", "direction", "status", "body")

        self.head("An auditor with the database's own files, while both accounts live")
        everything = {**ada.planted, **boris.planted}
        found = await self.traces([self.sandbox.database_dir], everything)
        self.tell(f"{found} traces in data files, WAL and log")

        self.head("Ada exports everything, once, with her password again")
        await self.export(ada)

        self.head("Ada deletes her account; 30 days pass on the clock")
        await self.commit(ada)
        self.head("Boris does the same")
        await self.commit(boris)

        self.head("Every store is searched for every value")
        return await self.traces([self.sandbox.state_dir], everything, table=True)

    async def settle_in(self, who: Traveller, area: str) -> None:
        """Sign up, verify by mail, buy a number."""
        email = who.plant("e-mail", f"{who.name.lower()}-{secrets.token_hex(6)}@example.org")
        name = who.plant("name", canary(who.name))
        await who.ask("POST", "/v1/accounts", {
            "email": email, "password": PASSWORD, "display_name": name, "locale": "en",
            "accepted": {"terms": True, "privacy": True},
        })  # fmt: skip

        async def mailed() -> bool:
            mails = (await who.ask("GET", "/sandbox/mails"))["items"]
            who.token = next((mail["token"] for mail in mails if mail["to"] == email), "")
            return bool(who.token)

        await until("the mail", mailed)
        link, who.token = who.token, ""
        who.token = (await who.ask("POST", "/v1/accounts/verify", {"token": link}))["token"]
        offer = (await who.ask("GET", f"/v1/available-numbers?country=US&area_code={area}"))["items"][0]
        label = who.plant("label", canary("line of " + who.name))
        who.line = await who.ask(
            "POST",
            "/v1/lines",
            {"number": offer["number"], "country": "US", "label": label},
            **{"Idempotency-Key": secrets.token_hex(8)},
        )
        who.plant("number", who.line["number"])
        self.tell(f"{who.name}: {email}, line {who.line['number']} ({who.line['state']})")

    async def texts(self, ada: Traveller, boris: Traveller) -> None:
        """A stranger texts Ada; Ada texts Boris; Boris reads."""
        stranger = ada.plant("caller", "+1212555" + f"{secrets.randbelow(10_000):04}")
        greeting = ada.plant("greeting", canary("Is the flat still free?"))
        await ada.ask("POST", "/sandbox/sms", {"from": stranger, "to": ada.line["number"], "body": greeting})
        said = boris.plant("text", canary("Dinner at eight, bring the papers"))
        sent = await ada.ask(
            "POST", f"/v1/lines/{ada.line['id']}/messages", {"to": boris.line["number"], "body": said},
            **{"Idempotency-Key": secrets.token_hex(8)},
        )  # fmt: skip

        async def arrived() -> bool:
            return bool((await boris.ask("GET", "/v1/conversations"))["items"])

        async def delivered() -> bool:
            return bool((await ada.ask("GET", f"/v1/messages/{sent['id']}"))["status"] == "delivered")

        await until("the text's arrival", arrived)
        await until("the delivery report", delivered)
        for conversation in (await ada.ask("GET", "/v1/conversations"))["items"]:
            for message in (await ada.ask("GET", f"/v1/conversations/{conversation['id']}/messages"))[
                "items"
            ]:
                self.tell(f"Ada sees: {message['direction']} {message['status']}: {message['body']}")

    async def export(self, who: Traveller) -> None:
        """Ask, wait, take; a second taking is refused."""
        export = await who.ask("POST", "/v1/account/exports")
        path = f"/v1/account/exports/{export['id']}"

        async def ready() -> bool:
            return bool((await who.ask("GET", path))["state"] == "ready")

        await until("the export", ready)
        again = {"X-Reauthenticate": base64.b64encode(PASSWORD.encode()).decode()}
        records = (await who.ask("GET", f"{path}/download", **again))["records"]
        self.tell(", ".join(f"{len(rows)} {name}" for name, rows in records.items()))
        bodies = [row["body"] for row in records["messages"]]
        self.tell(f"messages decrypted: {bodies[0]!r}")
        try:
            await who.ask("GET", f"{path}/download", **again)
        except TourFailed as refused:
            self.tell(f"a second download: {refused}")
        else:
            raise TourFailed("the export could be downloaded twice")

    async def commit(self, who: Traveller) -> None:
        """Delete, move the clock, and be gone."""
        preview = await who.ask("DELETE", "/v1/account", {"password": PASSWORD})
        self.tell("signed out everywhere, the line falls silent")
        self.tell(
            f"{preview['lines']} line and {preview['messages']} messages go on {preview['due_at'][:10]}"
        )
        who.token = ""
        now = (await who.ask("POST", "/sandbox/clock", {"advance": "P30D"}))["now"]
        self.tell(f"the clock says {now}")

        async def gone() -> bool:
            held = await who.ask("GET", "/sandbox/providers")
            return who.line["number"] not in str(held)

        await until("erasure", gone)
        await until("the receipt", self.sandbox.erased)
        self.tell("numbers released and read back, keys destroyed, rows deleted, receipt signed")

    async def show(self, table: str, *columns: str) -> None:
        """Print rows as they lie in PostgreSQL."""
        shown = Table(*columns, title=f"{table}, as stored", title_justify="left")
        connection = await asyncpg.connect(self.sandbox.database_url)
        try:
            first = f"SELECT {', '.join(columns)} FROM {table} ORDER BY id LIMIT 4"  # noqa: S608 - our own names
            for row in await connection.fetch(first):
                shown.add_row(
                    *(f"{value.hex()[:28]}…" if isinstance(value, bytes) else str(value) for value in row)
                )
        finally:
            await connection.close()
        self.console.print(shown)

    async def traces(self, folders: list[Path], planted: dict[str, str], *, table: bool = False) -> int:
        """Search files for planted values; return how many traces there are."""
        await self.sandbox.flush()
        found = await asyncio.to_thread(search_files, folders, planted)
        if table:
            shown = Table("value", "traces")
            for name in planted:
                places = [f"{trace.form} in {trace.place}" for trace in found if trace.name == name]
                shown.add_row(name, ", ".join(places) or "none")
            self.console.print(shown)
        return len(found)


def tour(console: Console) -> int:
    """Play the tour in a folder of its own; return the exit code: 0 only when nothing was left."""
    with tempfile.TemporaryDirectory(prefix="pico-tour-") as folder:
        Path(folder).chmod(0o755)  # the database server may run as another user
        left = asyncio.run(_tour(console, Path(folder) / "state"))
    console.print(f"\n[bold]{left} traces left.[/bold]" + ("" if left else " That is the policy, kept."))
    return 1 if left else 0


async def _tour(console: Console, state: Path) -> int:
    settings = Settings(port=0, state_dir=state, database_url=None, keyring_url=None, public_url=None)
    async with Sandbox.running(settings) as sandbox, ClientSession(base_url=sandbox.url) as client:
        return await Tour(sandbox, client, console).play()
