"""What happens in the account, as it happens."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import httpx

from pico_client.calls import FIRST_PAUSE, PATIENCE, Calls
from pico_client.problems import Problem
from pico_client.results import Result, read

SILENCE = 45.0
"""Seconds without a byte, after which a connection counts as dead: the server says something every 15."""

COME_BACK = 1.0, 5.0
"""Seconds after which one comes back: not everybody at once."""


@dataclass(frozen=True, slots=True, repr=False)
class Event(Result):
    """What happened to what, and when. `stream.reset`: something was missed that cannot be told any more."""

    id: str
    event: str
    subject: str
    at: datetime


class Events(Calls):
    """What one does with live events."""

    def follow_events(
        self, seconds: int | None = None, *, last_event_id: str | None = None
    ) -> Iterator[Event]:
        """Yield what happens, and first what happened behind `last_event_id`.

        Goes on for ever, coming back where it broke off; with `seconds` it ends after them, or where it breaks off.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                for event in self._events(seconds, last_event_id):
                    last_event_id, pause = event.id, random.uniform(*COME_BACK)  # noqa: S311 - needs no secrecy
                    yield event
            except httpx.TransportError:
                if seconds is not None:
                    raise
            except Problem as problem:
                if seconds is not None or problem.retry_after is None:
                    raise
                pause = max(pause, problem.retry_after)
            if seconds is not None:
                return
            self._pause(pause)
            pause = min(pause * 2, PATIENCE)

    def _events(self, seconds: int | None, last_event_id: str | None) -> Iterator[Event]:
        asked = {"seconds": seconds}
        with self._stream("GET", "/v1/events", query=asked, seen=last_event_id, silence=SILENCE) as answer:
            yield from _read(answer.iter_lines())


def _read(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a stream (WHATWG HTML, 9.2.6). What breaks off in the middle of one is not one."""
    data = ""
    for line in lines:
        if line.startswith("data: "):
            data = line.removeprefix("data: ")
        elif not line and data:
            yield read(Event, json.loads(data))
            data = ""
