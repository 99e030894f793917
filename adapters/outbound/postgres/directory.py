"""What must be found without knowing the account: blind indexes in, ids out.

The directory's table is sharded by its own key and joined to nothing; what stands in an account's rows is read by the
account's id, in a statement of its own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.cache import Cache
from adapters.outbound.postgres.codec import canonical, codec
from adapters.outbound.postgres.decoding import Aggregates, Row
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.reading import ACCOUNT, AGGREGATES, alarm
from adapters.outbound.postgres.sealing import AccountCipher, blind_index
from adapters.outbound.postgres.statements import compiled, readable
from adapters.outbound.postgres.tables import DIRECTORY
from application.ports.directory import Directory, Lease, OpenSession
from application.ports.keyring import KeyGone, Keyring
from domain.accounts import Account, AccountState, Cutoffs, UnusedStep
from domain.billing import CHARGED, BuyerToken, PayerRef, Subscription
from domain.exports import Export, ExportPart
from domain.kernel import AccountId, ExportId, LineId, SealBroken
from domain.push import DeviceToken, PushTokenId
from domain.sessions import Session
from domain.values import SignUpPlace

REMEMBERED = 10_000
REMEMBERED_SECONDS = 30.0
PAGE = 1_000

_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_D = DIRECTORY.c
_FIND = compiled(
    sa.select(_D.account_id, _D.subject_id).where(
        _D.kind == sa.bindparam("kind"), _D.key == sa.bindparam("key")
    ),
    "kind", "key",
)  # fmt: skip
_LEASES = compiled(
    sa.select(_D.account_id, _D.subject_id, _D.key)
    .where(_D.kind == sa.bindparam("kind"), _D.key > sa.bindparam("after", type_=_D.key.type))
    .order_by(_D.key)
    .limit(_LIMIT),
    "kind", "after", "limit",
)  # fmt: skip
_A, _S, _E, _P = (codec(of).table.c for of in (Account, Session, Export, ExportPart))
_SESSIONS: Aggregates[Session] = AGGREGATES[Session]
_OPEN = compiled(
    sa.select(*_SESSIONS.columns)
    .select_from(codec(Session).table.join(codec(Account).table, _A.id == _S.account_id))
    .where(
        _S.account_id == sa.bindparam(ACCOUNT), _A.id == sa.bindparam(ACCOUNT), _S.id == sa.bindparam("id"),
        _S.revoked_at.is_(None), _A.state == sa.literal_column("'active'"),
    ),
    ACCOUNT, "id",
)  # fmt: skip


def _to_erase() -> str:
    """Compile the look for accounts that are due: each branch is read off an index, the longest wait first."""
    branches = []
    for state, since, until in (
        ("pending_deletion", _A.erase_at, "due_before"),
        ("unverified", _A.created_at, "unverified_before"),
    ):
        cutoff = sa.bindparam(until, type_=since.type)
        of_state = _A.state == sa.literal_column(f"'{state}'")
        due = sa.select(_A.id, (cutoff - since).label("waited")).where(of_state, since <= cutoff)
        branches.append(sa.select(due.order_by(since).limit(_LIMIT).subquery()))
    every = sa.union_all(*branches).subquery()
    longest = sa.select(every.c.id).order_by(every.c.waited.desc(), every.c.id).limit(_LIMIT)
    return compiled(longest, "due_before", "unverified_before", "limit")


_TO_ERASE = _to_erase()
_ACCOUNTS = compiled(
    sa.select(_A.id).where(_A.id > sa.bindparam("after")).order_by(_A.id).limit(_LIMIT), "after", "limit"
)
_STATES = compiled(sa.select(readable(_A.state), sa.func.count()).group_by(_A.state))
_KNOWN = compiled(
    sa.select(_A.id).where(_A.id == sa.func.any(sa.bindparam("ids", type_=postgresql.ARRAY(_A.id.type)))),
    "ids",
)
_U = codec(Subscription).table.c
_UNUSED = compiled(
    sa.select(_A.id).where(
        _A.id == sa.func.any(sa.bindparam("ids", type_=postgresql.ARRAY(_A.id.type))),
        _A.state == sa.literal_column("'active'"),
        _A.restriction.is_(None),
        _A.unreachable.is_(None),
        _A.unused_since.is_(None),
        ~sa.exists().where(
            _S.account_id == _A.id,
            _S.revoked_at.is_(None),
            _S.ends_at > sa.bindparam("now", type_=_S.ends_at.type),
        ),
        ~sa.exists().where(
            _U.account_id == _A.id,
            _U.state.in_([sa.literal_column(f"'{state}'") for state in sorted(CHARGED)]),
        ),
    ),
    "ids",
    "now",
)


def _unused_due() -> str:
    """Compile the look for unused accounts whose next step is due: each step is read off an index of its own."""
    since = _A.unused_since
    branches = []
    for step, nothing, last in (
        (UnusedStep.WARN, _A.warned_at, None),
        (UnusedStep.WARN_AGAIN, _A.warned_again_at, _A.warned_at),
        (UnusedStep.DELETE, None, _A.warned_again_at),
    ):
        due = sa.select(_A.id).where(
            _A.state == sa.literal_column("'active'"),
            since <= sa.bindparam(f"since_{step}", type_=since.type),
        )
        if nothing is not None:
            due = due.where(nothing.is_(None))
        if last is not None:
            due = due.where(last <= sa.bindparam(f"warned_{step}", type_=since.type))
        branches.append(sa.select(due.order_by(since if last is None else last).limit(_LIMIT).subquery()))
    return compiled(
        sa.union_all(*branches),
        "since_warn",
        "since_warn_again",
        "warned_warn_again",
        "since_delete",
        "warned_delete",
        "limit",
    )


_UNUSED_DUE = _unused_due()
_HAS_PARTS = sa.exists().where(_P.account_id == _E.account_id, _P.export_id == _E.id)
_TO_EXPIRE = compiled(
    sa.select(_E.account_id, _E.id)
    .where(
        _E.expires_at <= sa.bindparam("due_before"),
        sa.or_(_E.state == sa.literal_column("'building'"), _HAS_PARTS),
    )
    .order_by(_E.expires_at)
    .limit(_LIMIT),
    "due_before",
    "limit",
)


class _Verified(NamedTuple):
    """A session whose seal was opened: where the token led, the row as it was, and what it says."""

    place: tuple[AccountId, UUID]
    row: Row
    session: OpenSession


class PostgresDirectory(Directory):
    """`Directory` on the store's database. It remembers what it found for `REMEMBERED_SECONDS`.

    Which line holds a number changes a few times in the number's life, and whoever finds the lease over asks again with
    `fresh`. Whose session a token opens never changes; its row is read each time, and its seal opened whenever the row
    is not the one that was verified last: neither a row altered nor a token led elsewhere opens anything.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        environment: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._environment = environment
        self._lines = Cache[str, Lease](entries=REMEMBERED, seconds=REMEMBERED_SECONDS, monotonic=monotonic)
        self._sessions = Cache[bytes, _Verified](
            entries=REMEMBERED, seconds=REMEMBERED_SECONDS, monotonic=monotonic
        )

    @override
    async def account_by_email(self, canonical: str) -> AccountId | None:
        found = await self._find("accounts.email", canonical)
        return found and found[0]

    @override
    async def sign_ups(self, places: Sequence[SignUpPlace]) -> Sequence[AccountId | None]:
        held = [await self._find("accounts.place", place) for place in places]
        return [found and found[0] for found in held]

    @override
    async def session(self, token: str) -> OpenSession | None:
        key = await self._key("sessions.token", token)
        known = self._sessions.peek(key)
        place = known.place if known is not None else await self._listed("sessions.token", key)
        row = None if place is None else await self._database.first(_OPEN, *place)
        if place is None or row is None:
            self._sessions.drop(key)
            return None
        if known is None or known.row != row or await self._is_over(*place):
            session = await self._opened(place[0], row)
            if session is None or not session.is_opened_by(token):
                alarm(Session.stored_as, place[1], {"token"}, place[0])
                self._sessions.drop(key)
                return None
            found = OpenSession(place[0], session.id, session.created_at, session.ends_at)
            known = _Verified(place, row, found)
            self._sessions.put(key, known)
        return known.session

    async def _is_over(self, account_id: AccountId, session_id: UUID) -> bool:
        """Tell whether a session was revoked, whatever its row says. Whoever is let in needs the key anyway."""
        try:
            return session_id.bytes in (await self._keyring.open(account_id)).ended
        except KeyGone:
            return True

    async def _opened(self, account_id: AccountId, row: Row) -> Session | None:
        """Return the session in a row, None where its seal does not open."""
        try:
            key = await self._keyring.open(account_id)
            cipher = AccountCipher(self._environment, account_id, key, key.former)
            session, _ = _SESSIONS.loader(cipher)(row)
        except (KeyGone, SealBroken):
            return None
        return session

    @override
    async def push_token(self, token: DeviceToken) -> tuple[AccountId, PushTokenId] | None:
        found = await self._find("push_tokens.token", token)
        return found and (found[0], PushTokenId(found[1]))

    @override
    async def payer(self, payer: PayerRef) -> AccountId | None:
        found = await self._find("subscriptions.payer", payer)
        return found and found[0]

    @override
    async def buyer(self, buyer: BuyerToken) -> AccountId | None:
        found = await self._find("subscriptions.buyer", buyer)
        return found and found[0]

    @override
    async def line(self, number: str, *, fresh: bool = False) -> Lease | None:
        known = None if fresh else self._lines.peek(number)
        if known is not None:
            return known
        self._lines.drop(number)
        found = await self._find("phone_lines.number", number)
        if found is None:
            return None
        lease = Lease(found[0], LineId(found[1]))
        self._lines.put(number, lease)
        return lease

    @override
    async def leases(self) -> AsyncGenerator[Lease, None]:
        after = b""
        while rows := await self._database.fetch(_LEASES, "phone_lines.number", after, PAGE):
            for row in rows:
                yield Lease(AccountId(row[0]), LineId(row[1]))
            after = rows[-1][2]

    @override
    async def accounts_to_erase(
        self, due_before: datetime, unverified_before: datetime, limit: int
    ) -> Sequence[AccountId]:
        rows = await self._database.fetch(_TO_ERASE, due_before, unverified_before, limit)
        return [AccountId(row[0]) for row in rows]

    @override
    async def accounts(self, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        rows = await self._database.fetch(_ACCOUNTS, after or UUID(int=0), limit)
        return [AccountId(row[0]) for row in rows]

    @override
    async def count_by_state(self) -> Mapping[AccountState, int]:
        return {AccountState(row[0]): row[1] for row in await self._database.fetch(_STATES)}

    @override
    async def unknown(self, accounts: Sequence[AccountId]) -> Sequence[AccountId]:
        known = {row[0] for row in await self._database.fetch(_KNOWN, list(accounts))}
        return [account_id for account_id in accounts if account_id not in known]

    @override
    async def unused(self, accounts: Sequence[AccountId], now: datetime) -> Sequence[AccountId]:
        found = {row[0] for row in await self._database.fetch(_UNUSED, list(accounts), now)}
        return [account_id for account_id in accounts if account_id in found]

    @override
    async def unused_accounts_due(self, due: Mapping[UnusedStep, Cutoffs], limit: int) -> Sequence[AccountId]:
        again, over = due[UnusedStep.WARN_AGAIN], due[UnusedStep.DELETE]
        rows = await self._database.fetch(
            _UNUSED_DUE, due[UnusedStep.WARN].unused_since, *again, *over, limit
        )
        return [AccountId(row[0]) for row in rows]

    @override
    async def exports_to_expire(
        self, due_before: datetime, limit: int
    ) -> Sequence[tuple[AccountId, ExportId]]:
        rows = await self._database.fetch(_TO_EXPIRE, due_before, limit)
        return [(AccountId(row[0]), ExportId(row[1])) for row in rows]

    async def _find(self, kind: str, value: str) -> tuple[AccountId, UUID] | None:
        return await self._listed(kind, await self._key(kind, value))

    async def _key(self, kind: str, value: str) -> bytes:
        return blind_index(await self._keyring.system("index"), kind, canonical(value))

    async def _listed(self, kind: str, key: bytes) -> tuple[AccountId, UUID] | None:
        row = await self._database.first(_FIND, kind, key)
        return None if row is None else (AccountId(row[0]), row[1])
