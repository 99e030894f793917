"""What happens behind both sides' backs after they have seen an account, and what is asked before and afterwards.

Half of it is done by Pico's own store, as another process would. The other half is done by somebody who can write to
the database and has no key: nothing that was altered may be believed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import md5

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from application.messages import DeleteConversation, DeleteMessage, ListMessages
from application.ports.store import Tx
from benchmarks import population as people
from benchmarks.population import Population
from benchmarks.product import Rig, Side
from benchmarks.scenarios import bearer, http, inbound, outbound
from bootstrap.worlds.sandbox import SANDBOX
from domain.accounts import AccountState
from domain.lines import PhoneLine
from domain.values import Capability

(
    LEFT, SUSPENDED, RELEASED, TIDY, PENDING_DELETION, LONG_AWAY, EXPIRED, SILENT,
    FOREVER, MOVED_LINE, MUTED, UNMUTED, SWAPPED, REWRITTEN,
) = TOUCHED = tuple(people.TOUCHED)  # fmt: skip
OTHER = 20
"""The conversation of each that is looked at; the next one is with whom it is swapped."""
CLOCK = SystemClock()
NOW = CLOCK.now()
"""One instant for both sides."""

_WHOSE = {"accounts": "id", "sessions": "account_id", "phone_lines": "account_id", "directory": "account_id"}
_OURS = ", ".join(f"'{people.account_id(one)}'" for one in TOUCHED)
_TALKS = ", ".join(
    f"'{people.conversation_id(one, of)}'" for one in (MUTED, SWAPPED) for of in (OTHER, OTHER + 1)
)
KEPT = {name: f"{owner} IN ({_OURS})" for name, owner in _WHOSE.items()} | {
    "conversations": f"id IN ({_TALKS})"
}
"""What is put back at the end, so that everybody is there to be measured."""
KEEP = (
    "CREATE SCHEMA before",
    *(f"CREATE TABLE before.{name} AS SELECT * FROM {name} WHERE {which}" for name, which in KEPT.items()),
)
PUT_BACK = (
    *(f"DELETE FROM {name} WHERE {which}" for name, which in KEPT.items()),
    *(f"INSERT INTO {name} SELECT * FROM before.{name}" for name in KEPT),
    "DROP SCHEMA before CASCADE",
)


def sid(name: str) -> str:
    """Return a message's id of Twilio's shape."""
    return f"SM{md5(name.encode(), usedforsecurity=False).hexdigest()}"


def page_of(account: int, conversation: int, query: str = "") -> bytes:
    """Ask for a page of messages."""
    path = f"/v1/conversations/{people.conversation_id(account, conversation)}/messages{query}"
    return http("GET", path, bearer(account))


def meanwhile(secret: str, size: Population, when: str) -> Iterator[tuple[str, bytes]]:
    """Name requests that are answered otherwise, or leave nothing, after `happen`."""
    for one in TOUCHED:
        ref, said = sid(f"{when}-{one}"), f"{when} {one}"
        yield f"{when}, list of {one}", http("GET", "/v1/conversations?limit=100", bearer(one))
        yield f"{when}, page of {one}", page_of(one, OTHER)
        yield f"{when}, sent by {one}", outbound(one, ref, people.peer(one, OTHER), said)
        yield f"{when}, to {one}", inbound(secret, ref, people.peer(one, OTHER), people.number(one), said)
        yield f"{when}, sent by {one} again", outbound(one, ref, people.peer(one, OTHER), said)
        yield f"{when}, sent by {one} to another", outbound(one, f"{ref}2", people.peer(one, OTHER + 1), said)
        ref = sid(f"{when}-{one}-other")
        yield (
            f"{when}, to {one} from another",
            inbound(
                secret, ref, people.peer(one, OTHER + 1), people.number(one), said, lease=people.line_id(one)
            ),
        )
        yield f"{when}, bad one by {one}", outbound(one, ref, "", said)
        yield f"{when}, bad page of {one}", page_of(one, OTHER, "?limit=0")
    yield (
        f"{when}, to whom opted out of {UNMUTED}",
        outbound(UNMUTED, f"{when}-unmuted", people.peer(UNMUTED, size.each - 1), "hello"),
    )
    for conversation in (OTHER + 2, OTHER + 3):
        yield f"{when}, page of {TIDY} and {conversation}", page_of(TIDY, conversation)
    deaf = people.peer(TIDY, size.each - 1)
    yield f"{when}, to whom opted out", outbound(TIDY, f"{when}-deaf", deaf, "hello")
    yield (
        f"{when}, from whom opted out",
        inbound(secret, sid(f"{when}-deaf"), deaf, people.number(TIDY), "still there"),
    )
    yield f"{when}, to whom opted out and wrote", outbound(TIDY, f"{when}-deaf-2", deaf, "hello")
    yield (
        f"{when}, from whom opts in",
        inbound(secret, sid(f"{when}-deaf-2"), deaf, people.number(TIDY), "Start"),
    )
    yield f"{when}, to whom opted in", outbound(TIDY, f"{when}-deaf-3", deaf, "hello")
    yield (
        f"{when}, from whom opts out again",
        inbound(secret, sid(f"{when}-deaf-3"), deaf, people.number(TIDY), "stop"),
    )


Change = Callable[[Tx], Awaitable[None]]


async def _leave(tx: Tx) -> None:
    for session in await tx.sessions.list_open():
        session.revoke(NOW)
        tx.save(session)


async def _ask_for_deletion(tx: Tx) -> None:
    account = await tx.accounts.get()
    account.state = AccountState.PENDING_DELETION
    tx.save(account)


def _session_ends(later: timedelta) -> Change:
    async def change(tx: Tx) -> None:
        for session in await tx.sessions.list_open():
            session.ends_at = NOW + later
            tx.save(session)

    return change


def _of_line(one: int, what: Callable[[PhoneLine], None]) -> Change:
    async def change(tx: Tx) -> None:
        line = await tx.lines.get(people.line_id(one))
        what(line)
        tx.save(line)

    return change


CHANGES: dict[int, Change] = {
    LEFT: _leave,
    SUSPENDED: _of_line(SUSPENDED, PhoneLine.suspend),
    RELEASED: _of_line(RELEASED, lambda line: line.released(NOW)),
    PENDING_DELETION: _ask_for_deletion,
    LONG_AWAY: _session_ends(timedelta(days=1)),
    EXPIRED: _session_ends(-timedelta(seconds=1)),
    SILENT: _of_line(SILENT, lambda line: line.can_do(frozenset({Capability.VOICE}))),
}


async def happen(rig: Rig) -> None:
    """Have it happen, the same on both sides."""
    for side in rig.sides.values():
        await execute(side, KEEP)
        async with _store(rig, side) as store:
            for one, change in CHANGES.items():
                await store.update(people.account_id(one), change)
            delete = DeleteConversation(store, CLOCK, TimeOrderedIds(CLOCK))
            for conversation in (OTHER, rig.size.each - 1):
                await delete(people.account_id(TIDY), people.conversation_id(TIDY, conversation))
            await _delete_messages(store, OTHER + 2, 1)
            await _delete_messages(store, OTHER + 3, 99)
        await execute(side, _alterations(rig.size))


async def _delete_messages(store: PostgresStore, conversation: int, newest: int) -> None:
    """Have one account delete the newest messages of a conversation."""
    account, delete = people.account_id(TIDY), DeleteMessage(store, CLOCK)
    page = await ListMessages(store)(account, people.conversation_id(TIDY, conversation), None, newest)
    for message in page.items:
        await delete(account, message.id)


async def put_back(rig: Rig) -> None:
    """Undo what would keep somebody from being measured."""
    for side in rig.sides.values():
        await execute(side, PUT_BACK)


async def execute(side: Side, statements: Iterable[str]) -> None:
    """Run statements on one side's database."""
    connection = await asyncpg.connect(side.database_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _alterations(size: Population) -> Iterator[str]:
    """Write what somebody without a key may do to rows that decide something."""
    yield f"UPDATE sessions SET ends_at = ends_at + interval '1 day' WHERE account_id = '{people.account_id(FOREVER)}'"
    yield f"UPDATE phone_lines SET ref = 'PN' WHERE id = '{people.line_id(MOVED_LINE)}'"
    marked = "UPDATE conversations SET opted_out_at = {} WHERE id = '{}'"
    yield marked.format("now()", people.conversation_id(MUTED, OTHER))
    last = people.conversation_id(UNMUTED, size.each - 1)
    yield marked.format("NULL", last)
    one, other = (people.conversation_id(SWAPPED, of) for of in (OTHER, OTHER + 1))
    index = "UPDATE conversations SET peer_index = {} WHERE id = '{}'"
    yield index.format("'\\x00'", one)
    yield index.format(f"(SELECT peer_index FROM before.conversations WHERE id = '{one}')", other)
    yield index.format(f"(SELECT peer_index FROM before.conversations WHERE id = '{other}')", one)
    rewritten = people.conversation_id(REWRITTEN, OTHER)
    yield f"UPDATE messages SET status = 'failed' WHERE conversation_id = '{rewritten}' AND direction = 'outbound'"


@asynccontextmanager
async def _store(rig: Rig, side: Side) -> AsyncIterator[PostgresStore]:
    async with (
        connect(side.database_url, least=1, most=1) as database,
        connect(side.keyring_url, least=1, most=1) as keys,
    ):
        keyring = PostgresKeyring(keys, LocalKms(rig.kms, CLOCK.now))
        yield PostgresStore(database, keyring, TimeOrderedIds(CLOCK), environment=SANDBOX)
