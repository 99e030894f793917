"""Whether SendGrid sent a webhook (SendGrid: event webhook security features).

The simulator signs with code of its own, in the outbound adapter: what both misread would show against the samples.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

WINDOW = timedelta(minutes=10)
"""How far a webhook's time may be from ours, before or after. SendGrid names none; each new try is signed anew."""
SECONDS = re.compile(r"[1-9][0-9]{8,11}\Z")
LONGEST = 200
"""Characters of a signature that are looked at: 96 are as many as there can be."""


class SendGridSignature:
    """Checks the signature of events against several public keys: while they are rotated either may have signed.

    The time is signed with the body, so a copy verifies for ten minutes only; within them it says nothing new.
    Verifying has no effect; repeating is harmless.
    """

    def __init__(self, public_keys: Sequence[str], now: Callable[[], datetime]) -> None:
        """Take one or more public keys as SendGrid shows them. Raises ValueError for none, and for what is no key."""
        if not public_keys:
            raise ValueError("a public key of SendGrid is missing")
        self._keys = tuple([verification_key(key) for key in public_keys])
        self._now = now

    def verify(self, timestamp: str, body: bytes, signature: str) -> bool:
        """Tell whether SendGrid sent just these bytes, not long ago and not in the future."""
        given = _decoded(signature) if len(signature) <= LONGEST else None
        if given is None or not SECONDS.match(timestamp):
            return False
        if abs(self._now().timestamp() - int(timestamp)) > WINDOW.total_seconds():
            return False
        signed = timestamp.encode() + body
        return any(_verifies(key, given, signed) for key in self._keys)


def verification_key(text: str) -> EllipticCurvePublicKey:
    """Return the key that a text holds: Base64 of a SubjectPublicKeyInfo, on P-256. Raises ValueError."""
    held = _decoded(text)
    try:
        key = None if held is None else load_der_public_key(held)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("a public key of SendGrid is none")  # noqa: TRY004 - as of all that is none
    return key


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (NoBase64, ValueError):
        return None


def _verifies(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
