"""Several carriers at once: every line is with one, and what is done for a line is done with its own.

A carrier's abilities are its own, so a use case about one line is made once for each carrier, and the line's reference
says which of them is asked. What is done for an account as a whole asks all of them (`adapters.outbound.several`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from adapters.outbound.several.messages import EveryCarrier
from adapters.outbound.several.numbers import EveryProvider
from adapters.outbound.several.recordings import EveryRecordings, EveryTranscriber
from adapters.outbound.several.references import owner_of
from adapters.outbound.several.voice import EveryVoice
from application.catching_up import CaughtUp
from application.ports.message_carrier import MessageCarrier
from application.ports.numbering import NumberingPlan
from application.ports.numbers import NumberProvider
from application.ports.recordings import Recordings
from application.ports.store import Store, Tx
from application.ports.transcriber import Transcriber
from application.ports.voice_carrier import VoiceCarrier
from bootstrap.container import NOTHING, Container, Replaced
from domain.kernel import AccountId, CallId, CarrierRef, LineId, MediaId, MessageId, NotFound
from domain.values import Country

FindLine = Callable[[Tx, UUID], Awaitable[LineId]]
"""Finds the line of what a use case is about. Raises NotFound."""


async def _itself(_tx: Tx, subject: UUID) -> LineId:
    return LineId(subject)


async def _of_message(tx: Tx, subject: UUID) -> LineId:
    return (await tx.messages.get_even_deleted(MessageId(subject))).line_id


async def _of_media(tx: Tx, subject: UUID) -> LineId:
    media = await tx.media.get(MediaId(subject))
    if media.message_id is None:
        raise NotFound
    return await _of_message(tx, media.message_id)


async def _of_call(tx: Tx, subject: UUID) -> LineId:
    return (await tx.calls.get_even_deleted(CallId(subject))).line_id


OF_A_LINE: Mapping[str, FindLine] = MappingProxyType(
    {
        "send_message": _itself,
        "send_queued_message": _of_message,
        "follow_message": _of_message,
        "delete_carrier_copy": _of_message,
        "fetch_media": _of_media,
        "reconcile_line": _itself,
        "finish_release": _itself,
    }
)
"""Use cases that ask a carrier of messages for one line, by how that is found from their second argument."""
CALLS_OF_A_LINE: Mapping[str, FindLine] = MappingProxyType(
    {"issue_voice_token": _itself, "place_call": _itself, "close_call": _of_call, "reconcile_calls": _itself}
)
"""The same of use cases that ask a carrier of calls."""
OF_AN_ACCOUNT = frozenset({"clear_residue", "release_numbers", "delete_carrier_copies"})
"""Those that ask for an account as a whole."""
CALLS_OF_AN_ACCOUNT = frozenset({"clear_residue", "delete_call_records"})
"""The same of calls."""


OF_EACH_CARRIER = frozenset({"catch_up"})
"""Those that ask for all lines of one carrier: done with each by itself."""


@dataclass(frozen=True, slots=True)
class WithEachCarrier:
    """A use case about all lines of a carrier, done with each of them at once."""

    made: Mapping[str, Callable[[], Awaitable[CaughtUp]]]

    async def __call__(self) -> CaughtUp:
        """Have each carrier asked, whatever comes of the others; return the sum. Raises what one of them raised."""
        done = await asyncio.gather(*(use_case() for use_case in self.made.values()), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error
        return sum([each for each in done if isinstance(each, CaughtUp)], CaughtUp())


@dataclass(frozen=True, slots=True)
class WithItsOwnCarrier:
    """A use case about one line, done by the one of `made` that has the line's carrier."""

    made: Mapping[str, Callable[..., Awaitable[object]]]
    store: Store
    find: FindLine

    async def __call__(self, account_id: AccountId, subject: UUID, *given: Any, **named: Any) -> object:  # noqa: ANN401 - whatever the use case takes
        """Find the line, and do it. Raises what the use case raises."""
        use_case = owner_of(await self._ref(account_id, subject), self.made)
        return await use_case(account_id, subject, *given, **named)

    async def _ref(self, account_id: AccountId, subject: UUID) -> CarrierRef | None:
        """Return the reference of the line's number; None where there is none, which the use case says in its words."""
        try:
            async with self.store.begin(account_id) as tx:
                return (await tx.lines.get_even_broken(await self.find(tx, subject))).ref
        except NotFound:
            return None


@dataclass(frozen=True, slots=True)
class Carriers:
    """Carriers by name, the first of which has bare references; `countries` are those whose new lines another has."""

    messages: Mapping[str, MessageCarrier]
    numbers: Mapping[str, NumberProvider]
    countries: Mapping[Country, str] = field(default_factory=dict)
    voices: Mapping[str, VoiceCarrier] = field(default_factory=dict)
    recordings: Mapping[str, Recordings] = field(default_factory=dict)
    transcribers: Mapping[str, Transcriber] = field(default_factory=dict)
    """Those that carry calls, too, and what callers leave."""

    def carrier(self) -> MessageCarrier:
        """Return what an account's use cases ask."""
        return EveryCarrier(self.messages) if self.are_several else next(iter(self.messages.values()))

    def provider(self, plan: NumberingPlan) -> NumberProvider:
        """Return what is asked for numbers."""
        if not self.are_several:
            return next(iter(self.numbers.values()))
        return EveryProvider(self.numbers, self.countries, plan)

    def voice(self) -> VoiceCarrier:
        """Return what an account's use cases ask about calls."""
        return EveryVoice(self.voices) if len(self.voices) > 1 else next(iter(self.voices.values()))

    def every_recording(self) -> Recordings:
        """Return what is asked for recordings."""
        alone = len(self.recordings) == 1
        return next(iter(self.recordings.values())) if alone else EveryRecordings(self.recordings)

    def transcriber(self) -> Transcriber:
        """Return what is asked for transcripts."""
        alone = len(self.transcribers) == 1
        return next(iter(self.transcribers.values())) if alone else EveryTranscriber(self.transcribers)

    @property
    def are_several(self) -> bool:
        """Whether there is more than one."""
        return len(self.messages) > 1

    def replaced(self, others: Replaced = NOTHING) -> Replaced:
        """Return what stands in the place of use cases about one line, made of `others` where these replace them."""
        if not self.are_several:
            return others
        messages = self._made(others, OF_A_LINE, "carrier", self.messages)
        calls = self._made(others, CALLS_OF_A_LINE, "voice", self.voices) if len(self.voices) > 1 else {}
        each = {name: partial(self._all, others.get(name, _maker(name))) for name in OF_EACH_CARRIER}
        return {**others, **messages, **calls, **each}

    def _all(self, make: Callable[..., Any], **parts: Any) -> WithEachCarrier:  # noqa: ANN401 - parts by name
        each = {name: make(**{**parts, "carrier": carrier}) for name, carrier in self.messages.items()}
        return WithEachCarrier(each)

    def _made(
        self, others: Replaced, finding: Mapping[str, FindLine], part: str, by_name: Mapping[str, object]
    ) -> Replaced:
        return {
            name: partial(self._each, others.get(name, _maker(name)), find, part, by_name)
            for name, find in finding.items()
        }

    def _each(
        self,
        make: Callable[..., Any],
        find: FindLine,
        part: str,
        by_name: Mapping[str, object],
        **parts: Any,  # noqa: ANN401 - parts by name
    ) -> WithItsOwnCarrier:
        each = {name: make(**parts | {part: carrier}) for name, carrier in by_name.items()}
        return WithItsOwnCarrier(each, parts["store"], find)


def _maker(name: str) -> Callable[..., Any]:
    maker: Callable[..., Any] = getattr(Container, name).cls
    return maker
