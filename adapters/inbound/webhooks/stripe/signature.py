"""Whether Stripe sent a webhook (Stripe: verify webhook signatures).

The simulator signs with code of its own, in the outbound adapter: what both misread would show against the samples.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=300)
"""How far a webhook's time may be from ours, before or after."""
SECONDS = re.compile(r"[1-9][0-9]{8,11}\Z")
SIGNATURE = re.compile(r"[0-9a-f]{64}\Z")
"""Whatever else stands there may hold halves of characters, which cannot even be compared."""
MOST_SIGNATURES = 16
"""Of one webhook: two while a secret is rolled."""


class StripeSignature:
    """Checks `Stripe-Signature` against several secrets: while one is rolled either may have signed.

    The time is signed with the body, so a copy verifies for five minutes only; within them whoever acts on it drops
    repetitions. Verifying has no effect; repeating is harmless.
    """

    def __init__(self, secrets: Sequence[str], now: Callable[[], datetime]) -> None:
        """Take one or more secrets of the endpoint, as Stripe shows them. Raises ValueError for none."""
        if not secrets or not all(secrets):
            raise ValueError("a secret of Stripe's webhooks is missing")
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._now = now

    def verify(self, header: str, body: bytes) -> bool:
        """Tell whether Stripe sent just these bytes, not long ago and not in the future."""
        named = [part.partition("=")[::2] for part in header.split(",")]
        times = [value for name, value in named if name.strip() == "t"]
        given = [value.strip() for name, value in named if name.strip() == "v1"]
        if len(times) != 1 or not SECONDS.match(times[0]) or not 0 < len(given) <= MOST_SIGNATURES:
            return False
        if abs(self._now().timestamp() - int(times[0])) > WINDOW.total_seconds():
            return False
        signed = times[0].encode() + b"." + body
        made = [hmac.digest(secret, signed, hashlib.sha256).hex().encode() for secret in self._secrets]
        # All are compared, however early one fits: how long it takes says nothing.
        legible = [value.encode() for value in given if SIGNATURE.match(value)]
        fits = [hmac.compare_digest(ours, theirs) for ours in made for theirs in legible]
        return any(fits)
