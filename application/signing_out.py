"""The end of sessions, and of what goes with each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from application.ports.store import Tx
from domain.sessions import Session


async def sign_out(tx: Tx, sessions: Sequence[Session], now: datetime) -> None:
    """Revoke sessions as part of `tx`; the push tokens of their devices go. Repeating is harmless."""
    if not sessions:
        return
    for session in sessions:
        session.revoke(now)
        tx.save(session)
    for token in await tx.push_tokens.of_sessions([session.id for session in sessions]):
        tx.remove(token)
