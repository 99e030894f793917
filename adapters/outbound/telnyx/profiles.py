"""Messaging profiles at Telnyx, one for each line: what is said to a profile holds for all its numbers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from adapters.outbound.telnyx.answers import opaque, words_of
from adapters.outbound.telnyx.http import TelnyxHttp
from adapters.outbound.telnyx.vocabulary import Gone
from domain.kernel import LineId


@dataclass(frozen=True, slots=True)
class Profiles:
    """Finds, makes and removes the profile of a line, which is known by its name."""

    http: TelnyxHttp
    webhooks: str

    async def of(self, line_id: LineId) -> str | None:
        """Return the id of the line's profile, if there is one. Repeating is harmless."""
        async for profile in self.http.items(
            "/messaging_profiles", (("filter[name][eq]", name_of(line_id)),)
        ):
            if words_of(profile.get("name")) == name_of(line_id):
                return opaque(profile.get("id"))
        return None

    async def made(self, line_id: LineId) -> str:
        """Return the id of the line's profile, made if need be. Repeating is harmless but for a lost answer's twin.

        Its webhooks name the line. No word of what is sent is rewritten, no encoding and no link; a picture is made
        small enough for the network that takes it (Telnyx: less than 1 MB in all).
        """
        found = await self.of(line_id)
        if found is not None:
            return found
        made = await self.http.post(
            "/messaging_profiles",
            {
                "name": name_of(line_id),
                "enabled": True,
                "whitelisted_destinations": ["*"],
                "webhook_url": f"{self.webhooks}?line={line_id}",
                "webhook_api_version": "2",
                "smart_encoding": False,
                "mms_fall_back_to_sms": False,
                "mms_transcoding": True,
                "url_shortener_settings": None,
                "number_pool_settings": None,
            },
        )
        return opaque(made.get("id"))

    async def removed(self, line_id: LineId) -> None:
        """Remove the line's profile, with the STOPs that were said to it; it may be gone already."""
        found = await self.of(line_id)
        if found is not None:
            with suppress(Gone):
                await self.http.delete(f"/messaging_profiles/{found}")


def name_of(line_id: LineId) -> str:
    """Return the name of a line's profile."""
    return f"pico-{line_id}"
