"""The keyring: every account's keys, wrapped, in a database of their own with its own short-lived backups.

A row's encryption context is a random key id, never the account: the key service logs contexts. A wrapped key opens
only while its master key exists, and that is what makes destruction final. PostgreSQL keeps a deleted row in dead
tuples until vacuum, in WAL until it is recycled, and in the keyring's backups until they expire (7 days at most): in
all these places it is still a wrapped key, which anyone who may call the key service can unwrap. Only the end of its
master-key epoch (rotate, then delete the old master key) makes such a stray copy useless.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from os import urandom
from typing import Any, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.cache import Cache
from adapters.outbound.postgres import rotation
from adapters.outbound.postgres.keyring_tables import ACCOUNT_KEYS, ENDINGS, EPOCHS, SYSTEM_KEYS
from adapters.outbound.postgres.pool import Database, StatementRefused
from adapters.outbound.postgres.sealing import Chain, Marks, index_key
from adapters.outbound.postgres.statements import compiled, value
from application.ports.keyring import AccountKey, Ending, KeyGone, Keyring, KeysUnavailable
from application.ports.kms import Kms, KmsError, KmsKeyGone, KmsWrongState, WrappedKey
from domain.kernel import AccountId, PicoError

KEPT_BYTES = 5_000
"""What an account in use takes in memory: its key, and the working keys that the store derives from it."""
ENDING_BYTES = 120
"""What an ending takes there."""
CACHED_SECONDS = 300.0
IDLE_SECONDS = 120.0
HEARD_AFTER = timedelta(seconds=CACHED_SECONDS + 60)
"""Nobody works with an answer of before that was kept for as long, and then used for a unit of work."""
SYSTEM_PURPOSES = 32


def _insert(table: sa.Table, owner: str) -> str:
    """Add a first key, unless its master key was closed meanwhile: the epoch's row is held for that."""
    names = (owner, "key_id", "master", "wrapped")
    given = {name: value(name, table.c[name]) for name in names}
    its = EPOCHS.c.master == given["master"]
    one = sa.select(EPOCHS.c.number)
    is_open = one.where(its, EPOCHS.c.closed_at.is_(None)).with_for_update(read=True).cte("open")
    may = sa.or_(sa.exists(sa.select(is_open)), ~sa.exists(one.where(its)))
    row = sa.select(*given.values(), sa.literal_column("1")).where(may)
    insert = postgresql.insert(table).from_select([*names, "version"], row)
    return compiled(insert.on_conflict_do_nothing(), *names)


def _newest(table: sa.Table, owner: str) -> str:
    columns = table.c
    select = sa.select(columns.version, columns.key_id, columns.master, columns.wrapped)
    select = select.where(columns[owner] == value(owner, columns[owner]))
    return compiled(select.order_by(columns.version.desc()).limit(sa.literal_column("1")), owner)


def _opened() -> str:
    """Return the keys of an account, the newest first, each with the marks under it of what has ended, in one look."""
    columns, of = ACCOUNT_KEYS.c, value("account_id", ACCOUNT_KEYS.c.account_id)
    marks = sa.func.string_agg(ENDINGS.c.mark, sa.literal_column("''::bytea"))
    under = sa.select(marks).where(ENDINGS.c.account_id == of, ENDINGS.c.version == columns.version)
    key = (columns.version, columns.key_id, columns.master, columns.wrapped, columns.chain)
    select = sa.select(*key, under.correlate(ACCOUNT_KEYS).scalar_subquery().label("ended"))
    return compiled(select.where(columns.account_id == of).order_by(columns.version.desc()), "account_id")


def _note() -> str:
    """Add endings to an account that has a key; its row is held, so that no ending outlives it."""
    of = value("account_id", ACCOUNT_KEYS.c.account_id)
    key = sa.select(ACCOUNT_KEYS.c.account_id, ACCOUNT_KEYS.c.version).where(ACCOUNT_KEYS.c.account_id == of)
    its = key.where(ACCOUNT_KEYS.c.version == value("version", ACCOUNT_KEYS.c.version))
    held = its.with_for_update(read=True).cte("held")
    arrays = [
        sa.func.unnest(sa.bindparam(name, type_=postgresql.ARRAY(ENDINGS.c[name].type)))
        for name in ("mark", "until")
    ]
    given = sa.select(held.c.account_id, held.c.version, *arrays)
    insert = postgresql.insert(ENDINGS).from_select(["account_id", "version", "mark", "until"], given)
    return compiled(insert.on_conflict_do_nothing(), "account_id", "version", "mark", "until")


def _purge() -> str:
    due = sa.select(ENDINGS.c.account_id, ENDINGS.c.mark).where(ENDINGS.c.until <= sa.bindparam("due"))
    due = due.order_by(ENDINGS.c.until).limit(sa.bindparam("limit", type_=sa.Integer()))
    row = sa.tuple_(ENDINGS.c.account_id, ENDINGS.c.mark)
    return compiled(sa.delete(ENDINGS).where(row.in_(due)), "due", "limit")


_ACCOUNT = ACCOUNT_KEYS.c.account_id == sa.bindparam("account_id")
_ADD, _ADD_SYSTEM = _insert(ACCOUNT_KEYS, "account_id"), _insert(SYSTEM_KEYS, "purpose")
_OPENED, _NEWEST_SYSTEM = _opened(), _newest(SYSTEM_KEYS, "purpose")
_NOTE, _PURGE = _note(), _purge()
_FORGET = compiled(sa.delete(ENDINGS).where(ENDINGS.c.account_id == sa.bindparam("account_id")), "account_id")
_DESTROY = compiled(sa.delete(ACCOUNT_KEYS).where(_ACCOUNT), "account_id")
_COUNT = compiled(sa.select(sa.func.count()).select_from(ACCOUNT_KEYS).where(_ACCOUNT), "account_id")
_HOLDERS = compiled(
    sa.select(ACCOUNT_KEYS.c.account_id)
    .distinct()
    .where(ACCOUNT_KEYS.c.account_id > sa.bindparam("after"))
    .order_by(ACCOUNT_KEYS.c.account_id)
    .limit(sa.bindparam("limit", type_=sa.Integer())),
    "after",
    "limit",
)
_MASTER = compiled(sa.select(EPOCHS.c.master).order_by(EPOCHS.c.number.desc()).limit(sa.literal_column("1")))
_FIRST = UUID(int=0)
"""Comes before every account's id; it is the decoy's, which is nobody's."""

V = TypeVar("V")


class PostgresKeyring(Keyring):
    """`Keyring` over a migrated database and a key service, which is never called while a connection is held.

    An unwrapped key is kept for `CACHED_SECONDS`, and for `IDLE_SECONDS` when nobody uses it. Destroying a key empties
    the cache of this process at once; another process may hold the key for up to `CACHED_SECONDS` more.
    """

    def __init__(
        self, database: Database, kms: Kms, *, memory: int = 100 << 20,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Keep unwrapped keys in `memory` bytes at most."""
        self._database = database
        self._kms = kms
        self._accounts = Cache[AccountId, AccountKey](
            size=memory, size_of=lambda _account_id, key: KEPT_BYTES + ENDING_BYTES * len(key.ended),
            seconds=CACHED_SECONDS, idle_seconds=IDLE_SECONDS, monotonic=monotonic,
        )  # fmt: skip
        self._systems = Cache[str, bytes](
            entries=SYSTEM_PURPOSES, seconds=CACHED_SECONDS, monotonic=monotonic
        )

    @override
    async def create(self, account_id: AccountId) -> None:
        await self._add(_ADD, account_id)

    @override
    async def open(self, account_id: AccountId) -> AccountKey:
        return await self._accounts.get(account_id, self._open)

    @override
    async def reopen(self, account_id: AccountId) -> AccountKey:
        self._accounts.drop(account_id)
        return await self.open(account_id)

    @override
    async def destroy(self, account_id: AccountId) -> int:
        """Destroy every version of the account's key. The head of this module says what is left of the rows."""
        try:
            destroyed = await answered(self._database.execute(_DESTROY, account_id))
            await answered(self._database.execute(_FORGET, account_id))  # last: who has no key gets no ending
            return destroyed
        finally:  # whatever came of it: an unknown outcome may well be a deletion
            self._accounts.drop(account_id)

    @override
    async def note_endings(self, account_id: AccountId, endings: Sequence[Ending]) -> None:
        key = await self.open(account_id)
        marks = Marks(key)
        given = [(marks.of(ending.row_id.bytes), ending.until) for ending in endings]
        arrays = map(list, zip(*given, strict=True))
        await answered(self._database.execute(_NOTE, account_id, key.version, *arrays))
        key.ended.update(ending.row_id.bytes for ending in endings)

    @override
    async def purge_endings(self, until: datetime, limit: int) -> int:
        return await answered(self._database.execute(_PURGE, until, limit))

    @override
    async def holders(self, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        rows = await answered(self._database.fetch(_HOLDERS, after or _FIRST, limit))
        return [AccountId(row[0]) for row in rows]

    @override
    async def count(self, account_id: AccountId) -> int:
        return int((await self._row(_COUNT, account_id))[0])

    @override
    async def add(self, account_id: AccountId) -> int:
        key = await self.reopen(account_id)
        if key.former is None:
            await self._add(rotation.ADD, account_id, after=key)
        return (await self.reopen(account_id)).version

    @override
    async def unheard(self, account_id: AccountId) -> timedelta:
        row = await self._row(rotation.UNHEARD, account_id, HEARD_AFTER)
        if row is None or row[0] is None:
            raise KeyGone
        wait: timedelta = max(row[0], timedelta())
        return wait

    @override
    async def finish(self, account_id: AccountId) -> int:
        key = await self.reopen(account_id)
        former, newest = key.former, Marks(key)
        if former is None:
            return 0
        rows = await answered(self._database.fetch(rotation.MARKS, account_id, key.version))
        under = Marks(former)
        moved = [(row[0], newest.of(next(iter(under.ids(row[0]))))) for row in rows]
        if moved:
            arrays = map(list, zip(*moved, strict=True))
            await answered(self._database.execute(rotation.MOVE, account_id, key.version, *arrays))
        gone = await answered(self._database.execute(rotation.DROP, account_id, key.version))
        self._accounts.drop(account_id)
        return gone

    @override
    async def older(self, than: datetime, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        rows = await answered(self._database.fetch(rotation.OLDER, than, after or _FIRST, limit))
        return [AccountId(row[0]) for row in rows]

    @override
    async def system(self, purpose: str) -> bytes:
        """Return the system key for a purpose, a word of a-z and underscores."""
        return await self._systems.get(purpose, self._system)

    async def _open(self, account_id: AccountId) -> AccountKey:
        before: list[bytes] = []
        while rows := await self._rows(_OPENED, account_id):
            try:
                materials = [await self._kms.unwrap(_wrapped(row), context(row["key_id"])) for row in rows]
            # An epoch ended while it was on its way: it is wrapped anew by now.
            except (KmsKeyGone, KmsWrongState):
                if before == (before := [row["wrapped"] for row in rows]):
                    raise KeysUnavailable from None
            except KmsError:
                raise KeysUnavailable from None
            else:
                return _key(rows, materials)
        raise KeyGone

    async def _system(self, purpose: str) -> bytes:
        row = await self._row(_NEWEST_SYSTEM, purpose)
        if row is None:
            await self._add(_ADD_SYSTEM, purpose)
            row = await self._row(_NEWEST_SYSTEM, purpose)  # ours, or that of someone faster
        return (await self._unwrapped(row, _NEWEST_SYSTEM, purpose))[1]

    async def _add(self, statement: str, owner: object, after: AccountKey | None = None) -> None:
        """Make a key and store it, `after` another. Of several at once, the first to be stored stands."""
        master = await self._master()
        while True:
            key_id, material = uuid4(), urandom(32)
            try:
                wrapped = await self._kms.wrap(material, context(key_id), master)
            except KmsError:
                raise KeysUnavailable from None
            row: tuple[object, ...] = (owner, key_id, wrapped.key_id, wrapped.blob)
            if after is not None:
                chain = Chain(key_id, material).seal((*after.chain, index_key(after)))
                row += (after.version, chain)
            if await answered(self._database.execute(statement, *row)):
                return
            before, master = master, await self._master()
            if master == before:
                return  # there is a key already; otherwise an epoch ended meanwhile

    async def _master(self) -> str | None:
        """Return under which master key a new key is wrapped; None: none was noted, so it is the service's newest."""
        row = await answered(self._database.first(_MASTER))
        return None if row is None else str(row["master"])

    async def _row(self, statement: str, owner: object, *more: object) -> Any:  # noqa: ANN401 - asyncpg has no types
        return await answered(self._database.first(statement, owner, *more))

    async def _rows(self, statement: str, owner: object) -> list[Any]:
        return await answered(self._database.fetch(statement, owner))

    async def _unwrapped(self, row: Any, statement: str, owner: object) -> tuple[Any, bytes]:  # noqa: ANN401 - see _row
        """Unwrap a row's key; if an epoch ended while it was on its way, the row's of now. Return which it was."""
        while True:
            try:
                return row, await self._kms.unwrap(_wrapped(row), context(row["key_id"]))
            except (KmsKeyGone, KmsWrongState):
                before = row["wrapped"]
            except KmsError:
                raise KeysUnavailable from None
            row = await self._row(statement, owner)
            if row is None:
                raise KeyGone
            if row["wrapped"] == before:
                raise KeysUnavailable


def _wrapped(row: Any) -> WrappedKey:  # noqa: ANN401 - asyncpg has no types
    return WrappedKey(row["master"], row["wrapped"])


def _key(rows: Sequence[Any], materials: Sequence[bytes]) -> AccountKey:
    """Return the newest key, with the one before it. What is over by either is over for both."""
    made: AccountKey | None = None
    ended = set[bytes]()
    for row, material in zip(reversed(rows), reversed(materials), strict=True):
        chain = () if row["chain"] is None else Chain(row["key_id"], material).open(row["chain"])
        made = AccountKey(row["version"], material, ended, chain, made)
        if row["ended"]:
            ended.update(Marks(made).ids(row["ended"]))
    if made is None:
        raise KeyGone
    return made


async def answered(asked: Awaitable[V]) -> V:
    """Return what the database answers; whatever goes wrong with it is KeysUnavailable."""
    try:
        return await asked
    except (PicoError, StatementRefused):
        raise KeysUnavailable from None


def context(key_id: UUID) -> dict[str, str]:
    """Return what a wrapped key is bound to: a random id, since key services log it."""
    return {"key": str(key_id)}
