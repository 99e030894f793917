"""Our own PostgreSQL starts and stops: where, once only, and saying why where it cannot."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bootstrap.postgres_server import PostgresUnavailable, start
from tests.contract.own_postgres.server import (
    QUICK,
    alive,
    another_pico,
    ask,
    descendants,
    keep_a_row,
    keeps,
    refusal,
)


def test_a_first_start_makes_the_database_and_a_later_one_finds_what_it_held(folder: Path) -> None:
    with start(folder / "state" / "data", settings=QUICK) as server:
        row = keep_a_row(server.url("postgres"))
        assert server.data_dir == folder / "state" / "data"
    with start(folder / "state" / "data", settings=QUICK) as server:
        assert keeps(server.url("postgres"), row)


def test_durability_is_on_until_a_caller_turns_it_off(data: Path) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    with start(data) as server:
        assert [ask(server.url("postgres"), f"SHOW {name}") for name in names] == ["on"] * 4
    with start(data, settings=QUICK) as server:
        assert [ask(server.url("postgres"), f"SHOW {name}") for name in names] == ["off", "on", "off", "on"]


def test_the_address_serves_sqlalchemy_as_well(data: Path) -> None:
    async def whoami(url: str) -> object:
        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
        try:
            async with engine.connect() as connection:
                return await connection.scalar(text("SELECT current_user || ' in ' || current_database()"))
        finally:
            await engine.dispose()

    with start(data, settings=QUICK) as server:
        ask(server.url("postgres"), 'CREATE DATABASE "a b/c?d"')
        assert asyncio.run(whoami(server.url("a b/c?d"))) == "pico in a b/c?d"


def test_a_second_start_is_refused_while_the_first_lives(data: Path) -> None:
    with start(data, settings=QUICK) as server:
        with pytest.raises(PostgresUnavailable, match="Another Pico"):
            start(data, settings=QUICK)
        with another_pico(data) as other:
            assert "Another Pico" in refusal(other)
        assert ask(server.url("postgres"), "SELECT 1") == 1


def test_stopping_twice_is_stopping_once_and_leaves_nothing(data: Path) -> None:
    server = start(data, settings=QUICK)
    processes = [server.pid, *descendants(server.pid)]
    server.stop()
    server.stop()
    assert not any(map(alive, processes))
    assert not server.socket_dir.exists()
    assert not (data / "postmaster.pid").exists()


def test_a_folder_with_other_things_in_it_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "thesis").touch()
    with pytest.raises(PostgresUnavailable, match="not empty"):
        start(folder / "data", settings=QUICK)
    assert (folder / "data" / "thesis").exists()


def test_a_long_path_does_not_lengthen_the_socket_path(folder: Path) -> None:
    deep = folder / ("d" * 100) / ("e" * 100)
    with start(deep / "data", settings=QUICK) as server:
        assert len(str(server.socket_dir)) < 80
        assert ask(server.url("postgres"), "SELECT 1") == 1


def test_a_thread_may_not_start_it(data: Path) -> None:
    """The kernel would end the server with the thread."""
    said: list[Exception] = []

    def run() -> None:
        try:
            start(data)
        except PostgresUnavailable as refused:
            said.append(refused)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(said[0])


def test_a_start_that_fails_says_why_and_leaves_nothing_running(data: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="nonsense"):
        start(data, settings={"nonsense": "on"})
    start(data, settings=QUICK).stop()
