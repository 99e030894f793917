"""Where the tour is played: a Sandbox to look into, and a screen to tell it on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
from rich.console import Console
from rich.table import Table

from bootstrap.plaintext_scan import Trace, search_files
from bootstrap.tour_failed import TourFailed
from bootstrap.worlds.sandbox import Sandbox
from domain.kernel import AccountId


class Stage:
    """A running Sandbox and the console that everything is told on."""

    def __init__(self, sandbox: Sandbox, console: Console) -> None:
        """Nothing is told yet."""
        self.sandbox = sandbox
        self._console = console
        self._chapter = 0

    def begin(self, title: str) -> None:
        """Begin a chapter."""
        self._chapter += 1
        self._console.print(f"\n[bold]{self._chapter}. {title}[/bold]", highlight=False)

    def tell(self, line: str) -> None:
        """Print one line."""
        self._console.print(f"   {line}", highlight=False, markup=False)

    async def show(self, table: str, *columns: str) -> None:
        """Print rows as they lie in PostgreSQL."""
        shown = Table(*columns, title=f"{table}, as stored", title_justify="left")
        connection = await asyncpg.connect(self.sandbox.databases.database_url)
        try:
            first = f"SELECT {', '.join(columns)} FROM {table} ORDER BY id LIMIT 4"  # noqa: S608 - our own names
            for row in await connection.fetch(first):
                shown.add_row(
                    *(f"{value.hex()[:28]}…" if isinstance(value, bytes) else str(value) for value in row)
                )
        finally:
            await connection.close()
        self._console.print(shown)

    async def objects(self) -> list[Path]:
        """Return the files in which pictures and voicemail lie."""
        return [path for path in (self.sandbox.state_dir / "objects").rglob("*") if path.is_file()]

    async def fingerprint(self, account_id: str) -> bytes:
        """Return how the erasure ledger will know an account: after its erasure nobody can tell any more."""
        return await self.sandbox.product.outside.fingerprint(AccountId(UUID(account_id)))

    async def show_receipt(self, fingerprint: bytes) -> None:
        """Print a receipt, and check its signature, as it is and with one count altered. Raises TourFailed."""
        outside = self.sandbox.product.outside
        receipt = await outside.ledger.receipt(fingerprint)
        key = await outside.keyring.system("ledger")
        if receipt is None or not receipt.verify(key):
            raise TourFailed("the receipt's signature does not verify")
        self.tell(", ".join(f"{name} {fact}" for name, fact in receipt.facts.items()))
        if replace(receipt, facts={**receipt.facts, "keys_left": 1}).verify(key):
            raise TourFailed("an altered receipt verifies")
        self.tell("its signature verifies; with one count altered it does not")

    async def search_database(self, planted: Mapping[str, str]) -> list[Trace]:
        """Search the database server's own files for the values."""
        return await self._search(self.sandbox.databases.folder, planted)

    async def search_everything(self, planted: Mapping[str, str]) -> list[Trace]:
        """Search every file of the Sandbox for the values, and print what is left of each."""
        found = await self._search(self.sandbox.state_dir, planted)
        shown = Table("value", "traces")
        for name in planted:
            places = [f"{trace.form} in {trace.place}" for trace in found if trace.name == name]
            shown.add_row(name, ", ".join(places) or "none")
        self._console.print(shown)
        return found

    async def _search(self, folder: Path | None, planted: Mapping[str, str]) -> list[Trace]:
        if folder is None:
            raise LookupError("the database is not ours to search")
        await self.sandbox.flush()
        return await asyncio.to_thread(search_files, [folder], planted)
