"""Whether Telnyx sent a webhook (Telnyx: webhook fundamentals).

The simulator signs with code of its own, in the outbound adapter: what both misread would show against the samples.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WINDOW = timedelta(seconds=300)
"""How far a webhook's time may be from ours, before or after."""
SECONDS = re.compile(r"[1-9][0-9]{8,11}\Z")
KEY, SIGNATURE = 32, 64
"""Bytes."""


class TelnyxSignature:
    """Checks `telnyx-signature-ed25519` against several public keys: while they are rotated either may have signed.

    The time is signed with the body, so a copy verifies for five minutes only; within them whoever acts on it drops
    repetitions. Verifying has no effect; repeating is harmless.
    """

    def __init__(self, public_keys: Sequence[str], now: Callable[[], datetime]) -> None:
        """Take one or more public keys as Telnyx's portal shows them. Raises ValueError for none."""
        keys = [_decoded(key, KEY) for key in public_keys]
        if not keys or None in keys:
            raise ValueError("a Telnyx public key is missing or is none")
        self._keys = tuple(Ed25519PublicKey.from_public_bytes(key) for key in keys if key is not None)
        self._now = now

    def verify(self, timestamp: str, body: bytes, signature: str) -> bool:
        """Tell whether Telnyx sent just these bytes, not long ago and not in the future."""
        given = _decoded(signature, SIGNATURE)
        if given is None or not SECONDS.match(timestamp):
            return False
        if abs(self._now().timestamp() - int(timestamp)) > WINDOW.total_seconds():
            return False
        signed = timestamp.encode() + b"|" + body
        return any(_verifies(key, given, signed) for key in self._keys)


def _decoded(text: str, length: int) -> bytes | None:
    """Return what a Base64 text holds, if it is so many bytes."""
    try:
        held = b64decode(text, validate=True)
    except (NoBase64, ValueError):
        return None
    return held if len(held) == length else None


def _verifies(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
