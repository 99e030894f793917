"""What a call that comes in depends on, in one statement: the carrier is silent, and so is the caller, until then."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import ACCOUNT, AGGREGATES, Reader, owned
from adapters.outbound.postgres.repositories.blocked_numbers import BLOCKED_INDEX
from adapters.outbound.postgres.repositories.idempotency import COLUMNS, earlier_result, key_index
from adapters.outbound.postgres.statements import compiled
from application.ports.repositories.calls import CallContext
from domain.accounts import Account
from domain.blocked_numbers import BlockedNumber
from domain.calls import Call
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import CarrierRef, LineId, NotFound
from domain.lines import PhoneLine
from domain.values import Peer

_LINES, _ACCOUNTS, _CALLS = AGGREGATES[PhoneLine], AGGREGATES[Account], AGGREGATES[Call]
_ACCOUNT = len(_LINES.columns)
_CALL = _ACCOUNT + len(_ACCOUNTS.columns)
_EARLIER = _CALL + len(_CALLS.columns)
NOBODY = b""
"""The index of a caller who withholds their number: no row bears it."""


def _statement() -> str:
    line, call, record, blocked = (
        codec(of).table for of in (PhoneLine, Call, IdempotencyRecord, BlockedNumber)
    )
    of_call = sa.and_(owned(Call), call.c.ref == sa.bindparam("ref"))
    of_record = sa.and_(owned(IdempotencyRecord), record.c.key == sa.bindparam("key"))
    joined = (
        line.join(codec(Account).table, owned(Account)).outerjoin(call, of_call).outerjoin(record, of_record)
    )
    is_blocked = sa.exists().where(owned(BlockedNumber), blocked.c.number_index == sa.bindparam("blocked"))
    columns: tuple[Any, ...] = (
        *_LINES.columns, *_ACCOUNTS.columns, *_CALLS.columns, *COLUMNS, is_blocked,
    )  # fmt: skip
    select = sa.select(*columns).select_from(joined)
    return compiled(
        select.where(owned(PhoneLine), line.c.id == sa.bindparam("line_id")),
        ACCOUNT, "line_id", "ref", "key", "blocked",
    )  # fmt: skip


_STATEMENT = _statement()


async def call_context(
    reader: Reader, line_id: LineId, ref: CarrierRef, caller: Peer | None, operation: Operation
) -> CallContext:
    """Read it. Raises NotFound, SealBroken for a line that was altered."""
    keys = reader.keys
    blocked = NOBODY if caller is None else keys.account_index(BLOCKED_INDEX, caller)
    by_key = key_index(keys, operation)
    row = await reader.database.first(_STATEMENT, reader.account_id, line_id, ref, by_key, blocked)
    if row is None:
        raise NotFound
    account, call, record = row[_ACCOUNT:_CALL], row[_CALL:_EARLIER], row[_EARLIER:-1]
    return CallContext(
        reader.loader(_LINES)(row[:_ACCOUNT]),
        reader.loader(_ACCOUNTS, even_broken=True)(account),
        None if call[0] is None else reader.loader(_CALLS, even_broken=True)(call),
        None if record[0] is None else earlier_result(reader, operation, record),
        row[-1],
    )
