"""Finding messages by the words in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pico_client.calls import Calls
from pico_client.messages import Message


class Searches(Calls):
    """What one does to find something again. Contacts are listed whole: see `list_contacts`."""

    def search(
        self,
        q: str,
        line_id: str | None = None,
        with_: str | None = None,
        before: datetime | str | None = None,
        after: datetime | str | None = None,
    ) -> Iterator[Message]:
        """Find messages with all the words, newest first: of a line, with somebody, of a time."""
        return self._list(
            Message, "/v1/search", q=q, line_id=line_id, before=_instant(before), after=_instant(after),
            **{"with": with_},
        )  # fmt: skip


def _instant(at: datetime | str | None) -> str | None:
    return at.isoformat() if isinstance(at, datetime) else at
