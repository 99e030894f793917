"""Who lives in the benchmark's database: everything follows from a number, so that nothing has to be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from adapters.outbound.system.tokens import SESSION_PREFIX, TOKEN_DIGITS, base62, checksum
from domain.kernel import AccountId, ConversationId, LineId

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ROUND = timedelta(days=5)
"""Messages come in rounds: in each, every conversation that goes on gets one. So a page of them lies scattered."""
TOUCHED = range(7, 21)
"""Accounts to which something happens behind both sides' backs (meanwhile.py). Nothing is measured on them."""
LONG = 55
"""Messages of a long conversation: more than a page of 50."""


@dataclass(frozen=True, slots=True)
class Population:
    """How many of each there are, in all. One conversation in ten is long; the others share what is left."""

    accounts: int = 1_000
    conversations: int = 100_000
    messages: int = 1_000_000

    def __post_init__(self) -> None:
        if self.each < 60 or self.short < 1:
            raise ValueError(
                "An account needs 60 conversations for full pages, and 10 messages in each of them."
            )

    @property
    def each(self) -> int:
        """Conversations of an account."""
        return self.conversations // self.accounts

    @property
    def long(self) -> int:
        """Conversations of an account that fill more than a page."""
        return self.each // 10

    @property
    def short(self) -> int:
        """Messages of each other conversation."""
        return (self.messages // self.accounts - self.long * LONG) // (self.each - self.long)

    def length(self, conversation: int) -> int:
        """Return how many messages an account's conversation has."""
        return LONG if conversation < self.long else self.short


def identity(at: datetime, *name: object) -> UUID:
    """Return a UUIDv7 of an instant whose random bits follow from `name`."""
    tail = int.from_bytes(blake2b(repr(name).encode(), digest_size=10).digest())
    milliseconds = int(at.timestamp() * 1000)
    return UUID(
        int=milliseconds << 80 | 0x7 << 76 | (tail >> 64 & 0xFFF) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
    )


def account_id(account: int) -> AccountId:
    return AccountId(identity(BEGAN, "account", account))


def line_id(account: int) -> LineId:
    return LineId(identity(BEGAN, "line", account))


def conversation_id(account: int, conversation: int) -> ConversationId:
    return ConversationId(identity(BEGAN, "conversation", account, conversation))


def number(account: int) -> str:
    """Return the number of an account's line."""
    return f"+14155{account:06d}"


def peer(account: int, conversation: int) -> str:
    """Return the other side of an account's conversation."""
    return f"+12125{(account * 7919 + conversation * 101) % 1_000_000:06d}"


def token(account: int) -> str:
    """Return the bearer token of an account's session: well-formed, but anybody could guess it."""
    body = SESSION_PREFIX + base62(
        int.from_bytes(blake2b(b"%d" % account, digest_size=32).digest()), TOKEN_DIGITS
    )
    return body + checksum(body)


SAYINGS = (
    "On my way, be there in ten minutes.", "Can we move it to Thursday?", "ok", 'She said "maybe" again.',
    "Your code is 481 920. Do not share it with anyone, not even with us.", "תודה רבה!", "Haha 😂😂",
    "Running late\nstart without me", "Could you send me the address once more? I can't find it in our chat.",
    "The parcel is with the neighbours on the second floor; ring twice, the bell is a bit moody these days.",
)  # fmt: skip


def saying(*name: int) -> str:
    """Return what a message says: 2 to 110 characters, not all of them plain."""
    return SAYINGS[sum(name) % len(SAYINGS)]
