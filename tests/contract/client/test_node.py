"""What others do with the OpenAPI document: two linters find nothing to say, and TypeScript made of it works.

The tools are those of node/package-lock.json. They are looked for in `PICO_NODE_TOOLS`, and in a cache that is filled
by npm when `CI=true`; where there is no node, or npm finds no registry, these tests are skipped and say so. That holds
for CI as well: a registry that cannot be reached says nothing about Pico.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from adapters.inbound.http import openapi
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from tests.support.http_world import HttpWorld

pytestmark = pytest.mark.xdist_group("node")  # one after the other: the first fetches for all

HERE = Path(__file__).parent / "node"
LOCK = (HERE / "package-lock.json").read_bytes()
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pico"


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run something to its end; neither tool may tell anybody about it."""
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=folder, env=os.environ | quiet, capture_output=True, text=True, check=False, timeout=120
    )


def fetched() -> Path:
    """Return the folder with the locked tools, filled if need be. Skips where that cannot be."""
    if shutil.which("node") is None or (npm := shutil.which("npm")) is None:
        pytest.skip("there is no node here")
    folder = CACHE / f"node-{hashlib.sha256(LOCK).hexdigest()[:16]}"
    if not (folder / "complete").exists():
        if os.environ.get("CI") != "true":
            pytest.skip(
                "node's tools are not here: npm ci in tests/contract/client/node, and name it in PICO_NODE_TOOLS"
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        if run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder).returncode:
            pytest.skip("npm could not fetch node's tools")
        (folder / "complete").touch()
    return folder


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder in which npm put the tools."""
    named = os.environ.get("PICO_NODE_TOOLS")
    return (Path(named) if named else fetched()) / "node_modules"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the document in it, the Sandbox's operations too."""
    (tmp_path / "openapi.json").write_text(json.dumps(openapi.document(ROUTES + SANDBOX_ROUTES)))
    return tmp_path


def test_redocly_has_nothing_to_say(tools: Path, folder: Path) -> None:
    done = run(
        tools / ".bin/redocly",
        "lint",
        "openapi.json",
        "--extends=recommended",
        "--format=json",
        folder=folder,
    )
    assert json.loads(done.stdout)["problems"] == []
    assert done.returncode == 0


def test_spectral_has_nothing_to_say(tools: Path, folder: Path) -> None:
    (folder / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    done = run(
        tools / ".bin/spectral",
        "lint",
        "openapi.json",
        "--fail-severity=hint",
        "--quiet",
        "--format=json",
        folder=folder,
    )
    assert json.loads(done.stdout) == []
    assert done.returncode == 0


def test_they_would_say_something(tools: Path, folder: Path) -> None:
    document = json.loads((folder / "openapi.json").read_text())
    del document["paths"]["/healthz"]["get"]["operationId"]
    (folder / "openapi.json").write_text(json.dumps(document))
    with pytest.raises(AssertionError):
        test_redocly_has_nothing_to_say(tools, folder)
    with pytest.raises(AssertionError):
        test_spectral_has_nothing_to_say(tools, folder)


async def work(http: HttpWorld) -> None:
    """Do the world's jobs, until cancelled."""
    while True:
        await http.world.settle()
        await asyncio.sleep(0.02)


async def test_a_client_in_typescript_compiles_and_lives(tools: Path, folder: Path) -> None:
    (folder / "node_modules").symlink_to(tools)
    (folder / "package.json").write_text('{"type": "module"}')
    for name in ("life.ts", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    made = run(tools / ".bin/openapi-typescript", "openapi.json", "-o", "api.ts", folder=folder)
    assert made.returncode == 0, made.stderr
    compiled = run(tools / ".bin/tsc", "-p", ".", folder=folder)
    assert (compiled.stdout, compiled.returncode) == ("", 0)
    async with HttpWorld.running(sandbox=True) as http, asyncio.TaskGroup() as beside:
        working = beside.create_task(work(http))
        http.offer()
        lived = await asyncio.to_thread(run, "node", "life.js", http.url, folder=folder)
        working.cancel()
    assert lived.stdout == "See you at noon. wrong_credentials\n", lived.stderr
