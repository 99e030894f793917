"""Limits on Redis: a key that is a keyed fingerprint, an instant behind it, and one script to take.

Every key has a time after which the server forgets it by itself: when all that was taken is back.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from typing_extensions import override

from adapters.outbound.redis.connection import Redis, RedisUnavailable, Script
from application.ports.keyring import Keyring, KeysUnavailable
from application.ports.limits import Limits, LimitsUnavailable
from domain.limits import Limit, Taking

T = TypeVar("T")

PREFIX = b"pico:limits:"
LOOKED_AT = 1_000
"""Keys that a purge looks at. It goes on there the next time: what it is for, the server does by itself."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)

KEEP = """
local function keep(full_at, now)
    redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
end
"""
"""Instants are microseconds, which a Lua number holds exactly until the year 2255."""
TAKE = Script(
    KEEP
    + """
local found = redis.call('GET', KEYS[1])
local now, more, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = math.min(math.max(tonumber(found or now), now), now + room)
if held + more - now > room then
    if found and tonumber(found) > held then keep(held, now) end
else
    keep(held + more, now)
end
return found
"""
)
"""The rule of `domain.limits.Limit.take`, done where nobody comes in between. Returns what was there before."""
GIVE_BACK = Script(
    KEEP
    + """
local found = redis.call('GET', KEYS[1])
if not found then return end
local now, full_at = tonumber(ARGV[1]), tonumber(found) - tonumber(ARGV[2])
if full_at <= now then redis.call('DEL', KEYS[1]) else keep(full_at, now) end
"""
)
PURGE = Script(
    """
local found = redis.call('GET', KEYS[1])
if found and tonumber(found) <= tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0
"""
)


class RedisLimits(Limits):
    """`Limits` on a Redis that all processes share. Fingerprints are made under the keyring's "limits" key.

    A server that begins anew has forgotten what was taken: limits begin anew, too.
    """

    def __init__(self, redis: Redis, keyring: Keyring) -> None:
        self._redis = redis
        self._keyring = keyring
        self._cursor = 0

    @override
    async def take(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> Taking:
        return await _answered(self._take(limit, of, now, cost))

    async def _take(self, limit: Limit, of: str, now: datetime, cost: int) -> Taking:
        asked = _instant(now), limit.every * cost // _INSTANT, limit.room // _INSTANT
        before = await self._redis.run(TAKE, await self._key(limit, of), *asked)
        return limit.take(None if before is None else _EPOCH + int(before) * _INSTANT, now, cost)

    @override
    async def give_back(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> None:
        await _answered(self._give_back(limit, of, now, cost))

    async def _give_back(self, limit: Limit, of: str, now: datetime, cost: int) -> None:
        asked = _instant(now), limit.every * cost // _INSTANT
        await self._redis.run(GIVE_BACK, await self._key(limit, of), *asked)

    @override
    async def purge(self, now: datetime, most: int) -> int:
        return await _answered(self._purge(now, most))

    async def _purge(self, now: datetime, most: int) -> int:
        """Delete some of what is over by our clock, should the server's not have come to it yet."""
        cursor, found = await self._redis.command(
            "SCAN", self._cursor, "MATCH", PREFIX + b"*", "COUNT", LOOKED_AT
        )
        self._cursor = int(cursor)
        keys = list(set(found))
        values = await self._redis.values(keys) if keys else []
        over = [
            key
            for key, value in zip(keys, values, strict=True)
            if value is not None and int(value) <= _instant(now)
        ]
        return sum([int(await self._redis.run(PURGE, key, _instant(now))) for key in over[:most]])

    async def _key(self, limit: Limit, of: str) -> bytes:
        key = await self._keyring.system("limits")
        return PREFIX + hmac.digest(key, f"{limit.name} {of}".encode(), "sha256")


def _instant(at: datetime) -> int:
    return (at - _EPOCH) // _INSTANT


async def _answered(asked: Awaitable[T]) -> T:
    """Return what Redis answers; whatever goes wrong with it or with the key is LimitsUnavailable."""
    try:
        return await asked
    except (RedisUnavailable, KeysUnavailable):
        pass
    raise LimitsUnavailable
