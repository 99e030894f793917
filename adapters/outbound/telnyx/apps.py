"""The apps of lines at Telnyx (Telnyx: telephony credentials, access tokens): one credential for each token."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from adapters.outbound.telnyx.answers import Resource, certain, instant_of, opaque, resource_of, words_of
from adapters.outbound.telnyx.http import TelnyxHttp
from adapters.outbound.telnyx.vocabulary import Gone
from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.voice_carrier import ClientToken
from domain.call_instructions import ClientIdentity

JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
SIP_NAME = re.compile(r"[A-Za-z0-9]{1,64}\Z")
DOMAIN = "sip.telnyx.com"
MOST_RUNG = 10
"""Apps of a line that are rung at a time, the latest ones."""
SWEPT = 20
"""Credentials that are deleted on the way when a token is made: they have ended, and Telnyx deletes none by itself."""


@dataclass(frozen=True, slots=True)
class TelnyxApps:
    """Makes tokens for apps, and knows by which addresses they are rung.

    A token of Telnyx's is good for a day, or until its credential ends, whichever is first. So each has a credential
    of its own that ends when the token shall; its name is the line's apps' name, which says nothing of anybody. Telnyx
    has some seconds to take a new one in, so an app that is refused at once tries again.

    `connection_id` is a credential connection. No documentation was found to say by which signed word of an event a
    call that an app begins could be traced to its credential: an app may name any sender. So none begins there. Apps
    answer, be it a call that comes in or one that we place for them, and the connection must let no call out by itself:
    it has no outbound voice profile. That is looked at before each token, since an app could call past us otherwise.
    How long a credential's name may be was not found either; ours has 82 signs.
    """

    http: TelnyxHttp
    connection_id: str

    @certain
    async def token(self, client: ClientIdentity, ends: datetime) -> ClientToken:
        """Make a token. Raises CarrierRefused, CarrierUnavailable; CarrierUnsupported for a connection that is open."""
        await self._must_be_shut()
        wish = {"connection_id": self.connection_id, "name": str(client), "expires_at": ends.isoformat()}
        made = opaque((await self.http.post("/telephony_credentials", wish)).get("id"))
        token = (await self.http.post_for_text(f"/telephony_credentials/{made}/token")).strip().strip('"')
        if not JWT.match(token):
            raise CarrierUnavailable
        await self._sweep()
        return ClientToken(token, ends)

    @certain
    async def addresses(self, client: ClientIdentity, now: datetime) -> list[str]:
        """Return where apps are rung that have a token now, the latest first. Repeating is harmless."""
        asked = (("filter[name]", str(client)), ("filter[resource_id]", self._resource))
        held = [
            each
            async for each in self.http.items("/telephony_credentials", asked)
            if self._is_of(each, client)
        ]
        alive = [each for each in held if instant_of(each.get("expires_at")) > now]
        alive.sort(key=lambda each: instant_of(each.get("created_at")), reverse=True)
        return [address_of(each) for each in alive[:MOST_RUNG]]

    @property
    def _resource(self) -> str:
        return f"connection:{self.connection_id}"

    def _is_of(self, credential: Resource, client: ClientIdentity) -> bool:
        return (credential.get("name"), credential.get("resource_id")) == (str(client), self._resource)

    async def _must_be_shut(self) -> None:
        """Raise CarrierUnsupported where apps could call whom they like."""
        connection = await self.http.get(f"/credential_connections/{self.connection_id}")
        if resource_of(connection.get("outbound") or {}).get("outbound_voice_profile_id"):
            raise CarrierUnsupported

    async def _sweep(self) -> None:
        """Delete some credentials of any line that have ended."""
        asked = (("filter[status]", "expired"), ("filter[resource_id]", self._resource))
        for each in await self.http.page("/telephony_credentials", (*asked, ("page[size]", str(SWEPT)))):
            if each.get("resource_id") == self._resource and each.get("expired") in {True, "true"}:
                with suppress(Gone):
                    await self.http.delete(f"/telephony_credentials/{opaque(each.get('id'))}")


def address_of(credential: Resource) -> str:
    """Return where an app is rung. Raises CarrierUnavailable."""
    name = words_of(credential.get("sip_username"))
    if not SIP_NAME.match(name):
        raise CarrierUnavailable
    return f"sip:{name}@{DOMAIN}"


def is_app(to: str) -> bool:
    """Tell whether a leg leads to an app."""
    return to.startswith("sip:") and to.endswith(f"@{DOMAIN}")
