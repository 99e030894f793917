"""What is looked at: one file a part, and a row here."""

from __future__ import annotations

from typing import Any

from bootstrap.doctor.checks import Part
from bootstrap.doctor.parts import (
    cache,
    clocks,
    databases,
    due,
    keys,
    ledger,
    objects,
    push,
    sendgrid,
    sentry,
    servers,
    stores,
    stripe,
    telnyx,
    twilio,
)

PARTS: tuple[Part[Any], ...] = (
    databases.ROWS,
    databases.KEYRING,
    servers.ROWS,
    servers.KEYRING,
    due.PART,
    objects.PART,
    ledger.PART,
    ledger.GATE,
    keys.PART,
    cache.PART,
    clocks.PART,
    twilio.PART,
    telnyx.PART,
    sendgrid.PART,
    stripe.PART,
    stores.APP_STORE,
    stores.GOOGLE_PLAY,
    stores.TLS,
    push.FCM,
    push.APNS,
    sentry.PART,
)
