"""The floor's statements, one a request, and the connections that run them.

A statement assumes that all is well and counts at its end. Whatever is missing makes it divide by zero, and what was
done before breaks a unique index; either undoes all of it (`UNDONE`), and only then does a second one ask "why".
"""

from __future__ import annotations

import asyncio
from collections import deque

import asyncpg

CONNECTIONS = 12
SETTINGS = {
    "application_name": "floor", "timezone": "UTC", "statement_timeout": "8s", "lock_timeout": "4s", "jit": "off",
    "idle_in_transaction_session_timeout": "10s",
}  # fmt: skip
UNDONE = (
    asyncpg.DivisionByZeroError, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)  # fmt: skip

# $1 account, $2 line, $3 index of the peer, $4 message, $5 its body, $6 now, $7-$10 the idempotency record
_LINE = "line AS (SELECT FROM phone_lines WHERE account_id = $1 AND id = $2 AND state = 'active' FOR SHARE)"
_ONCE = (
    "act AS (INSERT INTO idempotency_records (account_id, id, key, request, resource_id, expires_at, version)"
    " VALUES ($1, $7, $8, $9, $4, $10, 1))"
)
_TALK = (
    "talk AS (UPDATE conversations SET last_at = greatest(last_at, $6){}"
    " WHERE account_id = $1 AND line_id = $2 AND peer_index = $3 AND deleted_at IS NULL{} RETURNING id)"
)
_NEW_TALK = (
    "talk AS (INSERT INTO conversations"
    " (account_id, id, line_id, peer, peer_index, last_at, unread, opted_out_at, created_at, version)"
    " VALUES ($1, {}, $2, {}, $3, $6, {}, {}, $6, 1) RETURNING id)"
)
_TEXT = (
    "text AS (INSERT INTO messages"
    " (account_id, id, conversation_id, line_id, direction, status, body, created_at, attachments, ref, version)"
    " SELECT $1, $4, id, $2, '{}', '{}', $5::bytea, $6, 0, {}, 1 FROM talk)"
)
_JOB = (
    "job AS (INSERT INTO jobs (account_id, id, name, subject, due_at)"
    " VALUES ($1, gen_random_uuid(), '{}', $4, now() + interval '{}'))"
)
_ALL_WELL = "SELECT (SELECT id FROM talk), 1 / ((SELECT count(*) FROM line) * (SELECT count(*) FROM talk){})"

_SESSION = (
    "SELECT d.account_id FROM directory d JOIN accounts a ON a.id = d.account_id"
    " WHERE d.kind = 'sessions.token' AND d.key = {} AND a.state = 'active'"
)
_CALLER = f"caller AS ({_SESSION.format('$11')} AND d.account_id = $1)"
_SENT = (
    _TEXT.format("outbound", "queued", "NULL"),
    _JOB.format("send_message", "0"),
    _ALL_WELL.format(" * (SELECT count(*) FROM caller)"),
)
# $11 the carrier's reference, $12 what a keyword asked for: 1 to stop, -1 to start, else 0
_RECEIVED = (
    _TEXT.format("inbound", "received", "$11::text"),
    _JOB.format("delete_carrier_copy", "2 minutes"),
    _ALL_WELL.format(""),
)
_OPTED = (
    ", unread = unread + 1, opted_out_at = CASE $12::int WHEN 0 THEN opted_out_at WHEN 1 THEN $6 END,"
    " version = version + ($12::int = 1 OR $12::int = -1 AND opted_out_at IS NOT NULL)::int"
)
_NEW_OPTED = "CASE $12::int WHEN 1 THEN $6::timestamptz END"


def _write(*parts: str) -> str:
    return f"WITH {', '.join(parts[:-1])} {parts[-1]}"


# $1 account, $2 index of the token, $3 how many; further ones by statement
_KNOWN = f"EXISTS ({_SESSION.format('$2')} AND d.account_id = $1)"
_CONVERSATIONS = (
    "SELECT id, line_id, peer, last_at, unread, opted_out_at, created_at FROM conversations"
    f" WHERE account_id = $1 AND deleted_at IS NULL AND {_KNOWN}{{}} ORDER BY last_at DESC, id DESC LIMIT $3"
)
_MESSAGES = (
    "SELECT id, line_id, direction, status, body, created_at, attachments, failure FROM messages"
    f" WHERE account_id = $1 AND conversation_id = $4 AND deleted_at IS NULL AND {_KNOWN}"
    " AND EXISTS (SELECT FROM conversations WHERE account_id = $1 AND id = $4 AND deleted_at IS NULL)"
    "{} ORDER BY id DESC LIMIT $3"
)

STATEMENTS = {
    "send": _write(_CALLER, _LINE, _ONCE, _TALK.format("", " AND opted_out_at IS NULL"), *_SENT),
    "send first": _write(_CALLER, _LINE, _ONCE, _NEW_TALK.format("$12", "$13", 0, "NULL"), *_SENT),
    "receive": _write(_LINE, _ONCE, _TALK.format(_OPTED, ""), *_RECEIVED),
    "receive first": _write(_LINE, _ONCE, _NEW_TALK.format("$13", "$14", 1, _NEW_OPTED), *_RECEIVED),
    "conversations": _CONVERSATIONS.format(""),
    "conversations from": _CONVERSATIONS.format(" AND (last_at, id) < ($4, $5)"),
    "conversations of line": _CONVERSATIONS.format(" AND line_id = $4"),
    "conversations of line from": _CONVERSATIONS.format(" AND line_id = $4 AND (last_at, id) < ($5, $6)"),
    "messages": _MESSAGES.format(""),
    "messages from": _MESSAGES.format(" AND id < $5"),
    # Off the hot path: first sight of a number or a token, and the reasons for a no.
    "line": ("SELECT account_id, subject_id FROM directory WHERE kind = 'phone_lines.number' AND key = $1"),
    "session": _SESSION.format("$1"),
    "why": (
        "SELECT l.state, c.id, c.opted_out_at, o.resource_id, o.request FROM phone_lines l"
        " LEFT JOIN conversations c"
        " ON c.account_id = $1 AND c.line_id = $2 AND c.peer_index = $3 AND c.deleted_at IS NULL"
        " LEFT JOIN idempotency_records o ON o.account_id = $1 AND o.key = $4 WHERE l.account_id = $1 AND l.id = $2"
    ),
    "message": (
        "SELECT m.id, m.conversation_id, m.created_at FROM messages m"
        " JOIN conversations c ON c.account_id = $1 AND c.id = m.conversation_id AND c.deleted_at IS NULL"
        " WHERE m.account_id = $1 AND m.id = $2 AND m.deleted_at IS NULL"
    ),
    "conversation": "SELECT FROM conversations WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL",
}


class Lanes:
    """Connections, each with every statement prepared. The one that came back last goes first."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: list = []
        self._waiting: deque[asyncio.Future] = deque()

    async def open(self) -> None:
        self._free = [await self._connect() for _ in range(CONNECTIONS)]

    def close(self) -> None:
        for connection, _ in self._free:
            connection.terminate()

    async def fetch(self, name: str, *values: object) -> list:
        if self._free:
            lane = self._free.pop()
        else:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            lane = await turn
        try:
            return await lane[1][name].fetch(*values)
        finally:
            if lane[0].is_closed():
                lane = await self._connect()
            while self._waiting and self._waiting[0].done():  # whoever waited has gone
                self._waiting.popleft()
            if self._waiting:
                self._waiting.popleft().set_result(lane)
            else:
                self._free.append(lane)

    async def _connect(self) -> tuple:
        connection = await asyncpg.connect(self._url, server_settings=SETTINGS, command_timeout=10)
        lane = connection, {name: await connection.prepare(text) for name, text in STATEMENTS.items()}
        await connection.execute(
            "SELECT 1"
        )  # preparing leaves the statement's time running, and 8 s later it is over
        return lane
