"""How a peer's STOP outlives the conversation in which it was said."""

from __future__ import annotations

from datetime import datetime

from application.ports.ids import Ids
from application.ports.store import Tx
from domain.kernel import LineId, OptOutId
from domain.opt_outs import LastingOptOut
from domain.values import Peer


async def keep_opt_out(tx: Tx, ids: Ids, line_id: LineId, peer: Peer, at: datetime) -> None:
    """Have a peer's STOP be known without a conversation, while the line may send. Repeating is harmless."""
    line = await tx.lines.get_even_broken(line_id)
    tx.require_unchanged(line)
    if line.holds_number and await tx.conversations.opt_out(line_id, peer) is None:
        opt_out_id = OptOutId(ids.random_id())
        tx.save(
            LastingOptOut(
                account_id=line.account_id, id=opt_out_id, line_id=line_id, peer=peer, opted_out_at=at
            )
        )
