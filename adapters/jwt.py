"""Signed tokens (RFC 7515, RFC 7519) by which we show Google and Apple who we are."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def rs256(pem: str, claims: Mapping[str, object]) -> str:
    """Sign claims with an RSA key in PEM. Raises ValueError for another kind of key."""
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - what is in the file is a value
    said = _said({"alg": "RS256", "typ": "JWT"}, claims)
    return f"{said}.{_text(key.sign(said.encode(), padding.PKCS1v15(), SHA256()))}"


def es256(pem: str, key_id: str, claims: Mapping[str, object]) -> str:
    """Sign claims with a P-256 key in PEM. Raises ValueError for another kind of key."""
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")  # noqa: TRY004 - as above
    said = _said({"alg": "ES256", "kid": key_id, "typ": "JWT"}, claims)
    r, s = utils.decode_dss_signature(key.sign(said.encode(), ec.ECDSA(SHA256())))
    return f"{said}.{_text(r.to_bytes(32) + s.to_bytes(32))}"


def _said(*parts: Mapping[str, object]) -> str:
    return ".".join(_text(json.dumps(part, separators=(",", ":")).encode()) for part in parts)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
