"""Stripe: it tells us, and nobody else, of every event, in the shape that we read; and its portal lets people leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.outbound.stripe.http import VERSION, answered, client
from adapters.outbound.stripe.reading import TOLD_OF
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined

MOST = 100


@dataclass(frozen=True, slots=True)
class AtStripe:
    """The endpoints that are told of events, ours and others, and the portals that can be opened."""

    ours: list[Any]
    others: list[Any]
    portals: list[Any]


def _key(examined: Examined) -> str:
    return examined.secret(lambda settings: settings.stripe_api_key)


async def _read(examined: Examined) -> AtStripe:
    stripe = client(examined.session, _key(examined), examined.production.stripe_api_url)
    told = await answered(stripe.v1.webhook_endpoints.list_async({"limit": MOST}))
    portals = await answered(stripe.v1.billing_portal.configurations.list_async({"limit": MOST}))
    on = [each for each in told.data if each.status == "enabled"]
    here = f"{examined.public_url}/webhooks/stripe"
    return AtStripe(
        ours=[each for each in on if each.url == here],
        others=[each for each in on if each.url != here],
        portals=[each for each in portals.data if each.active],
    )


def _version(of: AtStripe) -> str | None:
    other = [each for each in of.ours if each.api_version != VERSION]
    return unless(not other, f"Events come in another shape than {VERSION}.")


def _events(of: AtStripe) -> str | None:
    if not of.ours:
        return None  # which is said elsewhere
    named = {kind for each in of.ours for kind in each.enabled_events}
    missing = set() if "*" in named else set(TOLD_OF) - named
    return unless(not missing, f"It does not tell of {', '.join(sorted(missing))}.")


def _leave(of: AtStripe) -> str | None:
    able = [each for each in of.portals if each.features.subscription_cancel.enabled]
    return unless(bool(able), "Nobody can cancel a subscription in the portal.")


PART = Part(
    name="stripe",
    read=_read,
    configured=lambda examined: bool(_key(examined)),
    checks=(
        Check(
            "endpoint",
            ("S2",),
            "It tells us of events.",
            lambda of: unless(bool(of.ours), "It tells us of nothing: no endpoint of it leads here."),
        ),
        Check(
            "nobody-else",
            ("S2",),
            "It tells nobody else.",
            lambda of: unless(not of.others, f"It tells {len(of.others)} others of who pays."),
        ),
        Check("version", ("S2",), f"Events have the shape of {VERSION}.", _version),
        Check("events", ("R3",), "It tells of every event that we look at.", _events),
        Check("portal", ("R3",), "People can cancel in its portal.", _leave),
    ),
)
