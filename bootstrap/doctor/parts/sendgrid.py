"""SendGrid: it watches nobody, and what it tells of mails it tells us alone, signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined
from bootstrap.settings import ProductionSettings

TRACKING: Mapping[str, str] = {
    "click": "who follows a link",
    "open": "who opens a mail",
    "subscription": "who unsubscribes",
    "google_analytics": "who comes from a mail",
}


@dataclass(frozen=True, slots=True)
class AtSendGrid:
    """The account's switches. Those of a single mail are off as well, and the account's win where a mail has none."""

    tracking: Mapping[str, bool]
    webhooks: list[dict[str, Any]]
    public_url: str
    verified_by: frozenset[str]
    """The keys by which we verify what it tells; none where the world does not name them."""


async def _read(examined: Examined) -> AtSendGrid:
    ask = examined.sendgrid.ask
    tracking = {name: (await ask("GET", f"/v3/tracking_settings/{name}"))["enabled"] for name in TRACKING}
    told = await ask("GET", "/v3/user/webhooks/event/settings/all", may_lack=True) or {}
    on = [each for each in told.get("webhooks", []) if each["enabled"]]
    named = (
        examined.settings.sendgrid_webhook_keys if isinstance(examined.settings, ProductionSettings) else ""
    )
    return AtSendGrid(tracking, on, examined.public_url, frozenset(filter(None, named.split(","))))


def _verified(of: AtSendGrid) -> str | None:
    here = [each for each in of.webhooks if each["url"].startswith(f"{of.public_url}/")]
    other = [each for each in here if (key := each.get("public_key")) and key not in of.verified_by]
    return unless(
        not other, "It signs by a key that PICO_SENDGRID_WEBHOOK_KEYS does not name: we believe none of it."
    )


def _off(name: str) -> Check[AtSendGrid]:
    return Check(
        name.replace("_", "-"),
        ("N5",),
        f"It does not watch {TRACKING[name]}.",
        lambda of: unless(not of.tracking[name], f"It watches {TRACKING[name]}: switch {name} tracking off."),
    )


PART = Part(
    name="sendgrid",
    read=_read,
    in_sandbox=True,
    checks=(
        *map(_off, TRACKING),
        Check(
            "events-signed",
            ("S4",),
            "What it tells of mails is signed.",
            lambda of: unless(
                all(each.get("public_key") for each in of.webhooks), "It tells of mails without a signature."
            ),
        ),
        Check(
            "events-verified",
            ("S4",),
            "What it signs with is what we verify by.",
            _verified,
            in_sandbox=False,
        ),
        Check(
            "events-here",
            ("S4",),
            "What it tells of mails it tells us alone.",
            lambda of: unless(
                all(each["url"].startswith(f"{of.public_url}/") for each in of.webhooks),
                "It tells of mails to somebody else.",
            ),
        ),
        Check(
            "events-few",
            ("N5",),
            "It tells neither of openings nor of clicks.",
            lambda of: unless(
                not any(each.get("open") or each.get("click") for each in of.webhooks),
                "It tells who opens mails or follows links.",
            ),
        ),
    ),
)
