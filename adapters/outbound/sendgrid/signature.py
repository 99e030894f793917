"""How SendGrid signs its webhooks (SendGrid: event webhook security features). The simulator signs so."""

import hashlib
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (NIST SP 800-186, 3.2.1.3)."""


def sign(key: EllipticCurvePrivateKey, timestamp: str, body: bytes) -> str:
    """Return the signature of a body that is sent at `timestamp`, which is in seconds since 1970."""
    return b64encode(key.sign(timestamp.encode() + body, ECDSA(SHA256()))).decode()


def signing_key_of(secret: bytes) -> EllipticCurvePrivateKey:
    """Return the key that a simulator signs with which has this secret: always the same."""
    drawn = int.from_bytes(hashlib.sha512(b"sendgrid" + secret).digest(), "big")
    return derive_private_key(1 + drawn % (ORDER - 1), SECP256R1())


def public_key(key: EllipticCurvePrivateKey) -> str:
    """Return the public key as SendGrid shows it: a SubjectPublicKeyInfo in Base64, without PEM's lines."""
    held = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(held).decode()
