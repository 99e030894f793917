"""Filling the template: a million messages, sealed for real by Pico's own codec, copied in by two processes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.codec import CODECS, Codec, Keys
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.schema import migrate, migrate_keyring
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.system.clock import SystemClock
from benchmarks import population as people
from benchmarks.population import BEGAN, LONG, ROUND, Population
from bootstrap.worlds.sandbox import SANDBOX
from domain.accounts import Account, AccountState
from domain.idempotency import IdempotencyRecord
from domain.kernel import AccountId, CarrierRef, IdempotencyRecordId, MessageId, SessionId
from domain.lines import LineState, PhoneLine
from domain.messages import Conversation, Direction, Message, Status
from domain.retention import Retention
from domain.sessions import Session
from domain.values import (
    Capability,
    Country,
    Email,
    Label,
    Locale,
    MessageBody,
    PasswordHash,
    Peer,
    PhoneNumber,
    SessionToken,
)

PROCESSES = 2


async def seed(
    url: str, keyring_url: str, kms: Path, size: Population, *, processes: int = PROCESSES
) -> None:
    """Fill a new database and its keyring, with so many processes: one is this one."""
    await migrate(url)
    await migrate_keyring(keyring_url)
    async with connect(keyring_url, least=1, most=4) as database:
        keyring = PostgresKeyring(database, LocalKms(kms, SystemClock().now))
        system = await keyring.system("index")
        accounts = [people.account_id(number) for number in range(size.accounts)]
        await asyncio.gather(*map(keyring.create, accounts))
        keys = [await keyring.open(account) for account in accounts]
    given = url, astuple(size), system, keys, processes
    if processes == 1:
        await _copy(*given, 0)
    else:
        await _in_parts(processes, given)
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM (ANALYZE, FREEZE)")
    await connection.close()


async def _in_parts(processes: int, given: tuple[Any, ...]) -> None:
    context = multiprocessing.get_context("spawn")
    parts = [context.Process(target=_fill, args=(*given, part)) for part in range(processes)]
    for part in parts:
        part.start()
    for part in parts:
        await asyncio.to_thread(part.join)
    if any(part.exitcode for part in parts):
        raise RuntimeError("seeding failed")


def _fill(*given: Any) -> None:  # noqa: ANN401 - what `_copy` takes
    asyncio.run(_copy(*given))


async def _copy(
    url: str, counts: tuple[int, int, int], system: bytes, keys: list, parts: int, part: int
) -> None:
    """Copy a part in: of two parts every other account, or of few accounts every other round of what they say."""
    size = Population(*counts)
    many = size.accounts >= parts
    accounts = range(part, size.accounts, parts) if many else range(size.accounts)
    turns = range(LONG) if many else range(part, LONG, parts)
    those = accounts if many or part == 0 else range(0)
    sealed_with = {}
    for one in accounts:
        account = people.account_id(one)
        sealed_with[account] = Keys(AccountCipher(SANDBOX, account, keys[one]), system)
    connection = await asyncpg.connect(url)
    for of, aggregates in (
        (Account, map(_account, those)),
        (Session, map(_session, those)),
        (PhoneLine, map(_line, those)),
        (Conversation, (_conversation(size, one, of) for one in those for of in range(size.each))),
        (Message, _messages(size, accounts, turns)),
        (IdempotencyRecord, _idempotency_records(size, accounts, turns)),
    ):
        await copy(connection, of, aggregates, sealed_with)
    await connection.close()


async def copy(
    connection: asyncpg.Connection,
    of: type[Any],
    aggregates: Iterable[Any],
    sealed_with: dict[AccountId, Keys],
) -> None:
    """Copy aggregates of one type in, and what the directory must say of them."""
    codec = CODECS[of]
    columns = [codec.owner, *(column.name for column in codec.written(codec.owned)), "version"]
    listed: list[tuple[str, bytes, UUID, UUID]] = []
    records = records_of(codec, aggregates, sealed_with, listed)
    await connection.copy_records_to_table(codec.name, records=records, columns=columns)
    await connection.copy_records_to_table("directory", records=listed)


def records_of(
    codec: Codec[Any],
    aggregates: Iterable[Any],
    sealed_with: dict[AccountId, Keys],
    listed: list[tuple[str, bytes, UUID, UUID]],
) -> Iterator[list[Any]]:
    """Yield the rows of aggregates, and note what the directory must say of them in `listed`."""
    for aggregate in aggregates:
        account = getattr(aggregate, codec.owner)
        keys = sealed_with[account]
        row = [account]
        codec.encode(aggregate, codec.owned, keys, 1, row)
        row.append(1)
        yield row
        for key in codec.directory_keys:
            if not aggregate.is_listed_by(codec.fields[key.at]):
                continue
            value = codec.values(aggregate)[key.at]
            listed.append((key.kind, keys.system_index(key.kind, value), account, aggregate.id))


def _account(one: int) -> Account:
    return Account(
        id=people.account_id(one), email=Email(f"person{one}@bench.example"), display_name=Label(f"Person {one}"),
        password=PasswordHash("$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43), locale=Locale("en"),
        terms_accepted_at=BEGAN, privacy_accepted_at=BEGAN, created_at=BEGAN, verified_at=BEGAN,
        state=AccountState.ACTIVE,
    )  # fmt: skip


NOW = datetime.now(UTC)
"""Sessions begin today: those that were not used for a month would have expired."""


def _session(one: int) -> Session:
    session = SessionId(people.identity(BEGAN, "session", one))
    return Session.open(people.account_id(one), session, SessionToken(people.token(one)), NOW, Retention())


def _line(one: int) -> PhoneLine:
    return PhoneLine(
        account_id=people.account_id(one), id=people.line_id(one), number=PhoneNumber(people.number(one)),
        country=Country("US"), capabilities=frozenset((Capability.SMS, Capability.VOICE)), label=Label("Work"),
        state=LineState.ACTIVE, ref=CarrierRef(f"PN{one:032x}"), created_at=BEGAN,
    )  # fmt: skip


def _conversation(size: Population, one: int, of: int) -> Conversation:
    """An account's last conversation is with somebody who opted out."""
    return Conversation(
        account_id=people.account_id(one), id=people.conversation_id(one, of), line_id=people.line_id(one),
        peer=Peer(people.peer(one, of)), last_at=_time(size, one, of, size.length(of) - 1), unread=of % 3,
        total=size.length(of),
        created_at=_time(size, one, of, 0), opted_out_at=BEGAN if of == size.each - 1 else None,
    )  # fmt: skip


def _messages(size: Population, accounts: range, turns: range) -> Iterator[Message]:
    """Yield the messages of some rounds in order of time, as they would have come in."""
    names = [
        (one, of, people.account_id(one), people.line_id(one), people.conversation_id(one, of))
        for one in accounts
        for of in range(size.each)
    ]
    for turn in turns:
        for one, of, account, line, conversation in names:
            if turn < size.length(of):
                at = _time(size, one, of, turn)
                inbound = turn % 2 == 0
                yield Message(
                    account_id=account, id=_message_id(at, one, of, turn), conversation_id=conversation,
                    line_id=line, direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
                    status=Status.RECEIVED if inbound else Status.DELIVERED,
                    body=MessageBody(people.saying(one, of, turn)), created_at=at, ref=_ref(one, of, turn),
                    attempted_at=None if inbound else at, copy_deleted_at=at,
                )  # fmt: skip


def _idempotency_records(size: Population, accounts: range, turns: range) -> Iterator[IdempotencyRecord]:
    """Deliveries: they are recognised for good."""
    for turn in turns:
        for one in accounts if turn % 2 == 0 else ():
            for of in range(size.long):
                at = _time(size, one, of, turn)
                yield IdempotencyRecord(
                    account_id=people.account_id(one), id=IdempotencyRecordId(people.identity(at,
                    "idempotency_records", one, of, turn)),
                    key=f"receive:{_ref(one, of, turn)}", request="",
                )  # fmt: skip


def _message_id(at: datetime, one: int, of: int, turn: int) -> MessageId:
    return MessageId(people.identity(at, "message", one, of, turn))


def _ref(one: int, of: int, turn: int) -> CarrierRef:
    return CarrierRef(f"SM{one:08x}{of:016x}{turn:08x}")


def _time(size: Population, one: int, of: int, turn: int) -> datetime:
    return BEGAN + ROUND * turn + ROUND * (one * size.each + of) / size.conversations
