"""What must be found without knowing the account: keyed blind_indexes in, ids out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.sealing import blind_index
from adapters.outbound.postgres.tables import listed
from application.ports.keyring import Keyring
from domain.kernel import AccountId, ExportId, LineId, SessionId
from domain.lines import HOLDING

REMEMBERED_LINES = 10_000

_ACCOUNT = "SELECT id FROM accounts WHERE email_index = $1"
_SESSION = """
    SELECT s.account_id, s.id FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.token = $1 AND s.revoked_at IS NULL AND a.state = 'active'
"""
_LINE = (
    "SELECT account_id, id FROM phone_lines"  # noqa: S608 - of constants
    f" WHERE number_index = $1 AND state IN ({listed(HOLDING)})"
)
_TO_ERASE = """
    SELECT id FROM (
        SELECT account_id AS id FROM erasures
        UNION SELECT id FROM accounts WHERE erase_at <= $1
        UNION SELECT id FROM accounts WHERE state = 'erasing'
        UNION SELECT id FROM accounts WHERE state = 'unverified' AND created_at <= $2
    ) due ORDER BY random() LIMIT $3 -- so that those that cannot be finished never starve the others
"""
_TO_EXPIRE = """
    SELECT account_id, id FROM exports e WHERE expires_at <= $1 AND (state = 'building' OR EXISTS (
        SELECT FROM export_parts p WHERE p.account_id = e.account_id AND p.export_id = e.id
    )) ORDER BY expires_at LIMIT $2
"""


class PostgresDirectory:
    """`Directory` on the store's database.

    Which line holds a number is remembered in this process, if one does: the answer changes a few times in a number's
    life, and a wrong one shows itself (see `Directory.line`).
    """

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._lines: dict[str, tuple[AccountId, LineId]] = {}

    async def account_by_email(self, canonical: str) -> AccountId | None:
        """See `Directory.account_by_email`."""
        row = await self._database.first(_ACCOUNT, await self._index("accounts.email", canonical))
        return row and AccountId(row[0])

    async def session(self, token: str) -> tuple[AccountId, SessionId] | None:
        """See `Directory.session`."""
        row = await self._database.first(_SESSION, await self._index("sessions.token", token))
        return row and (AccountId(row[0]), SessionId(row[1]))

    async def line(self, number: str) -> tuple[AccountId, LineId] | None:
        """See `Directory.line`."""
        known = self._lines.get(number)
        if known is None:
            row = await self._database.first(_LINE, await self._index("phone_lines.number", number))
            if row is None:
                return None
            if len(self._lines) >= REMEMBERED_LINES:
                del self._lines[next(iter(self._lines))]
            known = self._lines[number] = AccountId(row[0]), LineId(row[1])
        return known

    def forget_line(self, number: str) -> None:
        """See `Directory.forget_line`."""
        self._lines.pop(number, None)

    async def accounts_to_erase(
        self, due_before: datetime, unverified_before: datetime, limit: int
    ) -> Sequence[AccountId]:
        """See `Directory.accounts_to_erase`."""
        rows = await self._database.fetch(_TO_ERASE, due_before, unverified_before, limit)
        return [AccountId(row[0]) for row in rows]

    async def exports_to_expire(
        self, due_before: datetime, limit: int
    ) -> Sequence[tuple[AccountId, ExportId]]:
        """See `Directory.exports_to_expire`."""
        rows = await self._database.fetch(_TO_EXPIRE, due_before, limit)
        return [(AccountId(row[0]), ExportId(row[1])) for row in rows]

    async def _index(self, purpose: str, value: str) -> bytes:
        return blind_index(await self._keyring.system("index"), purpose, value.encode())
