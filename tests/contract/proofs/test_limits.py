"""What is counted so that nobody guesses passwords, floods mailboxes or spends without end, and how it lies there."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.redis.limits import PREFIX, RedisLimits
from adapters.outbound.system.limits import ProcessLimits
from application.credentials import WrongCredentials
from application.guesses import TooManyGuesses
from application.ports.passwords import ASKING
from domain.limits import Limit, Taking
from domain.spend import neighbourhood
from domain.values import Email, Label, Locale, Password
from tests.support.canary_account import lived
from tests.support.harness import Databases
from tests.support.proofs import proves
from tests.support.sabotage import SkippedPurge
from tests.support.valkey import Valkey

DAY = timedelta(days=1)


class Endless:
    """Counts nothing."""

    def __init__(self, clock: object = None, **_: object) -> None:
        self.clock = clock

    async def take(self, limit: Any, *_: object, **__: object) -> Taking:
        at = datetime.max.replace(tzinfo=UTC)
        return Taking(at, at, limit)

    async def give_back(self, *_: object, **__: object) -> None: ...


class UnkeyedLimits(PostgresLimits):
    async def _key(self, limit: Limit, of: str) -> bytes:
        return hashlib.sha256(f"{limit.name} {of}".encode()).digest()


class NotingLimits(PostgresLimits):
    async def _key(self, limit: Limit, of: str) -> bytes:
        return of.encode()


def lets_guess_without_end(stored: Databases) -> Databases:
    return partial(stored, limit_guesses=Endless)


def floods_mailboxes(stored: Databases) -> Databases:
    return partial(stored, counts=Endless)


def counts_under_addresses(stored: Databases) -> Databases:
    return partial(stored, limits=lambda world: NotingLimits(world.database, world.keyring))


def counts_without_a_key(stored: Databases) -> Databases:
    return partial(stored, limits=lambda world: UnkeyedLimits(world.database, world.keyring))


def remembers_counts(stored: Databases) -> Databases:
    return partial(stored, purge_limits=lambda **_: SkippedPurge("limits"))


def counts_callers_at_rest(stored: Databases) -> Databases:
    return partial(stored, limits_here=lambda world: NotingLimits(world.database, world.keyring))


@proves(
    "H30", text="dc23f076a16a", saboteur=lets_guess_without_end, says="a password can be guessed without end"
)
@proves("H30", text="dc23f076a16a", saboteur=floods_mailboxes, says="a mailbox can be flooded")
@proves("H30", text="dc23f076a16a", saboteur=counts_under_addresses, says="what is counted can be read")
@proves("H30", text="dc23f076a16a", saboteur=counts_without_a_key, says="what is counted can be guessed")
@proves("H30", text="dc23f076a16a", saboteur=counts_callers_at_rest, says="who was calling is kept")
@proves("H30", text="dc23f076a16a", saboteur=remembers_counts, says="a count outlasts its two days")
async def test_guesses_and_mails_are_counted_under_keyed_fingerprints_and_soon_forgotten(
    stored: Databases,
) -> None:
    async with stored() as world:
        ada, caller = await lived(world), secrets.token_hex(8)
        ASKING.set(caller)
        await ada.world.use_cases.start_export(ada.id)
        guesses = []
        for _ in range(7):
            try:
                await world.use_cases.sign_in(ada.email, Password("wrong horse battery staple"))
            except (WrongCredentials, TooManyGuesses) as error:
                guesses.append(type(error))
        assert guesses.count(WrongCredentials) == 3, "a password can be guessed without end"
        for _ in range(7):
            await world.use_cases.sign_up(ada.email, ada.password, Label("Nobody"), Locale("en"))
            await world.settle()
        sent = [mail for mail in world.mail.sent if Email(mail.to).canonical == ada.email.canonical]
        assert len([mail for mail in sent if mail.kind in {"verify", "already_registered"}]) == 3, (
            "a mailbox can be flooded"
        )
        assert not await world.traces(caller), "who was calling is kept"
        assert isinstance(world.limits_here, ProcessLimits)
        rows = await world.rows("limits")
        assert rows
        assert all(set(row.keys()) == {"key", "full_at"} for row in rows)
        assert not await world.traces(ada.email.canonical, str(ada.id), neighbourhood(ada.peer)), (
            "what is counted can be read"
        )
        guessable = {
            hashlib.sha256(f"{name}{between}{of}".encode()).digest()
            for name in ("guesses", "mails", "")
            for between in (" ", "")
            for of in (ada.email.canonical, str(ada.id), f"sign_up {ada.email.canonical}")
        }
        assert not guessable & {bytes(row["key"]) for row in rows}, "what is counted can be guessed"
        await world.advance(2 * DAY)
        assert await world.rows("limits") == [], "a count outlasts its two days"


class _InRedis(RedisLimits):
    """Some of it as it must not be; reached like the honest one, by whose connection it asks."""

    @classmethod
    def instead(cls, stored: Databases) -> Databases:
        honest = stored.keywords["limits"]  # type: ignore[attr-defined]  # a `partial`
        return partial(stored, limits=lambda world: cls(honest(world)._redis, world.keyring))


class UnkeyedInRedis(_InRedis):
    async def _key(self, limit: Limit, of: str) -> bytes:
        return PREFIX + hashlib.sha256(f"{limit.name} {of}".encode()).digest()


class NotingInRedis(_InRedis):
    async def _key(self, limit: Limit, of: str) -> bytes:
        return PREFIX + of.encode()


class LastingInRedis(_InRedis):
    async def _take(self, limit: Limit, of: str, now: datetime, cost: int) -> Taking:
        taking = await super()._take(limit, of, now, cost)
        await self._redis.command("PERSIST", await self._key(limit, of))
        return taking


def counts_in_redis_without_a_key(stored: Databases) -> Databases:
    return UnkeyedInRedis.instead(stored)


def counts_in_redis_under_addresses(stored: Databases) -> Databases:
    return NotingInRedis.instead(stored)


def counts_in_redis_for_good(stored: Databases) -> Databases:
    return LastingInRedis.instead(stored)


@proves("H30", text="dc23f076a16a", saboteur=counts_in_redis_under_addresses, says="Redis can be read")
@proves(
    "H30",
    text="dc23f076a16a",
    saboteur=counts_in_redis_without_a_key,
    says="what Redis counts can be guessed",
)
@proves(
    "H30",
    text="dc23f076a16a",
    saboteur=counts_in_redis_for_good,
    says="a count in Redis outlasts its two days",
)
async def test_redis_holds_fingerprints_and_instants_and_forgets_them_by_itself(
    counted_in_redis: Databases, valkey: Valkey
) -> None:
    async with counted_in_redis() as world:
        ada, caller = await lived(world), secrets.token_hex(8)
        ASKING.set(caller)
        with suppress(WrongCredentials):
            await world.use_cases.sign_in(ada.email, Password("wrong horse battery staple"))
        await world.use_cases.sign_up(ada.email, ada.password, Label("Nobody"), Locale("en"))
        await world.settle()
        keys = valkey.ask("KEYS", "*")
        assert keys, "nothing was counted"
        held = valkey.dataset()
        personal = (
            caller,
            ada.email.canonical,
            str(ada.email),
            str(ada.id),
            neighbourhood(ada.peer),
            str(ada.peer),
        )
        assert not [value for value in personal if value.encode() in held], "Redis can be read"
        guessable = {
            hashlib.sha256(f"{name} {of}".encode()).digest()
            for name in ("guesses", "mails", "spend", "spend_young", "neighbourhood")
            for of in (
                ada.email.canonical,
                str(ada.id),
                f"sign_up {ada.email.canonical}",
                neighbourhood(ada.peer),
            )
        }
        assert not {PREFIX + each for each in guessable} & set(keys), "what Redis counts can be guessed"
        assert {len(key) for key in keys} == {len(PREFIX) + 32}
        assert all(valkey.ask("GET", key).isdigit() for key in keys)
        lasting = [valkey.ask("PTTL", key) for key in keys]
        assert all(0 < each <= 2 * DAY / timedelta(milliseconds=1) for each in lasting), (
            "a count in Redis outlasts its two days"
        )
