"""The keepers of limits, each under the one contract, and what the real one leaves at rest."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.limits import MemoryLimits
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.pool import connect
from adapters.outbound.redis import connection
from adapters.outbound.redis.limits import PREFIX, RedisLimits
from adapters.outbound.system.limits import ProcessLimits
from application.ports.limits import LimitsUnavailable
from tests.contract.conftest import Postgres
from tests.contract.limits.contract import HOUR, NOW, OTHER, TEN, LimitsContract, SharedLimitsContract
from tests.support.valkey import Valkey


class TestMemoryLimits(SharedLimitsContract):
    @pytest.fixture
    def limits(self) -> MemoryLimits:
        return MemoryLimits()

    @pytest.fixture
    def outage(self, limits: MemoryLimits) -> Callable[[], Awaitable[None]]:
        async def begin() -> None:
            limits.outage = True

        return begin


class TestProcessLimits(LimitsContract):
    @pytest.fixture
    def limits(self) -> ProcessLimits:
        return ProcessLimits(remembered=4)

    async def test_what_was_taken_from_longest_ago_is_forgotten_first(self, limits: ProcessLimits) -> None:
        for of in ("ada", "ben", "eva", "ida"):
            await self.taken(limits, NOW, of)
        limits.taken(TEN, "ada", NOW + TEN.every)
        limits.taken(TEN, "uma", NOW)
        assert await self.taken(limits, NOW, "ada") == 0
        assert await self.taken(limits, NOW, "ben") == 6


class TestPostgresLimits(SharedLimitsContract):
    @pytest.fixture
    async def dsn(self, postgres: Postgres) -> str:
        return await postgres.database("limits")

    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    async def limits(self, dsn: str, keyring: MemoryKeyring) -> AsyncIterator[PostgresLimits]:
        async with connect(dsn, least=1, most=8) as database:
            yield PostgresLimits(database, keyring)

    @pytest.fixture
    def outage(self, postgres: Postgres, dsn: str) -> Callable[[], Awaitable[None]]:
        return lambda: postgres.drop(dsn)

    async def test_a_keyring_that_is_gone_is_an_outage(
        self, limits: PostgresLimits, keyring: MemoryKeyring
    ) -> None:
        keyring.outage = True
        with pytest.raises(LimitsUnavailable):
            await limits.take(TEN, "ada", NOW)

    async def test_a_row_is_a_keyed_fingerprint_and_an_instant(
        self, limits: PostgresLimits, dsn: str, keyring: MemoryKeyring
    ) -> None:
        for limit in (TEN, OTHER):
            await limits.take(limit, "ada@example.org", NOW)
        connection = await asyncpg.connect(dsn)
        rows = await connection.fetch("SELECT * FROM limits")
        await connection.close()
        assert len({row["key"] for row in rows}) == 2
        for row in rows:
            assert dict(row) == {"key": row["key"], "full_at": NOW + TEN.every}
            assert len(row["key"]) == 32
            assert b"ada" not in row["key"]
        keyring._systems.clear()
        assert (await limits.take(TEN, "ada@example.org", NOW)).left == 5, "under another key it is another"

    async def test_it_is_there_after_a_restart(
        self, limits: PostgresLimits, dsn: str, keyring: MemoryKeyring
    ) -> None:
        assert await self.taken(limits, NOW) == 6
        async with connect(dsn, least=1, most=1) as database:
            assert await self.taken(PostgresLimits(database, keyring), NOW) == 0


class TestRedisLimits(SharedLimitsContract):
    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    async def limits(self, valkey: Valkey, keyring: MemoryKeyring) -> AsyncIterator[RedisLimits]:
        async with connection.connect(valkey.url) as redis:
            yield RedisLimits(redis, keyring)

    @pytest.fixture
    def outage(self, valkey: Valkey) -> Callable[[], Awaitable[None]]:
        async def begin() -> None:
            valkey.stop()

        return begin

    async def test_a_keyring_that_is_gone_is_an_outage(
        self, limits: RedisLimits, keyring: MemoryKeyring
    ) -> None:
        keyring.outage = True
        with pytest.raises(LimitsUnavailable):
            await limits.take(TEN, "ada", NOW)

    async def test_a_key_is_a_fingerprint_before_an_instant_and_is_forgotten_when_it_is_over(
        self, limits: RedisLimits, valkey: Valkey, keyring: MemoryKeyring
    ) -> None:
        for limit in (TEN, OTHER):
            await limits.take(limit, "ada@example.org", NOW)
        keys = valkey.ask("KEYS", "*")
        assert len(keys) == 2
        for key in keys:
            assert key.startswith(PREFIX)
            assert len(key) == len(PREFIX) + 32
            assert int(valkey.ask("GET", key)) == round((NOW + TEN.every).timestamp() * 1_000_000)
            assert 0 < valkey.ask("PTTL", key) <= TEN.every.total_seconds() * 1_000
        assert b"ada" not in valkey.dataset()
        keyring._systems.clear()
        assert (await limits.take(TEN, "ada@example.org", NOW)).left == 5, "under another key it is another"

    async def test_no_key_outlasts_what_was_taken_whatever_is_done_to_it(
        self, limits: RedisLimits, valkey: Valkey
    ) -> None:
        async def longest() -> float:
            return float(max(valkey.ask("PTTL", key) for key in valkey.ask("KEYS", "*")))

        await self.taken(limits, NOW)
        assert 0 < await longest() <= TEN.room.total_seconds() * 1_000
        await limits.take(TEN, "ada", NOW - 9 * HOUR)  # the clock was set back
        assert 0 < await longest() <= TEN.room.total_seconds() * 1_000
        await limits.give_back(TEN, "ada", NOW - 9 * HOUR, 5)
        assert 0 < await longest() <= TEN.every.total_seconds() * 1_000

    async def test_the_server_itself_forgets_what_is_over(self, limits: RedisLimits, valkey: Valkey) -> None:
        await limits.take(TEN, "ada", NOW)
        (key,) = valkey.ask("KEYS", "*")
        valkey.ask("PEXPIRE", key, 1)
        await asyncio.sleep(0.05)
        assert valkey.ask("KEYS", "*") == []
        assert await self.taken(limits, NOW) == 6

    async def test_a_purge_looks_at_a_bounded_part_and_comes_round(
        self, limits: RedisLimits, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.outbound.redis.limits.LOOKED_AT", 10)
        for number in range(200):
            await limits.take(TEN, f"{number}", NOW)
        purged = [await limits.purge(NOW + HOUR, 999) for _ in range(60)]
        assert max(purged) < 100
        assert sum(purged) == 200
        assert valkey.ask("DBSIZE") == 0


@asynccontextmanager
async def behind_tls(valkey: Valkey, folder: Path, name: str) -> AsyncIterator[tuple[int, Path]]:
    """Stand before a Valkey with a certificate of its own; yield the port and the file with that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(named).issuer_name(named).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def copy(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while some := await read.read(1 << 16):
                write.write(some)
                await write.drain()
        write.close()

    async def pass_on(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        there_read, there_write = await asyncio.open_connection("127.0.0.1", valkey.port)
        await asyncio.gather(copy(read, there_write), copy(there_read, write))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], file


@pytest.mark.parametrize(
    ("name", "trusted", "answers"),
    [("localhost", True, True), ("localhost", False, False), ("redis.example", True, False)],
    ids=["its own", "a stranger's", "another's"],
)
async def test_over_tls_the_certificate_and_its_name_are_looked_at(
    valkey: Valkey, tmp_path: Path, name: str, trusted: bool, answers: bool
) -> None:
    async with behind_tls(valkey, tmp_path, name) as (port, certificate):
        url = f"rediss://localhost:{port}" + (f"?ssl_ca_certs={certificate}" if trusted else "")
        async with connection.connect(url) as redis:
            limits = RedisLimits(redis, MemoryKeyring())
            if answers:
                assert (await limits.take(TEN, "ada", NOW)).left == 5
            else:
                with pytest.raises(LimitsUnavailable):
                    await limits.take(TEN, "ada", NOW)
    assert valkey.ask("DBSIZE") == answers


class TestRedisThatFails:
    """What others met in production with limits on Redis, tried on ours."""

    @pytest.fixture
    async def limits(self, valkey: Valkey) -> AsyncIterator[RedisLimits]:
        async with connection.connect(valkey.url) as redis:
            yield RedisLimits(redis, MemoryKeyring())

    async def test_who_gives_up_waiting_leaves_no_answer_behind_for_somebody_else(
        self, limits: RedisLimits
    ) -> None:
        """redis-py 2624: after a command was cancelled, every later one got the answer of the one before."""
        for number in range(300):
            asked = asyncio.create_task(limits.take(TEN, "ada", NOW))
            await asyncio.sleep(random.random() * 0.001)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            assert (await limits.take(TEN, f"new {number}", NOW)).left == 5

    async def test_a_server_that_was_restarted_or_took_over_knows_no_script(
        self, limits: RedisLimits, valkey: Valkey
    ) -> None:
        """PyrateLimiter 182: NOSCRIPT from then on."""
        await limits.take(TEN, "ada", NOW)
        valkey.ask("SCRIPT", "FLUSH")
        assert (await limits.take(TEN, "ada", NOW)).left == 4
        valkey.stop()
        with pytest.raises(LimitsUnavailable):
            await limits.take(TEN, "ada", NOW)
        valkey.start()
        assert (await limits.take(TEN, "ada", NOW)).left == 5, "its counts began anew"

    async def test_no_script_is_loaded_on_its_own(self, limits: RedisLimits, valkey: Valkey) -> None:
        """litellm 32232: proxies refuse SCRIPT, and limits fell apart into one for each process."""
        valkey.ask("ACL", "SETUSER", "default", "-script")
        try:
            assert (await limits.take(TEN, "ada", NOW)).left == 5
        finally:
            valkey.ask("ACL", "SETUSER", "default", "+script")

    async def test_a_server_without_room_is_an_outage_and_not_a_free_pass(
        self, limits: RedisLimits, valkey: Valkey
    ) -> None:
        valkey.ask("CONFIG", "SET", "maxmemory", 1)
        with pytest.raises(LimitsUnavailable):
            await limits.take(TEN, "ada", NOW)

    async def test_a_replica_is_an_outage_until_it_takes_over(
        self, limits: RedisLimits, valkey: Valkey
    ) -> None:
        await limits.take(TEN, "ada", NOW)
        valkey.ask("REPLICAOF", "127.0.0.1", "1")
        try:
            with pytest.raises(LimitsUnavailable):
                await limits.take(TEN, "ada", NOW)
        finally:
            valkey.ask("REPLICAOF", "NO", "ONE")
        assert (await limits.take(TEN, "ada", NOW)).wait is None

    async def test_one_that_answers_nobody_keeps_nobody_waiting_for_long(
        self, limits: RedisLimits, valkey: Valkey
    ) -> None:
        clock = asyncio.get_running_loop().time
        await limits.take(TEN, "ada", NOW)
        valkey.freeze()
        begun = clock()
        asked = (limits.take(TEN, "ada", NOW) for _ in range(200))
        assert {type(each) for each in await asyncio.gather(*asked, return_exceptions=True)} == {
            LimitsUnavailable
        }
        assert clock() - begun < 2 * connection.ANSWER_SECONDS
        begun = clock()
        with pytest.raises(LimitsUnavailable):
            await limits.take(TEN, "ada", NOW)
        assert clock() - begun < 0.1, "the next one waited as well"
        valkey.thaw()
        await asyncio.sleep(connection.PAUSE_SECONDS)
        assert (await limits.take(TEN, "ada", NOW)).wait is None

    async def test_connections_that_were_cut_are_made_anew(self, limits: RedisLimits, valkey: Valkey) -> None:
        for _ in range(5):
            await asyncio.gather(*(limits.take(TEN, f"{number}", NOW) for number in range(30)))
            valkey.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            assert (await limits.take(OTHER, "ada", NOW)).limit is OTHER

    async def test_many_at_once_get_along_with_few_connections(
        self, limits: RedisLimits, valkey: Valkey
    ) -> None:
        takings = await asyncio.gather(*(limits.take(TEN, f"{number}", NOW) for number in range(500)))
        assert {taking.left for taking in takings} == {5}
        connected = len(valkey.ask("CLIENT", "LIST", "TYPE", "normal").splitlines())
        assert connected <= connection.MOST + 1
