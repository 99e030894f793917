"""Sentry: what leaves for it holds nothing of anybody. A report full of it is made, rebuilt, and looked through."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.outbound.sentry.allowed import rebuilt
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined

CANARY = "canary +1 212 555 0123 canary@example.org"
EVENT: dict[str, Any] = {
    "event_id": CANARY,
    "level": "error",
    "message": CANARY,
    "logentry": {"message": CANARY, "params": [CANARY]},
    "user": {"email": CANARY, "ip_address": "192.0.2.1"},
    "request": {"url": CANARY, "data": CANARY, "headers": {"Authorization": CANARY}},
    "breadcrumbs": {"values": [{"message": CANARY}]},
    "extra": {"said": CANARY},
    "tags": {"who": CANARY},
    "contexts": {"trace": {"data": CANARY}},
    "server_name": CANARY,
    "exception": {
        "values": [
            {
                "type": "ValueError",
                "value": CANARY,
                "module": CANARY,
                "stacktrace": {
                    "frames": [
                        {
                            "function": "change",
                            "module": "application.messages",
                            "lineno": 1,
                            "vars": {"body": CANARY},
                            "context_line": CANARY,
                        }
                    ]
                },
            }
        ]
    },
}
"""What Sentry's client would make of an error in the worst case."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What would leave, and for where."""

    sent: str
    dsn: str


def _dsn(examined: Examined) -> str:
    return examined.secret(lambda settings: settings.sentry_dsn)


async def _read(examined: Examined) -> Reported:
    return Reported(json.dumps(rebuilt(EVENT)), _dsn(examined))


PART = Part(
    name="sentry",
    read=_read,
    configured=lambda examined: bool(_dsn(examined)),
    checks=(
        Check(
            "scrubbed",
            ("S5", "H14"),
            "A report says what rose where, and nothing of anybody.",
            lambda of: unless(
                "canary" not in of.sent and "192.0.2" not in of.sent, "A report may hold what somebody said."
            ),
        ),
        Check(
            "tells",
            ("S5",),
            "A report still says what rose where.",
            lambda of: unless(
                "ValueError" in of.sent and "application.messages" in of.sent, "A report says nothing."
            ),
        ),
        Check(
            "tls",
            ("H14",),
            "Reports leave by TLS.",
            lambda of: unless(urlsplit(of.dsn).scheme == "https", "Reports leave in clear."),
        ),
    ),
)
