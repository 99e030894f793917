"""The store: one account's unit of work, and the few acts that stand outside it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from application.inventory import Stored
from application.ports.jobs import Job
from domain.accounts import Account
from domain.erasure import Erasure
from domain.exports import Export, ExportPart
from domain.idempotency import EarlierResult, Operation
from domain.kernel import (
    AccountId,
    Aggregate,
    CarrierRef,
    ConversationId,
    ErrorKind,
    ExportId,
    LineId,
    MessageId,
    PicoError,
    SessionId,
)
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from domain.sessions import Session
from domain.values import Peer


class VersionConflict(PicoError):
    """Somebody else committed first; nothing of this attempt was kept. Run the use case again."""

    kind = ErrorKind.CONFLICT
    code = "version_conflict"


class StoreUnavailable(PicoError):
    """The store did not answer. Nothing of this attempt is known to be kept."""

    kind = ErrorKind.UNAVAILABLE
    code = "store_unavailable"


class JobGone(PicoError):
    """The job was ended before, or is in other hands; nothing of this attempt was kept."""

    kind = ErrorKind.CONFLICT
    code = "job_gone"


@dataclass(frozen=True, slots=True)
class MessagingContext:
    """Everything that receiving or sending a text depends on, read in one look."""

    line: PhoneLine
    conversation: Conversation | None
    earlier: EarlierResult | None


class Tx(Protocol):
    """One account's data: private copies on reading, one atomic flush on leaving. Nothing here reaches another account.

    Reads raise NotFound for what this account does not have (deleted texts and conversations, with all that is in
    them, included). Reads see committed data, not this transaction's own pending writes.
    """

    def save(self, aggregate: Aggregate) -> None:
        """Insert (version 0) or update what changed; once committed, the aggregate knows its new version.

        Saved as it was read, it is only relied on. Its events become audit entries and jobs in the same commit.
        """
        ...

    def remove(self, aggregate: Aggregate) -> None:
        """Delete the row, also when it is saved besides.

        Removing what is already gone makes the commit VersionConflict.
        """
        ...

    def require_unchanged(self, aggregate: Aggregate) -> None:
        """Make the commit VersionConflict if this aggregate, read but not written, has changed since."""
        ...

    def queue(self, job: Job) -> None:
        """Queue a job that no event calls for."""
        ...

    def remove_parts(self, export_id: ExportId) -> None:
        """Delete all parts of an export. Repeating is harmless."""
        ...

    async def account(self) -> Account:
        """Return the account itself."""
        ...

    async def session(self, session_id: SessionId) -> Session:
        """Return one session, revoked or not."""
        ...

    async def sessions(self) -> list[Session]:
        """Return the sessions that are not revoked, newest first."""
        ...

    async def line(self, line_id: LineId) -> PhoneLine:
        """Return one line, in any state."""
        ...

    async def lines(self) -> list[PhoneLine]:
        """Return all lines, newest first."""
        ...

    async def messaging_context(self, line_id: LineId, peer: Peer, operation: Operation) -> MessagingContext:
        """Return the line, the conversation with `peer` (deleted ones do not count) and any earlier result."""
        ...

    async def earlier_result(self, operation: Operation) -> EarlierResult | None:
        """Return what `operation` made, if it was done before and its record has not been swept."""
        ...

    async def conversation(self, conversation_id: ConversationId) -> Conversation:
        """Return one conversation."""
        ...

    async def deleted_conversation(self, conversation_id: ConversationId) -> Conversation:
        """Return a conversation that was deleted and waits to be cleared."""
        ...

    async def conversations(
        self, line_id: LineId | None, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> list[Conversation]:
        """Return up to `limit` conversations by falling (last_at, id), from just before the given place on."""
        ...

    async def message(self, message_id: MessageId) -> Message:
        """Return one text."""
        ...

    async def any_message(self, message_id: MessageId) -> Message:
        """Return one text, deleted ones included."""
        ...

    async def message_by_ref(self, ref: CarrierRef) -> Message | None:
        """Return the text that the carrier knows by `ref`, deleted ones included."""
        ...

    async def messages(
        self, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> list[Message]:
        """Return up to `limit` texts of a conversation, newest first, from just before the given one on."""
        ...

    async def messages_to_purge(self, conversation_id: ConversationId, limit: int) -> list[Message]:
        """Return up to `limit` texts of a deleted conversation that are not deleted themselves, in order of id."""
        ...

    async def with_carrier_copy(self, after: MessageId | None, limit: int) -> list[Message]:
        """Return up to `limit` texts with a carrier reference whose copy is not known to be gone, in order of id.

        Deleted texts are included: theirs may be the only trace left.
        """
        ...

    async def export(self, export_id: ExportId) -> Export:
        """Return one export."""
        ...

    async def exports(self) -> list[Export]:
        """Return all exports, newest first."""
        ...

    async def part(self, export_id: ExportId, position: int) -> ExportPart | None:
        """Return one part of an export, or None past the end."""
        ...

    async def export_page(self, of: Stored, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        """Return up to `limit` records in order of id, opened: plain values by column name, sets as sorted lists.

        Fingerprints cannot be read and are left out.
        """
        ...

    async def count_records(self) -> dict[str, int]:
        """Return how many rows of each record the account has, by name, as the inventory lists them."""
        ...


class Store(Protocol):
    """Every method raises StoreUnavailable when the store does not answer."""

    def begin(
        self, account_id: AccountId, *, completing: int | None = None
    ) -> AbstractAsyncContextManager[Tx]:
        """Open the account's key, then its unit of work. Raises KeyGone.

        On clean exit commits aggregates, audit entries and jobs together, and ends the job with lease
        `completing`, which
        must be one of this account's. Raises VersionConflict (after `delete_rows`, always) or JobGone there.
        On an exception
        leaves no trace.
        """
        ...

    async def count_rows(self, account_id: AccountId) -> dict[str, int]:
        """Return how many rows hold this account's id, by table, waiting jobs included. Needs no key."""
        ...

    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        """Delete every row of the account, by inventory, waiting jobs included. Repeating is harmless. Needs no key."""
        ...

    async def erasure(self, account_id: AccountId) -> Erasure | None:
        """Return how far an unfinished erasure has come."""
        ...

    async def checkpoint(self, erasure: Erasure) -> None:
        """Remember how far an erasure has come; of two that disagree the further one stands. Repeating is harmless."""
        ...

    async def forget_erasure(self, account_id: AccountId) -> None:
        """Drop the checkpoint of a finished erasure. Repeating is harmless."""
        ...

    async def purge_sessions(self, revoked_before: datetime, limit: int) -> int:
        """Delete up to `limit` sessions revoked at or before that instant; return how many went."""
        ...

    async def purge_idempotency_records(self, expired_before: datetime, limit: int) -> int:
        """Delete up to `limit` records of acts that expired at or before that instant; return how many went."""
        ...


class Directory(Protocol):
    """What must be found without knowing the account. It answers ids only. Raises StoreUnavailable."""

    async def account_by_email(self, canonical: str) -> AccountId | None:
        """Return the account with this address, in any state."""
        ...

    async def session(self, token: str) -> tuple[AccountId, SessionId] | None:
        """Return whose session this token opens; None when unknown, revoked, or of an account that is not active."""
        ...

    async def line(self, number: str) -> tuple[AccountId, LineId] | None:
        """Return the line that holds this number now (ordering, active, suspended or releasing).

        May answer from a cache of past answers: `Tx.messaging_context` then shows a line that is no longer
        active, and the
        caller asks again after `forget_line`.
        """
        ...

    def forget_line(self, number: str) -> None:
        """Drop the cached answer for this number."""
        ...

    async def accounts_to_erase(
        self, due_before: datetime, unverified_before: datetime, limit: int
    ) -> Sequence[AccountId]:
        """Accounts due at or before the first instant, unverified ones made up to the second, and unfinished sagas.

        An account that is `erasing` counts as an unfinished saga even before its first checkpoint.
        """
        ...

    async def exports_to_expire(
        self, due_before: datetime, limit: int
    ) -> Sequence[tuple[AccountId, ExportId]]:
        """Exports past their time that are still being built or still have parts: not fetched, or not to the end."""
        ...
