"""Twilio as our carrier of calls (Twilio: Calls resource, access tokens)."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import digest
from types import MappingProxyType
from typing import Any, ClassVar

from typing_extensions import override

from adapters.outbound.twilio.answers import certain, instant_of, ref_of, words_of
from adapters.outbound.twilio.api import LONGEST_LIST, RETRIES, TwilioApi
from adapters.outbound.twilio.recordings import caller_of
from adapters.outbound.twilio.vocabulary import SETTLES_AFTER, Gone
from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.voice_carrier import (
    CarrierCall,
    ClientToken,
    ListedCall,
    VoiceAbilities,
    VoiceCarrier,
)
from domain.call_instructions import RING_FOR, ClientIdentity
from domain.calls import CallOutcome
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import PhoneNumber

OUTCOMES: Mapping[str, CallOutcome] = MappingProxyType(
    {
        "queued": CallOutcome.RINGING,
        "initiated": CallOutcome.RINGING,
        "ringing": CallOutcome.RINGING,
        "in-progress": CallOutcome.IN_PROGRESS,
        "completed": CallOutcome.ANSWERED,
        "busy": CallOutcome.BUSY,
        "no-answer": CallOutcome.NO_ANSWER,
        "failed": CallOutcome.FAILED,
        "canceled": CallOutcome.CANCELED,
    }
)
PEER = re.compile(r"\+?[0-9]{3,15}\Z")
OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class VoiceAccess:
    """With what tokens for apps are made: a key of the account, and the application that their calls go to."""

    key_sid: str = ""
    key_secret: str = field(default="", repr=False)
    application_sid: str = ""
    push_credential_sid: str = ""
    """By which Twilio wakes the apps; without one they ring only while they are open."""

    @property
    def is_complete(self) -> bool:
        """Whether tokens can be made."""
        return bool(self.key_sid and self.key_secret and self.application_sid)


class TwilioVoiceCarrier(VoiceCarrier):
    """Places, ends, lists and deletes calls; a Twilio SID is a CarrierRef."""

    name: ClassVar[str] = "twilio"

    def __init__(self, api: TwilioApi, access: VoiceAccess) -> None:
        """Work for one account. Without complete `access` there are no apps that call or are called."""
        self.api, self.access = api, access
        self.voice_abilities = VoiceAbilities(
            has_app_clients=access.is_complete,
            can_place_calls=True,
            can_delete_records=True,
            can_list_calls=True,
            record_settles_after=SETTLES_AFTER,
        )

    @override
    async def client_token(self, client: ClientIdentity, now: datetime, life: timedelta) -> ClientToken:
        """Make an access token (Twilio: access tokens; JWT by RFC 7519, HS256 with the key's secret)."""
        access = self.access
        if not access.is_complete:
            raise CarrierUnsupported
        ends, began = now + life, int(now.timestamp())
        voice: dict[str, object] = {
            "incoming": {"allow": True},
            "outgoing": {"application_sid": access.application_sid},
        }
        if access.push_credential_sid:
            voice["push_credential_sid"] = access.push_credential_sid
        said = {
            "jti": f"{access.key_sid}-{began}",
            "iss": access.key_sid,
            "sub": self.api.client.account_sid,
            "nbf": began,
            "exp": int(ends.timestamp()),
            "grants": {"identity": str(client), "voice": voice},
        }
        return ClientToken(signed(said, access.key_secret), ends)

    @override
    @certain
    async def place_call(
        self, call_id: CallId, line_id: LineId, client: ClientIdentity, caller_id: PhoneNumber
    ) -> CarrierRef:
        named = f"line={line_id}&call={call_id}"
        call = await self.api.client.calls.create_async(
            to=f"client:{client}",
            from_=caller_id,
            url=f"{self.api.webhooks}/voice/connect?{named}{RETRIES}",
            method="POST",
            status_callback=f"{self.api.webhooks}/voice/status?{named}{RETRIES}",
            status_callback_event=["completed"],
            timeout=int(RING_FOR.total_seconds()),
        )
        return ref_of(call)

    @override
    @certain
    async def end_call(self, ref: CarrierRef) -> None:
        """Have it completed: who is still ringing stops as well (Twilio: update a call, `completed`)."""
        call = await self.look_up_call(ref)
        if call is not None and not call.is_over:
            await self.api.client.calls(ref).update_async(status="completed")

    @override
    @certain
    async def look_up_call(self, ref: CarrierRef) -> CarrierCall | None:
        try:
            call = await self.api.client.calls(ref).fetch_async()
        except Gone:
            return None
        if ref_of(call) != ref:
            raise CarrierUnavailable
        return carrier_call(call)

    @override
    @certain
    async def legs(self, ref: CarrierRef) -> list[CarrierCall]:
        listed = await self._listed(parent_call_sid=ref)
        return [carrier_call(call) for call in listed]

    @override
    @certain
    async def list_calls(self, number: PhoneNumber, client: ClientIdentity | None = None) -> list[ListedCall]:
        """List what came from the number or its apps and what came to it, each once."""
        calls = [*await self._listed(from_=number), *await self._listed(to=number)]
        if client is not None:
            calls += await self._listed(from_=f"client:{client}")
        return [*{ref_of(call): listed_call(call, number) for call in calls}.values()]

    async def _listed(self, **of: str) -> list[Any]:
        size = self.api.page_size
        return list(await self.api.client.calls.list_async(limit=LONGEST_LIST, page_size=size, **of))

    @override
    @certain
    async def delete_record(self, ref: CarrierRef) -> None:
        """Delete it. Raises TooEarly: Twilio deletes no call that is going on, nor one that has just ended."""
        try:
            await self.api.client.calls(ref).delete_async()
        except Gone:
            return


def signed(said: Mapping[str, object], secret: str) -> str:
    """Return claims as a compact JWT (RFC 7515, 7519), signed with HS256, as Twilio has its access tokens."""
    head = {"typ": "JWT", "alg": "HS256", "cty": "twilio-fpa;v=1"}
    text = b".".join(_part(json.dumps(part, separators=(",", ":")).encode()) for part in (head, said))
    return b".".join((text, _part(digest(secret.encode(), text, "sha256")))).decode()


def _part(of: bytes) -> bytes:
    return urlsafe_b64encode(of).rstrip(b"=")


def carrier_call(of: Any) -> CarrierCall:  # noqa: ANN401 - the SDK has no types
    """Translate a call. A status that Twilio has added since is that of a call going on."""
    status = words_of(of.status)
    return CarrierCall(
        ref=ref_of(of),
        outcome=OUTCOMES.get(status, CallOutcome.RINGING),
        is_over=status in OVER,
        duration=_seconds(of.duration),
        at=instant_of(of.date_created),
    )


def listed_call(of: Any, number: PhoneNumber) -> ListedCall:  # noqa: ANN401 - the SDK has no types
    """Translate a call, seen from one of our numbers."""
    call, to, parent = carrier_call(of), words_of(of.to), of.parent_call_sid
    other = words_of(of._from) if to == number else to  # noqa: SLF001 - the SDK has no other name for it
    return ListedCall(
        call.ref, call.outcome, call.is_over, call.duration, call.at,
        is_inbound=to == number and words_of(of.direction) == "inbound",
        peer=caller_of(other) if PEER.match(other) else None,
        parent=CarrierRef(words_of(parent)) if parent else None,
    )  # fmt: skip


def _seconds(said: object) -> int:
    """Return a duration, which comes as text, or not at all while it is not known."""
    return int(said) if isinstance(said, str) and said.isdecimal() and len(said) <= 6 else 0  # noqa: PLR2004 - 11 days
