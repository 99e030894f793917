"""The floor's statements and the connections that run them: one a request that reads, two for one that writes.

What is written is sealed for the conversation it belongs to, so somebody must first look which that is. The write then
assumes that all is still as it was seen and counts at its end: whatever is not makes it divide by zero, and what was
done before breaks a unique index. Either undoes all of it (`UNDONE`).
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

_OPEN = "s.revoked_at IS NULL AND a.state = 'active'"
SESSION = "s.fingerprint, s.created_at, s.ends_at, s.version"
LINE = (
    "l.number, l.label, l.state, l.ref, l.created_at, l.released_at, l.release_at,"
    " l.version, l.capabilities, l.country"
)
_TALK = (
    "c.id, c.peer, c.opted_out_at, c.version, c.last_at, o.opted_out_at AS stopped_at,"
    " EXISTS (SELECT FROM blocked_numbers WHERE account_id = $1 AND number_index = $5) AS blocked,"
    " ARRAY(SELECT id FROM push_tokens WHERE account_id = $1) AS devices"
)
# Parameters of a look: $1 account, $2 line, $3 to $5 indexes of the peer
_WITH_WHOM = (
    " LEFT JOIN conversations c"
    " ON c.account_id = $1 AND c.line_id = $2 AND c.peer_index = $3 AND c.deleted_at IS NULL"
    " LEFT JOIN opt_outs o ON o.account_id = $1 AND o.line_id = $2 AND o.peer = $4"
)

# Parameters of a write: $1 account, $2 line, $3 its version, $4 conversation, $5 its version, $6 now, $7 message,
# $8 its body, $9-$12 id, key, request and seal of the idempotency record; last of a move's, until when it goes on
_RELY = "line AS (SELECT FROM phone_lines WHERE account_id = $1 AND id = $2 AND version = $3 FOR SHARE)"
_MOVE = (
    "talk AS (UPDATE conversations SET total = total + 1, last_at = greatest(last_at, {}){}"
    " WHERE account_id = $1 AND id = $4 AND version = $5 RETURNING 1)"
)
_NEW_TALK = (
    "talk AS (INSERT INTO conversations"
    " (account_id, id, line_id, peer, peer_index, last_at, unread, opted_out_at, created_at, version, total)"
    " VALUES ($1, $4, $2, {}, {}, $6, {}, {}, $6, $5, 1) RETURNING 1)"
)
_MESSAGE = (
    "message AS (INSERT INTO messages"
    " (account_id, id, conversation_id, line_id, direction, status, body, created_at, attachments, ref, version)"
    " VALUES ($1, $7, $4, $2, '{}', '{}', $8, $6, {}, {}, 1))"
)
_ONCE = (
    "act AS (INSERT INTO idempotency_records (account_id, id, key, request, seal, resource_id, expires_at, version)"
    " VALUES ($1, $9, $10, $11, $12, {}, {}, 1))"
)
JOB = (
    "job AS (INSERT INTO jobs (account_id, id, name, subject, due_at)"
    " VALUES ($1, gen_random_uuid(), '{}', $7, now() + interval '{}'))"
)
LIVE_EVENT = (
    "live AS (INSERT INTO live_events (account_id, id, kind, subject, at, version)"
    " VALUES ($1, gen_random_uuid(), '{0}', $7, $6, 1)),"
    " told AS (INSERT INTO webhook_deliveries"
    " (account_id, id, endpoint_id, kind, subject, at, state, attempts, version)"
    " SELECT $1, gen_random_uuid(), id, '{0}', $7, $6, 'waiting', 0, 1 FROM webhook_endpoints WHERE account_id = $1"
    " AND state = 'enabled' AND (cardinality(kinds) = 0 OR '{0}' = ANY (kinds)) RETURNING id),"
    " telling AS (INSERT INTO jobs (account_id, id, name, subject, due_at)"
    " SELECT $1, gen_random_uuid(), 'deliver_webhook', id, now() FROM told)"
)
# The last three parameters of what costs money: whose limit, how much of it, as late as what
_TAKE = (
    "taken AS (INSERT INTO limits (key, full_at) VALUES (${0}, $6::timestamptz + ${1}::interval)"
    " ON CONFLICT (key) DO UPDATE SET full_at = greatest(limits.full_at, $6) + ${1}"
    " WHERE ${2} >= greatest(limits.full_at, $6) + ${1} RETURNING 1)"
)


def _write(talk: str, *parts: str, counted: tuple[str, ...] = ("line", "talk")) -> str:
    all_well = " * ".join(f"(SELECT count(*) FROM {part})" for part in counted)
    return f"WITH {', '.join((_RELY, talk, *parts))} SELECT 1 / ({all_well})"


def _send(talk: str, first: int) -> str:
    taken = _TAKE.format(first, first + 1, first + 2)
    return _write(talk, *_SENT, taken, counted=("taken", "line", "talk"))


# $13 when the record expires
_SENT = (
    _MESSAGE.format("outbound", "queued", "0", "NULL"), _ONCE.format("$7", "$13"), JOB.format("send_message", "0"),
    LIVE_EVENT.format("message.queued"),
)  # fmt: skip
# $13 the carrier's reference, $14 how many attachments. A peer whose STOP had outlived a conversation has one again:
# $15 since when they have opted out, $16 the peer, sealed beside that, $17 its index among the STOPs that last, $18 its
# index among conversations, or the new version
_RECEIVED = (
    _MESSAGE.format("inbound", "received", "$14", "$13"), _ONCE.format("NULL", "NULL"),
    JOB.format("delete_carrier_copy", "2 minutes"), LIVE_EVENT.format("message.received"),
)  # fmt: skip
_TAKEN_OVER = "stop AS (DELETE FROM opt_outs WHERE account_id = $1 AND line_id = $2 AND peer = $17)"
_MARKED = ", unread = unread + 1, opted_out_at = $15, peer = $16, version = $18"

# $1 account, $2 session, $3-$6 its row as it was opened, $7 how many; further ones by statement
_KNOWN = (
    "EXISTS (SELECT FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.account_id = $1 AND s.id = $2"
    f" AND s.fingerprint = $3 AND s.created_at = $4 AND s.ends_at = $5 AND s.version = $6 AND {_OPEN})"
)
_CONVERSATIONS = (
    "SELECT c.id, c.line_id, peer, last_at, unread, total, opted_out_at, c.created_at, c.version, last.*"
    " FROM conversations c LEFT JOIN LATERAL (SELECT id AS said, line_id AS said_on, direction, status, body,"
    " created_at AS said_at, attachments, ref, timestamptz_send(attempted_at), timestamptz_send(copy_deleted_at),"
    " version FROM messages m WHERE m.account_id = $1 AND m.conversation_id = c.id AND m.deleted_at IS NULL"
    " ORDER BY id DESC LIMIT 1) last ON true"
    f" WHERE c.account_id = $1 AND c.deleted_at IS NULL AND {_KNOWN}{{}} ORDER BY last_at DESC, c.id DESC LIMIT $7"
)
_BODY = (
    "id, line_id, direction, status, body, created_at, attachments, failure, client_reference, send_at, ref,"
    " timestamptz_send(attempted_at), timestamptz_send(copy_deleted_at), version"
)
_HEAD = (
    "c.line_id", "c.peer", "c.opted_out_at", "c.version", "l.number", "l.state", "l.ref", "l.created_at",
    "l.released_at", "l.release_at", "l.version",
)  # fmt: skip
_ENDS = ", ".join(f"CASE WHEN place > 1 THEN NULL ELSE {end} END AS end{n}" for n, end in enumerate(_HEAD))
# A page has one row, without a message, where there are none. Its ends stand in the first row only.
_MESSAGES = (
    f"SELECT page.*, {_ENDS}"
    " FROM conversations c LEFT JOIN phone_lines l ON l.account_id = $1 AND l.id = c.line_id LEFT JOIN"
    f" (SELECT row_number() OVER (ORDER BY id DESC) AS place, {_BODY} FROM messages"
    " WHERE account_id = $1 AND conversation_id = $8 AND deleted_at IS NULL{} ORDER BY id DESC LIMIT $7) page ON true"
    f" WHERE c.account_id = $1 AND c.id = $8 AND c.deleted_at IS NULL AND {_KNOWN} ORDER BY place"
)

STATEMENTS = {
    "look before sending": (
        f"SELECT {SESSION}, {LINE}, {_TALK} FROM sessions s JOIN accounts a ON a.id = s.account_id"
        f" LEFT JOIN phone_lines l ON l.account_id = $1 AND l.id = $2{_WITH_WHOM}"
        f" WHERE s.account_id = $1 AND s.id = $6 AND {_OPEN}"
    ),
    "send": _send(_MOVE.format("$14", ""), 15),
    "send first": _send(_NEW_TALK.format("$14", "$15", "0", "NULL"), 16),
    "spent": "SELECT FROM limits WHERE key = $1 AND greatest(full_at, $2) + $3::interval > $4",
    "look before receiving": (
        f"SELECT {LINE}, {_TALK} FROM phone_lines l{_WITH_WHOM} WHERE l.account_id = $1 AND l.id = $2"
    ),
    "receive": _write(_MOVE.format("$15", ", unread = unread + 1"), *_RECEIVED),
    "receive first": _write(_NEW_TALK.format("$16", "$18", "1", "$15"), *_RECEIVED, _TAKEN_OVER),
    "receive and mark": _write(_MOVE.format("$19", _MARKED), *_RECEIVED, _TAKEN_OVER),
    "conversations": _CONVERSATIONS.format(""),
    "conversations from": _CONVERSATIONS.format(" AND (last_at, c.id) < ($8, $9)"),
    "conversations of line": _CONVERSATIONS.format(" AND c.line_id = $8"),
    "conversations of line from": _CONVERSATIONS.format(
        " AND c.line_id = $8 AND (last_at, c.id) < ($9, $10)"
    ),
    "names": (
        "SELECT n.number, c.id, c.name, c.numbers FROM contact_numbers n JOIN contacts c"
        " ON c.account_id = n.account_id AND c.id = n.contact_id"
        " WHERE n.account_id = $1 AND n.number = ANY($2) ORDER BY n.place DESC"
    ),
    "messages": _MESSAGES.format(""),
    "messages from": _MESSAGES.format(" AND id < $9"),
    # Off the hot path: first sight of a number or a token, and the reasons for a no.
    "lease": "SELECT account_id, subject_id FROM directory WHERE kind = 'phone_lines.number' AND key = $1",
    "session": (
        f"SELECT s.account_id, s.id, {SESSION} FROM directory d"
        " JOIN sessions s ON s.account_id = d.account_id AND s.id = d.subject_id"
        f" JOIN accounts a ON a.id = d.account_id WHERE d.kind = 'sessions.token' AND d.key = $1 AND {_OPEN}"
    ),
    "use session": (
        "UPDATE sessions SET ends_at = $4, fingerprint = $5, version = version + 1"
        " WHERE account_id = $1 AND id = $2 AND version = $3 RETURNING 1"
    ),
    "done": (
        "SELECT resource_id, request, id, seal, expires_at, version FROM idempotency_records"
        " WHERE account_id = $1 AND key = $2"
    ),
    "active": "SELECT FROM accounts WHERE id = $1 AND state = 'active'",
    "message": (
        f"SELECT {_BODY}, conversation_id FROM messages m WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL"
        " AND EXISTS (SELECT FROM conversations c"
        " WHERE c.account_id = $1 AND c.id = m.conversation_id AND c.deleted_at IS NULL)"
    ),
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
