"""`pico top` as a program of its own, beside a product that is served."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from pydantic import SecretStr

from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from tests.contract.conftest import Postgres
from tests.support.sandbox_process import ROOT


async def test_it_looks_at_what_another_process_serves(postgres: Postgres, tmp_path: Path) -> None:
    store, keyring = await postgres.database("top"), await postgres.bare("keyring")
    settings = Settings(
        port=0, state_dir=tmp_path, database_url=SecretStr(store), keyring_url=SecretStr(keyring)
    )
    variables = {"PICO_STATE_DIR": str(tmp_path), "PICO_DATABASE_URL": store, "PICO_KEYRING_URL": keyring}
    async with Sandbox.running(settings):
        looking = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bootstrap", "top", "--once", "--json", cwd=ROOT, env={**os.environ, **variables},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(120):
            said, complained = await looking.communicate()
    assert (looking.returncode, complained) == (0, b"")
    found = json.loads(said)
    assert found["key_epoch"]["number"] == 1
    assert found["oldest_due_deletion_seconds"] == 0
    assert set(found["erasures"]) > {"intent", "numbers", "mail", "keys", "receipt"}
