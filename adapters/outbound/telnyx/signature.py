"""How Telnyx signs its webhooks (Telnyx: webhook fundamentals). The simulator signs so; whoever receives verifies."""

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def sign(key: Ed25519PrivateKey, timestamp: str, body: bytes) -> str:
    """Return the signature of a body that is sent at `timestamp`, which is in seconds since 1970."""
    return b64encode(key.sign(timestamp.encode() + b"|" + body)).decode()


def public_key(key: Ed25519PrivateKey) -> str:
    """Return the public key as Telnyx's portal shows it: 32 bytes in Base64."""
    return b64encode(key.public_key().public_bytes_raw()).decode()


def public_key_of(signing_key: bytes) -> str:
    """Return the public key of the 32 bytes that a simulator signs with."""
    return public_key(Ed25519PrivateKey.from_private_bytes(signing_key))
