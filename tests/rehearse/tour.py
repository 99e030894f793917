"""The tour and a whole life, on Production's wiring: who takes the tour cannot tell it from a Sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

from aiohttp import ClientSession, DummyCookieJar
from rich.console import Console
from typing_extensions import override

from adapters.inbound.http.app import build
from bootstrap.process import Product
from bootstrap.tour import traveller
from bootstrap.tour.acts import play
from bootstrap.tour.stage import Stage
from bootstrap.worlds.edge import always, calling
from bootstrap.worlds.sandbox import Sandbox
from tests.rehearse.fleet import Fleet
from tests.rehearse.ground import Ground
from tests.rehearse.part import Moved, suited_to_moto
from tests.rehearse.verdict import settings_of
from tests.support import production_life

PATIENCE = 300.0
"""Seconds until something counts as broken where much else runs on the machine."""


class InTheCloud(Stage):
    """A stage whose objects and ledger lie in buckets: they are fetched before anybody searches for traces."""

    def __init__(self, sandbox: Sandbox, console: Console, ground: Ground) -> None:
        super().__init__(sandbox, console)
        self._ground = ground

    @override
    async def objects(self) -> list[Path]:
        for what in ("OBJECTS", "LEDGER"):
            self._fetch(self._ground.variables[f"PICO_{what}_BUCKET"], what.lower())
        return await super().objects()

    @override
    async def search_everything(self, planted: dict[str, str]) -> list[object]:  # type: ignore[override]
        await self.objects()
        return await super().search_everything(planted)  # type: ignore[return-value]

    def _fetch(self, bucket: str, name: str) -> None:
        """Lay every version of every object of a bucket into a folder, in the place of those from before."""
        s3, folder = self._ground.cloud.client("s3"), self.sandbox.state_dir / name
        folder.mkdir(exist_ok=True)
        for former in folder.iterdir():
            former.unlink()
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for each in page.get("Versions", []):
                got = s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
                content = got["Body"].read()
                (folder / f"{each['Key'].replace('/', '_')}-{each['VersionId']}").write_bytes(content)


@asynccontextmanager
async def hands_on(ground: Ground) -> AsyncIterator[Sandbox]:
    """Move the clock, read mails and play the carrier, as in a Sandbox."""
    with suited_to_moto():
        production = Moved(settings_of(ground.variables), ground.clock)
        async with AsyncExitStack() as stack:
            product: Product = await stack.enter_async_context(production.opened())
            sandbox = Sandbox(
                ground.url, product, ground.folder, ground.databases, ground.clock, ground.saved,
                ground.simulator, ground.post, ground.till, ground.push, ground.second,
            )  # fmt: skip
            handler = build(product.use_cases, ready=always, sandbox=sandbox)
            ground.front.hands = (await stack.enter_async_context(calling(handler))).url
            yield sandbox


async def toured(fleet: Fleet, servers: int, workers: int) -> int:
    """Put processes whose clock moves in the place of those that run; live a life, take the tour; return the traces."""
    ground = fleet.ground
    await fleet.end()
    fleet.serve, fleet.work = (
        ("tests.rehearse.part", what, str(ground.folder)) for what in ("serve", "work")
    )
    for add, times in ((fleet.add_server, servers), (fleet.add_worker, workers)):
        for _ in range(times):
            await add()
    with patch.object(traveller, "PATIENCE", PATIENCE), patch.object(production_life, "PATIENCE", PATIENCE):
        return await _played(ground)


async def _played(ground: Ground) -> int:
    session = partial(ClientSession, base_url=ground.url, cookie_jar=DummyCookieJar())
    async with session() as client:
        await production_life.live(client, ground.simulator, ground.post)
    async with hands_on(ground) as sandbox, session() as client:
        return await play(InTheCloud(sandbox, Console(), ground), client)
