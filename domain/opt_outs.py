"""The other side's STOP, when no conversation is left to hold it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate, LineId, OptOutId
from domain.values import Peer


@dataclass(slots=True, kw_only=True)
class LastingOptOut(Aggregate):
    """That a peer asked not to get messages from a line: all that is left of them when the conversation is deleted.

    Their number is held as a blind index only: it is known again, and cannot be read.
    """

    stored_as: ClassVar[str] = "opt_outs"
    clause: ClassVar[str] = "H27"

    account_id: AccountId
    id: OptOutId
    line_id: Annotated[LineId, held(bound=True)]
    peer: Annotated[Peer | None, held(index=IndexScope.ACCOUNT, readable=False)] = None
    opted_out_at: Annotated[datetime, held(bound=True)]
