"""What Apple signs: JSON Web Signatures whose certificates lead to a root that the operator named.

App Store Server API: JWSTransactionDecodedPayload, responseBodyV2. The chain is three certificates in `x5c`, the first
of which signed; each of the first two bears an extension that Apple gives to what signs receipts, and to nothing else.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

SIGNS_RECEIPTS = x509.ObjectIdentifier("1.2.840.113635.100.6.11.1")
ISSUES_SIGNERS = x509.ObjectIdentifier("1.2.840.113635.100.6.2.1")
CHAIN = 3
HALF = 32
"""Bytes of each of the two numbers that an ES256 signature is (RFC 7518, 3.4)."""


def roots_of(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates in a file. Raises ValueError for none."""
    return x509.load_pem_x509_certificates(pem)


class AppleSignature:
    """Checks what Apple signed. Verifying has no effect; repeating is harmless."""

    def __init__(self, roots: Sequence[x509.Certificate], now: Callable[[], datetime]) -> None:
        """Trust these roots and no other. Raises ValueError for none."""
        if not roots:
            raise ValueError("a root of Apple's certificates is missing")
        self._roots = tuple(roots)
        self._now = now

    def said(self, signed: object) -> Mapping[str, Any] | None:
        """Return what was signed; None unless Apple did, by certificates that are valid now."""
        try:
            head, body, signature = str(signed).split(".")
            header = json.loads(_raw(head))
            if header["alg"] != "ES256":
                return None
            leaf = self._trusted([b64decode(der, validate=True) for der in header["x5c"]])
            key, raw = leaf.public_key(), _raw(signature)
            if not isinstance(key, ec.EllipticCurvePublicKey) or len(raw) != 2 * HALF:
                return None
            numbers = int.from_bytes(raw[:HALF]), int.from_bytes(raw[HALF:])
            encoded = utils.encode_dss_signature(*numbers)
            key.verify(encoded, f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
            said = json.loads(_raw(body))
        except (ValueError, TypeError, KeyError, RecursionError, InvalidSignature, x509.ExtensionNotFound):
            return None
        return said if isinstance(said, dict) else None

    def _trusted(self, chain: Sequence[bytes]) -> x509.Certificate:
        """Return the certificate that signed. Raises ValueError, InvalidSignature, ExtensionNotFound."""
        if len(chain) != CHAIN:
            raise ValueError
        leaf, issuer, root = map(x509.load_der_x509_certificate, chain)
        if root not in self._roots:
            raise ValueError
        now = self._now()
        for each in (leaf, issuer, root):
            if not each.not_valid_before_utc <= now <= each.not_valid_after_utc:
                raise ValueError
        leaf.verify_directly_issued_by(issuer)
        issuer.verify_directly_issued_by(root)
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise ValueError
        leaf.extensions.get_extension_for_oid(SIGNS_RECEIPTS)
        issuer.extensions.get_extension_for_oid(ISSUES_SIGNERS)
        return leaf


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
