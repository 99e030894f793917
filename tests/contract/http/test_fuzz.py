"""Schemathesis over the whole document with a signed-in token: no 5xx, and no answer that is not announced."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.support.http_world import HttpWorld

EXAMPLES = os.environ.get("PICO_FUZZ_EXAMPLES", "4")
"""Requests of each kind per operation, on top of some 800 that the document itself suggests; 200 make over 5,000."""

UNFIT = {
    "positive_data_acceptance": "a well-formed cursor, token or number may still be none of ours: 422",
    "use_after_free": "a released line stays listed, as released",
}
HOOKS = Path(__file__).parents[2] / "support" / "fuzz_hooks.py"
FATAL = ("sign_out", "revoke_session", "change_password", "advance_clock", "delete_account")
"""They would end the session that the others need: they come last."""


async def fuzz(http: HttpWorld, token: str, folder: Path, *chosen: str) -> int:
    """Run the chosen part; return how many requests were made."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{http.url}/openapi.json", *chosen),
        *("--header", f"Authorization: Bearer {token}", "--exclude-checks", ",".join(UNFIT)),
        *("--max-examples", EXAMPLES, "--generation-deterministic", "--no-color"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    made = re.search(r"(\d+) generated", said)
    assert made is not None, said
    return int(made[1])


async def test_no_request_makes_the_edge_say_what_the_document_does_not(tmp_path: Path) -> None:
    async with HttpWorld.running(sandbox=True) as http:
        token = await http.person()
        await http.line(token)
        others = [word for name in FATAL for word in ("--exclude-operation-id", name)]
        assert await fuzz(http, token, tmp_path, *others) > 500
        assert (await http.call("GET", "/v1/account", token=token)).status == 200, "signed in to the end"
        await fuzz(
            http, token, tmp_path, *(word for name in FATAL for word in ("--include-operation-id", name))
        )
