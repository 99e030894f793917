"""A newcomer's minute: three accounts live a whole life in a throw-away Sandbox, told on screen."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from aiohttp import ClientSession
from rich.console import Console

from bootstrap.settings import Settings
from bootstrap.tour.acts import play
from bootstrap.tour.stage import Stage
from bootstrap.worlds.sandbox import Sandbox


def tour(console: Console) -> int:
    """Play the tour in a folder of its own; return how many traces were left. Raises TourFailed."""
    with tempfile.TemporaryDirectory(prefix="pico-tour-") as folder:
        Path(folder).chmod(0o755)  # the database server may run as another user
        return asyncio.run(_tour(console, Path(folder) / "state"))


async def _tour(console: Console, state: Path) -> int:
    settings = Settings(
        port=0, state_dir=state, database_url=None, keyring_url=None, public_url=None, telnyx_countries="GB"
    )
    async with Sandbox.running(settings) as sandbox, ClientSession(base_url=sandbox.url) as client:
        return await play(Stage(sandbox, console), client)
