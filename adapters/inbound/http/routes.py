"""The API, a line a resource."""

from __future__ import annotations

from typing import Any

from adapters.inbound.http.resources import (
    accounts,
    audit_log,
    billing,
    blocked_numbers,
    calls,
    contacts,
    docs,
    events,
    exports,
    greetings,
    health,
    legal,
    lines,
    media,
    message_estimates,
    messages,
    policy,
    port_requests,
    push_tokens,
    sandbox,
    search,
    sessions,
    voicemails,
    webhook_endpoints,
    welcome,
)
from adapters.inbound.http.route import Route

ROUTES: tuple[Route[Any], ...] = (
    *welcome.ROUTES,
    *health.ROUTES,
    *docs.ROUTES,
    *legal.ROUTES,
    *policy.ROUTES,
    *accounts.ROUTES,
    *exports.ROUTES,
    *audit_log.ROUTES,
    *sessions.ROUTES,
    *lines.ROUTES,
    *port_requests.ROUTES,
    *messages.ROUTES,
    *calls.ROUTES,
    *message_estimates.ROUTES,
    *media.ROUTES,
    *voicemails.ROUTES,
    *greetings.ROUTES,
    *contacts.ROUTES,
    *blocked_numbers.ROUTES,
    *search.ROUTES,
    *events.ROUTES,
    *push_tokens.ROUTES,
    *webhook_endpoints.ROUTES,
    *billing.ROUTES,
)

SANDBOX_ROUTES: tuple[Route[Any], ...] = sandbox.ROUTES
"""They exist only in the Sandbox."""
